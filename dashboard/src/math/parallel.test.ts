// Parallel coordinates: kinds of axes, places, brushes, and the query that a brush means.
import { expect, test } from "vitest";
import { axisOf, brushed, conditionOf, placeOf, ticksOf, valueAt, withConditions } from "./parallel";
import { viridis } from "./viridis";

const many = Array.from({ length: 20 }, (_, i) => 10 ** (-5 + i / 5));

test("an axis' kind follows its values", () => {
  expect(axisOf("lr", "lr", many)).toMatchObject({ kind: "log", label: "lr (log)" });
  expect(
    axisOf(
      "d",
      "d",
      Array.from({ length: 20 }, (_, i) => i / 20),
    ),
  ).toMatchObject({ kind: "linear", min: 0 });
  expect(axisOf("b", "b", [64, 16, 32, 16])).toMatchObject({ kind: "category", values: ["16", "32", "64"], numeric: true });
  expect(axisOf("o", "o", ["sgd", "adam", null])).toMatchObject({ kind: "category", values: ["adam", "sgd"], numeric: false });
  expect(axisOf("same", "same", [1, 1, 1])).toBeNull();
  expect(axisOf("acc", "acc", [0.5, 0.9, 0.7], true)).toMatchObject({ kind: "linear", min: 0.5, max: 0.9 });
});

test("an axis is logarithmic where its values lie evenly so, not where one of many is small", () => {
  const even = Array.from({ length: 40 }, (_, i) => 0.006 + i / 80);
  expect(axisOf("dropout", "dropout", even)).toMatchObject({ kind: "linear" });
  expect(
    axisOf(
      "wd",
      "wd",
      many.map((value) => value * 100),
    ),
  ).toMatchObject({ kind: "log" });
});

test("places and values are each other's inverse", () => {
  const axis = axisOf("lr", "lr", many)!;
  for (const value of many) expect(valueAt(axis, placeOf(axis, value))).toBeCloseTo(value, 9);
  expect(placeOf(axis, null)).toBeNaN();
  expect(placeOf(axis, "x")).toBeNaN();
  expect(placeOf(axisOf("acc", "acc", [2, 2], true)!, 2)).toBe(0.5);
});

test("a run is brushed if it lies in all brushes; one without a value is not", () => {
  const places = [[0.1, 0.9], [0.5, 0.5], [Number.NaN, 0.9]]; // biome-ignore format: rows
  expect(brushed(places, new Map([[0, [0, 0.3]]]))).toEqual([true, false, false]);
  expect(brushed(places, new Map([[0, [0, 1]], [1, [0.8, 1]]]))).toEqual([true, false, false]); // biome-ignore format: rows
});

test("a brush as a query", () => {
  expect(conditionOf(axisOf("lr", "lr", many)!, [0, 0.5])).toBe("lr >= 0.00001 and lr <= 0.0007943");
  const batch = axisOf("batch", "batch", [16, 32, 64])!;
  expect(conditionOf(batch, [0.4, 1])).toBe("(batch == 32 or batch == 64)");
  expect(conditionOf(axisOf("o p", "o", ["sgd", 'a"b'])!, [0, 0.2])).toBe('`o p` == "a\\"b"');
  expect(withConditions("", ["a > 1"])).toBe("a > 1");
  expect(withConditions("x or y sort:-acc", ["a > 1", "b < 2"])).toBe("(x or y) and a > 1 and b < 2 sort:-acc");
});

test("ticks are the categories, or the ends", () => {
  expect(ticksOf(axisOf("b", "b", [1, 2])!, String)).toEqual([{ place: 0, text: "1" }, { place: 1, text: "2" }]); // biome-ignore format: pairs
  expect(ticksOf(axisOf("x", "x", [0, 1, 5], true)!, String).map((tick) => tick.text)).toEqual(["0", "5"]);
});

test("viridis from dark to light", () => {
  expect([viridis(0), viridis(1), viridis(2)]).toEqual(["#440154", "#fde725", "#fde725"]);
  expect(viridis(0.5)).toBe("#21918c");
});
