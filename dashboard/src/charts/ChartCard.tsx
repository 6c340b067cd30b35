// One metric's card: title, caption, plot, and what can be done with it. Knows how to ask for its series, not what else is on the page.
import { type KeyboardEvent, lazy, memo, type ReactNode, Suspense, useId, useMemo, useRef, useState } from "react";
import { countsOf, summaryOf } from "../math/describe";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import { CardMenu } from "./CardMenu";
import styles from "./charts.module.css";
import { captionOf, emptyReason } from "./scene";
import { pinTip } from "./tip";
import { useChart } from "./useChart";

const ChartTable = lazy(() => import("./ChartTable"));
const Legend = lazy(() => import("./Legend"));

interface Props {
  metric: string;
  /** The runs that are shown; the same array until it differs. */
  keys: readonly string[];
  /** How many of them have the metric. */
  have: number;
  of: number;
  style?: { left: number; top: number; width: number; height: number } | undefined;
  /** Cards of a report are placed by their text. */
  loose?: boolean;
  /** A panel draws several metrics under its own name, and may have an axis and buttons of its own. */
  metrics?: readonly string[];
  x?: string;
  buttons?: ReactNode;
}

export const ChartCard = memo(function ChartCard({ metric, keys, have, of, style, loose = false, metrics, x, buttons }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useMemo(() => metrics ?? [metric], [metrics, metric]);
  const { plot, lines, grouped, error, waiting } = useChart(metric, drawn, keys, box, x);
  const [table, setTable] = useState(false);
  const pinned = useView((view) => view.pinnedCharts.includes(metric));
  const logY = useView((view) => view.logY);
  const reason = useMemo(() => emptyReason(lines, logY), [lines, logY]);
  const description = useId();
  const caption = captionOf(lines, have, of, grouped);
  const missing = !lines.length && (error ? "no answer" : waiting || have > 0 ? "loading" : ""); // n=0 would be a claim
  const { size, summary, bad } = useMemo(() => {
    const series = lines.map((line) => line.band);
    const { logged, stored, shown, bad } = countsOf(series);
    return { size: `logged ${logged}, stored ${stored}, shown ${shown}`, summary: summaryOf(series), bad };
  }, [lines]);
  const togglePin = () => {
    const { pinnedCharts } = useView.getState();
    setView({ pinnedCharts: pinned ? pinnedCharts.filter((name) => name !== metric) : [...pinnedCharts, metric] });
  };
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) plot.current?.nudge(by * (event.shiftKey ? 0.1 : 0.01));
    else if (event.key === "Enter" || event.key === " ") pinTip();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <figure
      className={styles.card}
      aria-label={metric}
      aria-describedby={description}
      style={loose ? { position: "relative", height: 260 } : style}
    >
      <div className={styles.cardHead}>
        <h3 title={metric}>{metric}</h3>
        <button
          type="button"
          className={controls.plain}
          aria-label="View as table"
          title="View as table"
          onClick={() => setTable(true)}
        >
          <Icon name="columns" size={13} />
        </button>
        {buttons ?? (
          <button
            type="button"
            className={controls.plain}
            aria-label="Pin chart"
            aria-pressed={pinned}
            title="Pin"
            onClick={togglePin}
          >
            <Icon name="pin" size={13} />
          </button>
        )}
        <CardMenu metric={metric} metrics={drawn} lines={lines} size={missing || size} plot={plot} x={x} />
        <span className={styles.caption} data-partly={have < of} title={missing || size}>
          {caption}
        </span>
      </div>
      <p id={description} className="visually-hidden">
        {missing || `${summary}; ${caption}; ${size}${bad > 0 ? `; ${bad} not finite` : ""}`}
      </p>
      <div
        ref={box}
        className={styles.plot}
        role="img"
        tabIndex={0}
        aria-label={`${metric}: ${missing || summary}`}
        onKeyDown={onKey}
        onBlur={() => plot.current?.leave()}
      />
      {waiting && <p className={`${styles.note} waiting`}>Loading…</p>}
      {reason && <p className={styles.note}>{reason}</p>}
      {error && (
        <p className={styles.note} role="alert">
          {error.message}
        </p>
      )}
      <Suspense fallback={null}>
        {drawn.length > 1 && <Legend lines={lines} />}
        {table && <ChartTable metric={metric} lines={lines} x={x} onClose={() => setTable(false)} />}
      </Suspense>
    </figure>
  );
});
