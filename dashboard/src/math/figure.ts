// A chart as a figure on paper: where title, axes, ticks and legend lie. Pure; knows no canvas and no document.
import { dateTicks, logTicks, niceTicks, secondsLabel, secondsTicks, stepTicks, tickLabel } from "./labels";
import type { Axis } from "./project";
import type { Pair } from "./range";

export interface Tick {
  at: number;
  text: string;
}

/** What is drawn: everything in CSS pixels from the top left. */
export interface Figure {
  title: string;
  xName: string;
  width: number;
  height: number;
  x: Axis;
  y: Axis;
  xTicks: readonly Tick[];
  yTicks: readonly Tick[];
  /** The legend's entries: which line, and where its sample begins; its text follows 22 pixels on. */
  legend: readonly { line: number; left: number; top: number; text: string }[];
  /** How many lines have no entry. */
  more: { count: number; left: number; top: number } | null;
}

export interface FigureOf {
  title: string;
  /** "step", "time", "relative" or a metric. */
  xName: string;
  ranges: { x: Pair; y: Pair };
  log: { x: boolean; y: boolean };
  /** What the lines are called, in their order. */
  names: readonly string[];
}

const SIZE = { width: 720, plot: 340, left: 60, right: 16, top: 36, axis: 56, row: 17, edge: 12 };
const MOST_NAMED = 30;
/** A letter's width at 11 pixels, on average; only the legend's columns depend on it. */
const LETTER = 6.3;
const SAMPLE = 22;
const MOST_LETTERS = 60;

const AXIS_NAMES: Record<string, string> = { time: "time (UTC)", relative: "time since the start" };

export function figureOf({ title, xName, ranges, log, names }: FigureOf): Figure {
  const { width, plot, left, right, top, axis } = SIZE;
  const x: Axis = { min: ranges.x[0], max: ranges.x[1], from: left, to: width - right, log: log.x };
  const y: Axis = { min: ranges.y[0], max: ranges.y[1], from: top + plot, to: top, log: log.y };
  const { legend, more, bottom } = legendOf(names, top + plot + axis);
  const ticks = (values: readonly number[], text: (tick: number) => string) => values.map((at) => ({ at, text: text(at) }));
  return {
    title,
    xName: AXIS_NAMES[xName] ?? xName,
    width,
    height: bottom,
    x,
    y,
    xTicks: xName === "time" ? dateTicks(...ranges.x, 6) : ticks(xTicks(ranges.x, log.x, xName), labelOf(xName)),
    yTicks: ticks(log.y ? logTicks(...ranges.y) : niceTicks(...ranges.y, 6), tickLabel),
    legend,
    more,
  };
}

function xTicks(range: Pair, log: boolean, xName: string): number[] {
  if (log) return logTicks(...range);
  if (xName === "step") return stepTicks(...range, 7);
  return xName === "relative" ? secondsTicks(...range, 7) : niceTicks(...range, 7);
}

const labelOf = (xName: string) => (xName === "relative" ? secondsLabel : tickLabel);

/** Columns as wide as the longest name, as many as fit. */
function legendOf(names: readonly string[], from: number): Pick<Figure, "legend" | "more"> & { bottom: number } {
  const { width, left, right, row, edge } = SIZE;
  const texts = names
    .slice(0, MOST_NAMED)
    .map((name) => (name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name));
  const room = width - left - right;
  const column = Math.min(room, SAMPLE + 14 + LETTER * Math.max(0, ...texts.map((text) => text.length)));
  const columns = Math.max(1, Math.floor(room / column));
  const placeOf = (at: number) => ({ left: left + (at % columns) * column, top: from + Math.floor(at / columns) * row });
  const legend = texts.map((text, line) => ({ line, text, ...placeOf(line) }));
  const count = names.length - texts.length;
  const entries = texts.length + (count > 0 ? 1 : 0);
  const bottom = from + Math.ceil(entries / columns) * row + (entries ? edge : 0);
  return { legend, more: count > 0 ? { count, ...placeOf(texts.length) } : null, bottom };
}
