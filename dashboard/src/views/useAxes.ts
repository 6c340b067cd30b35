// The state of parallel coordinates: which axes, in which order, turned or brushed. Knows rows, not pixels.
import { useMemo } from "react";
import type { RunRow } from "../api/types";
import { axisOf, type Brush, conditionOf, type ParallelAxis, placeOf, type Scalar } from "../math/parallel";
import { shortNames } from "../state/columns";
import { labelOf, type Objective, objectiveOf, scalarOf } from "../state/compare";
import { setComparison, useView } from "../state/view";
import { own } from "../ui/own";

const MOST_AXES = 10;

export interface AxesState {
  keys: string[];
  axes: ParallelAxis[];
  values: Scalar[][];
  places: number[][];
  numbered: Map<number, Brush>;
  brushes: ReadonlyMap<string, Brush>;
  inverted: ReadonlySet<string>;
  brush(axis: string, brush: Brush | null): void;
  invert(axis: string): void;
  move(axis: string, by: number): void;
  clear(): void;
  /** What the brushes mean, as terms of a query. */
  conditions(): string[];
}

export function useAxes(rows: readonly RunRow[], params: readonly string[], objective: Objective | null): AxesState {
  const { order, brushes: kept, turned } = useView((view) => view.comparison);
  const brushes = useMemo<ReadonlyMap<string, Brush>>(() => new Map(Object.entries(kept) as [string, Brush][]), [kept]);
  const inverted = useMemo<ReadonlySet<string>>(() => new Set(turned), [turned]);
  const setBrushes = (next: ReadonlyMap<string, Brush>) => setComparison({ brushes: Object.fromEntries(next) });
  const name = params.join("\n");
  const columns = useMemo(() => columnsOf(rows, name ? name.split("\n") : [], objective), [rows, name, objective]);
  const sorted = useMemo(() => ordered(columns, order), [columns, order]);
  const axes = useMemo(() => sorted.map((column) => column.axis), [sorted]);
  const values = useMemo(() => rows.map((_, run) => sorted.map((column) => column.values[run])), [rows, sorted]);
  const places = useMemo(
    () =>
      values.map((row) =>
        axes.map((axis, at) => (inverted.has(axis.name) ? 1 - placeOf(axis, row[at]) : placeOf(axis, row[at]))),
      ),
    [values, axes, inverted],
  );
  const numbered = useMemo(
    () => new Map(axes.flatMap((axis, at) => (brushes.has(axis.name) ? [[at, brushes.get(axis.name)!] as const] : []))),
    [axes, brushes],
  );
  const keys = useMemo(() => rows.map((row) => row.key), [rows]);
  const turnBrush = ([low, high]: Brush): Brush => [1 - high, 1 - low];
  return {
    keys,
    axes,
    values,
    places,
    numbered,
    brushes,
    inverted,
    brush: (axis, brush) => setBrushes(changed(brushes, axis, brush)),
    invert(axis) {
      const next = new Set(inverted);
      if (!next.delete(axis)) next.add(axis);
      setComparison({ turned: [...next] });
      if (brushes.has(axis)) setBrushes(changed(brushes, axis, turnBrush(brushes.get(axis)!)));
    },
    move(axis, by) {
      const names = axes.map((one) => one.name);
      const from = names.indexOf(axis);
      names.splice(from, 1);
      names.splice(Math.min(names.length, Math.max(0, from + by)), 0, axis);
      setComparison({ order: names });
    },
    clear: () => setBrushes(new Map()),
    conditions: () =>
      axes.flatMap((axis) => {
        const brush = brushes.get(axis.name);
        return brush ? [conditionOf(axis, inverted.has(axis.name) ? turnBrush(brush) : brush)] : [];
      }),
  };
}

function changed(brushes: ReadonlyMap<string, Brush>, axis: string, brush: Brush | null): Map<string, Brush> {
  const next = new Map(brushes);
  if (brush) next.set(axis, brush);
  else next.delete(axis);
  return next;
}

interface AxisColumn {
  axis: ParallelAxis;
  values: Scalar[];
}

/** The parameters that vary, then the objective. */
function columnsOf(rows: readonly RunRow[], params: readonly string[], objective: Objective | null): AxisColumn[] {
  const short = shortNames(params);
  const columns: AxisColumn[] = [];
  for (const name of params) {
    const values = rows.map((row) => scalarOf(own(row.params, name)));
    const axis = axisOf(name, short.get(name)!, values);
    if (axis && (axis.numeric || axis.values.length <= Math.max(20, rows.length / 4))) columns.push({ axis, values });
    if (columns.length >= MOST_AXES) break;
  }
  if (!objective) return columns;
  const values = rows.map((row) => objectiveOf(row, objective));
  const label = labelOf(objective);
  const axis = axisOf(label, label, values, true);
  return axis ? [...columns, { axis, values }] : columns;
}

function ordered(columns: readonly AxisColumn[], order: readonly string[]): AxisColumn[] {
  const rank = (column: AxisColumn, at: number) => {
    const place = order.indexOf(column.axis.name);
    return place < 0 ? at + order.length : place;
  };
  return columns
    .map((column, at) => ({ column, rank: rank(column, at) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ column }) => column);
}
