// What all charts have in common: x-axis, smoothing, log scale, grouping, zoom. Changes the view; knows no chart.
import { useQuery } from "@tanstack/react-query";
import { listMetrics } from "../api/queries";
import type { Column } from "../api/types";
import { shortNames } from "../state/columns";
import { useFirstPage } from "../state/runs";
import { useSettled } from "../state/useSettled";
import { type Center, NO_ZOOM, resetZoom, type Split, type Spread, setView, setX, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Select } from "../ui/Select";
import styles from "./Shell.module.css";

export function Toolbar() {
  const smoothing = useView((view) => view.smoothing);
  const logY = useView((view) => view.logY);
  const logX = useView((view) => view.logX);
  return (
    <div className={styles.tools} role="toolbar" aria-label="All charts">
      <AxisChoice />
      <label className={controls.pill} data-on={smoothing > 0}>
        Smooth {smoothing > 0 ? String(smoothing).replace(/^0/, "") : ""}
        <input
          id="smoothing"
          type="range"
          aria-label="Smoothing"
          min={0}
          max={0.99}
          step={0.01}
          value={smoothing}
          className={controls.slider}
          onChange={(event) => setView({ smoothing: Number(event.target.value) })}
        />
      </label>
      <button type="button" className={controls.button} aria-pressed={logX} onClick={() => setView({ logX: !logX })}>
        Log x
      </button>
      <button type="button" className={controls.button} aria-pressed={logY} onClick={() => setView({ logY: !logY })}>
        Log y
      </button>
      <GroupChoice />
      <SplitChoice />
      <ZoomReset />
    </div>
  );
}

/** Alone, so that a zoom renders one button: a list of axes may be long. */
function ZoomReset() {
  const none = useView((view) => view.zoom === NO_ZOOM);
  return (
    <button type="button" className={controls.button} disabled={none} onClick={resetZoom}>
      Reset zoom
    </button>
  );
}

const PLAIN_AXES = [
  ["step", "step"],
  ["time", "wall time"],
  ["relative", "relative time"],
] as const;

function AxisChoice() {
  const x = useView((view) => view.x);
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const { data } = useQuery(listMetrics(null, useSettled(q), prefix));
  const metrics = data?.metrics.filter((metric) => metric.numeric).map((metric) => metric.name) ?? [];
  const known = PLAIN_AXES.some(([name]) => name === x) || metrics.includes(x);
  return (
    <label className={controls.pill} data-on={x !== "step"}>
      x:
      <Select aria-label="X axis" value={x} onChange={(event) => setX(event.target.value)}>
        {PLAIN_AXES.map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
        {!known && <option value={x}>{x}</option>}
        {metrics.length > 0 && (
          <optgroup label="metrics">
            {metrics.slice(0, 500).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </optgroup>
        )}
      </Select>
    </label>
  );
}

/** Ranks and attempts as lines of their own; without it a run is the mean over the ranks of its newest attempt. */
function SplitChoice() {
  const split = useView((view) => view.split);
  const grouped = useView((view) => view.groupBy.length > 0);
  if (grouped) return null;
  return (
    <label className={controls.pill} data-on={split !== ""}>
      Split:
      <Select aria-label="Split by" value={split} onChange={(event) => setView({ split: event.target.value as Split })}>
        <option value="">none</option>
        <option value="rank">rank</option>
        <option value="attempt">attempt</option>
      </Select>
    </label>
  );
}

const ALL_BUT_SEED = "*-seed";
const BANDS: readonly [Center, Spread, string][] = [
  ["mean", "std", "mean ± std"],
  ["mean", "sem", "mean ± sem"],
  ["mean", "ci95", "mean, 95 % CI"],
  ["mean", "minmax", "mean, min–max"],
  ["median", "iqr", "median, quartiles"],
  ["iqm", "iqr", "IQM, quartiles"],
  ["iqm", "ci95", "IQM, 95 % CI"],
];
const NO_COLUMNS: Column[] = [];

function GroupChoice() {
  const groupBy = useView((view) => view.groupBy);
  const center = useView((view) => view.center);
  const spread = useView((view) => view.spread);
  const { data } = useFirstPage();
  const params = (data?.columns ?? NO_COLUMNS).filter((column) => column.kind === "param").map((column) => column.name);
  const short = shortNames(params);
  const value = groupBy.join(",");
  const choose = (name: string) => setView({ groupBy: name ? [name] : [] });
  const known = value === "" || value === ALL_BUT_SEED || params.includes(value);
  return (
    <>
      <label className={controls.pill} data-on={groupBy.length > 0}>
        Group:
        <Select id="group-by" aria-label="Group by" value={value} onChange={(event) => choose(event.target.value)}>
          <option value="">none</option>
          <option value={ALL_BUT_SEED}>all but seed</option>
          {!known && <option value={value}>{value}</option>}
          {params.map((name) => (
            <option key={name} value={name} title={name}>
              {short.get(name)}
            </option>
          ))}
        </Select>
      </label>
      {groupBy.length > 0 && (
        <label className={controls.pill}>
          <Select
            aria-label="Band"
            value={`${center}.${spread}`}
            onChange={(event) => {
              const [c, s] = event.target.value.split(".") as [Center, Spread];
              setView({ center: c, spread: s });
            }}
          >
            {BANDS.map(([c, s, title]) => (
              <option key={title} value={`${c}.${s}`}>
                {title}
              </option>
            ))}
          </Select>
        </label>
      )}
    </>
  );
}
