// The hyper-parameter view: which parameters make an objective good. Knows runs' parameters and results, no series.
import { useMemo } from "react";
import { ParallelPlot } from "../charts/ParallelPlot";
import { brushed } from "../math/parallel";
import { firstObjective, labelOf, type Objective, useCompareRuns } from "../state/compare";
import { sortOf } from "../state/sorting";
import { setComparison, useView } from "../state/view";
import { grouped } from "../ui/numbers";
import styles from "./Compare.module.css";
import { CompareBar } from "./CompareBar";
import { CompareContour } from "./CompareContour";
import { CompareScatter, coloursBy } from "./CompareScatter";
import { CompareSlices } from "./CompareSlices";
import { Importance } from "./Importance";
import { useAxes } from "./useAxes";

export default function CompareView() {
  const q = useView((view) => view.q);
  const { metric, aspect, colour } = useView((view) => view.comparison);
  const names = useCompareRuns([]).metrics;
  const first = firstObjective(names, sortOf(q)?.name ?? null);
  const chosen = metric || first?.metric;
  const objective = useMemo<Objective | null>(() => (chosen ? { metric: chosen, aspect } : null), [chosen, aspect]);
  const { rows, ready, params, metrics, total } = useCompareRuns(objective ? [objective.metric] : []);
  const state = useAxes(rows, params, objective);
  const { axes, brushes } = state;
  const colours = useMemo(() => coloursBy(rows, colour, objective), [rows, colour, objective]);
  const selected = useMemo(
    () => (brushes.size ? brushed(state.places, state.numbered) : null),
    [brushes, state.places, state.numbered],
  );
  if (!ready) return <p className={`${styles.nothing} waiting`}>Loading runs…</p>;
  if (!rows.length) return <p className={styles.nothing}>No run matches.</p>;
  const count = selected?.filter(Boolean).length ?? 0;
  return (
    <section aria-label="Compare" className={styles.view}>
      <CompareBar
        objective={objective}
        metrics={metrics}
        onObjective={setComparison}
        state={state}
        text={`${grouped(count)} of ${grouped(rows.length)} brushed`}
      />
      {rows.length < total && (
        <p className={styles.note}>
          The first {grouped(rows.length)} of {grouped(total)} runs.
        </p>
      )}
      {axes.length > 1 ? (
        <div className={styles.wide}>
          <div style={{ minWidth: 76 * axes.length }}>
            <ParallelPlot
              keys={state.keys}
              axes={axes}
              places={state.places}
              colours={colours}
              selected={selected}
              brushes={brushes}
              inverted={state.inverted}
              onBrush={state.brush}
              onInvert={state.invert}
              onMove={state.move}
            />
          </div>
        </div>
      ) : (
        <p className={styles.nothing}>No parameter differs between these runs.</p>
      )}
      <div className={styles.pair}>
        <CompareScatter
          rows={rows}
          params={params}
          metrics={metrics}
          objective={objective}
          colours={colours}
          selected={selected}
        />
        {objective && <CompareContour state={state} objective={labelOf(objective)} selected={selected} />}
        <Importance objective={objective} />
      </div>
      {objective && <CompareSlices state={state} objective={labelOf(objective)} colours={colours} selected={selected} />}
    </section>
  );
}
