// The painter's arithmetic: projection, gaps, ranges, ticks, nearest lines. Values are checked by hand.
import { expect, test } from "vitest";
import { logTicks, niceTicks, secondsLabel, tickLabel } from "./labels";
import { type Axis, cuts, project, spans, toPixel, toValue } from "./project";
import { clipped, extend, extendBand, padded, quantile, spanned, within } from "./range";
import { lowerBound, nearestIndex, nearestLines } from "./search";

const y: Axis = { min: 0, max: 10, from: 100, to: 0, log: false };
const log: Axis = { min: 1, max: 1000, from: 0, to: 300, log: true };

function spansOf(pixels: number[]): [number, number][] {
  const found: [number, number][] = [];
  const column = Float32Array.from(pixels);
  spans(column, column, pixels.length, (from, to) => found.push([from, to]));
  return found;
}

test("values become pixels, and pixels values", () => {
  expect(toPixel(y, 2.5)).toBe(75);
  expect(toValue(y, 75)).toBe(2.5);
  expect(toPixel(log, 10)).toBeCloseTo(100, 9);
  expect(toValue(log, 200)).toBeCloseTo(100, 9);
});

test("what has no place has no pixel: NaN, infinities, and ≤ 0 on a log axis", () => {
  for (const value of [Number.NaN, Infinity, -Infinity]) expect(toPixel(y, value)).toBeNaN();
  for (const value of [0, -1, Number.NaN, Infinity]) expect(toPixel(log, value)).toBeNaN();
  const out = new Float32Array(5);
  project(log, [0, -3, 1, Infinity, 1000], 0, 5, out);
  expect([...out]).toEqual([Number.NaN, Number.NaN, 0, Number.NaN, 300]);
  project(y, [0, Number.NaN, -Infinity, 10, 5], 0, 5, out);
  expect([...out]).toEqual([100, Number.NaN, Number.NaN, 0, 50]);
});

test("far pixels are clamped, and a range of nothing is in the middle", () => {
  expect(toPixel(y, 1e300)).toBe(-1e6);
  expect(toPixel({ ...y, min: 3, max: 3 }, 3)).toBe(50);
});

test("a line has gaps where pixels are missing", () => {
  expect(spansOf([1, 2, Number.NaN, 4, Number.NaN, 6, 7])).toEqual([[0, 2], [3, 4], [5, 7]]); // biome-ignore format: pairs
  expect(spansOf([Number.NaN, Number.NaN])).toEqual([]);
  expect(spansOf([5])).toEqual([[0, 1]]);
});

test("long strokes are cut end to end", () => {
  expect(cuts(70, 32)).toEqual([0, 32, 64, 69]);
  expect(cuts(33, 32)).toEqual([0, 32]);
  expect(cuts(2, 32)).toEqual([0, 1]);
});

test("extents leave out what is not finite, and on a log axis what is not positive", () => {
  const values = [3, Number.NaN, -1, Infinity, 7];
  expect(extend(null, values, 0, 5)).toEqual([-1, 7]);
  expect(extend(null, values, 0, 5, true)).toEqual([3, 7]);
  expect(extend(null, [Number.NaN], 0, 1)).toBeNull();
  const [min, max] = [
    [1, -2, Number.NaN, -Infinity, 5, Number.NaN],
    [2, 0, Number.NaN, 9, Infinity, Number.NaN],
  ];
  for (const [start, stop] of [
    [0, 2],
    [0, 6],
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 5],
  ] as const)
    for (const positive of [false, true])
      for (const into of [null, [0.5, 1] as [number, number]]) {
        const both = extend(extend(into, min, start, stop, positive), max, start, stop, positive);
        expect(extendBand(into, { min, max }, start, stop, positive)).toEqual(both);
      }
  expect(extend([0, 1], [Number.NaN], 0, 1)).toEqual([0, 1]);
});

test("ranges are never empty", () => {
  expect(padded([0, 100], false)).toEqual([-4, 104]);
  expect(padded([5, 5], false)).toEqual([4.5, 5.5]);
  expect(padded([0, 0], false)).toEqual([-1, 1]);
  expect(padded(null, true)[0]).toBeGreaterThan(0);
  expect(padded([4, 4], true)).toEqual([2, 8]);
  const [low, high] = padded([-Number.MAX_VALUE, Number.MAX_VALUE], false);
  expect(high - low).toBeLessThan(Infinity);
  expect(niceTicks(low, high, 5).length).toBeGreaterThan(2);
  expect(Number.isFinite(low) && Number.isFinite(high)).toBe(true);
  expect(spanned([7, 7], false)).toEqual([6.5, 7.5]);
  expect(spanned([0, 9], false)).toEqual([0, 9]);
});

test("the visible indexes reach one further on either side", () => {
  const x = [0, 1, 2, 3, 4, 4, 5];
  expect(within(x, 2, 4)).toEqual([1, 7]);
  expect(within(x, -5, 0.5)).toEqual([0, 2]);
  expect(within([], 0, 1)).toEqual([0, 0]);
});

test("outliers are left out, but only far ones", () => {
  const values = [...Array.from({ length: 20 }, (_, i) => i), 1e6];
  expect(clipped(values, [0, 1e6])![1]).toBeLessThan(100);
  expect(clipped([1, 2, 3, 4, 5, 6, 7, 8], [1, 8])).toEqual([1, 8]);
  expect(clipped([1, 1e9], [1, 1e9])).toEqual([1, 1e9]);
  expect(quantile([0, 10], 0.25)).toBe(2.5);
});

test("ticks are nice, labels short", () => {
  expect(niceTicks(0, 10000, 5)).toEqual([0, 2000, 4000, 6000, 8000, 10000]);
  expect(niceTicks(0.13, 1.31, 5)).toEqual([0.25, 0.5, 0.75, 1, 1.25]);
  expect(niceTicks(3, 3, 5)).toEqual([3]);
  expect([0, 2000, 1.5e6, 0.25, -0.5, 2e-5, 3e9].map(tickLabel)).toEqual(["0", "2k", "1.5M", "0.25", "−0.5", "2e-5", "3G"]);
  expect([0, 30, 300, 7200, 864000].map(secondsLabel)).toEqual(["0", "30s", "5m", "2h", "10d"]);
  expect(logTicks(0.05, 20)).toEqual([0.1, 1, 10]);
  expect(logTicks(1.5, 7)).toEqual([2, 5]);
  expect(logTicks(5e299, 2e300)).toEqual([5e299, 1e300, 2e300]);
  expect(logTicks(1.1e18, 1.2e18)).toEqual(niceTicks(1.1e18, 1.2e18, 4));
  expect(logTicks(1e-300, 1e300)).toHaveLength(7);
  expect(logTicks(5e-324, 1)).not.toContain(0);
  expect(logTicks(-1, 1)).toEqual([]);
});

test("nearest of sorted values", () => {
  expect(lowerBound([1, 3, 3, 5], 3)).toBe(1);
  expect(nearestIndex([1, 3, 7], 4.9)).toBe(1);
  expect(nearestIndex([1, 3, 7], 5.1)).toBe(2);
  expect(nearestIndex([1, 3, 7], 99)).toBe(2);
  expect(nearestIndex([], 1)).toBe(-1);
});

test("the eight nearest lines, highest first; lines without a value there take no part", () => {
  const lines = Array.from({ length: 12 }, (_, i) => ({ x: [0, 1, 2], mean: [0, i === 5 ? Number.NaN : i, 0] }));
  const near = nearestLines(lines, 1.1, 6, (value) => value);
  expect(near.map((one) => one.line)).toEqual([10, 9, 8, 7, 6, 4, 3, 2]);
  expect(near[4]).toEqual({ line: 6, index: 1, distance: 0, value: 6 });
  expect(nearestLines([{ x: [100], mean: [1] }], 0, 1, (value) => value, 8, 10)).toEqual([]);
});
