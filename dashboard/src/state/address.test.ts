// The address says the view and restores it; what is badly said is as at the start.
import { describe, expect, it } from "vitest";
import { addressOf, viewOf } from "./address";
import { NO_COMPARISON, NO_ZOOM, START, type View } from "./view";

const back = (address: string) => {
  const url = new URL(address, "http://here");
  return viewOf(url.pathname, url.searchParams);
};

const FULL: View = {
  ...START,
  prefix: "geyang/ppo sweep/100% über",
  tab: "compare",
  q: 'lr < 1e-3 and name ~ "a&b=c#d" sort:-eval/acc',
  pinned: "geyang/ppo sweep/calm",
  drawer: "x",
  shown: { a: true, "b,c": false },
  columns: { order: ["p:lr", "m:loss"], widths: { "p:lr": 90 } },
  tableGroups: ["lr", "a,b"],
  unfolded: ['{"lr":1}'],
  folders: true,
  trash: true,
  x: "relative",
  smoothing: 0.9,
  logX: true,
  logY: true,
  groupBy: ["*-seed"],
  center: "iqm",
  spread: "ci95",
  clip: true,
  zoom: { x: [1.5, 2e9], own: { "loss vs frames": [0, 5] }, y: { "eval/acc": [0, 1] } },
  chartFilter: "^eval/.*",
  pinnedCharts: ["a/b", "c,d"],
  closed: ["layers", "eval · train"],
  split: "rank",
  comparison: {
    metric: "eval/acc",
    aspect: "max",
    order: ["b", "a"],
    brushes: { a: [0.25, 1] },
    turned: ["b"],
    x: "$objective",
    y: "lr",
    colour: "seed",
    contour: ["a", "b"],
  },
  step: 0,
  file: "a/b.txt",
  logRun: "r",
  logFile: "r/outputs.log",
  logMatch: "^a b$",
};

describe("address", () => {
  it("restores every field of a view", () => {
    expect(back(addressOf(FULL))).toEqual(FULL);
  });

  it("is short at the start, and names the folder in its path", () => {
    expect(addressOf(START)).toBe("/");
    expect(addressOf({ ...START, prefix: "a/b c" })).toBe("/r/a/b%20c");
  });

  it("keeps ?test", () => {
    expect(addressOf(START, true)).toBe("/?test=");
  });

  it.each([
    ["/?tab=nonsense", "tab", "charts"],
    ["/?smooth=1.5", "smoothing", 0],
    ["/?smooth=abc", "smoothing", 0],
    ["/?zoom=5,1", "zoom", NO_ZOOM],
    ["/?zoom=NaN,1", "zoom", NO_ZOOM],
    ["/?zoomy=%7B%22a%22:3%7D", "zoom", NO_ZOOM],
    ["/?band=worst.case", "center", "mean"],
    ["/?show=%5B1%5D", "shown", {}],
    ["/?show=%7B", "shown", {}],
    ["/?cols=%7B%22order%22:1%7D", "columns", null],
    ["/?step=x", "step", null],
    ["/?compare=%7B%22x%22:3%7D", "comparison", NO_COMPARISON],
    ["/?compare=%7B%22brushes%22:%7B%22a%22:1%7D%7D", "comparison", NO_COMPARISON],
    ["/?rows=a,b", "tableGroups", ["a", "b"]],
    ["/r/50%25/100%", "prefix", "50%/100%"],
    ["/r//a//b/", "prefix", "a/b"],
  ])("%s leaves %s as %j", (address, field, value) => {
    expect(back(address)[field as keyof View]).toEqual(value);
  });
});
