// The header row: a click sorts, the right edge resizes, a drag reorders; arrow keys do the same. What it changes is the query and the column layout.
import { type DragEvent, type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { type ColumnDef, moved, type PlacedCell, resized } from "../state/columns";
import { tryQuery } from "../state/search";
import { clickedHeader, sortOf, sortsBy } from "../state/sorting";
import { type Columns, setView, useView } from "../state/view";
import { grouped } from "../ui/numbers";
import styles from "./RunTable.module.css";

export const HEADER = 30;
/** How much a key changes a width. */
const STEP = 16;
const DRAGGED = "text/x-column";

interface Props {
  cells: PlacedCell[];
  all: ColumnDef[];
  nameWidth: number;
  width: number;
  /** Not known before the first answer. */
  total: number | undefined;
}

export function TableHeader({ cells, all, nameWidth, width, total }: Props) {
  const [over, setOver] = useState<string | null>(null);
  const head = useHead();
  return (
    <div role="rowgroup" className={styles.header} style={{ width }}>
      <div role="row" onKeyDown={(event) => onKey(event, all, nameWidth)}>
        <div
          role="columnheader"
          aria-colindex={1}
          {...head("name")}
          data-id="name"
          tabIndex={0}
          className={`${styles.head} ${styles.name}`}
          style={{ width: nameWidth, height: HEADER - 1, position: "sticky" }}
        >
          Run{total !== undefined && ` · ${grouped(total)}`}
          <Mark name="name" />
          <Grip id="name" width={nameWidth} />
        </div>
        {cells.map(({ column, start, at }) => (
          <div
            key={column.id}
            role="columnheader"
            aria-colindex={at}
            aria-label={column.title}
            {...head(column.sort)}
            data-id={column.id}
            tabIndex={-1}
            className={styles.head}
            data-numeric={column.numeric}
            data-over={over === column.id}
            style={{ left: start, width: column.width }}
            title={column.title}
            draggable
            onDragStart={(event) => event.dataTransfer.setData(DRAGGED, column.id)}
            onDragEnd={() => setOver(null)}
            onDragOver={(event) => {
              event.preventDefault();
              setOver(column.id);
            }}
            onDrop={(event) => {
              setOver(null);
              drop(event, column.id, all);
            }}
          >
            <span>{column.short}</span>
            <Mark name={column.sort} />
            <Grip id={column.id} width={column.width} />
          </div>
        ))}
      </div>
    </div>
  );
}

/** What all headers have: how the table is sorted by them, and that a click sorts. */
function useHead() {
  const q = useView((view) => view.q);
  const sort = sortOf(q);
  return (name: string) => ({
    "aria-sort": sortsBy(sort, name) ? (sort!.descending ? ("descending" as const) : ("ascending" as const)) : ("none" as const),
    onClick: () => void tryQuery(clickedHeader(q, name)),
  });
}

function Mark({ name }: { name: string }) {
  const sort = sortOf(useView((view) => view.q));
  return sortsBy(sort, name) ? <b>{sort!.descending ? "↓" : "↑"}</b> : null;
}

/** The layout as the user has it, or the one shown now. */
export function layoutNow(all: readonly ColumnDef[]): Columns {
  const { columns } = useView.getState();
  if (columns?.order.length) return columns;
  const ids = all.map((column) => column.id).filter((id) => id !== "f:diff");
  return { order: ids, widths: columns?.widths ?? {} };
}

function drop(event: DragEvent, place: string, all: readonly ColumnDef[]) {
  event.preventDefault();
  const id = event.dataTransfer.getData(DRAGGED);
  if (id) setView({ columns: moved(layoutNow(all), id, place) });
}

const resize = (id: string, width: number | null) => setView({ columns: resized(useView.getState().columns, id, width) });

/** Arrows go from header to header, with Shift they move the column; − and + change its width. */
function onKey(event: KeyboardEvent<HTMLElement>, all: readonly ColumnDef[], nameWidth: number) {
  const head = event.target as HTMLElement;
  const { id } = head.dataset;
  if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
  const column = all.find((one) => one.id === id);
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const wider = { "+": STEP, "=": STEP, "-": -STEP }[event.key];
  if (event.key === "Enter" || event.key === " ") head.click();
  else if (wider) resize(id, (column?.width ?? nameWidth) + wider);
  else if (by && event.shiftKey) move(id, by, all);
  else if (by) next(head, by)?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function next(head: HTMLElement, by: number): HTMLElement | null {
  const found = (by > 0 ? head.nextElementSibling : head.previousElementSibling) as HTMLElement | null;
  found?.scrollIntoView({ block: "nearest", inline: "nearest" });
  return found;
}

function move(id: string, by: number, all: readonly ColumnDef[]) {
  const layout = layoutNow(all);
  const place = layout.order[layout.order.indexOf(id) + by];
  if (!place || !layout.order.includes(id)) return;
  setView({ columns: moved(layout, id, place) });
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`#runs [data-id="${CSS.escape(id)}"]`)?.focus());
}

/** The right edge: dragged it resizes, a double click gives the width at first. */
function Grip({ id, width }: { id: string; width: number }) {
  const from = useRef(0);
  const down = (event: PointerEvent<HTMLSpanElement>) => {
    event.preventDefault();
    from.current = event.clientX - width;
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  return (
    <span
      className={styles.grip}
      onPointerDown={down}
      onPointerMove={(event) => event.buttons === 1 && resize(id, event.clientX - from.current)}
      onDoubleClick={() => resize(id, null)}
      onClick={(event) => event.stopPropagation()}
    />
  );
}
