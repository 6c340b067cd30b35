// A chart in words and in rows: its text summary and its table. Pure; knows no element.
import type { Columns } from "./columns";

/** Up to six significant digits, in plain signs, so that it can be searched and read out. */
export const plainNumber = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value);

/** "n=1000 min=0.1 max=2.3 last=0.2" over all series; `last` is that of the series that reaches furthest. */
export function summaryOf(series: readonly Columns[]): string {
  let [min, max, last, furthest, n] = [Infinity, -Infinity, Number.NaN, -Infinity, 0];
  for (const { meta, x, mean, min: lows, max: highs } of series) {
    n += meta.logged;
    for (let i = 0; i < lows.length; i++) {
      if (lows[i]! < min) min = lows[i]!;
      if (highs[i]! > max) max = highs[i]!;
    }
    const end = x.length - 1;
    if (end < 0 || !(x[end]! > furthest)) continue;
    furthest = x[end]!;
    last = mean[end]!;
  }
  if (min > max) [min, max] = [Number.NaN, Number.NaN];
  return `n=${n} min=${plainNumber(min)} max=${plainNumber(max)} last=${plainNumber(last)}`;
}

/** Sums of what the headers of the series say, and whether all are exact points. */
export function countsOf(series: readonly Columns[]): {
  logged: number;
  stored: number;
  shown: number;
  bad: number;
  exact: boolean;
} {
  const sum = { logged: 0, stored: 0, shown: 0, bad: 0, exact: true };
  for (const { meta } of series) {
    sum.logged += meta.logged;
    sum.stored += meta.stored;
    sum.shown += meta.shown;
    sum.bad += meta.bad;
    sum.exact &&= meta.exact;
  }
  return sum;
}

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
