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
