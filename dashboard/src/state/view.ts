// What the page shows, as one plain object: everything that an address can say (state/address.ts). Knows no server and no component.
import { create } from "zustand";
import type { Panel } from "../math/panels";

export const TABS = ["charts", "compare", "media", "files", "logs", "report"] as const;
export type Tab = (typeof TABS)[number];
export type Range = readonly [number, number];
export type Center = "mean" | "median" | "iqm";
export type Spread = "std" | "sem" | "ci95" | "minmax" | "iqr";
export type Split = "" | "rank" | "attempt";

/** Zooms are pairs: one x range for all charts, x ranges of panels with an axis of their own, and y ranges, both by chart. */
export interface Zoom {
  readonly x: Range | null;
  readonly own: Readonly<Record<string, Range>>;
  readonly y: Readonly<Record<string, Range>>;
}

/** A column layout that the user made: shown columns in order ([] is the order at first), with widths in pixels where changed. */
export interface Columns {
  readonly order: readonly string[];
  readonly widths: Readonly<Record<string, number>>;
}

/** How Compare draws: an empty objective or name stands for the one at first. */
export interface Comparison {
  readonly metric: string;
  readonly aspect: "last" | "min" | "max";
  /** Axes that were moved, in their order; brushes and turned axes by the axis's name. */
  readonly order: readonly string[];
  readonly brushes: Readonly<Record<string, Range>>;
  readonly turned: readonly string[];
  /** The scatter's axes and its colour. */
  readonly x: string;
  readonly y: string;
  readonly colour: string;
  /** The two parameters of the contour. */
  readonly contour: readonly string[];
}

export interface View {
  /** Folder or run that the page is about; "" is the root. */
  prefix: string;
  tab: Tab;
  q: string;
  /** The run that others are compared with. */
  pinned: string | null;
  /** The run whose drawer is open. */
  drawer: string | null;
  /** Runs that were shown (true) or hidden (false) by hand; others are shown if they are among the first SHOWN. */
  shown: Readonly<Record<string, boolean>>;
  columns: Columns | null;
  /** Rows of the run table are folded by these columns. */
  tableGroups: readonly string[];
  /** Groups of the run table that stand open, by their values as JSON. */
  unfolded: readonly string[];
  /** Whether the tree of folders is beside the table. */
  folders: boolean;
  trash: boolean;
  /** "step", "time", "relative" or a metric. */
  x: string;
  smoothing: number;
  logY: boolean;
  logX: boolean;
  /** Parameter names, or ["*-seed"] for all but seed; [] draws runs one by one. */
  groupBy: readonly string[];
  center: Center;
  spread: Spread;
  /** Whether far outliers are left out of the y range. */
  clip: boolean;
  zoom: Zoom;
  /** A regular expression that keeps charts by name. */
  chartFilter: string;
  pinnedCharts: readonly string[];
  /** Sections of charts that are folded, by title. */
  closed: readonly string[];
  /** Charts that the user made, shown above the others. */
  panels: readonly Panel[];
  /** Whether a run's ranks or attempts are lines of their own. */
  split: Split;
  comparison: Comparison;
  /** The step that Media shows; null is the last one. */
  step: number | null;
  /** The file that Files shows. */
  file: string | null;
  /** Whose output Logs shows, of which of its files, and the filter. */
  logRun: string | null;
  logFile: string | null;
  logMatch: string;
}

export const NO_ZOOM: Zoom = { x: null, own: {}, y: {} };
export const NO_COMPARISON: Comparison = {
  metric: "",
  aspect: "last",
  order: [],
  brushes: {},
  turned: [],
  x: "",
  y: "",
  colour: "",
  contour: [],
};
/** How many runs of the table are drawn unless the user says otherwise. */
export const SHOWN = 20;

export const START: View = {
  prefix: "",
  tab: "charts",
  q: "",
  pinned: null,
  drawer: null,
  shown: {},
  columns: null,
  tableGroups: [],
  unfolded: [],
  folders: false,
  trash: false,
  x: "step",
  smoothing: 0,
  logY: false,
  logX: false,
  groupBy: [],
  center: "mean",
  spread: "std",
  clip: false,
  zoom: NO_ZOOM,
  chartFilter: "",
  pinnedCharts: [],
  closed: [],
  panels: [],
  split: "",
  comparison: NO_COMPARISON,
  step: null,
  file: null,
  logRun: null,
  logFile: null,
  logMatch: "",
};

/** What belongs to a folder or run, and goes when another one opens; how things are drawn stays. */
const OF_PLACE = {
  q: "",
  pinned: null,
  drawer: null,
  shown: {},
  columns: null,
  tableGroups: [],
  unfolded: [],
  zoom: NO_ZOOM,
  trash: false,
  comparison: NO_COMPARISON,
  step: null,
  file: null,
  logRun: null,
  logFile: null,
  logMatch: "",
} satisfies Partial<View>;

/** The store. Components take one field each: `useView((view) => view.q)`; events use the functions below. */
export const useView = create<View>()(() => START);

export const setView = (change: Partial<View>): void => useView.setState(change);

/** Open another folder or run. */
export function openPrefix(prefix: string): void {
  setView({ ...OF_PLACE, prefix });
  zoomsBefore.length = 0;
}

/** Change the query. Runs that were shown by hand may not match the new one, so only what was hidden stays so. */
export function setQuery(q: string): void {
  const { shown, q: before } = useView.getState();
  const sameFilter = withoutSort(q) === withoutSort(before);
  const kept = sameFilter ? shown : Object.fromEntries(Object.entries(shown).filter(([, show]) => !show));
  setView({ q, shown: kept });
}

export const withoutSort = (q: string): string =>
  q
    .replace(/(^|\s)sort:-?(`[^`]*`|"[^"]*"|\S+)/g, " ")
    .replace(/\s+/g, " ")
    .trim();

export const setComparison = (change: Partial<Comparison>): void =>
  setView({ comparison: { ...useView.getState().comparison, ...change } });

/** Open or close a group of the run table. */
export function foldGroup(id: string): void {
  const { unfolded } = useView.getState();
  setView({ unfolded: unfolded.includes(id) ? unfolded.filter((other) => other !== id) : [...unfolded, id] });
}

export function showRun(key: string, show: boolean): void {
  setView({ shown: { ...useView.getState().shown, [key]: show } });
}

// ── zoom ────────────────────────────────────────────────────────────────────────────────────────────────────────

const zoomsBefore: Zoom[] = [];

/** Zoom all charts in x. */
export function zoomX(range: Range): void {
  const { zoom } = useView.getState();
  zoomsBefore.push(zoom);
  setView({ zoom: { ...zoom, x: range } });
}

/** Zoom a panel in x, which has an axis of its own. */
export function zoomOwnX(panel: string, range: Range): void {
  const { zoom } = useView.getState();
  zoomsBefore.push(zoom);
  setView({ zoom: { ...zoom, own: { ...zoom.own, [panel]: range } } });
}

/** Zoom one chart in y. */
export function zoomY(metric: string, range: Range): void {
  const { zoom } = useView.getState();
  zoomsBefore.push(zoom);
  setView({ zoom: { ...zoom, y: { ...zoom.y, [metric]: range } } });
}

export function undoZoom(): void {
  setView({ zoom: zoomsBefore.pop() ?? NO_ZOOM });
}

export function resetZoom(): void {
  const { zoom } = useView.getState();
  if (zoom !== NO_ZOOM) zoomsBefore.push(zoom);
  setView({ zoom: NO_ZOOM });
}

/** Change the x-axis; a range of the old one means nothing on it. */
export function setX(x: string): void {
  zoomsBefore.length = 0;
  setView({ x, zoom: { ...useView.getState().zoom, x: null } });
}
