// Colours mixed with the panel's, and lines in the colours of another theme.
import { expect, test } from "vitest";
import { mixed, type Palette, recoloured } from "./palette";

test("a faint colour is most of the way to the panel's, however a build writes that", () => {
  expect(mixed("#000000", "#ffffff", 0.5)).toBe("#808080");
  expect(mixed("#3b6fe0", "#fff", 0.32)).toBe(mixed("#3b6fe0", "#ffffff", 0.32));
  expect(mixed("#d2492a", "#fff", 0)).toBe("#ffffff");
});

test("lines take the colour of their slot in another theme; others stay", () => {
  const palette = (series: string[]) => ({ series, faint: series }) as unknown as Palette;
  const [dark, light] = [palette(["#111111", "#222222"]), palette(["#aaaaaa", "#bbbbbb"])];
  const lines = [
    { colour: "#222222", faint: "#222222" },
    { colour: "#999999", faint: "#999999" },
  ];
  expect(recoloured(lines, dark, light).map((line) => line.colour)).toEqual(["#bbbbbb", "#999999"]);
});
