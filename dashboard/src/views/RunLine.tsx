// One row of the table: a run. Knows its cells, not where rows come from.

import { type MouseEvent, memo } from "react";
import type { RunRow } from "../api/types";
import { colourOf, styleOf } from "../state/colours";
import { type ColumnDef, cellOf, differences, folderOf, type PlacedCell, textOf } from "../state/columns";
import { hoverRun, useHover } from "../state/hover";
import { nameOf } from "../state/runs";
import { moveCursor, selectBetween, toggleSelected, useTable } from "../state/table";
import { setView, showRun, useView } from "../state/view";
import { Icon } from "../ui/Icon";
import { ago, duration, grouped, shortValue } from "../ui/numbers";
import { own } from "../ui/own";
import styles from "./RunTable.module.css";

export interface Place {
  index: number;
  start: number;
  cells: PlacedCell[];
  nameWidth: number;
  width: number;
}

interface LineProps extends Place {
  /** null while it is on its way. */
  row: RunRow | null;
  depth: number;
  pinned: RunRow | null;
  shown: boolean;
  /** The folder that the run's own is told from beside its name; null where names alone tell runs apart. */
  folder: string | null;
}

export const RunLine = memo(function RunLine({ row, index, depth, start, cells, nameWidth, width, ...more }: LineProps) {
  const { pinned, shown, folder } = more;
  const key = row?.key ?? "";
  const cursor = useTable((state) => state.cursor === index);
  const selected = useTable((state) => state.selected.has(key));
  const hovered = useHover((hover) => hover.run !== null && hover.run === key);
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      aria-selected={selected}
      className={styles.row}
      data-cursor={cursor}
      data-hover={hovered}
      data-archived={row?.archived ?? false}
      style={{ top: start, width }}
      onMouseEnter={() => hoverRun(key || null)}
      onMouseLeave={() => hoverRun(null)}
      onMouseDown={(event) => row && !event.button && press(event, key, index)}
      onClick={(event) => row && !event.detail && click(event, key, index)}
    >
      <div
        role="gridcell"
        aria-label={row ? row.name || nameOf(row.key) : undefined}
        className={styles.name}
        style={{ width: nameWidth, paddingLeft: 12 + depth * 14 }}
      >
        {row && <ShowBox runKey={row.key} shown={shown} />}
        <span title={key} data-folder={folder === null ? undefined : folderOf(key, folder)}>
          {row ? row.name || nameOf(row.key) : "…"}
        </span>
        {pinned && pinned.key === key && <Icon name="pin" />}
      </div>
      {cells.map(({ column, start: left }) => (
        <Cell key={column.id} column={column} left={left} row={row} pinned={pinned} />
      ))}
    </div>
  );
});

interface Press {
  key: string;
  index: number;
  x: number;
  y: number;
}

/** A pointer that moved farther than this many pixels dragged, and did not click. */
const STILL = 5;
let pressed: Press | null = null;

function press(event: MouseEvent, key: string, index: number): void {
  if (event.shiftKey) event.preventDefault(); // or the browser marks the text from the last click to this one
  pressed = { key, index, x: event.clientX, y: event.clientY };
}

/**
 * A button was let go over the table: that is a click on the row that it was pressed on. The browser's own click goes to what holds
 * both elements, or to none if the first was put elsewhere meanwhile, as rows are while a table scrolls or is sized; one made by
 * a program or an assistive technology has no press before it, and `detail` 0.
 */
export function release(event: MouseEvent): void {
  const row = pressed;
  pressed = null;
  if (row && Math.hypot(event.clientX - row.x, event.clientY - row.y) < STILL) click(event, row.key, row.index);
}

function click(event: MouseEvent, key: string, index: number) {
  const { anchor, cursor } = useTable.getState();
  const from = anchor < 0 ? cursor : anchor; // a row that was only clicked begins a span, too
  moveCursor(index, key);
  if (event.ctrlKey || event.metaKey || (event.shiftKey && from < 0)) toggleSelected(key, index);
  else if (event.shiftKey) void selectBetween(from, index);
  else setView({ drawer: key });
}

function ShowBox({ runKey, shown }: { runKey: string; shown: boolean }) {
  return (
    <input
      type="checkbox"
      aria-label={`Show ${nameOf(runKey)}`}
      tabIndex={-1} // the table is one stop: j and k choose a row, x shows it
      data-key={runKey}
      className={styles.dot}
      checked={shown}
      style={shown ? ({ "--dot": colourOf(styleOf(runKey)) } as React.CSSProperties) : undefined}
      onMouseDown={(event) => event.stopPropagation()}
      onClick={(event) => event.stopPropagation()}
      onChange={(event) => showRun(runKey, event.target.checked)}
    />
  );
}

interface CellProps {
  column: ColumnDef;
  left: number;
  row: RunRow | null;
  pinned: RunRow | null;
}

const Cell = memo(function Cell({ column, left, row, pinned }: CellProps) {
  const text = row ? textFor(column, row, pinned) : "";
  const differs =
    row !== null &&
    pinned !== null &&
    column.kind === "param" &&
    JSON.stringify(cellOf(column, row)) !== JSON.stringify(own(pinned.params, column.name));
  return (
    <div
      role="gridcell"
      className={styles.cell}
      data-kind={column.kind}
      data-numeric={column.numeric}
      data-differs={differs}
      data-status={column.name === "status" ? row?.status : undefined}
      style={{ left, width: column.width }}
      title={text.length > 12 ? text : undefined}
    >
      {text}
    </div>
  );
});

function textFor(column: ColumnDef, row: RunRow, pinned: RunRow | null): string {
  if (column.id === "f:diff") return difference(row, pinned);
  return column.kind === "field" ? fieldOf(column, row) : textOf(column, row);
}

const difference = (row: RunRow, pinned: RunRow | null) =>
  pinned && pinned.key !== row.key ? differences(row, pinned, shortValue).join(", ") || "same" : "";

function fieldOf(column: ColumnDef, row: RunRow): string {
  if (column.name === "folder") return folderOf(row.key, useView.getState().prefix);
  if (column.name === "created") return ago(row.created, Date.now() / 1000);
  if (column.name === "duration") return duration(row.duration);
  if (column.name === "tags") return row.tags.join(", ");
  if (column.name === "points") return grouped(row.points);
  return String(cellOf(column, row) ?? "");
}
