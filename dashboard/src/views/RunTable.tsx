// The table of runs, virtual in both directions: only rows and columns near the viewport are elements. Knows no query language.
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { allColumns, type ColumnDef, DIFFERENCE, shownColumns } from "../state/columns";
import { type Item, useGroupedItems, useRows } from "../state/pages";
import { useFirstPage, useVisibleRuns } from "../state/runs";
import { moveCursor, useTable } from "../state/table";
import { useView } from "../state/view";
import { GroupLine, RunLine } from "./RunLine";
import styles from "./RunTable.module.css";
import { HEADER, TableHeader } from "./TableHeader";
import { useInSight } from "./useInSight";
import { usePinned } from "./usePinned";

const ROW = 28;
/** With this many columns or fewer, all are elements: finding one needs no scrolling. */
const FEW_COLUMNS = 24;

export function RunTable({ short }: { short: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const { data } = useFirstPage();
  const groups = useView((view) => view.tableGroups);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const items = useGroupedItems(groups, open);
  const folded = groups.length > 0;
  const count = folded ? items.length : (data?.total ?? 0);
  const columns = useColumns(folded);
  const nameWidth = useView((view) => view.columns?.widths.name ?? 160);
  const widths = useMemo(() => columns.map((column) => column.width), [columns]);
  const table = { count, size: ROW, header: HEADER, sticky: nameWidth, widths, fewColumns: FEW_COLUMNS };
  const { rows, columns: across, edges, reveal } = useInSight(scroller, table);
  const plain = useRows(rows.first, rows.last);
  const itemAt = (index: number): Item => (folded ? (items[index] ?? { kind: "waiting", index }) : plain(index));
  useCursor(itemAt, reveal, count);
  useTop(scroller);
  const cells = columns.slice(across.first, across.last + 1).map((column, i) => ({ column, start: edges[across.first + i]! }));
  const width = edges.at(-1)!;
  const pinned = usePinned();
  const { keys } = useVisibleRuns();
  const drawn = useMemo(() => new Set(keys), [keys]);
  const fold = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return (
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
      style={short ? { flex: "none", height: HEADER + ROW * 2 } : undefined}
    >
      <TableHeader cells={cells} all={columns} nameWidth={nameWidth} width={width} total={data?.total ?? 0} />
      <div role="rowgroup" style={{ height: count * ROW, width, position: "relative" }}>
        {Array.from({ length: Math.max(0, rows.last - rows.first + 1) }, (_, i) => {
          const index = rows.first + i;
          const start = index * ROW;
          const item = itemAt(index);
          if (item.kind === "group")
            return (
              <GroupLine key={item.id} {...{ item, start, cells, nameWidth, width }} open={open.has(item.id)} onFold={fold} />
            );
          const key = item.kind === "run" ? `${item.depth}${item.row.key}` : index;
          return <RunLine key={key} {...{ item, start, cells, nameWidth, width, pinned, drawn }} />;
        })}
      </div>
    </div>
  );
}

export interface PlacedCell {
  column: ColumnDef;
  start: number;
}

/** The shown columns, with the user's order and widths. */
function useColumns(folded: boolean): ColumnDef[] {
  const { data } = useFirstPage();
  const chosen = useView((view) => view.columns);
  const comparing = useView((view) => view.pinned !== null);
  return useMemo(() => {
    const shown = shownColumns(data ? allColumns(data.columns, data.rows) : [], chosen);
    const wide = folded ? shown.map(withSpread) : shown;
    return comparing ? [DIFFERENCE, ...wide] : wide;
  }, [data, chosen, comparing, folded]);
}

/** Room for "mean ± std" in the rows of groups. */
const withSpread = (column: ColumnDef): ColumnDef =>
  column.kind === "metric" ? { ...column, width: Math.max(column.width, 124) } : column;

/** Another query begins at its first row. */
function useTop(scroller: RefObject<HTMLElement | null>) {
  const q = useView((view) => view.q);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the query is what brings the table back to its top
  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [scroller, q]);
}

/** Tell the keyboard which run its cursor is on, and keep it in sight. */
function useCursor(itemAt: (index: number) => Item, reveal: (index: number) => void, count: number) {
  const cursor = useTable((state) => state.cursor);
  const item = cursor >= 0 && cursor < count ? itemAt(cursor) : null;
  const key = item?.kind === "run" ? item.row.key : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a moved cursor scrolls
  useEffect(() => {
    if (cursor >= count && count > 0) moveCursor(count - 1, null);
    else if (cursor >= 0) reveal(cursor);
  }, [cursor, count]);
  useEffect(() => useTable.setState({ cursorKey: key }), [key]);
}
