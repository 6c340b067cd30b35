// The address says the whole view, and restores it: pure reading and writing, then the wiring to the browser's history.
import { ask, rootPath } from "../api/client";
import { brief, panelsOf } from "../math/panels";
import {
  type Center,
  type Columns,
  NO_ZOOM,
  type Range,
  type Spread,
  START,
  setView,
  TABS,
  type Tab,
  useView,
  type View,
} from "./view";

/** Fields whose change is a step of the browser's history; the others only change the address. */
const STEPS = ["prefix", "tab"] as const;
const CENTERS = ["mean", "median", "iqm"];
const SPLITS = ["rank", "attempt"] as const;
const SPREADS = ["std", "sem", "ci95", "minmax", "iqr"];

/** The path and search of a view, below the root path: "/r/sweep?q=lr+%3C+1e-3&tab=compare". */
export function addressOf(view: View, test = false): string {
  const path = view.prefix ? `/r/${view.prefix.split("/").map(encodeURIComponent).join("/")}` : "/";
  const search = new URLSearchParams();
  const put = (name: string, value: string | null, start: string | null) => {
    if (value !== null && value !== start) search.set(name, value);
  };
  put("q", view.q, "");
  put("tab", view.tab, START.tab);
  put("run", view.pinned, null);
  put("open", view.drawer, null);
  put("x", view.x, START.x);
  put("smooth", String(view.smoothing), "0");
  put("log", (view.logX ? "x" : "") + (view.logY ? "y" : ""), "");
  put("group", view.groupBy.join(","), "");
  put("band", `${view.center}.${view.spread}`, "mean.std");
  put("clip", view.clip ? "1" : "", "");
  put("zoom", view.zoom.x ? view.zoom.x.join(",") : "", "");
  if (Object.keys(view.zoom.y).length) search.set("zoomy", JSON.stringify(view.zoom.y));
  put("charts", view.chartFilter, "");
  if (view.pinnedCharts.length) search.set("pin", JSON.stringify(view.pinnedCharts));
  if (view.panels.length) search.set("panels", JSON.stringify(view.panels.map(brief)));
  put("split", view.split, "");
  if (Object.keys(view.shown).length) search.set("show", JSON.stringify(view.shown));
  if (view.columns) search.set("cols", JSON.stringify(view.columns));
  put("rows", view.tableGroups.join(","), "");
  put("trash", view.trash ? "1" : "", "");
  if (test) search.set("test", "");
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** The view that an address says; what it does not say, or says badly, is as at the start. */
export function viewOf(path: string, search: URLSearchParams): View {
  const text = (name: string) => search.get(name) ?? "";
  const list = (name: string) => text(name).split(",").filter(Boolean);
  const [center, spread] = text("band").split(".");
  const tab = text("tab") as Tab;
  const smoothing = Number(text("smooth"));
  return {
    ...START,
    prefix: prefixOf(path),
    q: text("q"),
    tab: TABS.includes(tab) ? tab : START.tab,
    pinned: search.get("run") || null,
    drawer: search.get("open") || null,
    x: text("x") || START.x,
    smoothing: smoothing > 0 && smoothing < 1 ? smoothing : 0,
    logX: text("log").includes("x"),
    logY: text("log").includes("y"),
    groupBy: list("group"),
    center: CENTERS.includes(center!) ? (center as Center) : START.center,
    spread: SPREADS.includes(spread!) ? (spread as Spread) : START.spread,
    clip: text("clip") === "1",
    zoom: { x: rangeOf(list("zoom").map(Number)), y: json<Record<string, Range>>(text("zoomy"), isRanges) ?? NO_ZOOM.y },
    chartFilter: text("charts"),
    pinnedCharts: json<string[]>(text("pin"), isNames) ?? [],
    panels: panelsOf(json<unknown[]>(text("panels"), Array.isArray)),
    split: SPLITS.find((split) => split === text("split")) ?? START.split,
    shown: json<Record<string, boolean>>(text("show"), isFlags) ?? {},
    columns: json<Columns>(text("cols"), isColumns),
    tableGroups: list("rows"),
    trash: text("trash") === "1",
  };
}

function prefixOf(path: string): string {
  if (!path.startsWith("/r/")) return "";
  const parts = path.slice(3).split("/").filter(Boolean);
  return parts.map(unescaped).join("/");
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % in an address that someone typed
  }
}

function json<T>(text: string, fits: (value: unknown) => boolean): T | null {
  if (!text) return null;
  try {
    const value: unknown = JSON.parse(text);
    return fits(value) ? (value as T) : null;
  } catch {
    return null;
  }
}

const rangeOf = (pair: unknown[]): Range | null => (isRange(pair) && pair[0]! < pair[1]! ? (pair as unknown as Range) : null);
const isRange = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((end) => Number.isFinite(end));
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isRanges = (value: unknown) => isObject(value) && Object.values(value).every(isRange);
const isFlags = (value: unknown) => isObject(value) && Object.values(value).every((flag) => typeof flag === "boolean");
const isNames = (value: unknown) => Array.isArray(value) && value.every((name) => typeof name === "string");
const isColumns = (value: unknown) =>
  isObject(value) &&
  isNames(value.order) &&
  isObject(value.widths) &&
  Object.values(value.widths).every((width) => Number(width) > 0);

// ── the browser's history ───────────────────────────────────────────────────────────────────────────────────────

/** Whether `?test` is in the address: then window.mlLogger tells what is drawn. */
export const underTest = new URLSearchParams(location.search).has("test");

const here = (): View => viewOf(location.pathname.slice(rootPath.length) || "/", new URLSearchParams(location.search));

/** Replace a short link (`?s=name`) by the long address that the server keeps under it. */
export async function followShortLink(): Promise<void> {
  const name = new URLSearchParams(location.search).get("s");
  if (!name) return;
  const saved = await ask({ type: "get_saved", kind: "link", name }).catch(() => null);
  const address = saved?.items[name];
  if (typeof address === "string" && /^\/(?!\/)/.test(address)) history.replaceState(null, "", rootPath + address);
}

/** Take the view from the address, then keep the two equal. Call once, before the first render. */
export function startAddress(): void {
  setView(here());
  window.addEventListener("popstate", () => setView(here()));
  let timer = 0;
  const write = () => {
    window.clearTimeout(timer);
    timer = 0;
    const next = rootPath + addressOf(useView.getState(), underTest);
    if (next !== location.pathname + location.search) history.replaceState(null, "", next);
  };
  useView.subscribe((view, before) => {
    const step = STEPS.some((name) => view[name] !== before[name]);
    const next = rootPath + addressOf(view, underTest);
    if (next === location.pathname + location.search) return;
    if (step) {
      window.clearTimeout(timer);
      history.pushState(null, "", next);
    } else if (!timer) timer = window.setTimeout(write, 150); // browsers limit how often an address may change
  });
}

/** Open a view by its address below the root path. */
export function openAddress(address: string): void {
  const url = new URL(address, location.origin);
  setView(viewOf(url.pathname, url.searchParams));
}

/** The full address of the view now, for sharing. */
export const shareAddress = (): string => location.origin + rootPath + addressOf(useView.getState());
