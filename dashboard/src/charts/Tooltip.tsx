// The tooltip of all charts: the nearest eight lines at the cursor, highest first. Knows what it is told, no chart.

import { plainNumber } from "../math/describe";
import { secondsLabel } from "../math/labels";
import { grouped, shortNumber } from "../ui/numbers";
import styles from "./charts.module.css";
import { dropTip, useTip } from "./tip";

const WIDTH = 300;

export function Tooltip() {
  const tip = useTip();
  if (!tip.rows.length) return null;
  const left = tip.left + 16 + WIDTH > window.innerWidth ? Math.max(4, tip.left - WIDTH - 16) : tip.left + 16;
  const top = Math.max(4, Math.min(tip.top - 12, window.innerHeight - 44 - 20 * tip.rows.length));
  return (
    <div
      className={styles.tip}
      data-pinned={tip.pinned}
      role="tooltip"
      style={{ width: WIDTH, transform: `translate(${Math.round(left)}px, ${Math.round(top)}px)` }}
    >
      <div className={styles.tipHead}>
        <span>{xText(tip.xName, tip.x)}</span>
        {tip.pinned && (
          <button type="button" aria-label="Unpin the tooltip" onClick={dropTip}>
            ×
          </button>
        )}
      </div>
      {tip.rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows change places with every move; moving elements costs more than texts
        <div key={at} className={styles.tipRow} data-nearest={row.nearest}>
          <i style={{ background: row.colour }} />
          <span title={row.key}>{row.title}</span>
          <b>{shortNumber(row.value)}</b>
          {row.band && (
            <small>
              {shortNumber(row.band[0])} … {shortNumber(row.band[1])}
            </small>
          )}
        </div>
      ))}
    </div>
  );
}

function xText(name: string, x: number): string {
  if (name === "time") return new Date(x * 1000).toLocaleString();
  if (name === "relative") return `after ${secondsLabel(Number(x.toPrecision(4)))}`;
  return `${name} ${name === "step" ? grouped(Math.round(x)) : plainNumber(x)}`;
}
