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
  const lines = [`series,${cell(xName)},mean,min,max,count`];
  series.forEach((columns, at) => {
    const name = cell(names[at] ?? columns.meta.key);
    for (let i = 0; i < columns.x.length; i++) {
      const count = columns.count?.[i] ?? 1;
      lines.push([name, columns.x[i], columns.mean[i], columns.min[i], columns.max[i], count].join(","));
    }
  });
  return `${lines.join("\n")}\n`;
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
