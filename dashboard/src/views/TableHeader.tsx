// The header row: a click sorts, the right edge resizes, a drag reorders. What it changes is the query and the column layout.
import { type DragEvent, type PointerEvent, useRef } from "react";
import { type ColumnDef, moved } from "../state/columns";
import { clickedHeader, sortOf, sortsBy } from "../state/sorting";
import { type Columns, setQuery, setView, useView } from "../state/view";
import { grouped } from "../ui/numbers";
import type { PlacedCell } from "./RunTable";
import styles from "./RunTable.module.css";

export const HEADER = 30;
const LEAST = 44;

interface Props {
  cells: PlacedCell[];
  all: ColumnDef[];
  nameWidth: number;
  width: number;
  total: number;
}

export function TableHeader({ cells, all, nameWidth, width, total }: Props) {
  const q = useView((view) => view.q);
  const sort = sortOf(q);
  const ariaSort = (name: string) => (sortsBy(sort, name) ? (sort!.descending ? "descending" : "ascending") : "none");
  const mark = (name: string) => (sortsBy(sort, name) ? <b>{sort!.descending ? "↓" : "↑"}</b> : null);
  return (
    <div role="rowgroup" className={styles.header} style={{ width }}>
      <div role="row">
        <div
          role="columnheader"
          aria-sort={ariaSort("name")}
          tabIndex={-1}
          className={`${styles.head} ${styles.name}`}
          style={{ width: nameWidth, height: HEADER - 1, position: "sticky" }}
          onClick={() => setQuery(clickedHeader(q, "name"))}
          onKeyDown={(event) => event.key === "Enter" && setQuery(clickedHeader(q, "name"))}
        >
          Run · {grouped(total)}
          {mark("name")}
          <Grip id="name" width={nameWidth} all={all} />
        </div>
        {cells.map(({ column, start }) => (
          <div
            key={column.id}
            role="columnheader"
            aria-label={column.title}
            aria-sort={ariaSort(column.sort)}
            tabIndex={-1}
            className={styles.head}
            data-numeric={column.numeric}
            style={{ left: start, width: column.width }}
            title={column.title}
            draggable
            onClick={() => setQuery(clickedHeader(q, column.sort))}
            onKeyDown={(event) => event.key === "Enter" && setQuery(clickedHeader(q, column.sort))}
            onDragStart={(event) => event.dataTransfer.setData("text/x-column", column.id)}
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => drop(event, column.id, all)}
          >
            <span>{column.short}</span>
            {mark(column.sort)}
            <Grip id={column.id} width={column.width} all={all} />
          </div>
        ))}
      </div>
    </div>
  );
}

/** The layout as the user has it, or the one shown now. */
export const layoutOf = (all: readonly ColumnDef[]): Columns =>
  useView.getState().columns ?? { order: all.map((column) => column.id), widths: {} };

function drop(event: DragEvent, before: string, all: ColumnDef[]) {
  const id = event.dataTransfer.getData("text/x-column");
  if (id) setView({ columns: moved(layoutOf(all), id, before) });
}

function Grip({ id, width, all }: { id: string; width: number; all: ColumnDef[] }) {
  const from = useRef(0);
  const down = (event: PointerEvent<HTMLSpanElement>) => {
    event.preventDefault();
    from.current = event.clientX - width;
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent<HTMLSpanElement>) => {
    if (event.buttons !== 1) return;
    const layout = layoutOf(all);
    setView({
      columns: { ...layout, widths: { ...layout.widths, [id]: Math.max(LEAST, Math.round(event.clientX - from.current)) } },
    });
  };
  return <span className={styles.grip} onPointerDown={down} onPointerMove={move} onClick={(event) => event.stopPropagation()} />;
}
