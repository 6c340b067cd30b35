// Bars: what a metric came to in each shown run, or in each group (mean ± std over all its runs). Knows no series.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ask } from "../api/client";
import type { GroupRow, RunRow } from "../api/types";
import { barOf } from "../math/bars";
import { plainNumber } from "../math/describe";
import type { Panel } from "../math/panels";
import { colourOf, styleOf } from "../state/colours";
import { hoverRun, useHover } from "../state/hover";
import { nameOf, useVisibleRuns } from "../state/runs";
import { useView } from "../state/view";
import { shortNumber } from "../ui/numbers";
import { PanelCard, type PanelProps } from "./PanelCard";
import { paletteOf } from "./palette";
import { barsCsv, barsSvg } from "./panelExports";
import { barsPython } from "./panelPython";
import styles from "./panels.module.css";

interface Bar {
  key: string;
  title: string;
  value: number;
  std: number | null;
  /** The run to highlight; none for a group. */
  run: string | null;
}

export function BarPanel({ name, panel, buttons }: PanelProps) {
  const bars = useBars(panel);
  const hovered = useHover((hover) => hover.run);
  const values = bars.map((bar) => bar.value);
  const summary = values.length
    ? `n=${values.length} min=${plainNumber(Math.min(...values))} max=${plainNumber(Math.max(...values))} last=${plainNumber(values.at(-1)!)}`
    : "n=0";
  const toTake = () => bars.map((bar) => ({ ...bar, colour: paletteOf("light").series[styleOf(bar.run ?? bar.title).slot]! }));
  const python = () => {
    const { q, prefix, groupBy } = useView.getState();
    return barsPython({ q, prefix, groupBy, runs: runsOf(bars), metrics: panel.y, stat: panel.stat, most: MOST_BARS });
  };
  const texts = bars.length ? { csv: () => barsCsv(toTake()), svg: () => barsSvg(name, toTake()), python } : undefined;
  return (
    <PanelCard
      name={name}
      summary={summary}
      caption={`${bars.length} bar${bars.length === 1 ? "" : "s"}`}
      {...{ buttons, texts }}
    >
      <ul className={styles.bars}>
        {bars.map((bar) => {
          const [left, width] = barOf(bar.value, values);
          return (
            <li
              key={bar.key}
              data-on={hovered !== null && hovered === bar.run}
              onMouseEnter={() => hoverRun(bar.run)}
              onMouseLeave={() => hoverRun(null)}
            >
              <span title={bar.title}>{bar.title}</span>
              <i>
                <b
                  style={{
                    left: `${100 * left}%`,
                    width: `${100 * width}%`,
                    background: colourOf(styleOf(bar.run ?? bar.title)),
                  }}
                />
              </i>
              <small>
                {shortNumber(bar.value)}
                {bar.std !== null && ` ± ${shortNumber(bar.std)}`}
              </small>
            </li>
          );
        })}
      </ul>
      {!bars.length && <p className={styles.nothing}>No shown run has {panel.y.join(", ")}</p>}
    </PanelCard>
  );
}

/** The runs behind the bars, each once. */
const runsOf = (bars: readonly Bar[]) => [...new Set(bars.flatMap(({ run }) => run ?? []))];

const MOST_BARS = 200;

/** The page's own question: only the panel's columns, grouped as the charts are. */
const barRows = (q: string, prefix: string, groups: readonly string[], columns: readonly string[]) =>
  queryOptions({
    queryKey: ["search_runs", "bars", q, prefix, groups, columns],
    queryFn: ({ signal }) =>
      ask({ type: "search_runs", q, prefix, group_by: [...groups], columns: [...columns], limit: MOST_BARS }, signal),
  });

function useBars(panel: Panel): Bar[] {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const groups = useView((view) => view.groupBy);
  const { keys } = useVisibleRuns();
  const { data } = useQuery(barRows(q, prefix, groups, panel.y));
  if (!data) return [];
  if (groups.length) return data.groups.flatMap((group) => barsOfGroup(group, panel));
  const rows = new Map(data.rows.map((row) => [row.key, row]));
  return keys.flatMap((key) => barsOfRun(rows.get(key), panel));
}

function barsOfRun(row: RunRow | undefined, { y, stat }: Panel): Bar[] {
  return y.flatMap((metric) => {
    const value = row?.metrics[metric]?.[stat];
    if (!row || typeof value !== "number" || !Number.isFinite(value)) return [];
    const title = y.length > 1 ? `${nameOf(row.key)} · ${metric}` : nameOf(row.key);
    return { key: `${row.key} ${metric}`, title, value, std: null, run: row.key };
  });
}

function barsOfGroup(group: GroupRow, { y }: Panel): Bar[] {
  const named = Object.entries(group.values).map(([name, value]) => `${name.slice(name.lastIndexOf(".") + 1)}=${String(value)}`);
  const label = named.join(" ") || "all";
  return y.flatMap((metric) => {
    const [mean, std] = group.metrics[metric] ?? [];
    if (typeof mean !== "number" || !Number.isFinite(mean)) return [];
    const title = y.length > 1 ? `${label} · ${metric}` : label;
    return { key: `${label} ${metric}`, title, value: mean, std: std ?? null, run: null };
  });
}
