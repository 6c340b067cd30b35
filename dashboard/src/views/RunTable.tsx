// The table of runs, virtual in both directions: only rows and columns near the viewport are elements. Knows no query language.
import { type RefObject, useEffect, useMemo, useRef } from "react";
import { useArrival } from "../state/arrival";
import { type ColumnDef, DIFFERENCE, namesInSight, shownColumns, underGroups } from "../state/columns";
import { type Item, useItems, useLayout } from "../state/pages";
import { askFor, useAllColumns, useFirstPage, useFolderShown, useNameWidth, useVisibleRuns } from "../state/runs";
import { moveCursor, setLayout, useTable } from "../state/table";
import { usePinnedKey } from "../state/there";
import { useView } from "../state/view";
import { grouped } from "../ui/numbers";
import { GroupLine } from "./GroupLine";
import { release } from "./press";
import { RunLine } from "./RunLine";
import styles from "./RunTable.module.css";
import { HEADER, TableHeader } from "./TableHeader";
import { useInSight } from "./useInSight";
import { usePinned } from "./usePinned";

const ROW = 28;
/** With this many columns or fewer, all are elements: finding one needs no scrolling. */
const FEW_COLUMNS = 24;
/** So many parameters of a run are compared with those of the pinned one. */
const MOST_COMPARED = 200;

export function RunTable({ short }: { short: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const { data, error } = useFirstPage();
  const unfolded = useView((view) => view.unfolded);
  const layout = useLayout();
  const { count } = layout;
  const columns = useColumns();
  const nameWidth = useNameWidth();
  const widths = useMemo(() => columns.map((column) => column.width), [columns]);
  const table = { count, size: ROW, header: HEADER, sticky: nameWidth, widths, fewColumns: FEW_COLUMNS };
  const { rows, slots, columns: across, edges, cutAt, reveal, top, left } = useInSight(scroller, table);
  useAskedColumns(columns, across.first, across.last);
  const itemAt = useItems(layout, rows.first, rows.last);
  useEffect(() => setLayout(layout), [layout]);
  useCursor(itemAt, reveal, count);
  useArrival(count);
  useTop(scroller, top);
  const cells = useMemo(
    () =>
      columns
        .slice(across.first, across.last + 1)
        .map((column, i) => ({ column, start: edges[across.first + i]!, at: across.first + i + 2 })),
    [columns, edges, across.first, across.last],
  );
  const width = edges.at(-1)!;
  const pinned = usePinned();
  const folder = useFolderShown();
  const { keys } = useVisibleRuns();
  const drawn = useMemo(() => new Set(keys), [keys]);
  return (
    <div className={styles.frame} style={short ? { flex: "none", height: HEADER + ROW * 2 } : undefined}>
      <div
        ref={scroller}
        role="grid"
        id="runs"
        aria-label="Runs"
        aria-rowcount={count}
        aria-colcount={columns.length + 1}
        aria-multiselectable="true"
        tabIndex={0}
        className={styles.grid}
        data-aside={left > 0}
        onWheel={(event) => {
          if (event.deltaX || event.shiftKey) event.currentTarget.dataset.aside = "true"; // not a frame too late
        }}
        onMouseUp={release}
      >
        <TableHeader cells={cells} all={columns} nameWidth={nameWidth} width={width} total={data?.total} />
        <div role="rowgroup" style={{ height: count * ROW, width, position: "relative" }}>
          {Array.from({ length: Math.max(0, rows.last - rows.first + 1) }, (_, i) => {
            const item = itemAt(rows.first + i);
            const place = { index: item.index, start: item.index * ROW, cells, nameWidth, width };
            // Elements are used again for other rows as the table scrolls: making new ones costs several times as much.
            const slot = item.index % slots;
            if (item.kind === "group") return <GroupLine key={slot} item={item} {...place} open={unfolded.includes(item.id)} />;
            const row = item.kind === "run" ? item.row : null;
            const depth = item.kind === "run" ? item.depth : 0;
            const shown = row !== null && drawn.has(row.key);
            return <RunLine key={slot} {...place} {...{ row, depth, pinned, shown, folder }} />;
          })}
        </div>
      </div>
      {!data && !error && <p className={`${styles.waiting} waiting`}>Loading…</p>}
      {layout.cutFrom !== undefined && <p className={styles.cut}>the largest of {grouped(layout.cutFrom)}</p>}
      {cutAt > 0 && <i className={styles.more} style={{ left: cutAt - 32 }} />}
    </div>
  );
}

/** The shown columns, with the user's order and widths. */
function useColumns(): ColumnDef[] {
  const all = useAllColumns();
  const chosen = useView((view) => view.columns);
  const comparing = usePinnedKey() !== null;
  const by = useView((view) => view.tableGroups);
  return useMemo(() => {
    const shown = shownColumns(all, chosen);
    const wide = by.length ? underGroups(shown, by) : shown;
    const width = chosen?.widths[DIFFERENCE.id] ?? DIFFERENCE.width;
    return comparing ? [{ ...DIFFERENCE, width }, ...wide] : wide;
  }, [all, chosen, comparing, by]);
}

/** Rows carry what is in sight; while a run is pinned, their parameters too. */
function useAskedColumns(columns: readonly ColumnDef[], first: number, last: number) {
  const { data, isFetching, isPlaceholderData } = useFirstPage();
  // Of an old answer that is being renewed: where columns have gone meanwhile, it and the new one would ask for each other's without end.
  const isOld = isFetching && !isPlaceholderData;
  const comparing = usePinnedKey() !== null;
  const params = useMemo(
    () => (comparing ? (data?.columns ?? []).filter((column) => column.kind === "param").slice(0, MOST_COMPARED) : []),
    [comparing, data],
  );
  useEffect(() => {
    if (isOld) return;
    const names = namesInSight(columns, first, last);
    askFor([...new Set([...names, ...params.map((column) => column.name)])]);
  }, [columns, first, last, params, isOld]);
}

/** Another query begins at its first row; where the table is there already, asking or telling its element would cost a layout. */
function useTop(scroller: RefObject<HTMLElement | null>, top: number) {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const trash = useView((view) => view.trash);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query is what brings the table back to its top
  useEffect(() => {
    if (scroller.current && top > 0) scroller.current.scrollTop = 0;
    useTable.setState({ cursor: -1, anchor: -1 }); // other rows stand there, and where a span was to begin
  }, [scroller, q, prefix, trash]);
}

/** Tell the keyboard what its cursor is on, and keep it in sight. */
function useCursor(itemAt: (index: number) => Item, reveal: (index: number) => void, count: number) {
  const cursor = useTable((state) => state.cursor);
  const item = cursor >= 0 && cursor < count ? itemAt(cursor) : null;
  const cursorKey = item?.kind === "run" ? item.row.key : null;
  const cursorGroup = item?.kind === "group" ? item.id : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a moved cursor scrolls
  useEffect(() => {
    if (cursor >= count && count > 0) moveCursor(count - 1, null);
    else if (cursor >= 0) reveal(cursor);
  }, [cursor, count]);
  useEffect(() => useTable.setState({ cursorKey, cursorGroup }), [cursorKey, cursorGroup]);
}
