// Where charts are painted: a worker, so that a page with fifty charts still follows the pointer. Jobs go out, pictures come back.
// Knows no plot. Where no worker can be had the page paints itself; a browser that paints on no canvas but those of the page (before 2023) shows
// axes, tables and tooltips, but no lines.
import type { Pair } from "../math/range";
import type { Line } from "./painter";

/** "lines" are all lines of a chart, "over" the highlighted one above a veil. */
export type Kind = "lines" | "over";

/** What is to be painted of a chart, in device pixels. */
export interface Job {
  chart: number;
  kind: Kind;
  turn: number;
  x: Pair;
  y: Pair;
  logX: boolean;
  logY: boolean;
  width: number;
  height: number;
  ratio: number;
  /** For "over": which line, and the veil's colour. */
  highlighted: string | null;
  veil: string;
}

export type Order = { job: Job } | { chart: number; lines: readonly Line[] } | { chart: number; gone: true };

export interface Picture {
  chart: number;
  kind: Kind;
  turn: number;
  bitmap: ImageBitmap;
}

let painter: ((order: Order) => void) | undefined;
/** Counts painters: one that failed is replaced, and gets all lines anew. */
let era = 0;
/** Workers that failed (their file could not be loaded, or they threw): after so many the page paints itself. */
let failed = 0;
const MOST_FAILED = 3;
let charts = 0;
const sittings = new Map<number, Sitting>();

function post(order: Order): void {
  if (typeof OffscreenCanvas === "undefined") return;
  painter ??= failed < MOST_FAILED && typeof Worker !== "undefined" ? workingPainter() : ownPainter();
  painter(order);
}

function workingPainter(): (order: Order) => void {
  const worker = new Worker(new URL("./paintWorker.ts", import.meta.url), { type: "module" });
  const paint = (order: Order) => worker.postMessage(order);
  worker.onerror = () => {
    if (painter !== paint) return;
    painter = undefined;
    era++;
    failed++;
    for (const sitting of sittings.values()) sitting.again();
  };
  worker.onmessage = ({ data }: MessageEvent<Picture[]>) => give(data);
  return paint;
}

/** Paint on the page; what is ordered before the code is there waits for it. If it does not come, the next job begins anew. */
function ownPainter(): (order: Order) => void {
  const waiting: Order[] = [];
  let take = (order: Order): unknown => waiting.push(order);
  const paint = (order: Order) => void take(order);
  import("./painting").then(
    ({ painting }) => {
      take = painting(give);
      waiting.forEach(take);
    },
    () => {
      painter = undefined;
      era++;
      failed = 0;
    },
  );
  return paint;
}

function give(pictures: Picture[]): void {
  for (const picture of pictures) {
    const sitting = sittings.get(picture.chart);
    if (sitting) sitting.take(picture);
    else picture.bitmap.close();
  }
}

/** One chart's place in the studio. Lines are sent once; of jobs of a kind that wait, only the last is painted. */
export class Sitting {
  private readonly chart = ++charts;
  private sent: readonly Line[] | null = null;
  private era = era;
  private last: [lines: readonly Line[], job: Omit<Job, "chart">] | null = null;

  constructor(readonly take: (picture: Picture) => void) {
    sittings.set(this.chart, this);
  }

  paint(lines: readonly Line[], job: Omit<Job, "chart">): void {
    if (job.kind === "lines") this.last = [lines, job];
    if (lines !== this.sent || this.era !== era) {
      this.sent = lines;
      this.era = era;
      post({ chart: this.chart, lines });
    }
    post({ job: { ...job, chart: this.chart } });
  }

  /** Who was to paint has failed: ask the next. */
  again(): void {
    if (this.last) this.paint(...this.last);
  }

  close(): void {
    sittings.delete(this.chart);
    if (this.sent) post({ chart: this.chart, gone: true });
  }
}
