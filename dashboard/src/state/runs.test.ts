// Which runs are drawn, which columns stand where, and how a group's runs are asked for.
import { describe, expect, it } from "vitest";
import type { RunRow } from "../api/types";
import { allColumns, cellOf, differences, moved, shownColumns } from "./columns";
import { within } from "./pages";
import { nameOf, visibleKeys } from "./runs";
import { SHOWN, START, setQuery, setView, undoZoom, useView, withoutSort, zoomX, zoomY } from "./view";

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
    zoomY("loss", [0, 1]);
    expect(useView.getState().zoom).toEqual({ x: [1, 2], y: { loss: [0, 1] } });
    undoZoom();
    expect(useView.getState().zoom).toEqual({ x: [1, 2], y: {} });
    undoZoom();
    undoZoom();
    expect(useView.getState().zoom).toEqual({ x: null, y: {} });
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

  it("can be chosen, sized and moved", () => {
    const layout = { order: ["m:loss.min", "p:lr", "gone"], widths: { "p:lr": 77 } };
    const shown = shownColumns(all, layout);
    expect(shown.map((column) => column.title)).toEqual(["loss min", "lr"]);
    expect(shown[1]!.width).toBe(77);
    expect(cellOf(shown[0]!, rows[0]!)).toBe(0.1);
    expect(moved(layout, "p:lr", "m:loss.min").order).toEqual(["p:lr", "m:loss.min", "gone"]);
    expect(moved(layout, "p:lr", "nowhere").order).toEqual(layout.order);
  });

  it("tell in what a run differs", () => {
    expect(differences(row("a", { lr: 1, b: "x" }), row("p", { lr: 2, c: 3 }), String)).toEqual([
      "lr 2 → 1",
      "c 3 → undefined",
      "b undefined → x",
    ]);
  });
});

describe("queries", () => {
  it("of a group keep filter and order", () => {
    const group = { values: { lr: 0.1, "my key": 'a"b', gone: null }, runs: 2, metrics: {} };
    expect(within("a or b sort:-c", group)).toBe('(a or b) and lr == 0.1 and `my key` == "a\\"b" and gone not exists sort:-c');
  });

  it("lose only their sort", () => {
    expect(withoutSort("sort:a lr < 1 sort:-`b c` x")).toBe("lr < 1 x");
  });
});
