// Draws series on a canvas: bands, raw lines, lines, points that stand alone, marks of values that are not finite.
// Knows no fetch, no uPlot and no element. Wide strokes cost five times thin ones: where there are many points, a line is thin
// strokes side by side, and a band is one thin upright stroke for each bucket.
import { type Columns, withBeside } from "../math/columns";
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

/** A canvas of the page, or of a worker. */
export type Canvas2D = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

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
  /** Thin strokes side by side instead of a wide one. */
  thin: boolean;
}

/** A wide stroke is cut into pieces of this many segments: long ones are slower. */
const PIECE = 32;
/** With more lines each is one device pixel wide; with more points in view wide strokes are too slow. */
const MANY = 100;
const MANY_POINTS = 2500;
const WIDTH = 1.4;
const BAND_ALPHA = 0.14;
/** Buckets nearer than this, in device pixels, leave no gap between thin strokes; bands lower than COVERED lie under the line. */
const DENSE = 1.3;
const FEW = 32;
const COVERED = 1;

let px = new Float32Array(4096);
let py = new Float32Array(4096);

/** Draw all lines; the caller clips to the plot. Cost: about 10 ns a point in a thin line. */
export function paint(ctx: Canvas2D, lines: readonly Line[], frame: Frame): void {
  ctx.lineJoin = "bevel";
  ctx.lineCap = "butt";
  for (const line of lines) if (line.band.count) paintBand(ctx, line, frame);
  for (const line of lines)
    if (line.smoothed) paintLine(ctx, line.band, { colour: line.faint, width: 1, dash: [], thin: true }, frame);
  const many = lines.length > MANY;
  const width = many ? 1 : WIDTH * frame.ratio;
  const thin = many || pointsOf(lines) > MANY_POINTS;
  for (const { columns, colour, dash } of lines) paintLine(ctx, columns, { colour, width, dash: many ? [] : dash, thin }, frame);
  for (const line of lines) paintMarks(ctx, line, frame);
}

const pointsOf = (lines: readonly Line[]) => lines.reduce((sum, { columns }) => sum + columns.x.length, 0);

/** Draw one line over the others, which fade: what a highlight shows. */
export function paintHighlight(ctx: Canvas2D, line: Line, frame: Frame): void {
  ctx.lineJoin = "round";
  if (line.band.count) paintBand(ctx, line, frame);
  const { colour, dash } = line;
  paintLine(ctx, line.columns, { colour, width: 2.2 * frame.ratio, dash, thin: false }, frame);
}

function paintLine(ctx: Canvas2D, columns: Columns, pen: Pen, frame: Frame): void {
  const { x, mean } = withBeside(columns);
  const n = projected(x, mean, frame);
  ctx.strokeStyle = pen.colour;
  ctx.fillStyle = pen.colour;
  ctx.lineWidth = pen.thin ? 1 : pen.width;
  ctx.setLineDash(pen.dash.map((length) => length * frame.ratio));
  const piece = pen.thin || pen.dash.length ? Number.MAX_SAFE_INTEGER : PIECE;
  const beside = pen.thin ? besideOf(pen.width) : [0];
  spans(px, py, n, (from, to) => {
    if (to - from === 1) paintPoint(ctx, px[from]!, py[from]!, Math.max(pen.width, 2 * frame.ratio));
    else for (const offset of beside) strokeSpan(ctx, from, to, piece, offset);
  });
  ctx.setLineDash([]);
}

/** Where thin strokes lie that together are `width` pixels high: [−0.2, 0.2] for 1.4. */
export function besideOf(width: number): number[] {
  const strokes = Math.max(1, Math.ceil(width));
  const spread = Math.max(0, width - 1);
  return Array.from({ length: strokes }, (_, at) => (strokes > 1 ? (at / (strokes - 1) - 0.5) * spread : 0));
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

function strokeSpan(ctx: Canvas2D, from: number, to: number, piece: number, offset: number): void {
  const at = cuts(to - from, piece);
  for (let k = 0; k + 1 < at.length; k++) {
    const [first, last] = [from + at[k]!, from + at[k + 1]!];
    ctx.beginPath();
    ctx.moveTo(px[first]!, py[first]! + offset);
    for (let i = first + 1; i <= last; i++) ctx.lineTo(px[i]!, py[i]! + offset);
    ctx.stroke();
  }
}

function paintPoint(ctx: Canvas2D, x: number, y: number, radius: number): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

function paintBand(ctx: Canvas2D, line: Line, frame: Frame): void {
  const { x, min, max } = withBeside(line.band);
  const low = frame.y.log ? min.map((value) => (value <= 0 ? frame.y.min : value)) : min; // a band that dips to ≤ 0 reaches the axis
  const n = projected(x, max, frame);
  const tops = py.slice(0, n);
  const [start, stop] = within(x, frame.x.min, frame.x.max);
  project(frame.y, low, start, stop, py);
  ctx.globalAlpha = BAND_ALPHA;
  ctx.fillStyle = line.colour;
  ctx.strokeStyle = line.colour;
  ctx.lineWidth = 1;
  const dense = n > FEW && (px[n - 1]! - px[0]!) / (n - 1) < DENSE;
  spans(tops, py, n, (from, to) =>
    dense ? strokeBand(ctx, tops, from, to, line.smoothed ? 0 : COVERED) : fillBand(ctx, tops, from, to),
  );
  ctx.globalAlpha = 1;
}

/** Buckets about a device pixel apart: one upright stroke in each pixel column, none where it is less than `covered` high. */
function strokeBand(ctx: Canvas2D, tops: Float32Array, from: number, to: number, covered: number): void {
  ctx.beginPath();
  let column = Math.floor(px[from]!);
  for (let i = from; i < to; ) {
    let [top, bottom] = [tops[i]!, py[i]!];
    for (i++; i < to && Math.floor(px[i]!) === column; i++) {
      top = Math.min(top, tops[i]!);
      bottom = Math.max(bottom, py[i]!);
    }
    const next = i < to ? Math.floor(px[i]!) : column + 1;
    for (; column < next; column++) {
      if (bottom - top < covered) continue;
      ctx.moveTo(column + 0.5, top);
      ctx.lineTo(column + 0.5, bottom);
    }
  }
  ctx.stroke();
}

function fillBand(ctx: Canvas2D, tops: Float32Array, from: number, to: number): void {
  ctx.beginPath();
  ctx.moveTo(px[from]!, tops[from]!);
  for (let i = from + 1; i < to; i++) ctx.lineTo(px[i]!, tops[i]!);
  for (let i = to - 1; i >= from; i--) ctx.lineTo(px[i]!, py[i]!);
  ctx.fill();
}

/** NaN is a small cross at the bottom, +∞ a triangle at the top, −∞ one at the bottom. */
function paintMarks(ctx: Canvas2D, line: Line, frame: Frame): void {
  ctx.fillStyle = line.colour;
  ctx.strokeStyle = line.colour;
  ctx.lineWidth = frame.ratio;
  for (const mark of line.band.meta.marks) {
    if (!Array.isArray(mark)) continue;
    const at = toPixel(frame.x, Number(mark[0]));
    if (at >= frame.x.from && at <= frame.x.to) paintMark(ctx, at, String(mark[1]), frame);
  }
}

function paintMark(ctx: Canvas2D, x: number, kind: string, frame: Frame): void {
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
