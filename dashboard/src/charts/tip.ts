// What the tooltip says, apart from the view because it changes with every move of the pointer. Knows no element.
import { create } from "zustand";

export interface TipRow {
  key: string;
  title: string;
  colour: string;
  value: number;
  /** min … max of the bucket, where the value is a mean. */
  band: readonly [number, number] | null;
  nearest: boolean;
}

export interface Tip {
  metric: string | null;
  xName: string;
  x: number;
  rows: readonly TipRow[];
  left: number;
  top: number;
  pinned: boolean;
}

const NOTHING: Tip = { metric: null, xName: "step", x: 0, rows: [], left: 0, top: 0, pinned: false };

export const useTip = create<Tip>()(() => NOTHING);

/** Show the tooltip, unless a pinned one stands. */
export function showTip(tip: Omit<Tip, "pinned">): void {
  if (!useTip.getState().pinned) useTip.setState({ ...tip, pinned: false });
}

/** Take away the tooltip of a chart, unless it is pinned. */
export function hideTip(metric: string): void {
  const now = useTip.getState();
  if (!now.pinned && now.metric === metric) useTip.setState(NOTHING);
}

/** A click pins the tooltip where it is; the next one lets it go. */
export function pinTip(): void {
  const now = useTip.getState();
  if (now.pinned) useTip.setState(NOTHING);
  else if (now.rows.length) useTip.setState({ pinned: true });
}

export const dropTip = (): void => useTip.setState(NOTHING);
