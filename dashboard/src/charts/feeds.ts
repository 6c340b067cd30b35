// What a chart of one or several metrics draws: a feed for each, told together once all have an answer. Knows no canvas.
import type { GetSeries } from "../api/types";
import { type ChartData, Feed } from "./feed";

export class Feeds {
  private readonly feeds: Feed[];
  private readonly parts: (ChartData | null)[];

  constructor(
    private readonly metrics: readonly string[],
    show: (parts: readonly ChartData[]) => void,
    fail: (error: Error) => void,
  ) {
    this.parts = metrics.map(() => null);
    this.feeds = metrics.map(
      (metric, at) =>
        new Feed(
          metric,
          (data) => {
            this.parts[at] = data;
            const known = this.parts.filter((part) => part !== null);
            if (known.length === metrics.length) show(known);
          },
          fail,
        ),
    );
  }

  ask(query: Omit<GetSeries, "metric">, smoothing: number): void {
    this.feeds.forEach((feed, at) => {
      feed.ask({ ...query, metric: this.metrics[at]! }, smoothing);
    });
  }

  close(): void {
    for (const feed of this.feeds) feed.close();
  }
}
