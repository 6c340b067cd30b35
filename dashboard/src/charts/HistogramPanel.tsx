// A distribution over steps, as log_histogram logged it: one column a step, the darker the fewer. Knows no series.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { ask } from "../api/client";
import { type Histogram, histogramsOf } from "../math/bars";
import { plainNumber } from "../math/describe";
import { viridis } from "../math/viridis";
import { nameOf, useVisibleRuns } from "../state/runs";
import { usePinnedKey } from "../state/there";
import { PanelCard, type PanelProps } from "./PanelCard";
import { heatCsv, heatSvg } from "./panelExports";
import { heatPython } from "./panelPython";
import styles from "./panels.module.css";

const MOST_ROWS = 20_000;
const HEIGHT = 256;

export function HistogramPanel({ name, panel, buttons }: PanelProps) {
  const metric = panel.y[0]!;
  const pinned = usePinnedKey();
  const { keys } = useVisibleRuns();
  const run = pinned === undefined ? "" : (pinned ?? keys[0] ?? "");
  const { data, error } = useQuery({
    queryKey: ["read_rows", run, metric],
    enabled: run !== "",
    retry: false,
    queryFn: ({ signal }) =>
      ask(
        {
          type: "read_rows",
          path: `${run}/metrics.pkl`,
          stop: MOST_ROWS,
          keys: ["step", "timestep", "global_step", "epoch", metric],
        },
        signal,
      ),
  });
  const found = useMemo(() => histogramsOf(data?.tables[0]?.rows ?? [], metric), [data, metric]);
  const [low, high] = edgesOf(found);
  const steps = found.length ? `${found[0]!.step} … ${found.at(-1)!.step}` : "";
  const summary = `n=${found.length} min=${plainNumber(low)} max=${plainNumber(high)} last=${found.at(-1)?.step ?? "none"}`;
  const texts = found.length
    ? {
        csv: () => heatCsv(found),
        svg: () => heatSvg(name, found, low, high, pictureOf(found, low, high)),
        python: () => heatPython(run, metric),
      }
    : undefined;
  return (
    <PanelCard name={name} summary={summary} caption={run && nameOf(run)} {...{ buttons, texts }}>
      {found.length > 0 ? (
        <div className={styles.heat}>
          <span>{plainNumber(high)}</span>
          <span>{plainNumber(low)}</span>
          <Heat histograms={found} low={low} high={high} />
          <small>steps {steps}</small>
        </div>
      ) : (
        <p className={styles.nothing}>{error ? error.message : data ? `${nameOf(run)} has no histogram ${metric}` : ""}</p>
      )}
    </PanelCard>
  );
}

function edgesOf(histograms: readonly Histogram[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { edges } of histograms) {
    low = Math.min(low, edges[0]!);
    high = Math.max(high, edges.at(-1)!);
  }
  return [low, high];
}

function Heat({ histograms, low, high }: { histograms: readonly Histogram[]; low: number; high: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    paintHeat(element, histograms, low, high);
  }, [histograms, low, high]);
  return <canvas ref={canvas} role="img" aria-label={`${histograms.length} distributions`} />;
}

function pictureOf(histograms: readonly Histogram[], low: number, high: number): string {
  const canvas = document.createElement("canvas");
  paintHeat(canvas, histograms, low, high);
  return canvas.toDataURL();
}

/** One pixel column a step; each bin is as bright as its count beside the largest of its step. */
function paintHeat(canvas: HTMLCanvasElement, histograms: readonly Histogram[], low: number, high: number): void {
  canvas.width = histograms.length;
  canvas.height = HEIGHT;
  const ctx = canvas.getContext("2d")!;
  const scale = HEIGHT / (high - low || 1);
  histograms.forEach(({ counts, edges }, column) => {
    const most = Math.max(...counts, 1);
    counts.forEach((count, bin) => {
      if (!count) return;
      const top = (high - edges[bin + 1]!) * scale;
      ctx.fillStyle = viridis(0.08 + (0.92 * count) / most);
      ctx.fillRect(column, top, 1, Math.max(1, (edges[bin + 1]! - edges[bin]!) * scale));
    });
  });
}
