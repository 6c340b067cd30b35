// The scatter of Compare: which two values, coloured by a third. Knows rows, not pixels.
import { useMemo } from "react";
import type { RunRow } from "../api/types";
import { ScatterPlot } from "../charts/ScatterPlot";
import { axisOf, placeOf } from "../math/parallel";
import { viridis } from "../math/viridis";
import { shortNames } from "../state/columns";
import { labelOf, type Objective, objectiveOf, scalarOf } from "../state/compare";
import { setComparison, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { own } from "../ui/own";
import { Select } from "../ui/Select";
import styles from "./Compare.module.css";

interface Props {
  rows: readonly RunRow[];
  params: readonly string[];
  metrics: readonly string[];
  objective: Objective | null;
  colours: readonly string[];
  selected: readonly boolean[] | null;
}

/** Stands for the objective among names of parameters. */
const OBJECTIVE = "$objective";

export function CompareScatter({ rows, params, objective, colours, selected }: Props) {
  const short = useMemo(() => shortNames(params), [params]);
  const numeric = useMemo(() => numericOf(rows, params), [rows, params]);
  const chosen = useView((view) => view.comparison);
  const x = chosen.x || numeric[0] || OBJECTIVE;
  const y = chosen.y || OBJECTIVE;
  const title = objective ? labelOf(objective) : "";
  const options = [{ value: OBJECTIVE, text: title }, ...numeric.map((value) => ({ value, text: short.get(value)! }))].filter(
    (option) => option.text,
  );
  const of = (name: string) => rows.map((row) => number(valueFor(row, name, objective)));
  const textOf = (name: string) => options.find((option) => option.value === name)?.text ?? name;
  return (
    <div>
      <div className={styles.bar}>
        <h2>Scatter</h2>
        <Choice name="Scatter" label="x" value={x} options={options} onChoose={(x) => setComparison({ x })} />
        <Choice name="Scatter" label="y" value={y} options={options} onChoose={(y) => setComparison({ y })} />
        <Choice
          name="Scatter"
          label="colour"
          value={chosen.colour || OBJECTIVE}
          options={options}
          onChoose={(colour) => setComparison({ colour })}
        />
      </div>
      <ScatterPlot
        keys={rows.map((row) => row.key)}
        xName={textOf(x)}
        yName={textOf(y)}
        x={of(x)}
        y={of(y)}
        colours={colours}
        faded={selected?.map((inside) => !inside) ?? null}
      />
    </div>
  );
}

const number = (value: unknown) => (typeof value === "number" ? value : null);

/** Parameters that are numbers and differ, those of many values first: they make the better x. */
function numericOf(rows: readonly RunRow[], params: readonly string[]): string[] {
  const found = params.filter(
    (name) => rows.some((row) => typeof scalarOf(own(row.params, name)) === "number") && differs(rows, name),
  );
  const isWide = (name: string) => new Set(rows.map((row) => scalarOf(own(row.params, name)))).size > 8;
  return [...found.filter(isWide), ...found.filter((name) => !isWide(name))];
}

function differs(rows: readonly RunRow[], name: string): boolean {
  const first = JSON.stringify(rows[0] && own(rows[0].params, name));
  return rows.some((row) => JSON.stringify(own(row.params, name)) !== first);
}

const valueFor = (row: RunRow, name: string, objective: Objective | null) =>
  name === OBJECTIVE ? objective && objectiveOf(row, objective) : scalarOf(own(row.params, name));

/** The colour of each run by a parameter, or by the objective ("" or its sign). */
export function coloursBy(rows: readonly RunRow[], name: string, objective: Objective | null): string[] {
  const values = rows.map((row) => valueFor(row, name || OBJECTIVE, objective));
  const axis = axisOf(name, name, values, !name);
  return values.map((value) => viridis(axis ? placeOf(axis, value) || 0 : 0.5));
}

interface ChoiceProps {
  /** Of which figure it is. */
  name: string;
  label: string;
  value: string;
  options: readonly { value: string; text: string }[];
  onChoose: (value: string) => void;
}

export function Choice({ name, label, value, options, onChoose }: ChoiceProps) {
  return (
    <label className={controls.pill}>
      {label}:
      <Select aria-label={`${name} ${label}`} value={value} onChange={(event) => onChoose(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </Select>
    </label>
  );
}
