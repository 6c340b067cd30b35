// The mean along an axis, and how straight points lie.
import { expect, test } from "vitest";
import { correlationOf, trendOf } from "./slices";

test("the trend is the mean in each stretch that holds points; what is missing is left out", () => {
  const points = [[0, 0.2], [0.1, 0.4], [1, 0.9], [Number.NaN, 0.5], [0.5, Number.NaN]] as const; // biome-ignore format: points
  expect(trendOf(points, 2)).toEqual([
    [0.05, expect.closeTo(0.3)],
    [1, 0.9],
  ]);
  expect(trendOf([], 4)).toEqual([]);
});

test("points on a line correlate fully, a constant not at all", () => {
  expect(correlationOf([[0, 1], [0.5, 0.5], [1, 0]])).toBeCloseTo(-1); // biome-ignore format: points
  expect(correlationOf([[0, 1], [0.5, 1], [1, 1]])).toBeNull(); // biome-ignore format: points
  expect(correlationOf([[0, 1], [1, 0]])).toBeNull(); // biome-ignore format: points
});
