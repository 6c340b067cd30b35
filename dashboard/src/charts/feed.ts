// What one chart draws, kept fresh while it is mounted: the plain series, the smoothed ones over them, live tails. Knows no canvas.
import type { Change, GetSeries } from "../api/types";
import type { Columns, SetHeader } from "../math/columns";
import { live } from "../state/live";
import { atBeat } from "./frames";
import { Track } from "./track";

export interface ChartData {
  header: SetHeader;
  /** Unsmoothed: bands, and raw lines behind smoothed ones. */
  plain: readonly Columns[];
  /** By key; null when nothing is smoothed. */
  smooth: ReadonlyMap<string, Columns> | null;
}

/** Groups, which the server computes anew each time, are asked for less often than tails. */
const GROUPS_MS = 2000;

export class Feed {
  private readonly plain = new Track();
  private smooth: Track | null = null;
  private readonly dirty = new Set<string>();
  private timer = 0;
  private last = -GROUPS_MS;
  private growing = false;
  private asked: [query: GetSeries, smoothing: number] | null = null;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly metric: string,
    private readonly show: (data: ChartData | null) => void,
    private readonly fail: (error: Error) => void,
  ) {
    let seen = false;
    this.stops.push(live().onChange((change) => this.note(change)));
    this.stops.push(
      live().onStatus((status) => {
        if (status !== "live") return;
        if (seen) this.back();
        seen = true;
      }),
    );
    const woken = () => !document.hidden && this.schedule();
    document.addEventListener("visibilitychange", woken);
    this.stops.push(() => document.removeEventListener("visibilitychange", woken));
  }

  /** Draw the answer to another question; the old lines stay until it comes. */
  ask(query: GetSeries, smoothing: number): void {
    this.asked = [query, smoothing];
    if (!smoothing) {
      this.smooth?.close();
      this.smooth = null;
    } else this.smooth ??= new Track();
    const parts = [this.plain.ask(query)];
    if (this.smooth) parts.push(this.smooth.ask({ ...query, smoothing: { kind: "ema", amount: smoothing } }));
    Promise.all(parts).then(() => this.publish(), this.failed);
  }

  close(): void {
    for (const stop of this.stops) stop();
    window.clearTimeout(this.timer);
    atBeat(this, null);
    this.plain.close();
    this.smooth?.close();
  }

  private note(change: Change): void {
    if (change.what.length && !change.what.some((what) => what === "rows" || what === "new" || what === "gone")) return;
    if (change.metrics.length && !change.metrics.includes(this.metric)) return;
    this.dirty.add(change.run);
    this.schedule();
  }

  /** After a gap anything may have been missed. */
  private back(): void {
    if (this.asked) this.ask(...this.asked); // a question that failed meanwhile is asked again
    for (const { meta } of this.plain.columns) this.dirty.add(meta.key);
    this.schedule();
  }

  private schedule(): void {
    if (this.timer || this.growing || !this.dirty.size || document.hidden) return;
    const pause = this.asked?.[0].group_by?.length || this.asked?.[0].split ? this.last + GROUPS_MS - performance.now() : 0;
    const due = () => {
      this.timer = 0;
      atBeat(this, () => void this.grow());
    };
    if (pause > 0) this.timer = window.setTimeout(due, pause);
    else due();
  }

  private async grow(): Promise<void> {
    this.last = performance.now();
    this.growing = true;
    const runs = new Set(this.dirty);
    this.dirty.clear();
    try {
      const grown = await Promise.all([this.plain.grow(runs), this.smooth?.grow(runs)]);
      if (grown.some(Boolean)) this.publish();
    } catch (error) {
      if (!aborted(error)) for (const run of runs) this.dirty.add(run); // asked again when the next notice comes
    } finally {
      this.growing = false;
    }
    this.schedule();
  }

  private publish(): void {
    const { header, columns } = this.plain;
    if (!header) return;
    const smooth = this.smooth?.header ? new Map(this.smooth.columns.map((one) => [one.meta.key, one])) : null;
    this.show({ header, plain: columns, smooth });
  }

  private readonly failed = (error: unknown): void => {
    if (!aborted(error)) this.fail(error instanceof Error ? error : new Error(String(error)));
  };
}

const aborted = (error: unknown) => error instanceof DOMException && error.name === "AbortError";
