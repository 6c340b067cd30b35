// One question for series, kept fresh: asked once, then grown by tails; answers are kept for cards that scroll back. Knows no canvas.
import { askSeries } from "../api/series";
import type { GetSeries } from "../api/types";
import type { Columns, SetHeader } from "../math/columns";
import { type Growing, growing, halved, joined } from "../math/tail";

interface Kept {
  header: SetHeader;
  series: Map<string, Growing>;
}

/** Answers that left the page and may come back. */
const MOST_KEPT = 200;
const kept = new Map<string, Kept>();

export class Track {
  header: SetHeader | null = null;
  private query: GetSeries | null = null;
  private series = new Map<string, Growing>();
  private leaving: AbortController | null = null;

  /** What is known now, in the order of the answer. */
  get columns(): Columns[] {
    return [...this.series.values()].map((series) => series.columns);
  }

  /** Ask a question; what was there stays until the answer is. Returns false if nothing new came, or it was overtaken. */
  async ask(query: GetSeries, again = false): Promise<boolean> {
    const name = JSON.stringify(query);
    if (!again && this.query && JSON.stringify(this.query) === name) return false;
    this.keep();
    this.query = query;
    this.leaving?.abort();
    const turn = new AbortController();
    this.leaving = turn;
    const found = again ? undefined : kept.get(name);
    if (found) {
      this.take(found);
      this.grow(new Set(found.series.keys())).catch(() => undefined); // left meanwhile, or asked again by the next notice
      return true;
    }
    const answer = await this.answer(query, turn.signal);
    if (this.leaving !== turn) return false;
    this.take({ header: answer.header, series: this.grown(answer.header, answer.series) });
    return true;
  }

  /** Ask for what the runs have gained. Groups, and axes on which points come in any order, are asked anew. */
  async grow(runs: ReadonlySet<string>): Promise<boolean> {
    const query = this.query;
    if (!query || this.header === null) return false;
    if (query.group_by?.length || query.split || !["step", "time", "relative"].includes(query.x ?? "step"))
      return this.ask(query, true);
    const asked = query.runs ? query.runs.filter((run) => runs.has(run)) : [...runs];
    const known = asked.filter((run) => this.series.get(run)?.since != null);
    const fresh = asked.filter((run) => this.series.get(run)?.since == null);
    const since = Math.min(...known.map((run) => this.series.get(run)!.since!));
    const parts = await Promise.all([
      known.length ? this.tail({ ...query, runs: known, since }) : false,
      fresh.length ? this.tail({ ...query, runs: fresh }) : false,
    ]);
    return parts.some(Boolean);
  }

  private async answer(query: GetSeries, signal: AbortSignal) {
    try {
      return await askSeries(query, signal);
    } catch (error) {
      if (this.query === query) this.query = null; // asked again next time
      throw error;
    }
  }

  close(): void {
    this.keep();
    this.leaving?.abort();
    this.leaving = null;
  }

  private async tail(query: GetSeries): Promise<boolean> {
    const turn = this.leaving;
    if (!turn) return false;
    const answer = await askSeries(query, turn.signal);
    if (this.leaving !== turn) return false;
    const { lo, hi } = answer.header;
    if (this.header && hi !== null)
      this.header = { ...this.header, lo: this.header.lo ?? lo, hi: Math.max(this.header.hi ?? hi, hi) };
    const bins = query.bins ?? 1000;
    let grown = false;
    for (const columns of answer.series) {
      const old = this.series.get(columns.meta.key);
      let next = old ? joined(old, columns, lo, hi, bins) : growing(columns, lo, hi, bins);
      if (next === old) continue;
      grown = true;
      if (next.columns.x.length > 3 * bins) next = halved(next);
      this.series.set(columns.meta.key, next);
    }
    return grown;
  }

  private grown(header: SetHeader, series: readonly Columns[]): Map<string, Growing> {
    const bins = this.query?.bins ?? 1000;
    return new Map(series.map((columns) => [columns.meta.key, growing(columns, header.lo, header.hi, bins)]));
  }

  private take({ header, series }: Kept): void {
    this.header = header;
    this.series = new Map(series);
  }

  private keep(): void {
    if (!this.query || !this.header) return;
    const name = JSON.stringify(this.query);
    kept.delete(name);
    kept.set(name, { header: this.header, series: this.series });
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_KEPT) break;
      kept.delete(oldest);
    }
  }
}
