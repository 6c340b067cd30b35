// What panels of bars and histograms show: distributions out of rows, and how long a bar is. Pure; draws nothing.

/** One step's distribution, as log_histogram logs it. */
export interface Histogram {
  readonly step: number;
  readonly counts: readonly number[];
  readonly edges: readonly number[];
}

/** Read the histograms named `key` from rows of a table; what is no histogram is passed over. */
export function histogramsOf(rows: readonly Record<string, unknown>[], key: string): Histogram[] {
  const found: Histogram[] = [];
  rows.forEach((row, index) => {
    const value = row[key];
    if (typeof value !== "object" || value === null) return;
    const { counts, edges } = value as Record<string, unknown>;
    if (!isNumbers(counts) || !isNumbers(edges) || !counts.length || edges.length !== counts.length + 1) return;
    const step = ["step", "timestep", "global_step", "epoch"].map((name) => row[name]).find((one) => Number.isInteger(one));
    found.push({ step: (step as number | undefined) ?? index, counts, edges });
  });
  return found.sort((a, b) => a.step - b.step);
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number" && Number.isFinite(one));

/** Where a bar lies between the least and greatest value, zero included: [left, width] as parts of the whole. */
export function barOf(value: number, values: readonly number[]): [left: number, width: number] {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const span = high / 2 - low / 2; // halves, so that ±1e308 do not overflow
  if (!(span > 0)) return [0, 0];
  const part = (at: number) => (at / 2 - low / 2) / span;
  return [part(Math.min(0, value)), Math.abs(part(value) - part(0))];
}
