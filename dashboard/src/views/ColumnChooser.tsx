// Which columns the run table shows, in which order, and by which its rows are folded.
import { useState } from "react";
import { type ColumnDef, moved, shownColumns } from "../state/columns";
import { useAllColumns } from "../state/runs";
import { type Columns, setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { cut } from "../ui/numbers";
import styles from "./RunTable.module.css";

const MOST = 300;

export default function ColumnChooser({ onClose }: { onClose: () => void }) {
  const all = useAllColumns();
  const chosen = useView((view) => view.columns);
  const groups = useView((view) => view.tableGroups);
  const [filter, setFilter] = useState("");
  const shown = shownColumns(all, chosen);
  const order = chosen?.order.length ? chosen.order : shown.map((column) => column.id);
  const layout: Columns = { order, widths: chosen?.widths ?? {} };
  const on = new Set(layout.order);
  const listed = [...shown, ...all.filter((column) => !on.has(column.id))].filter((column) => column.title.includes(filter));
  const toggle = (id: string) =>
    setView({ columns: { ...layout, order: on.has(id) ? layout.order.filter((other) => other !== id) : [...layout.order, id] } });
  const up = (id: string) => {
    const before = layout.order[layout.order.indexOf(id) - 1];
    if (before) setView({ columns: moved(layout, id, before) });
  };
  const fold = (name: string) =>
    setView({ tableGroups: groups.includes(name) ? groups.filter((other) => other !== name) : [...groups, name], unfolded: [] });
  return (
    <Dialog label="Columns" onClose={onClose}>
      <div className={styles.chooser}>
        <h1>Columns</h1>
        <input
          className={controls.input}
          aria-label="Filter columns"
          placeholder="Filter"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <ul>
          {listed.slice(0, MOST).map((column) => (
            <Line
              key={column.id}
              column={column}
              on={on.has(column.id)}
              folded={groups.indexOf(column.name)}
              onToggle={() => toggle(column.id)}
              onUp={() => up(column.id)}
              onFold={() => fold(column.name)}
            />
          ))}
        </ul>
        <div className={styles.buttons}>
          <button
            type="button"
            className={controls.button}
            onClick={() => setView({ columns: null, tableGroups: [], unfolded: [] })}
          >
            As at first
          </button>
          <button type="button" className={controls.button} onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    </Dialog>
  );
}

interface LineProps {
  column: ColumnDef;
  on: boolean;
  /** Its place among the names that rows are folded by, or −1. */
  folded: number;
  onToggle: () => void;
  onUp: () => void;
  onFold: () => void;
}

function Line({ column, on, folded, onToggle, onUp, onFold }: LineProps) {
  return (
    <li>
      <label>
        <input type="checkbox" checked={on} onChange={onToggle} />
        {cut(column.title)}
      </label>
      {column.kind === "param" && (
        <button type="button" className={controls.plain} aria-pressed={folded >= 0} onClick={onFold}>
          {folded >= 0 ? `ungroup rows · ${folded + 1}` : "group rows"}
        </button>
      )}
      {on && (
        <button type="button" className={controls.plain} aria-label={`Move ${cut(column.title)} up`} onClick={onUp}>
          <Icon name="up" size={12} />
        </button>
      )}
    </li>
  );
}
