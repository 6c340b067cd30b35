// Which part of an element its scroll container shows. Knows nothing of what is in it.
import { type RefObject, useEffect, useState } from "react";

export interface Shown {
  /** Pixels across; 0 before the first measure. */
  width: number;
  /** The visible stretch, in pixels from the element's top. */
  from: number;
  to: number;
}

/** Pixels of scrolling that pass unnoticed, so that not every frame renders. */
const STEP = 40;

export function useWindow(box: RefObject<HTMLElement | null>): Shown {
  const [shown, setShown] = useState<Shown>({ width: 0, from: 0, to: 0 });
  useEffect(() => {
    const element = box.current!;
    const pane = element.closest<HTMLElement>('[role="tabpanel"]') ?? document.documentElement;
    const measure = () => {
      const [inner, outer] = [element.getBoundingClientRect(), pane.getBoundingClientRect()];
      const from = Math.floor((outer.top - inner.top) / STEP) * STEP;
      const next = { width: Math.floor(inner.width), from, to: from + Math.ceil(outer.height / STEP + 1) * STEP };
      setShown((now) => (now.width === next.width && now.from === next.from && now.to === next.to ? now : next));
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(pane);
    sizes.observe(element);
    pane.addEventListener("scroll", measure, { passive: true });
    return () => {
      sizes.disconnect();
      pane.removeEventListener("scroll", measure);
    };
  }, [box]);
  return shown;
}
