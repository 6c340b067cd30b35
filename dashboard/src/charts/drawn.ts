// What the mounted charts draw, by their names, for whoever takes a whole page along. Knows no card.
import type { Line } from "./painter";

export interface DrawnChart {
  lines: readonly Line[];
  ranges: { x: [number, number]; y: [number, number] } | null;
}

const charts = new Map<string, () => DrawnChart>();

/** Tell what a chart draws as long as it is mounted; the returned function takes it out. */
export function announce(name: string, look: () => DrawnChart): () => void {
  charts.set(name, look);
  return () => {
    if (charts.get(name) === look) charts.delete(name);
  };
}

export const drawnChart = (name: string): DrawnChart | null => charts.get(name)?.() ?? null;
