// The live end of a series: where to ask on, how new points join old ones, how a long series stays short. Pure.
import type { Columns } from "./columns";

/** A series that grows: its first `kept` items are final, and every point with x > `since` is still to be asked for. */
export interface Growing {
  columns: Columns;
  kept: number;
  since: number | null;
}

/**
 * Where a fresh answer ends. Exact points end at their last x. The last bucket may still gain points, so it is dropped
 * and asked again from its lower edge; `lo`, `hi`, `bins` say where the server put the edges.
 */
export function growing(columns: Columns, lo: number | null, hi: number | null, bins: number): Growing {
  const n = columns.x.length;
  if (!n) return { columns, kept: 0, since: null };
  const last = columns.x[n - 1]!;
  if (columns.meta.exact || lo === null || hi === null || !(hi > lo) || n < 2) return { columns, kept: n, since: last };
  const width = (hi - lo) / bins;
  const edge = lo + Math.min(bins - 1, Math.floor((last - lo) / width)) * width;
  const since = Math.max(columns.x[n - 2]!, below(edge));
  return { columns, kept: n - 1, since };
}

const below = (value: number) => value - Math.max(Math.abs(value) * 2 ** -52, Number.MIN_VALUE);

/** The series with a tail: its items after `since` replace those that were not final. */
export function joined(old: Growing, tail: Columns, lo: number | null, hi: number | null, bins: number): Growing {
  const from = old.since === null ? 0 : firstAfter(tail.x, old.since);
  const added = tail.x.length - from;
  if (!added) return old;
  const next = growing(tail, lo, hi, bins);
  const exact = old.columns.meta.exact && tail.meta.exact;
  const column = (name: "x" | "mean" | "min" | "max") => {
    const out = new Float64Array(old.kept + added);
    out.set(old.columns[name].subarray(0, old.kept));
    out.set(tail[name].subarray(from), old.kept);
    return out;
  };
  const [x, mean] = [column("x"), column("mean")];
  const count = exact ? null : counts(old, tail, from);
  const before = old.columns.meta;
  const dropped = exact ? 0 : sum(countOf(old.columns), old.kept, old.columns.x.length);
  const shown = before.shown - dropped + (exact ? added : sum(countOf(tail), from, tail.x.length));
  const { logged, stored, bad } = tail.meta;
  const meta = { ...before, n: x.length, exact, logged, stored, bad, shown, marks: [...before.marks, ...tail.meta.marks] };
  if (tail.meta.after) meta.after = tail.meta.after;
  const columns: Columns = exact
    ? { meta, x, mean, min: mean, max: mean, count }
    : { meta, x, mean, min: column("min"), max: column("max"), count };
  return { columns, kept: x.length - (tail.x.length - next.kept), since: next.since };
}

function firstAfter(x: Float64Array, since: number): number {
  let at = 0;
  while (at < x.length && x[at]! <= since) at++;
  return at;
}

function countOf(columns: Columns): Float64Array {
  if (columns.count) return columns.count;
  return Float64Array.from(columns.mean, (value) => (value - value === 0 ? 1 : 0));
}

function counts(old: Growing, tail: Columns, from: number): Float64Array {
  const out = new Float64Array(old.kept + tail.x.length - from);
  out.set(countOf(old.columns).subarray(0, old.kept));
  out.set(countOf(tail).subarray(from), old.kept);
  return out;
}

function sum(values: Float64Array, start: number, stop: number): number {
  let total = 0;
  for (let i = start; i < stop; i++) total += values[i]!;
  return total;
}

/** Half as many items: each two neighbours become one bucket. Only final items are merged. Cost: linear. */
export function halved(series: Growing): Growing {
  const { columns, kept } = series;
  const pairs = kept >> 1;
  const rest = columns.x.length - 2 * pairs;
  const make = () => new Float64Array(pairs + rest);
  const [x, mean, min, max, count] = [make(), make(), make(), make(), make()];
  const weight = countOf(columns);
  for (let i = 0; i < pairs; i++) {
    const [a, b] = [2 * i, 2 * i + 1];
    const total = weight[a]! + weight[b]!;
    x[i] = (columns.x[a]! + columns.x[b]!) / 2;
    count[i] = total;
    mean[i] = total ? (part(columns.mean[a]!, weight[a]!) + part(columns.mean[b]!, weight[b]!)) / total : Number.NaN;
    min[i] = least(columns.min[a]!, columns.min[b]!, Math.min);
    max[i] = least(columns.max[a]!, columns.max[b]!, Math.max);
  }
  for (let i = 0; i < rest; i++) {
    const from = 2 * pairs + i;
    x[pairs + i] = columns.x[from]!;
    mean[pairs + i] = columns.mean[from]!;
    min[pairs + i] = columns.min[from]!;
    max[pairs + i] = columns.max[from]!;
    count[pairs + i] = weight[from]!;
  }
  const meta = { ...columns.meta, n: x.length, exact: false };
  return { columns: { meta, x, mean, min, max, count }, kept: kept - pairs, since: series.since };
}

const part = (value: number, weight: number) => (weight ? value * weight : 0);
const least = (a: number, b: number, choose: (a: number, b: number) => number) =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : choose(a, b);
