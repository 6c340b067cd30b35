// A chart as a table: one row for each x, one column for each line. Loaded when asked for.
import { plainNumber } from "../math/describe";
import { csvOf, rowsOf } from "../math/tables";
import { useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Dialog } from "../ui/Dialog";
import styles from "./ChartTable.module.css";
import { saveText } from "./exports";
import type { Line } from "./painter";
import { titleOf } from "./scene";

const MOST_ROWS = 2000;

interface Props {
  metric: string;
  lines: readonly Line[];
  x?: string | undefined;
  onClose: () => void;
}

export default function ChartTable({ metric, lines, x: own, onClose }: Props) {
  const shared = useView((view) => view.x);
  const x = own || shared;
  const columns = lines.map((line) => line.columns);
  const all = rowsOf(columns);
  const rows = all.slice(0, MOST_ROWS);
  const names = lines.map(titleOf);
  return (
    <Dialog label={`${metric} as a table`} onClose={onClose} className={styles.tableDialog}>
      <div className={styles.tableHead}>
        <h2>
          {metric}{" "}
          <small>{all.length > rows.length ? `first ${rows.length} of ${all.length} rows` : `${rows.length} rows`}</small>
        </h2>
        <span>
          <button
            type="button"
            className={controls.button}
            onClick={() =>
              saveText(
                `${metric}.csv`,
                "text/csv",
                csvOf(
                  x,
                  names,
                  lines.map((line) => line.band),
                ),
              )
            }
          >
            CSV
          </button>{" "}
          <button type="button" className={controls.button} onClick={onClose}>
            Close
          </button>
        </span>
      </div>
      <table className={styles.table} aria-label={metric}>
        <thead>
          <tr>
            <th scope="col">{x}</th>
            {lines.map((line, at) => (
              <th key={`${line.key} ${names[at]}`} scope="col" title={line.key}>
                {names[at]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.x}>
              <th scope="row">{plainNumber(row.x)}</th>
              {row.values.map((value, at) => (
                <td key={`${lines[at]!.key} ${names[at]}`}>{value === null ? "" : plainNumber(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
