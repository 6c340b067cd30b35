// All charts of the shown runs, one per metric, in sections; only cards near the viewport exist. Knows no series.
import { useQuery } from "@tanstack/react-query";
import { type ComponentProps, useEffect, useMemo, useRef } from "react";
import { listMetrics } from "../api/queries";
import type { MetricInfo } from "../api/types";
import { type Place, placed, sectionsOf } from "../math/sections";
import { setCounts } from "../state/counts";
import { useVisibleRuns } from "../state/runs";
import { useSettled } from "../state/useSettled";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { ChartCard } from "./ChartCard";
import styles from "./charts.module.css";
import { SectionHead } from "./SectionHead";
import { Tooltip } from "./Tooltip";
import { useWindow } from "./useWindow";

const MOST_CARDS = 60;
const CARD = { cardWidth: 330, cardHeight: 214, gap: 10, header: 30 };

export function ChartGrid({ onNewPanel }: { onNewPanel: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const { keys, metrics, of, ready, failed } = useMetrics();
  const { total, all } = useVisibleRuns();
  const allHidden = useAllHidden(keys, total);
  const nothing =
    total === 0 && all > 0 ? "Nothing to draw: the search finds no run" : "Nothing to draw yet: no shown run has a number";
  const filter = useView((view) => view.chartFilter);
  const pinned = useView((view) => view.pinnedCharts);
  const closed = useView((view) => view.closed);
  const matches = useMemo(() => matcher(filter), [filter]);
  const names = useMemo(
    () => metrics.map((metric) => metric.name).filter((name) => matches?.test(name) ?? true),
    [metrics, matches],
  );
  const sections = useMemo(() => sectionsOf(names, pinned), [names, pinned]);
  const have = useMemo(() => new Map(metrics.map((metric) => [metric.name, metric.runs])), [metrics]);
  const { width, from, to } = useWindow(box);
  const sizes = sections.map((section) => (closed.includes(section.title) ? 0 : section.metrics.length));
  const { places, height } = placed(sizes, { width, ...CARD }, from - 120, to + 120, MOST_CARDS);
  useEffect(() => setCounts({ charts: names.length }), [names.length]);
  return (
    <div ref={box} className={styles.grid} style={{ height }}>
      <div className={styles.bar}>
        <ChartFilter bad={filter !== "" && matches === null} />
        <ClipButton />
        <button type="button" className={controls.button} title="A chart of your own" onClick={onNewPanel}>
          New panel
        </button>
      </div>
      {width > 0 &&
        places.map(({ section, card, left, top, width, height }) => {
          const { title, metrics: list } = sections[section]!;
          if (card < 0)
            return (
              <SectionHead
                key={`§${title}`}
                title={title}
                charts={list.length}
                open={!closed.includes(title)}
                top={top}
                onToggle={fold}
              />
            );
          const metric = list[card]!;
          return (
            <PlacedCard
              key={metric}
              metric={metric}
              keys={keys}
              have={have.get(metric) ?? 0}
              of={of}
              {...{ left, top, width, height }}
            />
          );
        })}
      {!ready && !failed && <p className={`${styles.nothing} waiting`}>Loading…</p>}
      {ready && !names.length && (
        <div className={styles.nothing}>
          {allHidden ? <Hidden total={total} /> : filter ? `No chart matches ${filter}` : nothing}
        </div>
      )}
      <Tooltip />
    </div>
  );
}

/** Whether there are runs, and none of them is drawn; a group is drawn of all its runs, shown or not. */
function useAllHidden(keys: readonly string[], total: number): boolean {
  const grouped = useView((view) => view.groupBy.length > 0);
  return total > 0 && keys.length === 0 && !grouped;
}

function Hidden({ total }: { total: number }) {
  return (
    <>
      <p>
        {total === 1 ? "The run is hidden" : "All runs are hidden"}. A click on the dot beside a run's name shows it, and so does
        x.
      </p>
      <button type="button" className={controls.button} onClick={() => setView({ shown: {} })}>
        {total === 1 ? "Show the run" : "Show the first runs"}
      </button>
    </>
  );
}

/** Close an open section, open a closed one. */
function fold(title: string): void {
  const { closed } = useView.getState();
  setView({ closed: closed.includes(title) ? closed.filter((one) => one !== title) : [...closed, title] });
}

type PlacedProps = Omit<ComponentProps<typeof ChartCard>, "style" | "loose"> & Pick<Place, "left" | "top" | "width" | "height">;

function PlacedCard({ left, top, width, height, ...card }: PlacedProps) {
  const style = useMemo(() => ({ left, top, width, height }), [left, top, width, height]);
  return <ChartCard {...card} style={style} />;
}

const NONE: MetricInfo[] = [];

/** The numeric metrics of the shown runs; with groups, of all runs that match. */
function useMetrics(): { keys: readonly string[]; metrics: MetricInfo[]; of: number; ready: boolean; failed: boolean } {
  const visible = useVisibleRuns();
  const ready = visible.ready;
  const keys = useSettled(visible.keys);
  const q = useSettled(useView((view) => view.q));
  const prefix = useView((view) => view.prefix);
  const all = useView((view) => view.groupBy.length > 0);
  const { data, isError } = useQuery({ ...listMetrics(all ? null : [...keys], all ? q : "", all ? prefix : ""), enabled: ready });
  const metrics = useMemo(
    () => (keys.length || all ? (data?.metrics ?? NONE).filter((metric) => metric.numeric) : NONE),
    [data, keys.length, all],
  );
  return { keys, metrics, of: data?.of ?? 0, ready: ready && data !== undefined, failed: isError };
}

function matcher(filter: string): RegExp | null {
  if (!filter) return null;
  try {
    return new RegExp(filter, "i");
  } catch {
    return null;
  }
}

function ChartFilter({ bad }: { bad: boolean }) {
  const filter = useView((view) => view.chartFilter);
  return (
    <input
      type="search"
      className={controls.input}
      aria-label="Filter charts"
      aria-invalid={bad}
      placeholder="Filter charts"
      value={filter}
      spellCheck={false}
      onChange={(event) => setView({ chartFilter: event.target.value })}
    />
  );
}

function ClipButton() {
  const clip = useView((view) => view.clip);
  return (
    <button
      type="button"
      className={controls.button}
      aria-pressed={clip}
      title="Leave far outliers out of the y range"
      onClick={() => setView({ clip: !clip })}
    >
      Clip
    </button>
  );
}
