// Finding places in sorted columns, and the few lines nearest to a pointer. Pure; knows no canvas.

/** The first index whose value is ≥ `value` (or the length). */
export function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index whose value is nearest to `value`, or −1 if there is none. */
export function nearestIndex(sorted: ArrayLike<number>, value: number): number {
  const right = lowerBound(sorted, value);
  if (right === 0) return sorted.length ? 0 : -1;
  if (right === sorted.length) return right - 1;
  return value - sorted[right - 1]! <= sorted[right]! - value ? right - 1 : right;
}

/** A line under the pointer: which one, at which of its points, and how far away in pixels. */
export interface Near {
  line: number;
  index: number;
  distance: number;
  value: number;
}

/**
 * The `most` lines nearest to the pointer at `x`, sorted by value, highest first. `toPixel` maps a value to the pointer's
 * vertical pixels; a line takes part where it has a finite value within `reach` x units.
 */
export function nearestLines(
  lines: readonly { x: ArrayLike<number>; mean: ArrayLike<number> }[],
  x: number,
  pixel: number,
  toPixel: (value: number) => number,
  most = 8,
  reach = Number.POSITIVE_INFINITY,
): Near[] {
  const near: Near[] = [];
  for (let line = 0; line < lines.length; line++) {
    const columns = lines[line]!;
    const index = nearestIndex(columns.x, x);
    if (index < 0 || Math.abs(columns.x[index]! - x) > reach) continue;
    const value = columns.mean[index]!;
    const distance = Math.abs(toPixel(value) - pixel);
    if (Number.isFinite(distance)) near.push({ line, index, distance, value });
  }
  near.sort((a, b) => a.distance - b.distance);
  return near.slice(0, most).sort((a, b) => b.value - a.value);
}
