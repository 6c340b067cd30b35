// No runs yet: four lines that log to this server; the page turns live by itself when the first point lands.
import { rootPath } from "../api/client";
import { useVisibleRuns } from "../state/runs";
import { tryQuery } from "../state/search";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { grouped } from "../ui/numbers";
import styles from "./Empty.module.css";
import { PrefixLink } from "./TopBar";

const snippet = (prefix: string) => `from ml_logger import logger
logger.configure(root="${location.origin}${rootPath}", prefix="${prefix ? `${prefix}/` : ""}first-run")
for step in range(100):
    logger.log(step=step, loss=1 / (1 + step))
logger.flush()`;

function StillReading({ unread }: { unread: number }) {
  return (
    <div className={styles.empty}>
      <h1>Reading the runs</h1>
      <p>
        {unread > 0
          ? `The server is making its index: ${grouped(unread)} runs are still to be read. They appear here as they come.`
          : "The server is looking for runs; they appear here as they come."}
      </p>
    </div>
  );
}

function EmptyTrash({ prefix }: { prefix: string }) {
  return (
    <div className={styles.empty}>
      <h1>The trash is empty</h1>
      <p>Runs that are deleted{prefix && ` from ${prefix}`} stay here for seven days, and can be restored.</p>
      <button type="button" className={controls.button} onClick={() => setView({ trash: false })}>
        Back to the runs
      </button>
    </div>
  );
}

/** An address whose query is none: nothing was found before it that could stay. */
export function Unread() {
  return (
    <div className={styles.empty}>
      <h1>The search is not understood</h1>
      <p>Mend it above, where it is underlined, or begin without one.</p>
      <button type="button" className={controls.button} onClick={() => void tryQuery("")}>
        Clear the search
      </button>
    </div>
  );
}

export default function Empty() {
  const prefix = useView((view) => view.prefix);
  const { unread } = useVisibleRuns();
  const text = snippet(prefix);
  const trash = useView((view) => view.trash);
  if (unread) return <StillReading unread={unread} />;
  if (trash) return <EmptyTrash prefix={prefix} />;
  return (
    <div className={styles.empty}>
      <h1>{prefix ? `Nothing is at ${prefix}` : "No runs here yet"}</h1>
      {prefix && (
        <>
          <p>
            No runs in {prefix}: no run has this name, and no folder that holds runs. If there was one, it was deleted or moved.
          </p>
          <PrefixLink prefix="" className={controls.button}>
            To all runs
          </PrefixLink>
        </>
      )}
      <p>Log something{prefix && " there"}, and it appears here by itself:</p>
      <pre className={styles.snippet} tabIndex={0}>
        {text}
      </pre>
      <button type="button" className={controls.button} onClick={() => void navigator.clipboard?.writeText(text)}>
        Copy
      </button>
    </div>
  );
}
