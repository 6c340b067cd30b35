// The objective over two parameters: bands and lines of its mean near by, and a dot for each run. Knows places 0 … 1, not values.
import { useMemo, useRef } from "react";
import { type Field, fieldOf, lineAt, type Spot, valueIn } from "../math/contour";
import { viridis } from "../math/viridis";
import { useHover } from "../state/hover";
import { useTheme } from "../state/theme";
import { type Palette, paletteOf } from "./palette";
import styles from "./parallel.module.css";
import { paintDot } from "./ScatterPlot";
import { hovering, nearest, useCanvas, useWidth } from "./useCanvas";

interface Tick {
  place: number;
  text: string;
}

export interface ContourProps {
  keys: readonly string[];
  spots: readonly Spot[];
  xName: string;
  yName: string;
  xTicks: readonly Tick[];
  yTicks: readonly Tick[];
  /** What the plot says in words. */
  summary: string;
  faded: readonly boolean[] | null;
}

const HEIGHT = 260;
const EDGE = { left: 64, right: 14, top: 30, bottom: 34 };
const BANDS = 10;

export function ContourPlot({ keys, spots, xName, yName, xTicks, yTicks, summary, faded }: ContourProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const palette = paletteOf(useTheme((state) => state.theme));
  const field = useMemo(() => fieldOf(spots), [spots]);
  const at = useMemo(() => spots.map(({ x, y }) => pixelOf(x, y, width)), [spots, width]);
  const hovered = keys.indexOf(useHover((hover) => hover.run) ?? "");
  const draw = (ctx: CanvasRenderingContext2D) => {
    paintBands(ctx, field, width);
    paintLines(ctx, field, width);
    paintTicks(ctx, xTicks, yTicks, palette, width);
    for (const [run, [x, y]] of at.entries()) {
      if (!Number.isFinite(spots[run]!.value)) continue;
      paintDot(ctx, x, y, palette.panel, 3.4);
      paintDot(ctx, x, y, faded?.[run] ? palette.fg3 : palette.fg, 2.4);
    }
    const [x, y] = at[hovered] ?? [Number.NaN, Number.NaN];
    paintDot(ctx, x, y, palette.accent, 5);
  };
  const canvas = useCanvas({ width, height: HEIGHT }, draw, [field, at, faded, hovered, palette, xTicks, yTicks]);
  return (
    <figure className={styles.figure} aria-label="Contour" aria-describedby="contour-text">
      <div ref={box} className={styles.box} style={{ height: HEIGHT }} {...hovering(keys, (x, y) => nearest(at, x, y))}>
        <canvas ref={canvas} />
        <span className={styles.xName}>{xName}</span>
        <span className={styles.yName}>{yName}</span>
      </div>
      <p id="contour-text" className="visually-hidden">
        {summary}
      </p>
    </figure>
  );
}

function pixelOf(x: number, y: number, width: number): readonly [number, number] {
  return [EDGE.left + x * (width - EDGE.left - EDGE.right), HEIGHT - EDGE.bottom - y * (HEIGHT - EDGE.top - EDGE.bottom)];
}

/** Each device pixel in the colour of its band. */
function paintBands(ctx: CanvasRenderingContext2D, field: Field, width: number): void {
  const ratio = window.devicePixelRatio || 1;
  const across = Math.max(1, Math.round((width - EDGE.left - EDGE.right) * ratio));
  const down = Math.round((HEIGHT - EDGE.top - EDGE.bottom) * ratio);
  const image = ctx.createImageData(across, down);
  const colours = Array.from({ length: BANDS }, (_, band) => Number.parseInt(viridis((band + 0.5) / BANDS).slice(1), 16));
  const scale = BANDS / (field.max - field.min || 1);
  for (let row = 0; row < down; row++) {
    const y = 1 - row / Math.max(1, down - 1);
    for (let column = 0; column < across; column++) {
      const value = valueIn(field, column / Math.max(1, across - 1), y);
      if (Number.isNaN(value)) continue;
      const colour = colours[Math.min(BANDS - 1, Math.floor((value - field.min) * scale))]!;
      const at = 4 * (row * across + column);
      image.data.set([colour >> 16, (colour >> 8) & 255, colour & 255, 205], at);
    }
  }
  ctx.putImageData(image, Math.round(EDGE.left * ratio), Math.round(EDGE.top * ratio));
}

function paintLines(ctx: CanvasRenderingContext2D, field: Field, width: number): void {
  if (!(field.max > field.min)) return;
  ctx.strokeStyle = "#ffffff66";
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let band = 1; band < BANDS; band++) {
    for (const [x0, y0, x1, y1] of lineAt(field, field.min + (band / BANDS) * (field.max - field.min))) {
      ctx.moveTo(...pixelOf(x0, y0, width));
      ctx.lineTo(...pixelOf(x1, y1, width));
    }
  }
  ctx.stroke();
}

function paintTicks(
  ctx: CanvasRenderingContext2D,
  xTicks: readonly Tick[],
  yTicks: readonly Tick[],
  palette: Palette,
  width: number,
): void {
  ctx.font = '11px "Inter Variable", system-ui, sans-serif';
  ctx.fillStyle = palette.fg3;
  const room = (width - EDGE.left - EDGE.right) / Math.max(1, xTicks.length - 1);
  for (const { place, text } of xTicks) {
    ctx.textAlign = place === 0 ? "left" : place === 1 ? "right" : "center";
    ctx.fillText(text, pixelOf(place, 0, width)[0], HEIGHT - EDGE.bottom + 14, room);
  }
  ctx.textAlign = "right";
  for (const { place, text } of yTicks) ctx.fillText(text, EDGE.left - 6, pixelOf(0, place, width)[1] + 4, EDGE.left - 10);
}
