// Panels from anything, their names, bars and histograms.
import { expect, test } from "vitest";
import { barOf, histogramsOf } from "./bars";
import { panelNames } from "./panelNames";
import { brief, NEW_PANEL, panelOf, panelsOf } from "./panels";

test("a panel survives the way through an address, and what is none is left out", () => {
  const panel = { ...NEW_PANEL, y: ["a", "b"], x: "c" };
  expect(panelOf(JSON.parse(JSON.stringify(brief(panel))))).toEqual(panel);
  expect(brief(panel)).toEqual({ kind: "line", y: ["a", "b"], x: "c" });
  expect(panelsOf([null, 3, { kind: "pie", y: ["a"] }, { kind: "line", y: [] }, { kind: "line", y: [1, "a", "a"] }])).toEqual([
    { ...NEW_PANEL, y: ["a"] },
  ]);
  expect(panelsOf({ length: 3 })).toEqual([]);
});

test("names say what is shown, and are distinct", () => {
  const line = { ...NEW_PANEL, y: ["a", "b"] };
  const bar = { ...line, kind: "bar", stat: "max" } as const;
  expect(panelNames([line, line, { ...line, x: "c" }, bar, { ...line, title: "T" }])).toEqual([
    "a, b",
    "a, b #2",
    "a, b vs c",
    "a, b (max)",
    "T",
  ]);
});

test("bars begin at zero, whatever the signs and sizes", () => {
  expect(barOf(2, [1, 2, 4])).toEqual([0, 0.5]);
  expect(barOf(-1, [-1, 1])).toEqual([0, 0.5]);
  expect(barOf(1, [-1, 1])).toEqual([0.5, 0.5]);
  expect(barOf(0, [0, 0])).toEqual([0, 0]);
  expect(barOf(1.7e308, [-1.7e308, 1.7e308])).toEqual([0.5, 0.5]);
});

test("histograms are read from rows in the order of their steps", () => {
  const rows = [
    { step: 20, w: { counts: [1, 2], edges: [0, 1, 2], n: 3, bad: 0 } },
    { step: 10, w: { counts: [4], edges: [0, 1] } },
    { step: 30, w: { counts: [], edges: [] } },
    { step: 40, w: { counts: [1], edges: [0] } },
    { step: 50, w: 3 },
    { loss: 1 },
  ];
  expect(histogramsOf(rows, "w").map(({ step }) => step)).toEqual([10, 20]);
});
