// The query's sort term and what a header makes of it.
import { describe, expect, it } from "vitest";
import { clickedHeader, quoted, sortOf, sortsBy } from "./sorting";

describe("sorting", () => {
  it("reads the term", () => {
    expect(sortOf("lr < 1 sort:-eval/acc x")).toEqual({ name: "eval/acc", descending: true });
    expect(sortOf("sort:`my loss`")).toEqual({ name: "my loss", descending: false });
    expect(sortOf("name:resort:x")).toBeNull();
  });

  it("goes from ascending to descending to none, and keeps the filter", () => {
    const once = clickedHeader("lr < 1", "eval/acc");
    expect(once).toBe("lr < 1 sort:eval/acc");
    const twice = clickedHeader(once, "eval/acc");
    expect(twice).toBe("lr < 1 sort:-eval/acc");
    expect(clickedHeader(twice, "eval/acc")).toBe("lr < 1");
    expect(clickedHeader(twice, "lr")).toBe("lr < 1 sort:lr");
  });

  it("quotes what the language would read otherwise", () => {
    expect(quoted("eval/acc-1")).toBe("eval/acc-1");
    expect(quoted("some key")).toBe("`some key`");
    expect(quoted("-x")).toBe("`-x`");
    expect(quoted("a:b")).toBe("`a:b`");
  });

  it("knows a column by the end of its name", () => {
    expect(sortsBy({ name: "lr", descending: false }, "Args.lr")).toBe(true);
    expect(sortsBy({ name: "lr", descending: false }, "Args.clr")).toBe(false);
  });
});
