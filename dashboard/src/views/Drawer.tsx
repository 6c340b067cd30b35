// The drawer: one run's details beside the charts.
import { useQuery } from "@tanstack/react-query";
import { getRun } from "../api/queries";
import { archiveRuns, trashPaths } from "../state/bulk";
import { nameOf } from "../state/runs";
import { openPrefix, setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import styles from "./Details.module.css";
import { RunDetails } from "./RunDetails";

export default function Drawer({ runKey }: { runKey: string }) {
  const { data, error } = useQuery(getRun(runKey));
  const pinned = useView((view) => view.pinned === runKey);
  const close = () => setView({ drawer: null });
  const archived = data?.row?.archived ?? false;
  return (
    <aside aria-label={`Run ${nameOf(runKey)}`} className={styles.drawer}>
      <div className={styles.head}>
        <h1 title={runKey}>{nameOf(runKey)}</h1>
        <button type="button" className={controls.plain} aria-label="Close the drawer" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div className={`${styles.buttons} ${styles.head}`}>
        <button type="button" className={controls.button} onClick={() => openPrefix(runKey)}>
          Open page
        </button>
        <button
          type="button"
          className={controls.button}
          aria-pressed={pinned}
          onClick={() => setView({ pinned: pinned ? null : runKey })}
        >
          <Icon name="pin" /> {pinned ? "Pinned" : "Pin"}
        </button>
        <button type="button" className={controls.button} onClick={() => void archiveRuns([runKey], !archived)}>
          {archived ? "Unarchive" : "Archive"}
        </button>
        <button
          type="button"
          className={`${controls.button} ${controls.danger}`}
          onClick={() => void trashPaths([runKey]).then(close)}
        >
          Trash
        </button>
      </div>
      <div className={styles.scroll}>
        {error && <p role="alert">{error.message}</p>}
        {data && <RunDetails detail={data} />}
      </div>
    </aside>
  );
}
