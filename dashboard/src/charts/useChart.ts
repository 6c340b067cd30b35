// A chart's life in React: its feed and its plot, the view that both follow, and what tests read. Knows no markup.
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { GetSeries } from "../api/types";
import { countsOf } from "../math/describe";
import { underTest } from "../state/address";
import { hoverRun, hoverX, useHover } from "../state/hover";
import { useTheme } from "../state/theme";
import type { ChartModel } from "../state/underTest";
import { resetZoom, useView, zoomX, zoomY } from "../state/view";
import { type ChartData, Feed } from "./feed";
import type { Line } from "./painter";
import { paletteOf } from "./palette";
import { Plot, type PlotEvents } from "./plot";
import { countPoints } from "./points";
import { linesOf, sceneOf, titleOf } from "./scene";
import { hideTip, pinTip, showTip } from "./tip";

/** Nearer than this many pixels, the pointer is on a line. */
const ON_LINE = 6;
const REST_MS = 60;
const NO_LINES: readonly Line[] = [];

export function useChart(metric: string, keys: readonly string[], box: RefObject<HTMLDivElement | null>) {
  const view = useView();
  const theme = useTheme((state) => state.theme);
  const [data, setData] = useState<ChartData | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [bins, setBins] = useState(0);
  const feed = useRef<Feed | null>(null);
  const plot = useRef<Plot | null>(null);
  const drawn = useRef<readonly Line[]>(NO_LINES);
  const grouped = view.groupBy.length > 0;

  useEffect(() => {
    const show = (next: ChartData | null) => {
      setError(null);
      setData(next);
    };
    const ownFeed = new Feed(metric, show, setError);
    const ownPlot = new Plot(box.current!, eventsOf(metric, drawn));
    feed.current = ownFeed;
    plot.current = ownPlot;
    const sizes = new ResizeObserver(() => {
      ownPlot.resize();
      setBins(ownPlot.bins);
    });
    sizes.observe(box.current!);
    const seen = new IntersectionObserver((entries) => {
      ownPlot.visible = entries.at(-1)!.isIntersecting;
    });
    seen.observe(box.current!);
    const stopHover = useHover.subscribe((hover) => ownPlot.highlight(hover.run));
    return () => {
      sizes.disconnect();
      seen.disconnect();
      stopHover();
      hideTip(metric);
      countPoints(metric, 0);
      ownFeed.close();
      ownPlot.destroy();
    };
  }, [metric, box]);

  const { q, prefix, x, smoothing, groupBy, center, spread, zoom } = view;
  const query = useMemo<GetSeries>(() => {
    const which = groupBy.length ? { runs: null, q, prefix, group_by: [...groupBy], center, spread } : { runs: [...keys] };
    return { type: "get_series", metric, ...which, x, lo: zoom.x?.[0] ?? null, hi: zoom.x?.[1] ?? null, bins };
  }, [metric, keys, q, prefix, x, zoom.x, groupBy, center, spread, bins]);
  useEffect(() => {
    if (bins && (keys.length || grouped)) feed.current?.ask(query, smoothing);
  }, [query, smoothing, bins, keys.length, grouped]);

  const lines = useMemo(() => (data ? linesOf(data, keys, grouped, paletteOf(theme)) : NO_LINES), [data, keys, grouped, theme]);
  const { logX, logY, clip } = view;
  useEffect(() => {
    drawn.current = lines;
    if (data) plot.current?.show(sceneOf(metric, lines, data.header, { x, logX, logY, clip, zoom, groupBy }, paletteOf(theme)));
    countPoints(metric, countsOf(lines.map((line) => line.band)).shown);
    if (underTest && window.mlLogger) {
      window.mlLogger.charts[metric] = { model: () => modelOf(drawn.current, plot.current) };
      return () => {
        delete window.mlLogger?.charts[metric];
      };
    }
    return undefined;
  }, [metric, data, lines, x, logX, logY, clip, zoom, groupBy, theme]);

  return { plot, lines, grouped, error };
}

let resting = 0;

/** Highlight a line once the pointer rests on it: a pointer that crosses many lines would repaint all charts for each. */
function hoverSoon(run: string | null): void {
  window.clearTimeout(resting);
  resting = window.setTimeout(hoverRun, REST_MS, run);
}

function eventsOf(metric: string, drawn: RefObject<readonly Line[]>): PlotEvents {
  return {
    onCursor(at) {
      if (!at) {
        hideTip(metric);
        hoverSoon(null);
        hoverX(null, null);
        return;
      }
      const closest = Math.min(...at.near.map((near) => near.distance));
      const rows = at.near.map(({ line, index, value, distance }) => {
        const { key, columns, band, colour } = drawn.current[line]!;
        const bucket = band.count && band.x.length === columns.x.length ? ([band.min[index]!, band.max[index]!] as const) : null;
        return { key, title: titleOf(drawn.current[line]!), colour, value, band: bucket, nearest: distance === closest };
      });
      showTip({ metric, xName: useView.getState().x, x: at.x, rows, left: at.left, top: at.top });
      hoverX(metric, at.x);
      hoverSoon(closest <= ON_LINE ? (rows.find((row) => row.nearest)?.key ?? null) : null);
    },
    onClick: pinTip,
    onZoomX: zoomX,
    onZoomY: (range) => zoomY(metric, range),
    onReset: resetZoom,
  };
}

/** What is drawn, as plain numbers: NaN is null. */
function modelOf(lines: readonly Line[], plot: Plot | null): ChartModel {
  const ranges = plot?.ranges ?? null;
  const { exact, logged, stored, shown } = countsOf(lines.map((line) => line.band));
  const runs = lines.map(({ key, columns, band }) => ({
    key,
    x: Array.from(columns.x),
    mean: finite(columns.mean),
    min: finite(band.min),
    max: finite(band.max),
  }));
  return { runs, xRange: ranges?.x ?? null, yRange: ranges?.y ?? null, exact, logged, stored, shown };
}

const finite = (values: Float64Array): (number | null)[] =>
  Array.from(values, (value) => (Number.isFinite(value) ? value : null));
