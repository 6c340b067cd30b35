// What a plot holds of its lines, and why an empty one is empty.
import { expect, test } from "vitest";
import type { Line } from "./painter";
import { paletteOf } from "./palette";
import { emptyReason, endsOf, sceneOf } from "./scene";

/** A line of exact points. */
function line(values: number[]): Line {
  const mean = Float64Array.from(values);
  const x = Float64Array.from(values, (_, at) => at);
  const counts = { n: mean.length, logged: mean.length, stored: mean.length, shown: mean.length, bad: 0, runs: 1 };
  const meta = { key: "r", exact: true, marks: [], group: {}, smoothed: false, ...counts };
  const columns = { meta, x, mean, min: mean, max: mean, count: null };
  return { key: "r", columns, band: columns, smoothed: false, colour: "#111", faint: "#eee", dash: [] };
}

test("an empty plot says why", () => {
  expect(emptyReason([], false)).toBe("");
  expect(emptyReason([line([1, 2])], true)).toBe("");
  expect(emptyReason([line([]), line([Number.NaN])], false)).toBe("no finite value");
  expect(emptyReason([line([])], false)).toBe("no point in this range");
  const none = line([]);
  const columns = { ...none.columns, meta: { ...none.columns.meta, before: [0, 3], after: [9, 4] } as const };
  expect(emptyReason([{ ...none, columns, band: columns }], false)).toBe("");
  expect(emptyReason([line([-1, 0])], true)).toBe("no value above 0 for a log axis");
});

const VIEW = { x: "step", logX: false, logY: false, clip: false, groupBy: [] };

test("a zoomed line goes on to the items beside its window, and a group with its band", () => {
  const inside = line([4, 6, 5]);
  expect(endsOf(inside.columns, [0.5, 9])).toEqual([5, Number.NaN]);
  const meta = { ...inside.columns.meta, before: [-2, 0], after: [4, null] } as const;
  expect(endsOf({ ...inside.columns, meta }, [-1, 3])).toEqual([2, Number.NaN]);
  const grouped = { ...meta, before: [-2, 0, -10, 14], after: [4, 5, 1, 9] } as const;
  const low = Float64Array.from([2, 4, 3]);
  const high = Float64Array.from([6, 8, 7]);
  const band = { ...inside.columns, meta: grouped, min: low, max: high, count: high };
  expect([2, 3].map((at) => endsOf(band, [-1, 3], at as 2 | 3))).toEqual([
    [-4, 2],
    [10, 8],
  ]);
  const zoom = { x: [-1, 3] as const, own: {}, y: {} };
  const [bottom, top] = sceneOf(
    "m",
    [{ ...inside, band, columns: band }],
    { lo: 0, hi: 2 },
    { ...VIEW, zoom },
    paletteOf("dark"),
  ).y;
  expect([bottom < -4 && bottom > -6, top > 10 && top < 12]).toEqual([true, true]);
});
