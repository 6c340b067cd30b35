// The objective over one parameter: a dot for each run, and their mean along the axis. Knows places 0 … 1, not values.
import { useMemo, useRef } from "react";
import { type Place, trendOf } from "../math/slices";
import { useHover } from "../state/hover";
import { useTheme } from "../state/theme";
import { type Palette, paletteOf } from "./palette";
import styles from "./parallel.module.css";
import { paintDot } from "./ScatterPlot";
import { hovering, nearest, useCanvas, useWidth } from "./useCanvas";

interface Props {
  name: string;
  /** What the plot says in words. */
  summary: string;
  keys: readonly string[];
  points: readonly Place[];
  /** Into how many stretches the mean is cut. */
  parts: number;
  ticks: readonly { place: number; text: string }[];
  colours: readonly string[];
  faded: readonly boolean[] | null;
}

const HEIGHT = 132;
const EDGE = { side: 14, top: 12, bottom: 20 };

export function SlicePlot({ name, summary, keys, points, parts, ticks, colours, faded }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const palette = paletteOf(useTheme((state) => state.theme));
  const hovered = keys.indexOf(useHover((hover) => hover.run) ?? "");
  const width = useWidth(box);
  const at = useMemo(() => points.map((place) => pixelOf(place, width)), [points, width]);
  const trend = useMemo(() => trendOf(points, parts).map((place) => pixelOf(place, width)), [points, parts, width]);
  const draw = (ctx: CanvasRenderingContext2D) => {
    paintTicks(ctx, ticks, palette, width);
    for (const [run, [x, y]] of at.entries()) paintDot(ctx, x, y, faded?.[run] ? palette.line : colours[run]!, 2.2);
    paintTrend(ctx, trend, palette);
    const [x, y] = at[hovered] ?? [Number.NaN, Number.NaN];
    paintDot(ctx, x, y, palette.accent, 4);
  };
  const canvas = useCanvas({ width, height: HEIGHT }, draw, [at, trend, ticks, colours, faded, hovered, palette]);
  return (
    <figure className={styles.figure} aria-label={`Slice ${name}`}>
      <figcaption className={styles.sliceName} title={name}>
        {name} <span className="visually-hidden">{summary}</span>
      </figcaption>
      <div ref={box} className={styles.box} style={{ height: HEIGHT }} {...hovering(keys, (x, y) => nearest(at, x, y))}>
        <canvas ref={canvas} />
      </div>
    </figure>
  );
}

function pixelOf([x, y]: Place, width: number): readonly [number, number] {
  return [EDGE.side + x * (width - 2 * EDGE.side), HEIGHT - EDGE.bottom - y * (HEIGHT - EDGE.top - EDGE.bottom)];
}

function paintTicks(ctx: CanvasRenderingContext2D, ticks: Props["ticks"], palette: Palette, room: number): void {
  ctx.strokeStyle = palette.grid;
  ctx.fillStyle = palette.fg3;
  ctx.font = '10px "Inter Variable", system-ui, sans-serif';
  ctx.textAlign = "left";
  let taken = Number.NEGATIVE_INFINITY; // a text that would touch the one before is left out
  for (const { place, text } of ticks) {
    const [x, bottom] = pixelOf([place, 0], room);
    ctx.beginPath();
    ctx.moveTo(Math.round(x) + 0.5, EDGE.top);
    ctx.lineTo(Math.round(x) + 0.5, bottom + 3);
    ctx.stroke();
    const width = Math.min(ctx.measureText(text).width, room / 2);
    const left = place < 0.1 ? x - 8 : place > 0.9 ? x + 8 - width : x - width / 2;
    if (left < taken) continue;
    ctx.fillText(text, left, HEIGHT - 6, width);
    taken = left + width + 6;
  }
}

function paintTrend(ctx: CanvasRenderingContext2D, trend: readonly (readonly [number, number])[], palette: Palette): void {
  if (trend.length < 2) return;
  ctx.strokeStyle = palette.fg2;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (const [x, y] of trend) ctx.lineTo(x, y);
  ctx.stroke();
}
