// Slices: the objective over each parameter in turn. Knows axes and places, as parallel coordinates have them.
import { useMemo } from "react";
import { SlicePlot } from "../charts/SlicePlot";
import { type ParallelAxis, ticksOf } from "../math/parallel";
import { correlationOf, type Place } from "../math/slices";
import { shortNumber } from "../ui/numbers";
import styles from "./Compare.module.css";
import type { AxesState } from "./useAxes";

const PARTS = 8;

interface Props {
  state: AxesState;
  /** The objective's name among the axes. */
  objective: string;
  colours: readonly string[];
  selected: readonly boolean[] | null;
}

export function CompareSlices({ state, objective, colours, selected }: Props) {
  const { axes, places, keys } = state;
  const goal = axes.findIndex((axis) => axis.name === objective);
  const faded = useMemo(() => selected?.map((inside) => !inside) ?? null, [selected]);
  const slices = useMemo(
    () =>
      goal < 0
        ? []
        : axes
            .map((axis, at) => ({ axis, at }))
            .filter(({ at }) => at !== goal)
            .map(({ axis, at }) => sliceOf(axis, at, goal, places)),
    [axes, places, goal],
  );
  if (!slices.length) return null;
  return (
    <section aria-label="Slices">
      <div className={styles.bar}>
        <h2>Slices</h2>
        <span>{objective} over each parameter, and its mean</span>
      </div>
      <div className={styles.slices}>
        {slices.map(({ axis, ...slice }) => (
          <SlicePlot key={axis.name} name={axis.label} keys={keys} colours={colours} faded={faded} {...slice} />
        ))}
      </div>
    </section>
  );
}

function sliceOf(axis: ParallelAxis, at: number, goal: number, places: readonly (readonly number[])[]) {
  const points = places.map((row): Place => [row[at]!, row[goal]!]);
  const r = axis.kind === "category" && !axis.numeric ? null : correlationOf(points);
  const n = points.filter(([x, y]) => Number.isFinite(x + y)).length;
  return {
    axis,
    points,
    parts: axis.kind === "category" ? Math.max(2, axis.values.length) : PARTS,
    ticks: ticksOf(axis, shortNumber),
    summary: `${n} runs${r === null ? "" : `, correlation ${r.toFixed(2)}`}`,
  };
}
