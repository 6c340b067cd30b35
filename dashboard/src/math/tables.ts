// Series as rows: for a table on the page, and as comma-separated text. Pure; knows no element.
import type { Columns } from "./columns";

/** One row for each x that some series has, with each series' value there (null where it has none); at most `most` rows. */
export function rowsOf(series: readonly Columns[], most = Number.POSITIVE_INFINITY): { x: number; values: (number | null)[] }[] {
  const rows = new Map<number, (number | null)[]>();
  series.forEach(({ x, mean }, at) => {
    for (let i = 0; i < x.length; i++) {
      let values = rows.get(x[i]!);
      if (!values) {
        values = new Array<number | null>(series.length).fill(null);
        rows.set(x[i]!, values);
      }
      values[at] = mean[i]!;
    }
  });
  const sorted = [...rows].sort((a, b) => a[0] - b[0]).map(([x, values]) => ({ x, values }));
  return sorted.slice(0, most);
}

/** Comma-separated: `name, x, mean, min, max, count`, one line for each item. Names that hold signs are quoted, formulas disarmed. */
export function csvOf(xName: string, names: readonly string[], series: readonly Columns[]): string {
  const rows: (string | number)[][] = [["series", xName, "mean", "min", "max", "count"]];
  series.forEach((columns, at) => {
    const name = names[at] ?? columns.meta.key;
    for (let i = 0; i < columns.x.length; i++) {
      const count = columns.count?.[i] ?? 1;
      rows.push([name, columns.x[i]!, columns.mean[i]!, columns.min[i]!, columns.max[i]!, count]);
    }
  });
  return csvRows(rows);
}

/** Rows of texts and numbers as comma-separated lines. */
export const csvRows = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => `${row.map((value) => (typeof value === "string" ? cell(value) : value)).join(",")}\n`).join("");

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
