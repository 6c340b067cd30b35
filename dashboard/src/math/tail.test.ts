// Live tails: what is asked next, how it joins, how a long series is halved; nothing is counted twice or lost.
import { expect, test } from "vitest";
import type { Columns } from "./columns";
import { growing, halved, joined } from "./tail";

const meta = {
  key: "run",
  n: 0,
  exact: true,
  logged: 0,
  stored: 0,
  shown: 0,
  bad: 0,
  marks: [],
  runs: 1,
  group: {},
  smoothed: false,
};

function points(from: number, to: number): Columns {
  const x = Float64Array.from({ length: to - from }, (_, i) => from + i);
  const mean = x.map((value) => value * 10);
  return { meta: { ...meta, n: x.length, logged: to, stored: to, shown: x.length }, x, mean, min: mean, max: mean, count: null };
}

/** What the server answers for steps from … to − 1 in `bins` buckets over [lo, hi]. */
function buckets(from: number, to: number, lo: number, hi: number, bins: number): Columns {
  const found = new Map<number, number[]>();
  for (let step = from; step < to; step++) {
    const bin = Math.min(bins - 1, Math.floor(((step - lo) * bins) / (hi - lo)));
    found.set(bin, [...(found.get(bin) ?? []), step]);
  }
  const of = (pick: (steps: number[]) => number) => Float64Array.from([...found.values()].map(pick));
  const mean = (steps: number[]) => steps.reduce((a, b) => a + b, 0) / steps.length;
  const x = of(mean);
  const columns = {
    x,
    mean: of((s) => 10 * mean(s)),
    min: of((s) => 10 * s[0]!),
    max: of((s) => 10 * s.at(-1)!),
    count: of((s) => s.length),
  };
  return { meta: { ...meta, exact: false, n: x.length, logged: to, stored: to, shown: to - from }, ...columns };
}

test("exact points go on after the last x", () => {
  const old = growing(points(0, 5), 0, 4, 100);
  expect(old).toMatchObject({ kept: 5, since: 4 });
  const next = joined(old, points(5, 8), 5, 7, 100);
  expect([...next.columns.x]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(next.columns.meta).toMatchObject({ exact: true, n: 8, shown: 8, logged: 8 });
  expect(next.since).toBe(7);
});

test("points that are already there are not joined again", () => {
  const old = growing(points(0, 5), 0, 4, 100);
  expect(joined(old, points(2, 5), 2, 4, 100)).toBe(old);
  expect([...joined(old, points(3, 7), 3, 6, 100).columns.x]).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("the last bucket is asked again from its lower edge, so that it is whole", () => {
  const old = growing(buckets(0, 95, 0, 94, 10), 0, 94, 10);
  expect(old.kept).toBe(9);
  const since = old.since!;
  const first = Math.floor(since) + 1;
  const next = joined(old, points(first, 120), first, 119, 10);
  const total = next.columns.count!.reduce((a, b) => a + b, 0);
  expect(total).toBe(120);
  expect(next.columns.meta.shown).toBe(120);
  expect(Math.max(...next.columns.max)).toBe(1190);
});

test("halving keeps min, max, count and the weighted mean", () => {
  const long = growing(points(0, 9), 0, 8, 100);
  const { columns, kept, since } = halved(long);
  expect([...columns.x]).toEqual([0.5, 2.5, 4.5, 6.5, 8]);
  expect([...columns.min]).toEqual([0, 20, 40, 60, 80]);
  expect([...columns.max]).toEqual([10, 30, 50, 70, 80]);
  expect([...columns.count!]).toEqual([2, 2, 2, 2, 1]);
  expect([...columns.mean]).toEqual([5, 25, 45, 65, 80]);
  expect([kept, since]).toEqual([5, 8]);
});

test("a series of nothing takes its first tail whole", () => {
  const none = growing(points(0, 0), null, null, 100);
  expect(none.since).toBeNull();
  expect([...joined(none, points(0, 3), 0, 2, 100).columns.x]).toEqual([0, 1, 2]);
});
