// Why an empty plot is empty: what a card says instead of a line.
import { expect, test } from "vitest";
import type { Line } from "./painter";
import { emptyReason } from "./scene";

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
