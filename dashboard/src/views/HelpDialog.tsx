// The help: keys and the search language in a few lines. Knows no view.
import controls from "../ui/controls.module.css";
import { Dialog } from "../ui/Dialog";
import styles from "./Palette.module.css";
import type { DialogProps } from "./useDialog";

/** Every key and its meaning. */
const KEYS: readonly [string, string][] = [
  ["/", "search"],
  ["⌘K, Ctrl K", "command palette"],
  ["j k", "next, previous run"],
  ["x", "show or hide the run"],
  ["p", "pin the run to compare others with it"],
  ["Enter", "open the run's drawer, then go into it; fold the group"],
  ["Space", "select the run (in the table)"],
  ["Ctrl A", "select all runs (in the table)"],
  ["← → ⇧← ⇧→ − +", "in the table's header: go, move, narrower, wider"],
  ["[ ]", "step in Media"],
  ["g", "group by"],
  ["l", "log scale"],
  ["s", "smoothing"],
  ["z", "undo zoom"],
  ["1 – 6", "tabs"],
  ["?", "this help"],
  ["Escape", "close"],
];

const QUERIES: readonly [string, string][] = [
  ["lr < 1e-3 and eval/acc > 0.9", "parameters and metrics (their last value)"],
  ['optimizer == "adam" or seed in [1, 2]', "and, or, not, parentheses"],
  ["name:/ppo-.*/ tag:baseline", "regular expressions, tags"],
  ["status:running created:<2d", "state and age"],
  ["loss diverged after 10k", "diverged, spiked, plateaued"],
  ["sort:-eval/acc", "order"],
];

export default function HelpDialog({ onClose }: DialogProps) {
  return (
    <Dialog label="Help" onClose={onClose}>
      <div className={styles.help}>
        <h1>Keys</h1>
        <dl>
          {KEYS.map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd className={controls.kbd}>{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <h1>Search</h1>
        <dl className={styles.wide}>
          {QUERIES.map(([query, meaning]) => (
            <div key={query}>
              <dt>
                <code>{query}</code>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <p>Drag in a chart zooms all charts in x, with Shift this chart in y; a double click resets, z undoes.</p>
        <button type="button" className={controls.button} onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
