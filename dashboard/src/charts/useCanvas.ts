// What plots on a canvas share: their size, when they are drawn anew, and the run under the pointer. Knows no plot.
import { type MouseEvent, useEffect, useRef, useState } from "react";
import { hoverRun } from "../state/hover";

/** Pixels from a point that still count as on it. */
const REACH = 12;

/** The width of an element, 0 before it is known. */
export function useWidth(box: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const sizes = new ResizeObserver(() => setWidth(box.current!.clientWidth));
    sizes.observe(box.current!);
    return () => sizes.disconnect();
  }, [box]);
  return width;
}

/** A canvas of the frame's size that is drawn anew when one of `when` changes. */
export function useCanvas(
  frame: { width: number; height: number },
  draw: (ctx: CanvasRenderingContext2D) => void,
  when: readonly unknown[],
) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (!element || !frame.width) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = frame.width * ratio;
    element.height = frame.height * ratio;
    const ctx = element.getContext("2d")!;
    ctx.scale(ratio, ratio);
    draw(ctx);
    // biome-ignore lint/correctness/useExhaustiveDependencies: the caller says what the drawing depends on
  }, when);
  return canvas;
}

/** What an element needs to light up the run that `find` names for a place in it, −1 for none. */
export function hovering(keys: readonly string[], find: (x: number, y: number) => number) {
  return {
    onMouseMove: (event: MouseEvent<HTMLElement>) => {
      const { left, top } = event.currentTarget.getBoundingClientRect();
      const run = find(event.clientX - left, event.clientY - top);
      hoverRun(run < 0 ? null : keys[run]!);
    },
    onMouseLeave: () => hoverRun(null),
  };
}

/** The run whose point lies nearest to a place, within reach; −1 for none. */
export function nearest(points: readonly (readonly [number, number])[], x: number, y: number): number {
  let best = -1;
  let least = REACH;
  points.forEach(([px, py], run) => {
    const distance = Math.hypot(px - x, py - y);
    if (distance < least) {
      least = distance;
      best = run;
    }
  });
  return best;
}
