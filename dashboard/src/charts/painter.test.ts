// What the painter asks of a canvas: pieces of wide lines, gaps, single points, bands, marks.
import { expect, test } from "vitest";
import type { Columns } from "../math/columns";
import { besideOf, type Frame, type Line, paint } from "./painter";

type Call = [name: string, ...numbers: number[]];

/** A context that notes its calls. */
function recorder() {
  const calls: Call[] = [];
  const note =
    (name: string) =>
    (...numbers: number[]) =>
      void calls.push([name, ...numbers]);
  const names = ["beginPath", "moveTo", "lineTo", "stroke", "fill", "arc", "setLineDash"];
  const ctx = Object.fromEntries(names.map((name) => [name, note(name)]));
  return {
    ctx: ctx as unknown as CanvasRenderingContext2D,
    calls,
    count: (name: string) => calls.filter((call) => call[0] === name).length,
  };
}

function line(mean: number[], change: Partial<Line> = {}, marks: unknown[] = []): Line {
  const meta = {
    key: "r",
    n: mean.length,
    exact: true,
    logged: 0,
    stored: 0,
    shown: 0,
    bad: 0,
    marks,
    runs: 1,
    group: {},
    smoothed: false,
  };
  const y = Float64Array.from(mean);
  const columns: Columns = { meta, x: Float64Array.from(mean, (_, i) => i), mean: y, min: y, max: y, count: null };
  return { key: "r", columns, band: columns, smoothed: false, colour: "#123456", faint: "#222222", dash: [], ...change };
}

const frame = (points: number): Frame => ({
  x: { min: 0, max: points - 1, from: 0, to: 100, log: false },
  y: { min: 0, max: 10, from: 100, to: 0, log: false },
  ratio: 1,
});

test("a line goes on to the items beside its window", () => {
  const inside = line([5, 6]);
  const meta = { ...inside.columns.meta, before: [-3, 1], after: [4, null] } as const;
  const columns = { ...inside.columns, meta };
  const { ctx, calls } = recorder();
  paint(ctx, [{ ...inside, columns, band: columns }], frame(2));
  expect(calls.filter(([name]) => name === "moveTo" || name === "lineTo")).toEqual([
    ["moveTo", -300, 90],
    ["lineTo", 0, 50],
    ["lineTo", 100, 40],
  ]);
});

test("a wide line is stroked in pieces of 32 segments, a thin one at once", () => {
  const wide = recorder();
  paint(wide.ctx, [line(Array.from({ length: 100 }, () => 5))], frame(100));
  expect(wide.count("stroke")).toBe(4);
  const thin = recorder();
  paint(
    thin.ctx,
    Array.from({ length: 101 }, () => line(Array.from({ length: 100 }, () => 5))),
    frame(100),
  );
  expect(thin.count("stroke")).toBe(101);
});

test("NaN makes a gap, a lone point a dot", () => {
  const { ctx, calls, count } = recorder();
  paint(ctx, [line([1, 2, Number.NaN, 4, Number.NaN, 6, 7])], frame(7));
  expect(count("stroke")).toBe(2);
  expect(count("arc")).toBe(1);
  expect(calls.find((call) => call[0] === "arc")!.slice(1, 3)).toEqual([50, 60]);
});

test("one point is drawn", () => {
  const { ctx, count } = recorder();
  paint(ctx, [line([5])], frame(1));
  expect(count("arc")).toBe(1);
});

test("a bucketed series has its band, drawn before the line, and a smoothed one its raw line", () => {
  const bucketed = line([1, 2, 3]);
  const band = {
    ...bucketed.band,
    min: Float64Array.from([0, 1, 2]),
    max: Float64Array.from([2, 3, 4]),
    count: Float64Array.from([2, 2, 2]),
  };
  const { ctx, calls, count } = recorder();
  paint(ctx, [{ ...bucketed, band, smoothed: true }], frame(3));
  expect(count("fill")).toBe(1);
  expect(count("stroke")).toBe(2);
  expect(calls.findIndex((call) => call[0] === "fill")).toBeLessThan(calls.findIndex((call) => call[0] === "stroke"));
});

test("marks of NaN and infinities, only where they are in sight", () => {
  const { ctx, count } = recorder();
  paint(ctx, [line([1, 2, 3], {}, [[1, "nan"], [2, "inf"], [99, "nan"], "odd"])], frame(3)); // biome-ignore format: marks
  expect(count("stroke")).toBe(2);
  expect(count("fill")).toBe(1);
});

const rising = (n: number) => Array.from({ length: n }, (_, i) => i / n);
/** A bucket whose band is `half` above and below its mean. */
const bucketed = (mean: number[], half: number) => {
  const plain = line(mean);
  const [min, max] = [Float64Array.from(mean, (y) => y - half), Float64Array.from(mean, (y) => y + half)];
  return { ...plain, band: { ...plain.band, min, max, count: new Float64Array(mean.length).fill(2) } };
};

test("with many points in view a line is two thin strokes, 0.4 pixels apart", () => {
  const { ctx, calls, count } = recorder();
  paint(ctx, [line(rising(3000))], frame(3000));
  expect(count("stroke")).toBe(2);
  const [upper, lower] = calls.filter((call) => call[0] === "moveTo").map((call) => call[2]!);
  expect(lower! - upper!).toBeCloseTo(0.4, 5);
  expect(besideOf(1)).toEqual([0]);
  expect(besideOf(2.8).map((offset) => offset.toFixed(1))).toEqual(["-0.9", "0.0", "0.9"]);
});

test("the band of buckets a pixel apart is upright strokes, none where the line covers it", () => {
  const { ctx, calls, count } = recorder();
  paint(ctx, [bucketed(rising(101), 1)], frame(101));
  expect(count("fill")).toBe(0);
  expect(count("moveTo")).toBe(101 + 4); // the line itself is in four pieces
  const columns = calls.filter((call) => call[0] === "moveTo").map((call) => call[1]!);
  expect(columns.slice(0, 101)).toEqual(Array.from({ length: 101 }, (_, at) => at + 0.5)); // each pixel column once: no stripes
  const covered = recorder();
  paint(covered.ctx, [bucketed(rising(101), 0.01)], frame(101));
  expect(covered.count("moveTo")).toBe(4);
});

test("buckets a little closer or wider than pixels leave no gap and no column twice", () => {
  for (const n of [90, 140]) {
    const { ctx, calls } = recorder();
    paint(
      ctx,
      [
        bucketed(
          Array.from({ length: n }, () => 5),
          1,
        ),
      ],
      frame(n),
    );
    const columns = calls.filter((call) => call[0] === "moveTo" && call[1]! % 1 === 0.5).map((call) => call[1]!);
    expect(columns).toEqual(Array.from({ length: 101 }, (_, at) => at + 0.5));
  }
});
