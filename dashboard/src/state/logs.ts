// A log file by pages: lines are fetched where they are looked at, and kept. Knows the question, no element.
import { ask } from "../api/client";

export const LINES = 500;
const MOST_PAGES = 200;

/** Lines of one file under one filter. `total` is −1 before the first answer. */
export class LogPages {
  total = -1;
  error: Error | null = null;
  private readonly pages = new Map<number, { lines: string[]; numbers: number[] }>();
  private readonly waiting = new Set<number>();
  private closed = false;

  constructor(
    private readonly path: string,
    private readonly match: string,
    private readonly changed: () => void,
  ) {}

  /** The line at `index` of those that match, or undefined while it is on its way. */
  line(index: number): { text: string; number: number } | undefined {
    const page = this.pages.get(Math.floor(index / LINES));
    const text = page?.lines[index % LINES];
    return text === undefined ? undefined : { text, number: page!.numbers[index % LINES]! };
  }

  /** See to it that lines [from, to) are there or on their way. */
  want(from: number, to: number): void {
    for (let page = Math.floor(Math.max(0, from) / LINES); page * LINES < Math.max(to, 1); page++) {
      if (!this.pages.has(page)) void this.fetch(page);
    }
  }

  /** Ask again how long the file is, by its last page. */
  async grow(): Promise<void> {
    await this.fetch(Math.max(0, Math.floor((Math.max(this.total, 1) - 1) / LINES)), true);
  }

  open(): void {
    this.closed = false;
  }

  close(): void {
    this.closed = true;
  }

  private async fetch(page: number, again = false): Promise<void> {
    if (this.closed || (this.waiting.has(page) && !again)) return;
    this.waiting.add(page);
    try {
      const answer = await ask({ type: "read_log", path: this.path, start: page * LINES, limit: LINES, match: this.match });
      this.pages.delete(page);
      this.pages.set(page, { lines: answer.lines, numbers: answer.numbers });
      if (answer.total < this.total) this.pages.clear(); // the file was written anew
      this.total = answer.total;
      this.error = null;
      for (const oldest of this.pages.keys()) {
        if (this.pages.size <= MOST_PAGES) break;
        this.pages.delete(oldest);
      }
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.waiting.delete(page);
    }
    if (!this.closed) this.changed();
  }
}
