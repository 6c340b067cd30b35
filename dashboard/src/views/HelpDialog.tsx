// The help: keys, the search language in a few lines, and the theme.

import controls from "../ui/controls.module.css";
import { Dialog } from "../ui/Dialog";
import { KEYS } from "./keys";
import styles from "./Palette.module.css";

const QUERIES: readonly [string, string][] = [
  ["lr < 1e-3 and eval/acc > 0.9", "parameters and metrics (their last value)"],
  ['optimizer == "adam" or seed in [1, 2]', "and, or, not, parentheses"],
  ["name:/ppo-.*/ tag:baseline", "regular expressions, tags"],
  ["status:running created:<2d", "state and age"],
  ["loss diverged after 10k", "diverged, spiked, plateaued"],
  ["sort:-eval/acc", "order"],
];

export default function HelpDialog({ onClose }: { onClose: () => void }) {
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
