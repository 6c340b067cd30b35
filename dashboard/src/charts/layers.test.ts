// Where old pixels lie after a zoom, until the new ones are there.
import { expect, test } from "vitest";
import { stretched } from "./layers";

const scene = (x: [number, number], y: [number, number], logX = false, logY = false) => ({ x, y, logX, logY });

test("pixels are stretched to where their values lie in the new ranges", () => {
  expect(stretched(scene([0, 100], [0, 10]), scene([0, 100], [0, 10]))).toBe("translate(0%, 0%) scale(1, 1)");
  // the right half: twice as wide, the left half out of sight
  expect(stretched(scene([0, 100], [0, 10]), scene([50, 100], [0, 10]))).toBe("translate(-100%, 0%) scale(2, 1)");
  // y runs downwards: of 0 … 10 the upper half stays
  expect(stretched(scene([0, 100], [0, 10]), scene([0, 100], [5, 10]))).toBe("translate(0%, 0%) scale(1, 2)");
  // zoomed out again
  expect(stretched(scene([50, 100], [0, 10]), scene([0, 100], [0, 10]))).toBe("translate(50%, 0%) scale(0.5, 1)");
});

test("a log axis is stretched by its powers", () => {
  expect(stretched(scene([1, 100], [0, 1], true), scene([10, 100], [0, 1], true))).toBe("translate(-100%, 0%) scale(2, 1)");
});
