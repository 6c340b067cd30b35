// Where charts are painted: a worker, so that a page with fifty charts still follows the pointer. Jobs go out, pictures come back.
// Knows no plot. A browser without workers that paint (before 2023) shows axes, tables and tooltips, but no lines.
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

type Taker = (picture: Picture) => void;

let worker: Worker | undefined;
/** Counts workers: one that failed (its file could not be loaded, or it threw) is replaced at the next job. */
let era = 0;
let charts = 0;
const takers = new Map<number, Taker>();

function post(order: Order): void {
  if (!worker) {
    worker = new Worker(new URL("./paintWorker.ts", import.meta.url), { type: "module" });
    worker.onerror = () => {
      worker = undefined;
      era++;
    };
    worker.onmessage = ({ data }: MessageEvent<Picture[]>) => {
      for (const picture of data) {
        const take = takers.get(picture.chart);
        if (take) take(picture);
        else picture.bitmap.close();
      }
    };
  }
  worker.postMessage(order);
}

/** One chart's place in the studio. Lines are sent once; of jobs of a kind that wait, only the last is painted. */
export class Sitting {
  private readonly chart = ++charts;
  private sent: readonly Line[] | null = null;
  private era = era;

  constructor(take: Taker) {
    takers.set(this.chart, take);
  }

  paint(lines: readonly Line[], job: Omit<Job, "chart">): void {
    if (lines !== this.sent || this.era !== era) {
      this.sent = lines;
      this.era = era;
      post({ chart: this.chart, lines });
    }
    post({ job: { ...job, chart: this.chart } });
  }

  close(): void {
    takers.delete(this.chart);
    if (this.sent) post({ chart: this.chart, gone: true });
  }
}
