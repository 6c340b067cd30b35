// The footer: whether notices come in, and how much is shown. Knows the counts, not the charts.
import { isSignedOut } from "../api/client";
import { useCounts } from "../state/counts";
import { askAgain, useFault } from "../state/faults";
import { useLiveStatus } from "../state/live";
import { useFirstPage, useVisibleRuns } from "../state/runs";
import { useView } from "../state/view";
import { cut, grouped, roughly } from "../ui/numbers";
import styles from "./Shell.module.css";

export function Footer() {
  const status = useLiveStatus();
  const { keys, total, unread, ready } = useVisibleRuns();
  const { error } = useFirstPage();
  const fault = useFault();
  const { charts, points } = useCounts();
  const tab = useView((view) => view.tab);
  const shown = Math.min(keys.length, total || keys.length);
  return (
    <footer className={styles.footer}>
      <div>
        <span role="status" aria-label={status} className={styles.status} data-status={status}>
          {status === "offline" ? "○" : "●"} {status}
        </span>
        {status === "offline" && (
          <span>
            {isSignedOut(error) ? "this browser has no session" : "the server does not answer; it is asked again by itself"}
          </span>
        )}
        {ready && (
          <span>
            {grouped(shown)} of {grouped(total)} runs shown
          </span>
        )}
        {fault && (
          <span role="alert" title={fault} className={styles.fault}>
            the server failed: {cut(fault)}{" "}
            <button type="button" onClick={() => void askAgain()}>
              ask again
            </button>
          </span>
        )}
        {unread > 0 && <span>{grouped(unread)} still to be read</span>}
        {tab === "charts" && total > 0 && (
          <span>
            {grouped(charts)} {charts === 1 ? "chart" : "charts"} · {roughly(points)} points
          </span>
        )}
      </div>
      <span className={styles.keys}>/ search · g group · z undo zoom · ? keys</span>
    </footer>
  );
}
