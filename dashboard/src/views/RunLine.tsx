// One row of the table: a run. Knows its cells, not where rows come from.

import { type MouseEvent, memo } from "react";
import type { RunRow } from "../api/types";
import { colourOf, styleOf } from "../state/colours";
import { type ColumnDef, cellOf, differences, folderOf, type PlacedCell, textOf } from "../state/columns";
import { hoverRun, useHover } from "../state/hover";
import { nameOf } from "../state/runs";
import { moveCursor, openRow, selectBetween, toggleSelected, useTable } from "../state/table";
import { showRun, useView } from "../state/view";
import { Icon } from "../ui/Icon";
import { ago, cut, duration, grouped, shortValue } from "../ui/numbers";
import { own } from "../ui/own";
import { isMade, press } from "./press";
import styles from "./RunTable.module.css";
import { StatusMark } from "./StatusMark";

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
      onMouseDown={(event) => row && press(event, (up) => click(up, key, index))}
      onClick={(event) => row && isMade(event) && click(event, key, index)}
    >
      <div
        role="gridcell"
        aria-colindex={1}
        aria-label={row ? row.name || nameOf(row.key) : undefined}
        className={styles.name}
        style={{ width: nameWidth, paddingLeft: 12 + depth * 14 }}
      >
        {row && <ShowBox runKey={row.key} shown={shown} />}
        {row && <StatusMark status={row.status} />}
        <span title={key} data-folder={folder === null ? undefined : folderOf(key, folder)}>
          {row ? row.name || nameOf(row.key) : "…"}
        </span>
        {pinned && pinned.key === key && <Icon name="pin" />}
      </div>
      {cells.map(({ column, start: left, at }) => (
        <Cell key={column.id} column={column} left={left} at={at} row={row} pinned={pinned} />
      ))}
    </div>
  );
});

function click(event: MouseEvent, key: string, index: number) {
  const { anchor, cursor } = useTable.getState();
  const from = anchor < 0 ? cursor : anchor; // a row that was only clicked begins a span, too
  moveCursor(index, key);
  if (event.ctrlKey || event.metaKey || (event.shiftKey && from < 0)) toggleSelected(key, index);
  else if (event.shiftKey) void selectBetween(from, index);
  else openRow(key, index);
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
      onMouseDown={(event) => press(event, () => showRun(runKey, !shown))}
      onClick={(event) => {
        event.stopPropagation();
        if (!isMade(event)) event.preventDefault(); // the release has shown or hidden it
      }}
      onChange={(event) => isMade(event.nativeEvent as UIEvent) && showRun(runKey, event.target.checked)}
    />
  );
}

interface CellProps {
  column: ColumnDef;
  left: number;
  at: number;
  row: RunRow | null;
  pinned: RunRow | null;
}

const Cell = memo(function Cell({ column, left, at, row, pinned }: CellProps) {
  const text = row ? cut(textFor(column, row, pinned)) : "";
  const differs =
    row !== null &&
    pinned !== null &&
    column.kind === "param" &&
    JSON.stringify(cellOf(column, row)) !== JSON.stringify(own(pinned.params, column.name));
  return (
    <div
      role="gridcell"
      aria-colindex={at}
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
