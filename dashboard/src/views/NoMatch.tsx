// The query matches nothing: the nearest looser one is a click away.
import { openPrefix, setQuery, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import styles from "./Empty.module.css";

export default function NoMatch({ nearest }: { nearest: string | null }) {
  const prefix = useView((view) => view.prefix);
  return (
    <div className={styles.small}>
      <p>No run matches.{nearest ? " The nearest query that finds some:" : ""}</p>
      {nearest !== null && (
        <button type="button" className={controls.button} onClick={() => setQuery(nearest)}>
          {nearest}
        </button>
      )}
      {nearest === null && (
        <button type="button" className={controls.button} onClick={() => openPrefix(prefix)}>
          Clear the search
        </button>
      )}
    </div>
  );
}
