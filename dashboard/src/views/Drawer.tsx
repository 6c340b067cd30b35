// The drawer: one run's details beside the charts.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { getRun } from "../api/queries";
import { archiveRuns, trashPaths } from "../state/bulk";
import { live } from "../state/live";
import { nameOf } from "../state/runs";
import { useThere } from "../state/there";
import { openPrefix, setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import styles from "./Details.module.css";
import { RunDetails } from "./RunDetails";

/** Whether a notice said that the run was taken away while it was looked at. */
function useGone(runKey: string): boolean {
  const [gone, setGone] = useState(false);
  useEffect(
    () =>
      live().onChange(({ run, what }) => {
        if (run === runKey && (what.includes("gone") || what.includes("new"))) setGone(what.includes("gone"));
      }),
    [runKey],
  );
  return gone;
}

export default function Drawer({ runKey }: { runKey: string }) {
  const gone = useGone(runKey);
  const there = useThere(runKey);
  const lost = gone || there === false;
  const { data, error } = useQuery({ ...getRun(runKey), enabled: there === true && !lost });
  const pinned = useView((view) => view.pinned === runKey);
  const close = () => setView({ drawer: null });
  const archived = data?.row?.archived ?? false;
  return (
    <aside aria-label={`Run ${nameOf(runKey)}`} className={styles.drawer}>
      <div className={styles.head}>
        <h1 id="drawer-title" tabIndex={-1} title={runKey}>
          {nameOf(runKey)}
        </h1>
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
        {lost && data && <p role="alert">{runKey} is gone: it was deleted or moved. Below is what was known of it.</p>}
        {lost && !data && <p role="alert">{runKey} is not there: it was deleted, moved or never logged.</p>}
        {error && !lost && <p role="alert">{error.message}</p>}
        {data && <RunDetails detail={data} />}
      </div>
    </aside>
  );
}
