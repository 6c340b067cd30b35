// What views compute: matches of the palette, addresses in markdown, the bad token, what a notice makes stale.
import { describe, expect, it } from "vitest";
import { ApiError, fileUrl, rootOf } from "../api/client";
import { touchedBy } from "../api/queries";
import { badQuery, endOfToken } from "../state/search";
import { splitTags } from "./BulkBar";
import { matching } from "./matching";
import { flatParams } from "./ParamsTree";
import { addressIn, linkIn } from "./Prose";
import { stagesOf } from "./RunDetails";

describe("palette", () => {
  it("finds letters in order, those together first", () => {
    const entries = ["train/loss", "Log y", "eval/acc", "total loss"].map((title) => ({ title }));
    expect(matching(entries, "loss").map((entry) => entry.title)).toEqual(["total loss", "train/loss"]);
    expect(matching(entries, "lgy").map((entry) => entry.title)).toEqual(["Log y"]);
    expect(matching(entries, "")).toHaveLength(4);
  });
});

describe("markdown", () => {
  it("reads files beside it and loads nothing from elsewhere", () => {
    expect(addressIn("a/run", "plots/x y.png")).toBe("/v1/files/a/run/plots/x%20y.png");
    expect(addressIn("a/run", "../other.png")).toBe("/v1/files/a/other.png");
    expect(addressIn("a", "/top.png")).toBe("/v1/files/top.png");
    expect(addressIn("a", "../../../x")).toBe("/v1/files/x");
    for (const foreign of ["https://e.example/x.png", "//e.example/x", "javascript:alert(1)", "data:text/html,x"])
      expect(addressIn("a", foreign)).toBeNull();
  });
});

describe("links in markdown", () => {
  it("lead to pages of folders and runs, and to files", () => {
    expect(linkIn("a/sweep", "run 1")).toBe("/r/a/sweep/run%201");
    expect(linkIn("a/sweep", "../other")).toBe("/r/a/other");
    expect(linkIn("a/sweep", "data.csv")).toBe("/v1/files/a/sweep/data.csv");
    expect(linkIn("a", "#part")).toBe("#part");
    expect(linkIn("a", "https://e.example/x")).toBeNull();
  });
});

describe("bad queries", () => {
  it("say where, and underline a token", () => {
    const error = new ApiError(400, "QuerySyntaxError", "expected a value at character 5", { position: 5 });
    expect(badQuery(error)).toEqual({ message: "expected a value at character 5", position: 5 });
    expect(badQuery(new ApiError(400, "UsageError", "no", {}))?.message).toBe("no at character 0");
    expect(badQuery(new ApiError(500, "StoreError", "x", {}))).toBeNull();
    expect(endOfToken("lr << 3", 4)).toBe(5);
    expect(endOfToken("a bcd e", 2)).toBe(5);
    expect(endOfToken("a", 1)).toBe(2);
  });
});

describe("notices and addresses", () => {
  it("renew what they name", () => {
    const change = { run: "a/b", version: 1, last_step: null, metrics: [] };
    expect(touchedBy({ ...change, what: ["rows"] })).toEqual(["search_runs", "get_run\na/b", "list_metrics"]);
    expect(touchedBy({ ...change, what: ["gone"] })).toEqual([
      "search_runs",
      "get_run\na/b\nthere",
      "list_metrics",
      "list_files",
    ]);
    expect(touchedBy({ ...change, what: ["params"] })).toContain("sample_runs");
    expect(touchedBy({ ...change, what: ["state"] })).toContain("get_saved");
  });

  it("find the root path from the script's address", () => {
    expect(rootOf("https://h/ml/x/assets/index-1.js")).toBe("/ml/x");
    expect(rootOf("http://h/assets/index-1.js")).toBe("");
    expect(rootOf("http://h/src/main.tsx")).toBe("");
    expect(fileUrl("a b/c#?.png")).toBe("/v1/files/a%20b/c%23%3F.png");
  });
});

describe("small things", () => {
  it("split tags and flatten parameters", () => {
    expect(splitTags(["a", "-b"])).toEqual([["a"], ["b"]]);
    expect([...flatParams({ a: { b: 1, c: {} }, d: { $f: "nan" } })]).toEqual([
      ["a.b", 1],
      ["a.c", {}],
      ["d", { $f: "nan" }],
    ]);
  });
});

it("a job's life tells each stage once, however often it was said", () => {
  const said = (status: string, time: number) => ({ status, time });
  expect(
    stagesOf([said("started", 1), said("running", 2), said("running", 3), said("running", 4), said("completed", 5)]),
  ).toEqual([
    { what: "started", first: 1, last: 1, count: 1 },
    { what: "running", first: 2, last: 4, count: 3 },
    { what: "completed", first: 5, last: 5, count: 1 },
  ]);
});
