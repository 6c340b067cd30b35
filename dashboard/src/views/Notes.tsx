// A run's notes: markdown, edited in place. Knows the text, not how it is drawn.
import { lazy, Suspense, useState } from "react";
import { noteRun, renewed, tagRuns } from "../state/bulk";
import controls from "../ui/controls.module.css";
import { splitTags } from "./BulkBar";
import { Conflict, isConflict } from "./Conflict";
import styles from "./Details.module.css";

const Prose = lazy(() => import("./Prose"));

export function Notes({ runKey, text }: { runKey: string; text: string }) {
  const [draft, setDraft] = useState<string | null>(null);
  const [began, setBegan] = useState("");
  const [conflict, setConflict] = useState(false);
  const [failed, setFailed] = useState("");
  const leave = () => {
    setDraft(null);
    setConflict(false);
    setFailed("");
  };
  const edit = () => {
    setBegan(text);
    setDraft(text);
  };
  const save = (was: string | null) =>
    noteRun(runKey, draft ?? "", was).then(leave, (error: Error) => {
      if (!isConflict(error)) return setFailed(error.message);
      setConflict(true);
      void renewed();
    });
  const tag = (words: string) => {
    const [add, remove] = splitTags(words.split(/[\s,]+/).filter(Boolean));
    if (add.length + remove.length > 0) tagRuns([runKey], add, remove).catch((error: Error) => setFailed(error.message));
  };
  return (
    <details className={styles.section} open>
      <summary>Notes and tags</summary>
      {failed && <p role="alert">{failed}</p>}
      {draft === null ? (
        <>
          {text && (
            <Suspense fallback={null}>
              <Prose text={text} base={runKey} />
            </Suspense>
          )}
          <div className={styles.buttons}>
            <button type="button" className={controls.button} onClick={edit}>
              {text ? "Edit notes" : "Write notes"}
            </button>
            <input
              className={controls.input}
              aria-label="Add tags"
              placeholder="tag -untag ⏎"
              size={14}
              onKeyDown={(event) => {
                if (event.key !== "Enter") return;
                tag(event.currentTarget.value);
                event.currentTarget.value = "";
              }}
            />
          </div>
        </>
      ) : (
        <>
          {conflict && <Conflict what="these notes" theirs={text} onMine={() => void save(null)} onTheirs={leave} />}
          <textarea aria-label="Notes" value={draft} onChange={(event) => setDraft(event.target.value)} />
          <div className={styles.buttons}>
            <button type="button" className={controls.button} onClick={() => void save(began)}>
              Save notes
            </button>
            <button type="button" className={controls.button} onClick={leave}>
              Cancel
            </button>
          </div>
        </>
      )}
    </details>
  );
}
