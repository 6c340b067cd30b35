// The pinned run is not there: says so, and lets it go.
import { setView } from "../state/view";
import controls from "../ui/controls.module.css";
import styles from "./Empty.module.css";

export default function Missing({ run }: { run: string }) {
  return (
    <div role="alert" className={styles.small}>
      <p>The pinned run {run} is not there: it was deleted, moved or never logged.</p>
      <button type="button" className={controls.button} onClick={() => setView({ pinned: null })}>
        Unpin
      </button>
    </div>
  );
}
