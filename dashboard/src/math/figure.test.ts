// A figure on paper: ticks by the kind of axis, legend in columns, long names cut, many lines counted.
import { expect, test } from "vitest";
import { figureOf } from "./figure";
import { dateTicks, secondsTicks, stepTicks } from "./labels";

const make = (names: string[], xName = "step", x: [number, number] = [0, 100]) =>
  figureOf({ title: "loss", xName, ranges: { x, y: [0, 1] }, log: { x: false, y: false }, names });

test("the legend is in columns below the axis and the figure as high as it needs", () => {
  const one = make(["a"]);
  const many = make(Array.from({ length: 12 }, (_, i) => `run-${i}`));
  expect(one.legend).toHaveLength(1);
  expect(one.legend[0]!.top).toBeGreaterThan(one.y.from + 40);
  expect(new Set(many.legend.map((entry) => entry.top)).size).toBe(2);
  expect(many.height).toBe(one.height + 17);
  expect(Math.max(...many.legend.map((entry) => entry.left))).toBeLessThan(many.width - 60);
  expect(make([]).legend).toEqual([]);
});

test("a long name is cut, and lines beyond thirty are counted", () => {
  const figure = make(Array.from({ length: 45 }, (_, i) => `${i}${"x".repeat(500)}`));
  expect(figure.legend).toHaveLength(30);
  expect(figure.legend[0]!.text).toHaveLength(60);
  expect(figure.more!.count).toBe(15);
});

test("ticks are those of the axis' kind", () => {
  expect(make(["a"], "relative", [0, 7200]).xTicks.map((tick) => tick.text)).toContain("1h");
  const start = Date.UTC(2026, 10, 26, 14) / 1000;
  expect(make(["a"], "time", [start, start + 3600]).xTicks.map((tick) => tick.text)).toContain("14:30");
  expect(make(["a"], "time").xName).toBe("time (UTC)");
});

test("relative time has whole minutes, hours and days", () => {
  expect(secondsTicks(0, 7200, 6)).toEqual([0, 1800, 3600, 5400, 7200]);
  expect([stepTicks(6.5, 7.5, 5), stepTicks(0, 4, 8), stepTicks(0, 10, 4)]).toEqual([[7], [0, 1, 2, 3, 4], [0, 5, 10]]);
  expect(stepTicks(7.1, 7.3, 2)).toContain(7.2);
  expect(secondsTicks(50, 400, 6)).toEqual([60, 120, 180, 240, 300, 360]);
  expect(secondsTicks(0, 0.5, 6)).toContain(0.2);
  expect(secondsTicks(0, 1e9, 6).length).toBeLessThanOrEqual(7);
});

test("dates are as fine as their distance, and never too many", () => {
  const noon = Date.UTC(2026, 10, 26, 12) / 1000;
  expect(dateTicks(noon, noon + 10, 6).map((tick) => tick.text)).toEqual([
    "12:00:00",
    "12:00:02",
    "12:00:04",
    "12:00:06",
    "12:00:08",
    "12:00:10",
  ]);
  expect(dateTicks(noon, noon + 3 * 86_400, 6).map((tick) => tick.text)[1]).toBe("11-27 00:00");
  expect(dateTicks(noon, noon + 40 * 365 * 86_400, 6).length).toBeLessThanOrEqual(7);
  expect(dateTicks(noon, noon, 6)).toHaveLength(1);
  expect(dateTicks(1e300, 2e300, 6).length).toBeLessThanOrEqual(8);
  expect(dateTicks(2 ** 60, 2 ** 60 + 1024, 6).length).toBeLessThanOrEqual(8);
  const ahead = dateTicks(noon, noon + 10_800, 3, 5.5 * 3600); // where it is half past five in the afternoon
  expect(ahead.map(({ at, text }) => [at - noon, text])).toEqual([
    [1800, "18:00"],
    [5400, "19:00"],
    [9000, "20:00"],
  ]);
  const moments = dateTicks(noon + 0.3, noon + 1.2, 6).map((tick) => tick.text);
  expect(moments).toEqual(["12:00:00.4", "12:00:00.6", "12:00:00.8", "12:00:01", "12:00:01.2"]);
});
