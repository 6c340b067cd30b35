// The part of the view that a chart follows by rendering anew. Zooms are not: they change the scene, and no markup.
import { useShallow } from "zustand/react/shallow";
import { useSettled } from "../state/useSettled";
import { useView, type View, type Zoom } from "../state/view";
import { own } from "../ui/own";

/** How runs become lines, and lines a scene; `ownX` "" is the axis of all. */
export function useChartView(ownX: string) {
  const q = useSettled(useView((view) => (view.groupBy.length ? view.q : "")));
  const view = useView(
    useShallow(({ groupBy, prefix, x, smoothing, center, spread, split, logX, logY, clip }: View) => {
      const of = groupBy.length ? prefix : "";
      return { groupBy, prefix: of, x: ownX || x, smoothing, center, spread, split, logX, logY, clip };
    }),
  );
  return { ...view, q };
}

export type ChartView = ReturnType<typeof useChartView>;

/** What is zoomed in one chart now. */
export function zoomOf({ zoom }: View, name: string, ownX: string): Zoom {
  return ownX ? { ...zoom, x: own(zoom.own, name) ?? null } : zoom;
}

/** Call `moved` when the zoom of one chart changes, saying whether in x; returns how to stop. */
export function onZoom(name: string, ownX: string, moved: (inX: boolean) => void): () => void {
  return useView.subscribe((now, before) => {
    const [to, from] = [zoomOf(now, name, ownX), zoomOf(before, name, ownX)];
    if (to.x !== from.x) moved(true);
    else if (own(to.y, name) !== own(from.y, name)) moved(false);
  });
}
