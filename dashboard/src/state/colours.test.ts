// Ten runs have ten colours; a run keeps its colour.
import { describe, expect, it } from "vitest";
import { assignStyles, COLOURS, hashOf, type RunStyle } from "./colours";

const names = (count: number) => Array.from({ length: count }, (_, i) => `sweep/run-${i}`);

describe("colours", () => {
  it("gives ten runs ten colours, and twenty runs each colour twice, once dashed", () => {
    const styles = new Map<string, RunStyle>();
    assignStyles(names(10), styles);
    expect(new Set([...styles.values()].map((style) => style.slot)).size).toBe(COLOURS);
    assignStyles(names(20), styles);
    expect([...styles.values()].filter((style) => style.round === 1)).toHaveLength(10);
    expect(new Set([...styles.values()].map((style) => `${style.slot}.${style.round}`)).size).toBe(20);
  });

  it("keeps what it gave, and takes the slot of the hash when free", () => {
    const styles = new Map<string, RunStyle>();
    assignStyles(["a"], styles);
    expect(styles.get("a")).toEqual({ slot: hashOf("a") % COLOURS, round: 0 });
    assignStyles(["z", "y", "a"], styles);
    expect(styles.get("a")).toEqual({ slot: hashOf("a") % COLOURS, round: 0 });
  });

  it("hashes alike everywhere", () => {
    expect(hashOf("")).toBe(0x811c9dc5);
    expect(hashOf("a")).toBe(0xe40c292c);
  });
});
