// What a run took of its machine, by the newest values of its `system/…` metrics; their curves are a click away.
import type { RunRow } from "../api/types";
import { setView } from "../state/view";
import controls from "../ui/controls.module.css";
import { shortValue } from "../ui/numbers";
import styles from "./Details.module.css";
import { Section } from "./Section";

const PREFIX = "system/";

export function SystemUse({ row }: { row: RunRow }) {
  const found = Object.entries(row.metrics).filter(([name]) => name.startsWith(PREFIX));
  if (found.length === 0) return null;
  return (
    <Section title={`System · ${found.length}`} open>
      <table className={styles.use}>
        <thead>
          <tr>
            <th scope="col">metric</th>
            <th scope="col">last</th>
            <th scope="col">max</th>
          </tr>
        </thead>
        <tbody>
          {found.map(([name, summary]) => (
            <tr key={name}>
              <th scope="row">{name.slice(PREFIX.length)}</th>
              <td>{shortValue(summary.last)}</td>
              <td>{shortValue(summary.max)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className={styles.buttons}>
        <button
          type="button"
          className={controls.button}
          onClick={() => setView({ tab: "charts", chartFilter: `^${PREFIX}`, shown: { [row.key]: true } })}
        >
          Show their charts
        </button>
      </div>
    </Section>
  );
}
