// Which runs are drawn, which columns stand where, and how a group's runs are asked for.

import { describe, expect, it } from "vitest";
import { PAGE } from "../api/queries";
import type { RunRow } from "../api/types";
import {
  allColumns,
  areAmbiguous,
  cellOf,
  differences,
  folderOf,
  moved,
  namesInSight,
  nameWidthOf,
  resized,
  shownColumns,
  underGroups,
} from "./columns";
import { layoutOf, pagesBetween, segmentAt, within } from "./pages";
import { askFor, nameOf, useAsked, visibleKeys } from "./runs";
import { NO_ZOOM, SHOWN, START, setQuery, setView, undoZoom, useView, withoutSort, zoomOwnX, zoomX, zoomY } from "./view";

const row = (key: string, params: RunRow["params"] = {}): RunRow => ({
  key,
  name: nameOf(key),
  uuid: "",
  status: "running",
  created: 0,
  updated: 0,
  host: "",
  params,
  metrics: { loss: { last: 0.5, min: 0.1, max: 2, first: 2, n: 3, bad: 0, last_step: 2, argmin: 1, argmax: 0 } },
  tags: [],
  notes: "",
  points: 0,
  writers: 1,
  attempts: 1,
  archived: false,
  duration: 0,
});
const rows = Array.from({ length: 30 }, (_, i) => row(`s/${i}`, { lr: i % 3, size: 4 }));
const columns = [
  { name: "loss", kind: "metric", runs: 30, numeric: true },
  { name: "lr", kind: "param", runs: 30, numeric: true },
  { name: "size", kind: "param", runs: 30, numeric: true },
] as const;

describe("drawn runs", () => {
  it("are the first of the table, but for what was shown or hidden by hand", () => {
    expect(visibleKeys(rows, {})).toHaveLength(SHOWN);
    const keys = visibleKeys(rows, { "s/0": false, "s/29": true, elsewhere: true });
    expect(keys).not.toContain("s/0");
    expect(keys.slice(-2)).toEqual(["s/29", "elsewhere"]);
  });

  it("forget what was shown by hand when the filter changes, not when the order does", () => {
    setView({ ...START, q: "lr < 1", shown: { a: true, b: false } });
    setQuery("lr < 1 sort:-lr");
    expect(useView.getState().shown).toEqual({ a: true, b: false });
    setQuery("lr < 2");
    expect(useView.getState().shown).toEqual({ b: false });
  });

  it("are zoomed and unzoomed step by step", () => {
    setView(START);
    zoomX([1, 2]);
    zoomOwnX("loss vs frames", [5, 6]);
    zoomY("loss", [0, 1]);
    expect(useView.getState().zoom).toEqual({ x: [1, 2], own: { "loss vs frames": [5, 6] }, y: { loss: [0, 1] } });
    undoZoom();
    expect(useView.getState().zoom).toEqual({ x: [1, 2], own: { "loss vs frames": [5, 6] }, y: {} });
    undoZoom();
    expect(useView.getState().zoom).toEqual({ x: [1, 2], own: {}, y: {} });
    undoZoom();
    undoZoom();
    expect(useView.getState().zoom).toBe(NO_ZOOM);
  });
});

describe("columns", () => {
  const all = allColumns([...columns], rows);

  it("begin with what varies, then metrics; constants come late, min and max on request", () => {
    const titles = shownColumns(all, null).map((column) => column.title);
    expect(titles.slice(0, 2)).toEqual(["lr", "loss"]);
    expect(titles.at(-1)).toBe("size");
    expect(titles).not.toContain("loss min");
  });

  it("have histograms and texts behind what can be compared", () => {
    const metrics = [{ name: "a_histogram", kind: "metric" as const, runs: 2, numeric: false }, ...columns];
    const titles = shownColumns(allColumns(metrics, rows), null).map((column) => column.title);
    expect(titles.indexOf("a_histogram")).toBeGreaterThan(titles.indexOf("loss"));
  });

  it("can be chosen, sized and moved", () => {
    const layout = { order: ["m:loss.min", "p:lr", "gone"], widths: { "p:lr": 77 } };
    const shown = shownColumns(all, layout);
    expect(shown.map((column) => column.title)).toEqual(["loss min", "lr"]);
    expect(shown[1]!.width).toBe(77);
    expect(cellOf(shown[0]!, rows[0]!)).toBe(0.1);
    expect(moved(layout, "p:lr", "m:loss.min").order).toEqual(["p:lr", "m:loss.min", "gone"]);
    expect(moved(layout, "m:loss.min", "p:lr").order).toEqual(["p:lr", "m:loss.min", "gone"]);
    expect(moved(layout, "p:lr", "nowhere").order).toEqual(layout.order);
    expect(resized(null, "p:lr", 3)).toEqual({ order: [], widths: { "p:lr": 44 } });
    expect(resized(resized(layout, "m:loss", 90.4), "p:lr", null).widths).toEqual({ "m:loss": 90 });
    expect(shownColumns(all, { order: [], widths: { "m:loss": 91 } })[1]!.width).toBe(91);
  });

  it("are asked for in blocks of those in sight", () => {
    const many = allColumns(
      Array.from({ length: 60 }, (_, i) => ({ name: `m${i}`, kind: "metric" as const, runs: 1, numeric: true })),
      rows,
    );
    const names = namesInSight(shownColumns(many, null), 13, 15);
    expect(names).toEqual(many.slice(12, 24).map((column) => column.name));
    expect(namesInSight(shownColumns(many, null), 14, 15)).toEqual(names);
    expect(namesInSight([], 0, -1)).toEqual([]);
  });

  it("tell the folder only where there are several", () => {
    expect(all.some((column) => column.title === "folder")).toBe(false);
    expect(allColumns([...columns], [...rows, row("other/x")]).some((column) => column.title === "folder")).toBe(true);
  });

  it("begin with the learning rate; the folder stands beside names that are ambiguous", () => {
    const twins = [row("p/a/seed-0", { "x.batch": 1, "x.lr": 1 }), row("p/b/seed-0", { "x.batch": 2, "x.lr": 2 })];
    const names = ["x.batch", "x.lr"].map((name) => ({ name, kind: "param" as const, runs: 2, numeric: true }));
    const ids = (which: RunRow[]) => allColumns(names, which).map((column) => column.id);
    expect(ids(twins).slice(0, 2)).toEqual(["p:x.lr", "p:x.batch"]);
    expect([areAmbiguous(twins), areAmbiguous(rows)]).toEqual([true, false]);
    expect([folderOf("p/a/seed-0", "p"), folderOf("p/seed-0", "p"), folderOf("q/a"), folderOf("a")]).toEqual(["a", "", "q", ""]);
    expect(nameWidthOf(twins, "p")).toBeGreaterThanOrEqual(132);
  });

  it("show the end of long metric names, and none of those that groups are made of", () => {
    const metric = (name: string) => ({ name, kind: "metric" as const, runs: 1, numeric: true });
    const found = allColumns([metric("eval/accuracy"), metric("layers/12/attn/w_norm")], rows);
    expect(found.filter((column) => column.aspect === "last" && column.kind === "metric").map((column) => column.short)).toEqual([
      "eval/accuracy",
      "…attn/w_norm",
    ]);
    expect(underGroups(all, ["lr"]).some((column) => column.id === "p:lr")).toBe(false);
  });

  it("tell in what a run differs", () => {
    expect(differences(row("a", { "x.lr": 1, b: "x", "job.end": 1 }), row("p", { "x.lr": 2, c: 3 }), String)).toEqual([
      "lr 2 → 1",
      "c 3 → undefined",
      "b undefined → x",
    ]);
  });
});

describe("folded rows", () => {
  const group = (values: Record<string, number>, runs: number) => ({ values, runs, metrics: {} });
  const levels = [
    [group({ lr: 1 }, 450), group({ lr: 2 }, 3)],
    [group({ lr: 1, seed: 0 }, 250), group({ lr: 1, seed: 1 }, 200), group({ lr: 2, seed: 0 }, 3)],
  ];

  it("are groups, in open ones groups, and at the end runs in pages", () => {
    const closed = layoutOf(levels, ["lr", "seed"], new Set(), "q");
    expect(closed.count).toBe(2);
    const open = layoutOf(levels, ["lr", "seed"], new Set(['{"lr":1}', '{"lr":1,"seed":0}']), "q");
    expect(open.count).toBe(2 + 2 + 250);
    expect(open.segments.map((segment) => [segment.kind, segment.depth, segment.start])).toEqual([
      ["group", 0, 0],
      ["group", 1, 1],
      ["runs", 2, 2],
      ["group", 1, 252],
      ["group", 0, 253],
    ]);
    const q = "(q) and lr == 1 and seed == 0";
    expect(pagesBetween(open.segments, 0, 30)).toEqual([{ q, page: 0 }]);
    expect(pagesBetween(open.segments, PAGE - 10, PAGE + 30)).toEqual([
      { q, page: 0 },
      { q, page: 1 },
    ]);
    expect(pagesBetween(open.segments, 252, 253)).toEqual([]);
    expect(segmentAt(open.segments, 251)?.kind).toBe("runs");
    expect(segmentAt(open.segments, 252)?.kind).toBe("group");
    expect(segmentAt(open.segments, 254)).toBeUndefined();
    expect(segmentAt([], 0)).toBeUndefined();
  });
});

describe("queries", () => {
  it("of a group keep filter and order", () => {
    const group = { values: { lr: 0.1, "my key": 'a"b', gone: null }, runs: 2, metrics: {} };
    expect(within("a or b sort:-c", group)).toBe('(a or b) and lr == 0.1 and `my key` == "a\\"b" and gone not exists sort:-c');
    expect(within("sort:`a b`", { values: { lr: { $f: "nan" } }, runs: 1, metrics: {} })).toBe("lr == nan sort:`a b`");
  });

  it("lose only their sort", () => {
    expect(withoutSort("sort:a lr < 1 sort:-`b c` x")).toBe("lr < 1 x");
  });
});

it("asks for names that rows lack, and for nothing when fewer are needed", () => {
  askFor(["lr", "loss"]);
  const asked = useAsked.getState();
  expect(asked.columns).toEqual(["lr", "loss"]);
  askFor(["loss"]);
  askFor([]);
  expect(useAsked.getState(), "an answer without columns and one with them would ask for each other for ever").toBe(asked);
  askFor(["loss", "acc"]);
  expect(useAsked.getState().columns).toEqual(["loss", "acc"]);
});
