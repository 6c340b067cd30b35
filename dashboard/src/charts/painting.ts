// Paints what is asked last of each chart, and keeps the lines for it: in the worker behind the studio, or where there is none on the page.
// Knows no page.
import type { Axis } from "../math/project";
import type { Pair } from "../math/range";
import { type Canvas2D, type Frame, type Line, paint, paintHighlight } from "./painter";
import type { Job, Order, Picture } from "./studio";

const TOGETHER_MS = 40;

/** Returns who takes orders; `give` gets pictures together: each that came alone would cost the page a frame. */
export function painting(give: (pictures: Picture[]) => void): (order: Order) => void {
  const canvas = new OffscreenCanvas(1, 1);
  const ctx = canvas.getContext("2d")!;
  const lines = new Map<number, readonly Line[]>();
  const waiting = new Map<string, Job>();
  let done: Picture[] = [];
  let since = 0;
  /** Between two pictures the messages that came meanwhile are taken: they may replace what waits. */
  const next = new MessageChannel();
  next.port1.onmessage = () => {
    const [first] = waiting;
    if (!first) return;
    waiting.delete(first[0]);
    if (waiting.size) next.port2.postMessage(null);
    const { chart, kind, turn } = first[1];
    const known = lines.get(chart);
    if (known) {
      if (!done.length) since = performance.now();
      draw(ctx, known, first[1]);
      done.push({ chart, kind, turn, bitmap: canvas.transferToImageBitmap() });
    }
    if (waiting.size && performance.now() - since < TOGETHER_MS) return;
    give(done);
    done = [];
  };
  return (order) => {
    if ("job" in order) {
      if (!waiting.size) next.port2.postMessage(null);
      waiting.set(`${order.job.kind} ${order.job.chart}`, order.job);
    } else if ("lines" in order) lines.set(order.chart, order.lines);
    else lines.delete(order.chart);
  };
}

function draw(ctx: OffscreenCanvasRenderingContext2D, known: readonly Line[], job: Job): void {
  const { width, height } = job;
  const { canvas } = ctx;
  if (canvas.width === width && canvas.height === height) ctx.clearRect(0, 0, width, height);
  else Object.assign(canvas, { width, height });
  if (job.kind === "lines") paint(ctx, known, frameOf(job));
  else drawOver(ctx, known, job);
}

function drawOver(ctx: Canvas2D, known: readonly Line[], job: Job): void {
  ctx.globalAlpha = 0.72;
  ctx.fillStyle = job.veil;
  ctx.fillRect(0, 0, job.width, job.height);
  ctx.globalAlpha = 1;
  const line = known.find((one) => one.key === job.highlighted);
  if (line) paintHighlight(ctx, line, frameOf(job));
}

function frameOf({ x, y, logX, logY, width, height, ratio }: Job): Frame {
  const axis = ([min, max]: Pair, from: number, to: number, log: boolean): Axis => ({ min, max, from, to, log });
  return { x: axis(x, 0, width, logX), y: axis(y, height, 0, logY), ratio };
}
