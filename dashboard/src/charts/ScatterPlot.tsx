// A point for each run, over two of its values. Knows values and colours, no query.
import { useMemo, useRef } from "react";
import { niceTicks, tickLabel } from "../math/labels";
import { isLog } from "../math/parallel";
import { type Axis, toPixel } from "../math/project";
import { extend, padded } from "../math/range";
import { useHover } from "../state/hover";
import { useTheme } from "../state/theme";
import { type Palette, paletteOf } from "./palette";
import styles from "./parallel.module.css";
import { hovering, nearest, useCanvas, useWidth } from "./useCanvas";

interface Props {
  keys: readonly string[];
  xName: string;
  yName: string;
  x: readonly (number | null)[];
  y: readonly (number | null)[];
  colours: readonly string[];
  faded: readonly boolean[] | null;
}

const HEIGHT = 260;
const EDGE = { left: 56, right: 14, top: 30, bottom: 34 };

export function ScatterPlot({ keys, xName, yName, x, y, colours, faded }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const theme = useTheme((state) => state.theme);
  const axes = useMemo(() => axesOf(x, y, width), [x, y, width]);
  const points = useMemo(
    () => x.map((value, run) => [toPixel(axes.x, value ?? Number.NaN), toPixel(axes.y, y[run] ?? Number.NaN)] as const),
    [x, y, axes],
  );
  const hovered = keys.indexOf(useHover((hover) => hover.run) ?? "");
  const palette = paletteOf(theme);
  const draw = (ctx: CanvasRenderingContext2D) => {
    paintAxes(ctx, axes, palette, width);
    for (const [run, [px, py]] of points.entries()) paintDot(ctx, px, py, faded?.[run] ? palette.line : colours[run]!, 3.2);
    const [px, py] = points[hovered] ?? [Number.NaN, Number.NaN];
    paintDot(ctx, px, py, palette.accent, 5.5);
  };
  const canvas = useCanvas({ width, height: HEIGHT }, draw, [points, colours, faded, hovered, palette, width]);
  const shown = points.filter(([px, py]) => Number.isFinite(px + py)).length;
  return (
    <figure className={styles.figure} aria-label="Scatter" aria-describedby="scatter-text">
      <div ref={box} className={styles.box} style={{ height: HEIGHT }} {...hovering(keys, (x, y) => nearest(points, x, y))}>
        <canvas ref={canvas} />
        <span className={styles.xName}>{xName}</span>
        <span className={styles.yName}>{yName}</span>
      </div>
      <p id="scatter-text" className="visually-hidden">
        {shown} runs, {yName} over {xName}
      </p>
    </figure>
  );
}

function axesOf(x: readonly (number | null)[], y: readonly (number | null)[], width: number): { x: Axis; y: Axis } {
  const numbers = (values: readonly (number | null)[]) => values.filter((value): value is number => value !== null);
  const make = (values: number[], from: number, to: number, mayLog: boolean): Axis => {
    const extent = extend(null, values, 0, values.length);
    const log = mayLog && extent !== null && isLog(values.filter(Number.isFinite), ...extent);
    const [min, max] = padded(extent, log);
    return { min, max, from, to, log };
  };
  return { x: make(numbers(x), EDGE.left, width - EDGE.right, true), y: make(numbers(y), HEIGHT - EDGE.bottom, EDGE.top, false) };
}

function paintAxes(ctx: CanvasRenderingContext2D, { x, y }: { x: Axis; y: Axis }, palette: Palette, width: number): void {
  ctx.font = '11px "Inter Variable", system-ui, sans-serif';
  ctx.fillStyle = palette.fg3;
  ctx.strokeStyle = palette.grid;
  ctx.lineWidth = 1;
  ctx.textAlign = "center";
  for (const tick of ticksOf(x)) {
    const at = toPixel(x, tick);
    line(ctx, at, EDGE.top, at, HEIGHT - EDGE.bottom);
    ctx.fillText(tickLabel(tick), at, HEIGHT - EDGE.bottom + 14);
  }
  ctx.textAlign = "right";
  for (const tick of ticksOf(y)) {
    const at = toPixel(y, tick);
    line(ctx, EDGE.left, at, width - EDGE.right, at);
    ctx.fillText(tickLabel(tick), EDGE.left - 6, at + 4);
  }
}

function ticksOf(axis: Axis): number[] {
  if (!axis.log) return niceTicks(axis.min, axis.max, 5);
  const [low, high] = [Math.ceil(Math.log10(axis.min)), Math.floor(Math.log10(axis.max))];
  return Array.from({ length: Math.max(0, high - low + 1) }, (_, at) => 10 ** (low + at));
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  ctx.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  ctx.stroke();
}

export function paintDot(ctx: CanvasRenderingContext2D, x: number, y: number, colour: string, radius: number): void {
  if (!Number.isFinite(x + y)) return;
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}
