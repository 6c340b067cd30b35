// What a test from outside can read: under `?test`, `window.mlLogger.charts[metric].model()` returns what is drawn.

/** Whether `?test` is in the address. */
export const underTest = new URLSearchParams(location.search).has("test");

/** What one chart draws. */
export interface ChartModel {
  runs: { key: string; metric?: string; x: number[]; mean: (number | null)[]; min: (number | null)[]; max: (number | null)[] }[];
  xRange: [number, number] | null;
  yRange: [number, number] | null;
  exact: boolean;
  logged: number;
  stored: number;
  shown: number;
}

declare global {
  interface Window {
    mlLogger?: { charts: Record<string, { model(): ChartModel }> };
  }
}
