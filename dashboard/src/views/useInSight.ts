// Which rows and columns of a scrolled box are in sight. Rows are all of one height, columns have widths; knows no content.
import { type RefObject, useCallback, useLayoutEffect, useMemo, useState } from "react";

export interface Span {
  first: number;
  last: number;
}

interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

const NOWHERE: Box = { top: 0, left: 0, height: 800, width: 380 };
/** Rows beyond the edges that are elements too, so that fast scrolling shows no gap. */
const SPARE = 12;

/** Follow a box's scroll position and size; steps of a few pixels are passed over. */
function useBox(scroller: RefObject<HTMLElement | null>): Box {
  const [box, setBox] = useState(NOWHERE);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      const next = { top: element.scrollTop, left: element.scrollLeft, height: element.clientHeight, width: element.clientWidth };
      setBox((before) =>
        Object.keys(next).some((name) => next[name as keyof Box] !== before[name as keyof Box]) ? next : before,
      );
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [scroller]);
  return box;
}

/** Indexes of items of `size` pixels that lie between two edges, with some to spare. */
export function spanOf(from: number, to: number, size: number, count: number, spare = SPARE): Span {
  return { first: Math.max(0, Math.floor(from / size) - spare), last: Math.min(count, Math.ceil(to / size) + spare) - 1 };
}

/** Left edges of columns, and their sum at the end. */
export function edgesOf(widths: readonly number[], start: number): number[] {
  const edges = [start];
  for (const width of widths) edges.push(edges.at(-1)! + width);
  return edges;
}

/** Columns that touch the span between two edges, one to spare on each side. */
export function columnsBetween(edges: readonly number[], from: number, to: number): Span {
  let first = 0;
  while (first < edges.length - 2 && edges[first + 1]! < from) first++;
  let last = first;
  while (last < edges.length - 2 && edges[last + 1]! < to) last++;
  return { first: Math.max(0, first - 1), last: Math.min(edges.length - 2, last + 1) };
}

interface Table {
  count: number;
  size: number;
  /** Pixels that the header hides at the top, and the sticky column at the left. */
  header: number;
  sticky: number;
  widths: readonly number[];
  /** With this many columns or fewer, all are elements: finding one needs no scrolling. */
  fewColumns: number;
}

/** What of a table is in sight, and how to bring a row there; `slots` is how many rows are elements at most, whatever the
 * position; `cutAt` is where the right edge cuts columns off, 0 where it cuts none. */
export function useInSight(scroller: RefObject<HTMLElement | null>, table: Table) {
  const { count, size, header, sticky, widths, fewColumns } = table;
  const box = useBox(scroller);
  const edges = useMemo(() => edgesOf(widths, sticky), [widths, sticky]);
  const all = widths.length <= fewColumns;
  const columns = all ? { first: 0, last: widths.length - 1 } : columnsBetween(edges, box.left + sticky, box.left + box.width);
  const reveal = useCallback(
    (index: number) => {
      const element = scroller.current;
      if (!element) return;
      const top = index * size;
      if (top < element.scrollTop) element.scrollTop = top;
      const room = element.clientHeight - header - size;
      if (top > element.scrollTop + room) element.scrollTop = top - room;
    },
    [scroller, size, header],
  );
  const cutAt = box.left + box.width < edges.at(-1)! ? box.width : 0;
  const most = Math.ceil(box.height / size) + 2 * SPARE + 1;
  const slots = 16 * Math.ceil(most / 16); // a bar that comes or goes beside the table does not make all its rows other ones
  return {
    rows: spanOf(box.top, box.top + box.height, size, count),
    slots,
    columns,
    edges,
    cutAt,
    reveal,
    top: box.top,
    left: box.left,
  };
}
