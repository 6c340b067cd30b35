// The bar of Compare: the objective, how many runs are brushed, and the button that makes a brush the query.
import { withConditions } from "../math/parallel";
import type { Aspect, Objective } from "../state/compare";
import { setQuery, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Select } from "../ui/Select";
import styles from "./Compare.module.css";
import type { AxesState } from "./useAxes";

interface Props {
  objective: Objective | null;
  metrics: readonly string[];
  onObjective: (objective: Objective) => void;
  state: AxesState;
  text: string;
}

export function CompareBar({ objective, metrics, onObjective, state, text }: Props) {
  const filter = () => {
    setQuery(withConditions(useView.getState().q, state.conditions()));
    state.clear();
  };
  return (
    <div className={styles.bar}>
      {objective && (
        <>
          <label className={controls.pill}>
            objective:
            <Select
              aria-label="Objective"
              value={objective.metric}
              onChange={(event) => onObjective({ ...objective, metric: event.target.value })}
            >
              {metrics.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </Select>
          </label>
          <label className={controls.pill}>
            <Select
              aria-label="Of the objective"
              value={objective.aspect}
              onChange={(event) => onObjective({ ...objective, aspect: event.target.value as Aspect })}
            >
              <option value="last">last</option>
              <option value="max">max</option>
              <option value="min">min</option>
            </Select>
          </label>
        </>
      )}
      <span className={styles.space} />
      <span role="note" aria-live="polite">
        {text}
      </span>
      <button type="button" className={controls.button} disabled={!state.brushes.size} onClick={state.clear}>
        Clear
      </button>
      <button type="button" className={controls.button} disabled={!state.brushes.size} onClick={filter}>
        Filter
      </button>
    </div>
  );
}
