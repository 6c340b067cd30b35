// What the charts tell the footer: how many there are, and how many points they hold. Knows neither.
import { create } from "zustand";

export interface Counts {
  charts: number;
  points: number;
}

export const useCounts = create<Counts>()(() => ({ charts: 0, points: 0 }));

export function setCounts(counts: Partial<Counts>): void {
  useCounts.setState(counts);
}
