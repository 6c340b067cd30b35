// The left pane: folders, what can be done with selected runs, and the table of runs.
import { lazy, Suspense, useState } from "react";
import { useFirstPage } from "../state/runs";
import { useTable } from "../state/table";
import { useThere } from "../state/there";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import { Divider } from "./Divider";
import { RunTable } from "./RunTable";
import table from "./RunTable.module.css";
import styles from "./Shell.module.css";
import { usePageRun } from "./usePageRun";

const BulkBar = lazy(() => import("./BulkBar"));
const FolderList = lazy(() => import("./FolderList"));
const NoMatch = lazy(() => import("./NoMatch"));
const ColumnChooser = lazy(() => import("./ColumnChooser"));
const Missing = lazy(() => import("./Missing"));
const RunSummary = lazy(() => import("./RunSummary"));

export function RunPane() {
  const selected = useTable((state) => state.selected);
  const [choosing, setChoosing] = useState(false);
  const folders = useView((view) => view.folders);
  const trash = useView((view) => view.trash);
  const pageRun = usePageRun();
  const { data } = useFirstPage();
  const pinned = useView((view) => view.pinned);
  const missing = useThere(pinned) === false;
  const noMatch = data !== undefined && data.total === 0 && data.all > 0;
  return (
    <section className={styles.left} aria-label="Runs and folders">
      {selected.size > 0 ? (
        <Suspense fallback={<div className={table.tools} />}>
          <BulkBar selected={selected} />
        </Suspense>
      ) : (
        <div className={table.tools}>
          <button type="button" className={controls.plain} aria-expanded={folders} onClick={() => setView({ folders: !folders })}>
            <Icon name="folder" /> Folders
          </button>
          <span className={table.spring} />
          <button type="button" className={controls.plain} aria-pressed={trash} onClick={() => setView({ trash: !trash })}>
            {trash ? "Back from the trash" : "Trash"}
          </button>
          <button type="button" className={controls.plain} onClick={() => setChoosing(true)}>
            <Icon name="columns" /> Columns
          </button>
        </div>
      )}
      <Suspense fallback={null}>
        {folders && <FolderList />}
        {pinned !== null && missing && <Missing run={pinned} />}
      </Suspense>
      <RunTable short={pageRun !== null || noMatch} />
      <Suspense fallback={null}>
        {noMatch && <NoMatch nearest={data.nearest} />}
        {pageRun && <RunSummary detail={pageRun} />}
        {choosing && <ColumnChooser onClose={() => setChoosing(false)} />}
      </Suspense>
      <Divider />
    </section>
  );
}
