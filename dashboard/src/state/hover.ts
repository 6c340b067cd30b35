// What the pointer is over, apart from the view because it changes many times a second. Knows no address: hovering is not kept.
import { create } from "zustand";

export interface Hover {
  /** The run (or group key) that is highlighted everywhere. */
  run: string | null;
  /** The x value under the cursor of some chart, in data units. */
  x: number | null;
  /** The chart that the pointer is in. */
  metric: string | null;
}

export const useHover = create<Hover>()(() => ({ run: null, x: null, metric: null }));

export function hoverRun(run: string | null): void {
  if (useHover.getState().run !== run) useHover.setState({ run });
}

export function hoverX(metric: string | null, x: number | null): void {
  const now = useHover.getState();
  if (now.x !== x || now.metric !== metric) useHover.setState({ metric, x });
}
