// A chart as a picture with title, axes and legend, at twice the size, in the colours of a theme. Knows no card.
import type { Figure } from "../math/figure";
import { type Axis, toPixel } from "../math/project";
import { type Line, paint } from "./painter";
import type { Palette } from "./palette";

const SCALE = 2;

/** The figure with its lines, as the bytes of a PNG. */
export function pngOf(figure: Figure, lines: readonly Line[], palette: Palette): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  canvas.width = figure.width * SCALE;
  canvas.height = figure.height * SCALE;
  const ctx = canvas.getContext("2d")!;
  ctx.fillStyle = palette.panel;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.save();
  ctx.scale(SCALE, SCALE);
  paintFrame(ctx, figure, palette);
  paintLegend(ctx, figure, lines, palette);
  ctx.restore();
  paintLines(ctx, figure, lines);
  return new Promise((done) => canvas.toBlob(done));
}

const font = (size: number, weight = 400) => `${weight} ${size}px "Inter Variable", system-ui, sans-serif`;

function paintFrame(ctx: CanvasRenderingContext2D, { title, xName, x, y, xTicks, yTicks }: Figure, palette: Palette): void {
  ctx.font = font(14, 600);
  ctx.fillStyle = palette.fg;
  ctx.fillText(title, x.from, 22, x.to - x.from);
  ctx.font = font(11);
  ctx.fillStyle = palette.fg2;
  ctx.strokeStyle = palette.grid;
  ctx.textAlign = "center";
  for (const { at, text } of xTicks) {
    const left = toPixel(x, at);
    line(ctx, left, y.to, left, y.from);
    ctx.fillText(text, left, y.from + 16);
  }
  ctx.fillText(xName, (x.from + x.to) / 2, y.from + 34, x.to - x.from);
  ctx.textAlign = "right";
  for (const { at, text } of yTicks) {
    const top = toPixel(y, at);
    line(ctx, x.from, top, x.to, top);
    ctx.fillText(text, x.from - 7, top + 4);
  }
  ctx.strokeStyle = palette.fg3;
  line(ctx, x.from, y.to, x.from, y.from);
}

function paintLegend(ctx: CanvasRenderingContext2D, { legend, more }: Figure, lines: readonly Line[], palette: Palette): void {
  ctx.font = font(11);
  ctx.textAlign = "left";
  ctx.fillStyle = palette.fg2;
  ctx.lineWidth = 2;
  for (const entry of legend) {
    const { colour, dash } = lines[entry.line]!;
    ctx.strokeStyle = colour;
    ctx.setLineDash([...dash]);
    line(ctx, entry.left, entry.top, entry.left + 16, entry.top);
    ctx.fillText(entry.text, entry.left + 22, entry.top + 4);
  }
  ctx.setLineDash([]);
  if (more) ctx.fillText(`and ${more.count} more`, more.left, more.top + 4);
}

function paintLines(ctx: CanvasRenderingContext2D, { x, y }: Figure, lines: readonly Line[]): void {
  const scaled = (axis: Axis): Axis => ({ ...axis, from: axis.from * SCALE, to: axis.to * SCALE });
  const frame = { x: scaled(x), y: scaled(y), ratio: SCALE };
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.x.from, frame.y.to, frame.x.to - frame.x.from, frame.y.from - frame.y.to);
  ctx.clip();
  paint(ctx, lines, frame);
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
