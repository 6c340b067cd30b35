// Sections of charts and places of cards; a chart in words and rows.
import { expect, test } from "vitest";
import type { Columns } from "./columns";
import { countsOf, summaryOf } from "./describe";
import { placed, sectionsOf } from "./sections";
import { csvOf, rowsOf } from "./tables";

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}/${i}`);

test("small prefixes share a section, large ones have their own, pinned charts come first", () => {
  const sections = sectionsOf([...names("train", 4), ...names("eval", 5), ...names("layers", 41), "loss"], ["eval/3"]);
  expect(sections.map((section) => [section.title, section.metrics.length])).toEqual([
    ["pinned", 1],
    ["top level", 1],
    ["eval · train", 8],
    ["layers", 41],
  ]);
  expect(sections[3]!.metrics.slice(0, 3)).toEqual(["layers/0", "layers/1", "layers/2"]);
  expect(sectionsOf(["loss"])).toEqual([{ title: "top level", metrics: ["loss"] }]);
});

test("a section's title names all that it holds, and nothing else", () => {
  expect(sectionsOf(["frames", "eval/acc", "rare", "loss", "half"])).toEqual([
    { title: "top level", metrics: ["frames", "half", "loss", "rare"] },
    { title: "eval", metrics: ["eval/acc"] },
  ]);
  const many = Array.from({ length: 30 }, (_, i) => names(`p${i}`, 1 + (i % 8))).flat();
  const flat = Array.from({ length: 200 }, (_, i) => `m${i}`);
  const sections = sectionsOf([...flat, ...many, ...names("layers", 300), "constructor/a"].reverse());
  for (const { title, metrics } of sections) {
    const prefixes = [...new Set(metrics.map((metric) => (metric.includes("/") ? metric.split("/")[0] : "top level")))];
    expect(title).toBe(prefixes.join(" · "));
    if (prefixes.length > 1) expect(metrics.length).toBeLessThanOrEqual(12);
  }
  expect(sections.slice(-2).map(({ title, metrics }) => [title, metrics.length])).toEqual([["top level", 200], ["layers", 300]]); // biome-ignore format: pairs
  expect(sections.at(-2)!.metrics.slice(0, 11)).toEqual(flat.slice(0, 11));
  expect(sections.flatMap((section) => section.metrics).length).toBe(new Set([...flat, ...many]).size + 301);
});

const grid = { width: 1000, cardWidth: 320, cardHeight: 200, gap: 10, header: 30 };

test("cards lie in columns of equal width, and only those in sight are placed", () => {
  const { places, height } = placed([5], grid, 0, 1000, 60);
  const cards = places.filter((place) => place.card >= 0);
  expect(cards.map(({ left, top }) => [Math.round(left), top])).toEqual([[0, 30], [337, 30], [673, 30], [0, 240], [337, 240]]); // biome-ignore format: pairs
  expect(height).toBe(30 + 2 * 210);
});

test("of 5,000 charts at most 60 are placed, wherever the page is scrolled to", () => {
  for (const from of [0, 50_000, 349_000]) {
    const cards = placed([9, 4991], grid, from, from + 1440, 60).places.filter((place) => place.card >= 0);
    expect(cards.length).toBeGreaterThan(0);
    expect(cards.length).toBeLessThanOrEqual(60);
    for (const card of cards) expect(card.top + card.height >= from && card.top <= from + 1440).toBe(true);
  }
});

function series(key: string, x: number[], mean: number[]): Columns {
  const meta = {
    key,
    n: x.length,
    exact: true,
    logged: x.length,
    stored: x.length,
    shown: x.length,
    bad: 0,
    marks: [],
    runs: 1,
    group: {},
    smoothed: false,
  };
  const column = Float64Array.from(mean);
  return { meta, x: Float64Array.from(x), mean: column, min: column, max: column, count: null };
}

test("a summary in words", () => {
  expect(summaryOf([series("a", [0, 1, 2], [3, 1, 2])])).toBe("n=3 min=1 max=3 last=2");
  expect(summaryOf([series("a", [0, 1], [3, 1]), series("b", [0, 9], [Number.NaN, -0.123456789])])).toBe(
    "n=4 min=-0.123457 max=3 last=-0.123457",
  );
  expect(summaryOf([])).toBe("n=0 min=NaN max=NaN last=NaN");
  expect(countsOf([series("a", [0], [1]), series("b", [0, 1], [1, 2])])).toEqual({
    logged: 3,
    stored: 3,
    shown: 3,
    bad: 0,
    exact: true,
  });
});

test("rows join series by x", () => {
  expect(rowsOf([series("a", [0, 2], [1, 2]), series("b", [1, 2], [5, 6])])).toEqual([
    { x: 0, values: [1, null] },
    { x: 1, values: [null, 5] },
    { x: 2, values: [2, 6] },
  ]);
});

test("a CSV quotes signs and disarms formulas", () => {
  const text = csvOf("step", ['=cmd()|"x"', "a,b"], [series("a", [0], [1]), series("b", [0], [Number.NaN])]);
  expect(text.split("\n").slice(1, 3)).toEqual(['"\'=cmd()|""x""",0,1,1,1,1', '"a,b",0,NaN,NaN,NaN,1']);
});
