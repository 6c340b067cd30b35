// From series and the view to what a plot draws: lines with colours, ranges, captions. Pure but for the colours; knows no canvas.

import { type Columns, valueBeside } from "../math/columns";
import { clipped, extend, extendBand, type Pair, padded, spanned, within } from "../math/range";
import { lowerBound } from "../math/search";
import { assignStyles, dashOf, type RunStyle, styleOf } from "../state/colours";
import { nameOf } from "../state/runs";
import type { View } from "../state/view";
import { own } from "../ui/own";
import type { ChartData } from "./feed";
import type { Scene } from "./layers";
import type { Line } from "./painter";
import type { Palette } from "./palette";

export type SceneView = Pick<View, "x" | "logX" | "logY" | "clip" | "zoom" | "groupBy">;

/** The drawn lines: series of runs that are no longer shown are left out at once, before the next answer. */
export function linesOf(data: ChartData, shown: readonly string[], grouped: boolean, palette: Palette): Line[] {
  const allowed = grouped ? null : new Set(shown);
  const ofGroups = new Map<string, RunStyle>();
  if (grouped) assignStyles(data.plain.map((plain) => plain.meta.key).sort(), ofGroups);
  const lines: Line[] = [];
  for (const plain of data.plain) {
    const { key } = plain.meta;
    if (allowed && !allowed.has(key)) continue;
    const smooth = data.smooth?.get(key);
    const style = ofGroups.get(key) ?? styleOf(key);
    lines.push({
      key,
      columns: smooth ?? plain,
      band: plain,
      smoothed: smooth !== undefined,
      colour: palette.series[style.slot]!,
      faint: palette.faint[style.slot]!,
      dash: dashOf(style),
    });
  }
  return lines;
}

/** The lines of several metrics in one chart: by run as everywhere, if there are several runs, and dashed by metric; else coloured by metric. */
export function severalLines(parts: readonly ChartData[], shown: readonly string[], grouped: boolean, palette: Palette): Line[] {
  const lines = parts.map((part) => linesOf(part, shown, grouped, palette));
  const one = lines.every((list) => list.length <= 1);
  const styles = new Map<string, RunStyle>();
  assignStyles(parts.map((part) => part.header.metric), styles); // biome-ignore format: one line
  return lines.flatMap((list, at) => {
    const { metric } = parts[at]!.header;
    const { slot } = styles.get(metric)!;
    const drawn = one ? { colour: palette.series[slot]!, faint: palette.faint[slot]! } : { dash: dashOf({ slot: 0, round: at }) };
    return list.map((line) => ({ ...line, ...drawn, metric }));
  });
}

/** Where the points of several answers lie together. */
export function wholeOf(parts: readonly ChartData[]): Whole {
  const ends = (name: "lo" | "hi") => parts.map((part) => part.header[name]).filter((end) => end !== null);
  return { lo: ends("lo").length ? Math.min(...ends("lo")) : null, hi: ends("hi").length ? Math.max(...ends("hi")) : null };
}

/** `whole` is where the server found points: buckets stand at the mean x of what they hold, so their own extent is narrower. */
export function sceneOf(metric: string, lines: readonly Line[], whole: Whole, view: SceneView, palette: Palette): Scene {
  const x: Pair = view.zoom.x ? holdable([...view.zoom.x], view.logX) : spanned(extentOfX(lines, whole, view.logX), view.logX);
  const zoomed = own(view.zoom.y, metric);
  const y: Pair = zoomed ? holdable([...zoomed], view.logY) : yRange(lines, x, view);
  return { lines, x, y, logX: view.logX, logY: view.logY, xName: view.x, palette };
}

/** A range that a log axis can hold. */
function holdable([low, high]: Pair, log: boolean): Pair {
  if (!log || low > 0) return [low, high];
  return high > 0 ? [high * 1e-3, high] : [1, 10];
}

export type Whole = { lo: number | null; hi: number | null };

function extentOfX(lines: readonly Line[], { lo, hi }: Whole, log: boolean): Pair | null {
  if (lines.some((line) => line.band.count) && lo !== null && hi !== null && (!log || lo > 0)) return [lo, hi];
  let extent: Pair | null = null;
  for (const { band } of lines) extent = extend(extent, band.x, 0, band.x.length, log);
  return extent;
}

function yRange(lines: readonly Line[], x: Pair, view: SceneView): Pair {
  let extent: Pair | null = null;
  const values: number[] = [];
  for (const { band, columns } of lines) {
    const [start, stop] = within(band.x, x[0], x[1], 0);
    extent = extendBand(extent, band, start, stop, view.logY);
    extent = extend(extent, endsOf(columns, x), 0, 2, view.logY);
    for (const edge of [2, 3] as const) if (isBeside(band)) extent = extend(extent, endsOf(band, x, edge), 0, 2, view.logY);
    if (view.clip) collect(values, columns, x);
  }
  return padded(view.clip ? clipped(values, extent) : extent, view.logY);
}

/** The band of a group is seen up to the edges of a window too. */
const isBeside = ({ meta: { before, after } }: Columns) => (before?.length ?? 0) > 2 || (after?.length ?? 0) > 2;

/** Where a line (or an edge of its band), which goes on to the items beside it, crosses those of a window; NaN where it does not. Copies nothing. */
export function endsOf({ x, mean, min, max, meta }: Columns, window: Pair, at: 1 | 2 | 3 = 1): number[] {
  const column = [mean, min, max][at - 1]!;
  const item = (index: number): Pair | null => {
    const beside = index < 0 ? meta.before : index < x.length ? null : meta.after;
    if (beside) return [beside[0], valueBeside(beside, at)];
    return index >= 0 && index < x.length ? [x[index]!, column[index]!] : null;
  };
  return window.map((edge) => {
    const next = lowerBound(x, edge);
    const [left, right] = [item(next - 1), item(next)];
    if (!left || !right) return Number.NaN;
    const part = (edge - left[0]) / (right[0] - left[0]);
    return left[1] * (1 - part) + right[1] * part;
  });
}

/** A line without a point in the window that runs through it all the same. */
const crosses = ({ x, meta }: Columns) => !x.length && meta.before && meta.after;

function collect(values: number[], columns: Columns, x: Pair): void {
  const [start, stop] = within(columns.x, x[0], x[1]);
  for (let i = start; i < stop; i++) values.push(columns.mean[i]!);
}

/** Why an empty plot is empty, or "". */
export function emptyReason(lines: readonly Line[], logY: boolean): string {
  if (!lines.length) return "";
  let extent: Pair | null = null;
  for (const { band } of lines) extent = extend(extent, band.max, 0, band.max.length);
  if (lines.some(({ columns }) => crosses(columns))) return "";
  if (extent === null) return lines.some(({ band }) => band.x.length) ? "no finite value" : "no point in this range";
  return logY && extent[1] <= 0 ? "no value above 0 for a log axis" : "";
}

/** "20 runs", "1 of 3 runs", "4 groups · 24 runs", "2 groups · 2 of 4 runs"; of groups that are on their way, the runs alone. */
export function captionOf(lines: readonly Line[], have: number, of: number, grouped: boolean): string {
  const drawn = grouped && lines.length > 0;
  const runs = drawn ? lines.reduce((sum, line) => sum + line.band.meta.runs, 0) : have;
  const told = have < of ? `${have} of ${of} runs` : counted(runs, "run");
  return drawn ? `${counted(lines.length, "group")} · ${told}` : told;
}

const counted = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;

/** What a line is called: the last part of a run's key, or the values that a group shares. */
export function titleOf(line: Line): string {
  const name = runTitle(line);
  return line.metric === undefined ? name : `${name} · ${line.metric}`;
}

function runTitle(line: Line): string {
  const values = Object.entries(line.band.meta.group);
  if (!values.length) return nameOf(line.key);
  return values
    .map(([name, value]) => `${nameOf(name.replaceAll(".", "/"))}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}
