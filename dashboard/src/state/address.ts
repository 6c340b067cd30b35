// The address says the whole view, and restores it: pure reading and writing; state/history.ts wires it to the browser.
import { brief, panelsOf } from "../math/panels";
import {
  type Center,
  type Columns,
  type Comparison,
  NO_COMPARISON,
  NO_ZOOM,
  type Range,
  type Split,
  type Spread,
  START,
  TABS,
  type View,
  type Zoom,
} from "./view";

const CENTERS = ["mean", "median", "iqm"] as const;
const SPLITS: readonly Split[] = ["", "rank", "attempt"];
const SPREADS = ["std", "sem", "ci95", "minmax", "iqr"] as const;

/** How one field stands in an address: "" is its value at the start, and what is badly said reads as that. */
interface Codec<T> {
  write(value: T): string;
  read(text: string): T;
}

type Field = { [K in keyof View]-?: readonly [name: string, field: K, codec: Codec<View[K]>] }[keyof View];

const text = <T extends string>(start: T): Codec<T> => ({
  write: (value) => (value === start ? "" : value),
  read: (said) => (said || start) as T,
});
const oneOf = <T extends string>(all: readonly T[], start: T): Codec<T> => ({
  write: (value) => (value === start ? "" : value),
  read: (said) => all.find((one) => one === said) ?? start,
});
const optional: Codec<string | null> = { write: (value) => value ?? "", read: (said) => said || null };
const flag: Codec<boolean> = { write: (value) => (value ? "1" : ""), read: (said) => said === "1" };
const names: Codec<readonly string[]> = {
  write: (value) => (value.some((name) => /^\[|,/.test(name)) ? JSON.stringify(value) : value.join(",")),
  read: (said) => json<string[]>(said, isNames) ?? said.split(",").filter(Boolean),
};
const asJson = <T>(start: T, fits: (value: unknown) => boolean): Codec<T> => ({
  write: (value) => (JSON.stringify(value) === JSON.stringify(start) ? "" : JSON.stringify(value)),
  read: (said) => json<T>(said, fits) ?? start,
});

const smoothness: Codec<number> = { write: (value) => (value ? String(value) : ""), read: (said) => within1(Number(said)) };
const wholeNumber: Codec<number | null> = {
  write: (value) => (value === null ? "" : String(value)),
  read: (said) => (/^-?\d+$/.test(said) ? Number(said) : null),
};
const panelList: Codec<View["panels"]> = {
  write: (value) => (value.length ? JSON.stringify(value.map(brief)) : ""),
  read: (said) => panelsOf(json<unknown[]>(said, Array.isArray)),
};

const FIELDS: readonly Field[] = [
  ["q", "q", text("")],
  ["tab", "tab", oneOf(TABS, START.tab)],
  ["run", "pinned", optional],
  ["open", "drawer", optional],
  ["x", "x", text(START.x)],
  ["smooth", "smoothing", smoothness],
  ["group", "groupBy", names],
  ["clip", "clip", flag],
  ["charts", "chartFilter", text("")],
  ["pin", "pinnedCharts", asJson<readonly string[]>([], isNames)],
  ["closed", "closed", asJson<readonly string[]>([], isNames)],
  ["panels", "panels", panelList],
  ["split", "split", oneOf(SPLITS, START.split)],
  ["show", "shown", asJson({}, isFlags)],
  ["cols", "columns", asJson<Columns | null>(null, isColumns)],
  ["rows", "tableGroups", names],
  ["unfold", "unfolded", asJson<readonly string[]>([], isNames)],
  ["folders", "folders", flag],
  ["trash", "trash", flag],
  ["step", "step", wholeNumber],
  ["file", "file", optional],
  ["logrun", "logRun", optional],
  ["logfile", "logFile", optional],
  ["match", "logMatch", text("")],
  ["compare", "comparison", { write: comparisonText, read: comparisonOf }],
];

/** The path and search of a view, below the root path: "/r/sweep?q=lr+%3C+1e-3&tab=compare". */
export function addressOf(view: View, test = false): string {
  const search = new URLSearchParams();
  const put = (name: string, value: string) => {
    if (value) search.set(name, value);
  };
  for (const [name, field, codec] of FIELDS) put(name, (codec as Codec<unknown>).write(view[field]));
  put("log", (view.logX ? "x" : "") + (view.logY ? "y" : ""));
  put("band", view.center === "mean" && view.spread === "std" ? "" : `${view.center}.${view.spread}`);
  put("zoom", view.zoom.x?.join(",") ?? "");
  put("zoomx", rangesText(view.zoom.own));
  put("zoomy", rangesText(view.zoom.y));
  if (test) search.set("test", "");
  const said = search.toString();
  return pathOf(view.prefix) + (said && `?${said}`);
}

/** The path of a folder or run. */
export const pathOf = (prefix: string): string => (prefix ? `/r/${prefix.split("/").map(encodeURIComponent).join("/")}` : "/");

/** The view that an address says; what it does not say, or says badly, is as at the start. */
export function viewOf(path: string, search: URLSearchParams): View {
  const said = (name: string) => search.get(name) ?? "";
  const [center, spread] = said("band").split(".");
  return {
    ...START,
    ...Object.fromEntries(FIELDS.map(([name, field, codec]) => [field, codec.read(said(name))])),
    prefix: prefixOf(path),
    logX: said("log").includes("x"),
    logY: said("log").includes("y"),
    center: CENTERS.find((one) => one === center) ?? (START.center as Center),
    spread: SPREADS.find((one) => one === spread) ?? (START.spread as Spread),
    zoom: zoomOf(rangeOf(said("zoom").split(",").map(Number)), said("zoomx"), said("zoomy")),
  };
}

function prefixOf(path: string): string {
  if (!path.startsWith("/r/")) return "";
  return path.slice(3).split("/").filter(Boolean).map(unescaped).join("/");
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % in an address that someone typed
  }
}

function comparisonText(value: Comparison): string {
  const changed = Object.entries(value).filter(
    ([name, inner]) => JSON.stringify(inner) !== JSON.stringify(NO_COMPARISON[name as keyof Comparison]),
  );
  return changed.length ? JSON.stringify(Object.fromEntries(changed)) : "";
}

function comparisonOf(said: string): Comparison {
  const value: Comparison = { ...NO_COMPARISON, ...json<Partial<Comparison>>(said, isObject) };
  const sound =
    [value.metric, value.x, value.y, value.colour].every((name) => typeof name === "string") &&
    ["last", "min", "max"].includes(value.aspect) &&
    isNames(value.order) &&
    isNames(value.turned) &&
    isNames(value.contour) &&
    isRanges(value.brushes);
  return sound ? value : NO_COMPARISON;
}

function json<T>(said: string, fits: (value: unknown) => boolean): T | null {
  if (!said) return null;
  try {
    const value: unknown = JSON.parse(said);
    return fits(value) ? (value as T) : null;
  } catch {
    return null;
  }
}

const rangesText = (ranges: Readonly<Record<string, Range>>) => (Object.keys(ranges).length ? JSON.stringify(ranges) : "");

function zoomOf(x: Range | null, own: string, y: string): Zoom {
  const ranges = (said: string) => json<Record<string, Range>>(said, isRanges) ?? {};
  return x || own || y ? { x, own: ranges(own), y: ranges(y) } : NO_ZOOM;
}

const within1 = (value: number) => (value > 0 && value < 1 ? value : 0);
const rangeOf = (pair: unknown[]): Range | null => (isRange(pair) && pair[0] < pair[1] ? pair : null);
const isRange = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((end) => Number.isFinite(end));

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRanges(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isRange);
}

function isFlags(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((one) => typeof one === "boolean");
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

function isColumns(value: unknown): boolean {
  return (
    isObject(value) && isNames(value.order) && isObject(value.widths) && Object.values(value.widths).every((w) => Number(w) > 0)
  );
}
