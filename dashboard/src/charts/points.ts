// How many points the mounted charts hold together, for the footer. Knows no chart.
import { setCounts } from "../state/counts";

const points = new Map<string, number>();
let timer = 0;

/** Note a chart's points; 0 takes it out. The footer hears of it once for many charts. */
export function countPoints(metric: string, count: number): void {
  if (count) points.set(metric, count);
  else points.delete(metric);
  if (timer) return;
  timer = window.setTimeout(() => {
    timer = 0;
    setCounts({ points: [...points.values()].reduce((sum, one) => sum + one, 0) });
  }, 100);
}
