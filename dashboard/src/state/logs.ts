// A log file by pages: lines are fetched where they are looked at, and kept. Knows the question, no element.
import { ask } from "../api/client";
import type { LogPage } from "../api/types";

export const LINES = 500;
/** 30,000 lines stay in memory: enough to scroll back and forth, whatever the file's length. */
const MOST_PAGES = 60;

/** A line, its number from 0, and where the filter found something: start, end, start, end … of the text without escapes. */
export interface Line {
  text: string;
  number: number;
  marks: readonly number[];
}

const NO_MARKS: readonly number[] = [];

/** Lines of one file under one filter. `total` is −1 before the first answer. */
export class LogPages {
  total = -1;
  error: Error | null = null;
  private readonly pages = new Map<number, Pick<LogPage, "lines" | "numbers" | "marks">>();
  private readonly waiting = new Map<number, AbortController>();
  private closed = false;

  constructor(
    private readonly path: string,
    private readonly match: string,
    private readonly changed: () => void,
  ) {}

  /** The line at `index` of those that match, or undefined while it is on its way. */
  line(index: number): Line | undefined {
    const page = this.pages.get(Math.floor(index / LINES));
    const text = page?.lines[index % LINES];
    if (text === undefined) return undefined;
    return { text, number: page!.numbers[index % LINES]!, marks: page!.marks[index % LINES] ?? NO_MARKS };
  }

  /** See to it that lines [from, to) are there or on their way; those asked for earlier, and passed over since, are given up. */
  want(from: number, to: number): void {
    const first = Math.floor(Math.max(0, from) / LINES);
    const last = Math.floor((Math.max(to, 1) - 1) / LINES);
    for (const page of [...this.waiting.keys()]) if (page < first || page > last) this.giveUp(page);
    for (let page = first; page <= last; page++) if (!this.pages.has(page)) void this.fetch(page);
  }

  /** Ask again how long the file is, by its last page. */
  grow(): void {
    const last = Math.floor((Math.max(this.total, 1) - 1) / LINES);
    this.giveUp(last);
    void this.fetch(last);
  }

  open(): void {
    this.closed = false;
  }

  close(): void {
    this.closed = true;
    for (const page of [...this.waiting.keys()]) this.giveUp(page);
  }

  private giveUp(page: number): void {
    this.waiting.get(page)?.abort();
    this.waiting.delete(page);
  }

  private async fetch(page: number): Promise<void> {
    if (this.closed || this.waiting.has(page)) return;
    const request = new AbortController();
    this.waiting.set(page, request);
    const query = { type: "read_log", path: this.path, start: page * LINES, limit: LINES, match: this.match } as const;
    try {
      this.take(page, await ask(query, request.signal));
    } catch (error) {
      if (request.signal.aborted) return;
      this.error = error instanceof Error ? error : new Error(String(error));
    } finally {
      if (this.waiting.get(page) === request) this.waiting.delete(page);
    }
    if (!this.closed) this.changed();
  }

  private take(page: number, answer: LogPage): void {
    if (answer.total < this.total) this.pages.clear(); // the file was written anew
    this.pages.delete(page);
    this.pages.set(page, { lines: answer.lines, numbers: answer.numbers, marks: answer.marks });
    this.total = answer.total;
    this.error = null;
    for (const oldest of this.pages.keys()) {
      if (this.pages.size <= MOST_PAGES) break;
      this.pages.delete(oldest);
    }
  }
}
