// What an axis spans: extents of columns, padding, log axes, and outliers left out. Pure; knows no chart.
import { lowerBound } from "./search";

export type Pair = [number, number];

/** The least and greatest finite values of [start, stop) (> 0 only, if `positive`), merged into `into`. */
export function extend(into: Pair | null, values: ArrayLike<number>, start: number, stop: number, positive = false): Pair | null {
  let [low, high] = into ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = start; i < stop; i++) {
    const value = values[i]!;
    if (value - value !== 0 || (positive && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : into;
}

/** The same of bands whose every `min` is at most its `max`: one pass over both. */
export function extendBand(
  into: Pair | null,
  { min, max }: { min: ArrayLike<number>; max: ArrayLike<number> },
  start: number,
  stop: number,
  positive = false,
): Pair | null {
  if (min === max) return extend(into, min, start, stop, positive);
  const least = positive ? Number.MIN_VALUE : -Number.MAX_VALUE;
  let [low, high] = into ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = start; i < stop; i++) {
    const below = min[i]!;
    const above = max[i]!;
    if (below < low && below >= least) low = below;
    if (above > high && above <= Number.MAX_VALUE && above >= least) high = above;
    // a band of which one end has no place on the axis reaches to the other
    if (!(below >= least) && above < low && above >= least) low = above;
    if (!(above <= Number.MAX_VALUE) && below > high && below <= Number.MAX_VALUE && below >= least) high = below;
  }
  return low <= high ? [low, high] : into;
}

/** The indexes of sorted x that lie in [lo, hi], and `more` on either side: with one, lines reach the edge. */
export function within(x: ArrayLike<number>, lo: number, hi: number, more = 1): Pair {
  const start = lowerBound(x, lo);
  let stop = lowerBound(x, hi);
  while (stop < x.length && x[stop]! <= hi) stop++;
  return [Math.max(0, start - more), Math.min(x.length, stop + more)];
}

const PAD = 0.04;
/** No axis is wider: its length would be no number. Lines leave the plot where they go beyond. */
const WIDEST = Number.MAX_VALUE * 0.98;

/** A y range with air around it; one value alone gets a range about itself, none gets 0 … 1. */
export function padded(extent: Pair | null, log: boolean): Pair {
  if (extent === null) return log ? [0.1, 10] : [0, 1];
  const [low, high] = extent;
  if (log) {
    const air = high > low ? (high / low) ** PAD : 2;
    return [Math.max(low / air, Number.MIN_VALUE), Math.min(high * air, Number.MAX_VALUE)];
  }
  if (high > low) {
    const air = Math.min((high - low) * PAD, Number.MAX_VALUE);
    const wide: Pair = [low - air, high + air];
    if (Number.isFinite(wide[1] - wide[0])) return wide;
    return Number.isFinite(high - low) ? [low, high] : [Math.max(low, -WIDEST / 2), Math.min(high, WIDEST / 2)];
  }
  const air = Math.abs(low) * 0.1 || 1;
  return [low - air, high + air];
}

/** An x range: no air, but never empty. */
export function spanned(extent: Pair | null, log: boolean): Pair {
  if (extent === null) return log ? [1, 10] : [0, 1];
  const [low, high] = extent;
  if (high > low) return extent;
  if (log) return [low / 2, high * 2];
  const air = Math.max(Math.abs(low) * 1e-3, 0.5);
  return [low - air, high + air];
}

/** The range without far outliers: the quartiles widened by three times their distance, and never beyond the data. */
export function clipped(values: readonly number[], extent: Pair | null): Pair | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (extent === null || sorted.length < 8) return extent;
  const [first, third] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const reach = 3 * (third - first);
  if (!(reach > 0)) return extent;
  return [Math.max(extent[0], first - reach), Math.min(extent[1], third + reach)];
}

/** The value below which the part `at` of the sorted values lies, interpolated. */
export function quantile(sorted: readonly number[], at: number): number {
  const place = (sorted.length - 1) * at;
  const below = Math.floor(place);
  const rest = place - below;
  const low = sorted[below]!;
  return rest ? low + (sorted[below + 1]! - low) * rest : low;
}
