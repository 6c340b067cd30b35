// Arithmetic of what is in sight.
import { describe, expect, it } from "vitest";
import { columnsBetween, edgesOf, spanOf } from "./useInSight";

describe("in sight", () => {
  it("are the rows between the edges and some to spare, never beyond the ends", () => {
    expect(spanOf(0, 280, 28, 100_000)).toEqual({ first: 0, last: 21 });
    expect(spanOf(28_000, 28_280, 28, 100_000)).toEqual({ first: 988, last: 1021 });
    expect(spanOf(2_799_720, 2_800_000, 28, 100_000).last).toBe(99_999);
    expect(spanOf(0, 280, 28, 0)).toEqual({ first: 0, last: -1 });
  });

  it("are the columns that touch the span", () => {
    const edges = edgesOf([50, 60, 70, 80, 90], 100);
    expect(edges).toEqual([100, 150, 210, 280, 360, 450]);
    expect(columnsBetween(edges, 215, 270)).toEqual({ first: 1, last: 3 });
    expect(columnsBetween(edges, 0, 10_000)).toEqual({ first: 0, last: 4 });
    expect(columnsBetween(edgesOf([], 100), 0, 500)).toEqual({ first: 0, last: -1 });
  });
});
