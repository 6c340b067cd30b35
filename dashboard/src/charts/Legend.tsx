// Which line is which in a card of several metrics. Knows lines, no card.
import type { Line } from "./painter";
import styles from "./panels.module.css";
import { titleOf } from "./scene";

const MOST_NAMED = 12;

/** Which line is which, where a card draws several metrics; of many lines only how their metrics are dashed. */
export default function Legend({ lines }: { lines: readonly Line[] }) {
  const many = lines.length > MOST_NAMED;
  const named = many ? lines.filter((line, at) => lines.findIndex((one) => one.metric === line.metric) === at) : lines;
  return (
    <ul className={styles.legend}>
      {named.slice(0, MOST_NAMED).map((line) => {
        const name = many ? line.metric : titleOf(line);
        return (
          <li key={name} title={name}>
            <svg width="16" height="6" aria-hidden="true">
              <path
                d="M0 3h16"
                stroke={many ? "currentColor" : line.colour}
                strokeWidth="2"
                strokeDasharray={line.dash.join(" ")}
              />
            </svg>
            {name}
          </li>
        );
      })}
      {many && <li>coloured by run</li>}
    </ul>
  );
}
