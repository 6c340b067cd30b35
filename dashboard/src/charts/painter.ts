// Draws series on a canvas: bands, raw lines, lines, points that stand alone, marks of values that are not finite.
// Knows no fetch, no uPlot and no element. Wide lines are stroked in short opaque pieces: long wide strokes are 2–5 times slower.
import type { Columns } from "../math/columns";
import { type Axis, cuts, project, spans, toPixel } from "../math/project";
import { within } from "../math/range";

/** One series as it is drawn. `band` holds its min and max, and the raw values if the line is smoothed. */
export interface Line {
  readonly key: string;
  readonly columns: Columns;
  readonly band: Columns;
  readonly smoothed: boolean;
  readonly colour: string;
  readonly faint: string;
  readonly dash: readonly number[];
  /** Where a chart draws several metrics: which one this is. */
  readonly metric?: string;
}

export interface Frame {
  x: Axis;
  y: Axis;
  /** Device pixels of a CSS pixel. */
  ratio: number;
}

interface Pen {
  colour: string;
  width: number;
  dash: readonly number[];
}

const PIECE = 32;
const MANY = 100;
const WIDTH = 1.4;
const BAND_ALPHA = 0.14;

let px = new Float32Array(4096);
let py = new Float32Array(4096);

/** Draw all lines; the caller clips to the plot. Cost: about 10 ns a point in a thin line. */
export function paint(ctx: CanvasRenderingContext2D, lines: readonly Line[], frame: Frame): void {
  ctx.lineJoin = "round";
  ctx.lineCap = "butt";
  for (const line of lines) if (line.band.count) paintBand(ctx, line, frame);
  for (const line of lines) if (line.smoothed) paintLine(ctx, line.band, { colour: line.faint, width: 1, dash: [] }, frame);
  const many = lines.length > MANY;
  const width = many ? 1 : WIDTH * frame.ratio;
  for (const { columns, colour, dash } of lines) paintLine(ctx, columns, { colour, width, dash: many ? [] : dash }, frame);
  for (const line of lines) paintMarks(ctx, line, frame);
}

/** Draw one line over the others, which fade: what a highlight shows. */
export function paintHighlight(ctx: CanvasRenderingContext2D, line: Line, frame: Frame): void {
  ctx.lineJoin = "round";
  if (line.band.count) paintBand(ctx, line, frame);
  paintLine(ctx, line.columns, { colour: line.colour, width: 2.2 * frame.ratio, dash: line.dash }, frame);
}

function paintLine(ctx: CanvasRenderingContext2D, columns: Columns, pen: Pen, frame: Frame): void {
  const n = projected(columns.x, columns.mean, frame);
  ctx.strokeStyle = pen.colour;
  ctx.fillStyle = pen.colour;
  ctx.lineWidth = pen.width;
  ctx.setLineDash(pen.dash.map((length) => length * frame.ratio));
  const piece = pen.width > 1 && !pen.dash.length ? PIECE : Number.MAX_SAFE_INTEGER;
  spans(px, py, n, (from, to) => {
    if (to - from === 1) paintPoint(ctx, px[from]!, py[from]!, Math.max(pen.width, 2 * frame.ratio));
    else strokeSpan(ctx, from, to, piece);
  });
  ctx.setLineDash([]);
}

/** Project the visible part of a curve into px, py; returns how many points that is. */
function projected(x: Float64Array, y: Float64Array, frame: Frame): number {
  const [start, stop] = within(x, frame.x.min, frame.x.max);
  const n = stop - start;
  if (px.length < n) {
    px = new Float32Array(2 * n);
    py = new Float32Array(2 * n);
  }
  project(frame.x, x, start, stop, px);
  project(frame.y, y, start, stop, py);
  return n;
}

function strokeSpan(ctx: CanvasRenderingContext2D, from: number, to: number, piece: number): void {
  const at = cuts(to - from, piece);
  for (let k = 0; k + 1 < at.length; k++) {
    const [first, last] = [from + at[k]!, from + at[k + 1]!];
    ctx.beginPath();
    ctx.moveTo(px[first]!, py[first]!);
    for (let i = first + 1; i <= last; i++) ctx.lineTo(px[i]!, py[i]!);
    ctx.stroke();
  }
}

function paintPoint(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

function paintBand(ctx: CanvasRenderingContext2D, line: Line, frame: Frame): void {
  const { x, min, max } = line.band;
  const low = frame.y.log ? min.map((value) => (value <= 0 ? frame.y.min : value)) : min; // a band that dips to ≤ 0 reaches the axis
  const n = projected(x, max, frame);
  const tops = py.slice(0, n);
  const [start, stop] = within(x, frame.x.min, frame.x.max);
  project(frame.y, low, start, stop, py);
  ctx.globalAlpha = BAND_ALPHA;
  ctx.fillStyle = line.colour;
  spans(tops, py, n, (from, to) => {
    ctx.beginPath();
    ctx.moveTo(px[from]!, tops[from]!);
    for (let i = from + 1; i < to; i++) ctx.lineTo(px[i]!, tops[i]!);
    for (let i = to - 1; i >= from; i--) ctx.lineTo(px[i]!, py[i]!);
    ctx.fill();
  });
  ctx.globalAlpha = 1;
}

/** NaN is a small cross at the bottom, +∞ a triangle at the top, −∞ one at the bottom. */
function paintMarks(ctx: CanvasRenderingContext2D, line: Line, frame: Frame): void {
  ctx.fillStyle = line.colour;
  ctx.strokeStyle = line.colour;
  ctx.lineWidth = frame.ratio;
  for (const mark of line.band.meta.marks) {
    if (!Array.isArray(mark)) continue;
    const at = toPixel(frame.x, Number(mark[0]));
    if (at >= frame.x.from && at <= frame.x.to) paintMark(ctx, at, String(mark[1]), frame);
  }
}

function paintMark(ctx: CanvasRenderingContext2D, x: number, kind: string, frame: Frame): void {
  const size = 3 * frame.ratio;
  const [bottom, top] = [frame.y.from, frame.y.to];
  ctx.beginPath();
  if (kind === "nan") {
    const y = bottom - size - 1;
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.moveTo(x - size, y + size);
    ctx.lineTo(x + size, y - size);
    ctx.stroke();
    return;
  }
  const [tip, base] = kind === "inf" ? [top + 1, top + 1 + 2 * size] : [bottom - 1, bottom - 1 - 2 * size];
  ctx.moveTo(x, tip);
  ctx.lineTo(x - size, base);
  ctx.lineTo(x + size, base);
  ctx.fill();
}
