// The contour of Compare: which two parameters, and where the objective is best over them. Knows axes and places, not pixels.
import { useMemo } from "react";
import { ContourPlot } from "../charts/ContourPlot";
import { extremeOf, fieldOf } from "../math/contour";
import { type ParallelAxis, ticksOf, valueAt } from "../math/parallel";
import { correlationOf } from "../math/slices";
import { setComparison, useView } from "../state/view";
import { shortNumber } from "../ui/numbers";
import styles from "./Compare.module.css";
import { Choice } from "./CompareScatter";
import type { AxesState } from "./useAxes";

interface Props {
  state: AxesState;
  /** The objective's name among the axes. */
  objective: string;
  selected: readonly boolean[] | null;
}

export function CompareContour({ state, objective, selected }: Props) {
  const { axes, places, values, keys } = state;
  const chosen = useView((view) => view.comparison.contour);
  const goal = axes.findIndex((axis) => axis.name === objective);
  const [x, y] = useMemo(() => pairOf(axes, places, goal, chosen), [axes, places, goal, chosen]);
  const spots = useMemo(
    () => places.map((row, run) => ({ x: row[x]!, y: row[y]!, value: Number(values[run]![goal] ?? Number.NaN) })),
    [places, values, x, y, goal],
  );
  const faded = useMemo(() => selected?.map((inside) => !inside) ?? null, [selected]);
  const [xAxis, yAxis] = [axes[x], axes[y]];
  const ticks = useMemo(() => [ticks2(xAxis, state.inverted), ticks2(yAxis, state.inverted)], [xAxis, yAxis, state.inverted]);
  if (goal < 0 || !xAxis || !yAxis) return null;
  const options = axes.filter((_, at) => at !== goal).map((axis) => ({ value: axis.name, text: axis.label }));
  const choose = (first: string, second: string) => setComparison({ contour: [first, second] });
  return (
    <div>
      <div className={styles.bar}>
        <h2>Contour</h2>
        <Choice name="Contour" label="x" value={xAxis.name} options={options} onChoose={(name) => choose(name, yAxis.name)} />
        <Choice name="Contour" label="y" value={yAxis.name} options={options} onChoose={(name) => choose(xAxis.name, name)} />
        <Legend spots={spots} name={objective} />
      </div>
      <ContourPlot
        keys={keys}
        spots={spots}
        xName={xAxis.label}
        yName={yAxis.label}
        xTicks={ticks[0]!}
        yTicks={ticks[1]!}
        summary={summaryOf(spots, xAxis, yAxis, objective)}
        faded={faded}
      />
    </div>
  );
}

/** Which values the darkest and the brightest band stand for. */
function Legend({ spots, name }: { spots: Spots; name: string }) {
  const { min, max } = useMemo(() => fieldOf(spots, 24), [spots]);
  if (!(max > min)) return null;
  return (
    <small className={styles.legend} title={`${name}, as the mean of the runs near by`}>
      {shortNumber(min)} <i /> {shortNumber(max)}
    </small>
  );
}

type Places = readonly (readonly number[])[];
type Spots = Parameters<typeof fieldOf>[0];

/** The chosen two axes, else the two numbers that go most with the objective; texts only where there are no two numbers. */
function pairOf(axes: readonly ParallelAxis[], places: Places, goal: number, chosen: readonly string[]): [number, number] {
  const others = axes.map((_, at) => at).filter((at) => at !== goal);
  const weights = others.map((at) => {
    const r = correlationOf(places.map((row) => [row[at]!, row[goal]!]));
    return { at, weight: (axes[at]!.numeric ? 1 : 0) + Math.abs(r ?? 0) };
  });
  const best = weights.sort((a, b) => b.weight - a.weight).map(({ at }) => at);
  const named = chosen.map((name) => axes.findIndex((axis) => axis.name === name)).filter((at) => at >= 0 && at !== goal);
  const [x = -1, y = -1] = named.length === 2 ? named : best;
  return [x, y];
}

function ticks2(axis: ParallelAxis | undefined, inverted: ReadonlySet<string>) {
  if (!axis) return [];
  const found = ticksOf(axis, shortNumber);
  return inverted.has(axis.name) ? found.map(({ place, text }) => ({ place: 1 - place, text })) : found;
}

function summaryOf(spots: Spots, x: ParallelAxis, y: ParallelAxis, objective: string): string {
  const n = spots.filter((spot) => Number.isFinite(spot.x + spot.y + spot.value)).length;
  const top = extremeOf(fieldOf(spots, 24), true);
  const at = (axis: ParallelAxis, place: number) =>
    axis.kind === "category"
      ? axis.values[Math.round(place * (axis.values.length - 1))]
      : shortNumber(Number(valueAt(axis, place).toPrecision(3)));
  const where = top ? `, highest near ${x.name} ${at(x, top[0])}, ${y.name} ${at(y, top[1])}` : "";
  return `${n} runs, ${objective} over ${x.name} and ${y.name}${where}`;
}
