// Parallel coordinates: axes of parameters and results, places on them, brushes, and the query a brush means. Pure; knows no canvas.

export type Scalar = number | string | boolean | null | undefined;
export type Kind = "linear" | "log" | "category";

export interface ParallelAxis {
  /** The parameter's or metric's full name, as queries know it. */
  name: string;
  /** Its short name, "(log)" behind it where it is. */
  label: string;
  kind: Kind;
  min: number;
  max: number;
  /** The texts of a category axis, bottom to top. */
  values: string[];
  /** Whether the values of a category axis are numbers. */
  numeric: boolean;
}

/** A brushed stretch of an axis, in parts of its height from the bottom: 0 … 1. */
export type Brush = readonly [number, number];

const MOST_TICKS = 8;
const LOG_RATIO = 50;

/** Whether values lie more evenly by their logarithm: they span decades, and their median is nearer to the middle there. */
export function isLog(values: readonly number[], min: number, max: number): boolean {
  if (!(min > 0 && max / min >= LOG_RATIO)) return false;
  const median = [...values].sort((a, b) => a - b)[values.length >> 1]!;
  const off = (low: number, at: number, high: number) => Math.abs((at - low) / (high - low) - 0.5);
  return off(Math.log(min), Math.log(median), Math.log(max)) < off(min, median, max);
}

/** The axis that fits the values; null if they do not differ. */
export function axisOf(name: string, short: string, values: readonly Scalar[], objective = false): ParallelAxis | null {
  const given = values.filter((value) => value !== null && value !== undefined);
  const numbers = given.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  const texts = [...new Set(given.map(String))];
  if (texts.length < 2 && !objective) return null;
  const numeric = numbers.length === given.length;
  if (!numeric || (!objective && texts.length <= MOST_TICKS)) {
    const sorted = numeric ? texts.sort((a, b) => Number(a) - Number(b)) : texts.sort();
    return { name, label: short, kind: "category", min: 0, max: sorted.length - 1, values: sorted, numeric };
  }
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  const log = !objective && isLog(numbers, min, max);
  return { name, label: log ? `${short} (log)` : short, kind: log ? "log" : "linear", min, max, values: [], numeric: true };
}

/** Where a value lies: 0 at the bottom, 1 at the top; NaN if the run has none. */
export function placeOf(axis: ParallelAxis, value: Scalar): number {
  if (value === null || value === undefined) return Number.NaN;
  if (axis.kind === "category") {
    const at = axis.values.indexOf(String(value));
    return at < 0 ? Number.NaN : axis.values.length === 1 ? 0.5 : at / (axis.values.length - 1);
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return Number.NaN;
  const [min, max, at] = axis.kind === "log" ? [axis.min, axis.max, value].map(Math.log10) : [axis.min, axis.max, value];
  return max! > min! ? (at! - min!) / (max! - min!) : 0.5;
}

/** The value at a place of a numeric axis. */
export function valueAt(axis: ParallelAxis, place: number): number {
  if (axis.kind === "log") return 10 ** (Math.log10(axis.min) + place * (Math.log10(axis.max) - Math.log10(axis.min)));
  return axis.min + place * (axis.max - axis.min);
}

/** Which rows lie in all brushes: `places[i][k]` is row i's place on axis k. Brushes are by axis number. */
export function brushed(places: readonly (readonly number[])[], brushes: ReadonlyMap<number, Brush>): boolean[] {
  const list = [...brushes];
  return places.map((row) => list.every(([axis, [low, high]]) => row[axis]! >= low - 1e-9 && row[axis]! <= high + 1e-9));
}

const quoted = (name: string) => (/^[A-Za-z_][\w./]*$/.test(name) ? name : `\`${name}\``);
const short = (value: number) => String(Number(value.toPrecision(4)));

/** The condition that a brush means: `lr >= 0.001 and lr <= 0.01`, `batch in …` as `(batch == 16 or batch == 32)`. */
export function conditionOf(axis: ParallelAxis, [low, high]: Brush): string {
  const name = quoted(axis.name);
  if (axis.kind !== "category") return `${name} >= ${short(valueAt(axis, low))} and ${name} <= ${short(valueAt(axis, high))}`;
  const inside = axis.values.filter((value) => {
    const place = placeOf(axis, value);
    return place >= low - 1e-9 && place <= high + 1e-9;
  });
  const terms = inside.map((value) => `${name} == ${axis.numeric || isBoolean(value) ? value : JSON.stringify(value)}`);
  return terms.length > 1 ? `(${terms.join(" or ")})` : (terms[0] ?? `${name} == ""`);
}

const isBoolean = (text: string) => text === "true" || text === "false";

/** A query with further conditions; its sort stays at the end. */
export function withConditions(q: string, conditions: readonly string[]): string {
  const sort = /(?:^|\s)(sort:.*)$/.exec(q)?.[1] ?? "";
  const filter = (sort ? q.slice(0, q.length - sort.length) : q).trim();
  const first = / or /i.test(filter) ? `(${filter})` : filter;
  return [[first, ...conditions].filter(Boolean).join(" and "), sort].filter(Boolean).join(" ");
}

/** The labels beside an axis: its categories, else its ends. */
export function ticksOf(axis: ParallelAxis, show: (value: number) => string): { place: number; text: string }[] {
  if (axis.kind === "category") return axis.values.map((text) => ({ place: placeOf(axis, text), text }));
  return [0, 1].map((place) => ({ place, text: show(valueAt(axis, place)) }));
}
