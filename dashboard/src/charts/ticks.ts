// Where an axis of a plot has ticks and what they say, by what it counts. Knows numbers, no plot.
import { dateTicks, localOffset, logTicks, niceTicks, secondsLabel, secondsTicks, stepTicks, tickLabels } from "../math/labels";

export type Ticks = (min: number, max: number, most: number) => number[];

interface Axis {
  ticks: Ticks;
  labels(ticks: readonly (number | null)[]): string[];
}

/** `counts` is "step", "time", "relative", a metric, or "" for values. */
export function ticksOf(counts: string, log: boolean): Axis {
  if (counts === "time") return clock(); // seconds since 1970: within a run their logarithm is as good as straight
  if (log) return { ticks: logTicks, labels: tickLabels };
  if (counts === "relative")
    return { ticks: secondsTicks, labels: (ticks) => ticks.map((at) => (at === null ? "" : secondsLabel(at))) };
  return { ticks: counts === "step" ? stepTicks : niceTicks, labels: tickLabels };
}

/** Wall time where the page is read. How exact a label must be is known with its ticks. */
function clock(): Axis {
  let texts = new Map<number, string>();
  return {
    ticks(min, max, most) {
      const found = dateTicks(min, max, most, localOffset(min));
      texts = new Map(found.map(({ at, text }) => [at, text]));
      return found.map(({ at }) => at);
    },
    labels: (ticks) => ticks.map((at) => (at === null ? "" : (texts.get(at) ?? ""))),
  };
}
