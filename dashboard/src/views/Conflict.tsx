// Someone else saved what is being edited: their text, and whose is kept. Knows neither report nor notes.
import { ApiError } from "../api/client";
import controls from "../ui/controls.module.css";
import styles from "./Details.module.css";

export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.kind === "ConflictError";

interface Props {
  what: string;
  theirs: string;
  onMine: () => void;
  onTheirs: () => void;
}

export function Conflict({ what, theirs, onMine, onTheirs }: Props) {
  return (
    <div role="alert" className={styles.conflict}>
      <p>Someone else changed {what} while you were writing. Nothing is lost: yours is still here, theirs is saved.</p>
      <details>
        <summary>Their version</summary>
        <pre>{theirs || "(empty)"}</pre>
      </details>
      <div className={styles.buttons}>
        <button type="button" className={controls.button} onClick={onMine}>
          Save mine over theirs
        </button>
        <button type="button" className={controls.button} onClick={onTheirs}>
          Take theirs
        </button>
      </div>
    </div>
  );
}
