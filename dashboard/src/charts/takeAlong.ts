// A chart taken along as PNG, SVG, CSV or Python. Knows what its card draws.
import type { RefObject } from "react";
import { type Figure, figureOf } from "../math/figure";
import { csvOf } from "../math/tables";
import { useTheme } from "../state/theme";
import { useView } from "../state/view";
import { own } from "../ui/own";
import { pythonOf, saveBlob, saveText } from "./exports";
import type { Line } from "./painter";
import { paletteOf, recoloured } from "./palette";
import type { Plot } from "./plot";
import { pngOf } from "./png";
import { titleOf } from "./scene";
import { svgOf } from "./svg";

export interface Taken {
  metric: string;
  metrics: readonly string[];
  lines: readonly Line[];
  plot: RefObject<Plot | null>;
  /** How many points were logged, are stored, are shown. */
  size: string;
  /** A panel's own axis. */
  x?: string | undefined;
}

export type Way = "PNG" | "SVG" | "CSV" | "Copy as Python";

export const takeAlong: Record<Way, (taken: Taken) => unknown> = {
  PNG: png,
  SVG: svg,
  CSV: ({ metric, lines, x }) => saveText(`${metric}.csv`, "text/csv", csv(lines, x)),
  "Copy as Python": (taken) => navigator.clipboard?.writeText(python(taken)),
};

const csv = (lines: readonly Line[], x?: string) =>
  csvOf(
    x || useView.getState().x,
    lines.map(titleOf),
    lines.map((line) => line.band),
  );

async function png(props: Taken): Promise<void> {
  const palette = paletteOf(useTheme.getState().theme);
  const blob = await pngOf(figure(props), props.lines, palette);
  if (blob) saveBlob(`${props.metric}.png`, blob);
}

function svg(props: Taken): void {
  const lines = recoloured(props.lines, paletteOf(useTheme.getState().theme), paletteOf("light"));
  saveText(`${props.metric}.svg`, "image/svg+xml", svgOf(figure(props), lines));
}

function figure({ metric, lines, plot, x }: Taken): Figure {
  const { x: shared, logX, logY } = useView.getState();
  const ranges = plot.current?.ranges ?? { x: [0, 1], y: [0, 1] };
  return figureOf({ title: metric, xName: x || shared, ranges, log: { x: logX, y: logY }, names: lines.map(titleOf) });
}

function python({ metric, metrics, lines, plot, x }: Taken): string {
  const view = useView.getState();
  const runs = [...new Set(lines.map((line) => line.key))];
  const { lo, hi } = zoomOf(x ? (own(view.zoom.own, metric) ?? null) : view.zoom.x);
  return pythonOf(metrics, runs, { ...view, x: x || view.x, lo, hi, bins: plot.current?.bins ?? 1000 });
}

const zoomOf = (range: readonly [number, number] | null) => ({ lo: range?.[0] ?? null, hi: range?.[1] ?? null });
