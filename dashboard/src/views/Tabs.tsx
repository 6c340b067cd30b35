// The six tabs and the panel of the chosen one; all but charts are loaded when first opened. Knows no view's content.
import { type ComponentType, type KeyboardEvent, lazy, Suspense } from "react";
import { isSignedOut } from "../api/client";
import { useFirstPage, useVisibleRuns } from "../state/runs";
import { badQuery } from "../state/search";
import { setView, TABS, type Tab, useView } from "../state/view";
import { ChartsView } from "./ChartsView";
import { Failure } from "./Failure";
import styles from "./Shell.module.css";
import { Toolbar } from "./Toolbar";

const SignIn = lazy(() => import("./SignIn"));
const Empty = lazy(() => import("./Empty"));
const Unread = lazy(() => import("./Empty").then(({ Unread }) => ({ default: Unread })));

const TITLES: Record<Tab, string> = {
  charts: "Charts",
  compare: "Compare",
  media: "Media",
  files: "Files",
  logs: "Logs",
  report: "Report",
};

const VIEWS: Record<Tab, ComponentType> = {
  charts: ChartsView,
  compare: lazy(() => import("./CompareView")),
  media: lazy(() => import("./MediaView")),
  files: lazy(() => import("./FilesView")),
  logs: lazy(() => import("./LogsView")),
  report: lazy(() => import("./ReportView")),
};

export function Tabs() {
  const tab = useView((view) => view.tab);
  const { all, ready } = useVisibleRuns();
  const View = VIEWS[tab];
  const { error } = useFirstPage();
  const signedOut = isSignedOut(error);
  const unread = !ready && badQuery(error) !== null;
  const noRuns = ready && all === 0 && tab !== "files";
  return (
    <>
      <div className={styles.bar}>
        <div role="tablist" aria-label="Views" className={styles.tabs} onKeyDown={moveTab}>
          {TABS.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={name === tab}
              aria-controls="panel"
              tabIndex={name === tab ? 0 : -1}
              className={styles.tab}
              onClick={() => setView({ tab: name })}
            >
              {TITLES[name]}
            </button>
          ))}
        </div>
        {tab === "charts" && !noRuns && !signedOut && <Toolbar />}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`} tabIndex={0} className={styles.panel}>
        <Failure key={tab}>
          <Suspense fallback={null}>{signedOut ? <SignIn /> : unread ? <Unread /> : noRuns ? <Empty /> : <View />}</Suspense>
        </Failure>
      </div>
    </>
  );
}

function moveTab(event: KeyboardEvent<HTMLDivElement>) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = TABS[(TABS.indexOf(useView.getState().tab) + step + TABS.length) % TABS.length]!;
  setView({ tab: next });
  document.getElementById(`tab-${next}`)?.focus();
}
