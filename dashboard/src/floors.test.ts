// The house holds: files import only from floors below their own, or their own folder, and there is no barrel.
import { expect, it } from "vitest";

const FLOORS = ["ui", "math", "api", "state", "charts", "views"];
const sources = import.meta.glob<string>("./**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });

/** Math and ui share the ground floor, and do not know each other. */
const floorOf = (folder: string) => Math.max(1, FLOORS.indexOf(folder));

const upward = Object.entries(sources).flatMap(([path, text]) => {
  const folder = path.split("/")[1]!;
  const imported = [...text.matchAll(/from "\.\.\/([a-z]+)\//g)].map((found) => found[1]!);
  return imported
    .filter((other) => FLOORS.includes(folder) && floorOf(other) >= floorOf(folder) && other !== folder)
    .map((other) => `${path} imports ${other}`);
});

it("has arrows that only go down", () => {
  expect(Object.keys(sources).length).toBeGreaterThan(60);
  expect(upward).toEqual([]);
});

it("has no barrel", () => {
  expect(Object.keys(sources).filter((path) => /\/index\.tsx?$/.test(path))).toEqual([]);
});
