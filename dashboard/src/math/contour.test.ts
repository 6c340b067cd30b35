// A surface through scattered values: where it stands, where nothing is claimed, and its lines.
import { expect, test } from "vitest";
import { extremeOf, fieldOf, lineAt, type Spot, valueIn } from "./contour";

const grid: Spot[] = Array.from({ length: 441 }, (_, at) => {
  const [x, y] = [(at % 21) / 20, Math.floor(at / 21) / 20];
  return { x, y, value: 10 - (x - 0.75) ** 2 - (y - 0.25) ** 2 };
});

test("a hill's top is where it is", () => {
  const field = fieldOf(grid);
  const [x, y] = extremeOf(field, true)!;
  expect(x).toBeCloseTo(0.75, 1);
  expect(y).toBeCloseTo(0.25, 1);
  expect(extremeOf(field, false)![0]).toBe(0);
  expect(valueIn(field, 0.75, 0.25)).toBeGreaterThan(valueIn(field, 0.25, 0.75));
  expect(valueIn(field, 1, 1)).toBeGreaterThan(9);
});

test("lines of equal value lie on the surface at that value", () => {
  const field = fieldOf(grid);
  const level = (field.min + field.max) / 2;
  const line = lineAt(field, level);
  expect(line.length).toBeGreaterThan(20);
  for (const [x0, y0, x1, y1] of line) {
    expect(valueIn(field, x0, y0)).toBeCloseTo(level, 4);
    expect(valueIn(field, x1, y1)).toBeCloseTo(level, 4);
  }
  expect(lineAt(field, field.max + 1)).toEqual([]);
});

test("far from every run nothing is claimed, and runs without a value are left out", () => {
  const field = fieldOf([
    { x: 0, y: 0, value: 1 },
    { x: 0.1, y: 0, value: 3 },
    { x: 0.5, y: 0.5, value: Number.NaN },
  ]);
  expect(valueIn(field, 0, 0)).toBeGreaterThan(1);
  expect(valueIn(field, 0, 0)).toBeLessThan(3);
  expect(valueIn(field, 1, 1)).toBeNaN();
  expect(extremeOf(fieldOf([]), true)).toBeNull();
});
