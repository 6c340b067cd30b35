// A chart's life in React: its feed and its plot, the view that both follow, and what tests read. Knows no markup.
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { GetSeries } from "../api/types";
import { countsOf } from "../math/describe";
import { hoverRun, hoverX, useHover } from "../state/hover";
import { useTheme } from "../state/theme";
import { type ChartModel, underTest } from "../state/underTest";
import { resetZoom, useView, zoomOwnX, zoomX, zoomY } from "../state/view";
import { announce } from "./drawn";
import type { ChartData } from "./feed";
import { Feeds } from "./feeds";
import { inNextFrame } from "./frames";
import type { Line } from "./painter";
import { type Palette, paletteOf } from "./palette";
import { Plot, type PlotEvents } from "./plot";
import { countPoints } from "./points";
import { linesOf, sceneOf, severalLines, titleOf, wholeOf } from "./scene";
import { hideTip, pinTip, showTip } from "./tip";
import { onZoom, useChartView, zoomOf } from "./useChartView";

/** Nearer than this many pixels, the pointer is on a line. */
const ON_LINE = 6;
const REST_MS = 60;
const NO_LINES: readonly Line[] = [];
type Rest = [keys: readonly string[], grouped: boolean, palette: Palette];

/** Draw `metrics` (one, or the several of a panel, the same array until it differs) as the chart `name`; `ownX` "" is the axis of all. */
export function useChart(
  name: string,
  metrics: readonly string[],
  keys: readonly string[],
  box: RefObject<HTMLDivElement | null>,
  ownX = "",
) {
  const { q, prefix, x, smoothing, groupBy, center, spread, split, logX, logY, clip } = useChartView(ownX);
  const theme = useTheme((state) => state.theme);
  const [data, setData] = useState<readonly ChartData[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [bins, setBins] = useState(0);
  const feed = useRef<Feeds | null>(null);
  const plot = useRef<Plot | null>(null);
  const drawn = useRef<readonly Line[]>(NO_LINES);
  const grouped = groupBy.length > 0;
  const latest = useRef({ ask: nothing, draw: nothing });

  useEffect(() => {
    const show = (next: readonly ChartData[]) => {
      setError(null);
      setData(next);
    };
    const ownFeed = new Feeds(metrics, (next) => inNextFrame(ownFeed, () => show(next)), setError);
    const ownPlot = new Plot(box.current!, eventsOf(name, drawn, ownX));
    feed.current = ownFeed;
    plot.current = ownPlot;
    const sizes = new ResizeObserver((entries) => {
      const { width, height } = entries.at(-1)!.contentRect;
      ownPlot.resize(Math.round(width), Math.round(height));
      setBins(ownPlot.bins);
    });
    sizes.observe(box.current!);
    const seen = new IntersectionObserver((entries) => {
      ownPlot.visible = entries.at(-1)!.isIntersecting;
    });
    seen.observe(box.current!);
    const leave = announce(name, () => ({ lines: drawn.current, ranges: ownPlot.ranges }));
    const stopHover = useHover.subscribe((hover) => ownPlot.highlight(hover.run));
    let callOff = nothing;
    const stopZoom = onZoom(name, ownX, (inX) => {
      latest.current.draw();
      callOff();
      if (inX) callOff = afterFrame(() => latest.current.ask()); // what is there is stretched first
    });
    return () => {
      stopZoom();
      callOff();
      sizes.disconnect();
      seen.disconnect();
      stopHover();
      leave();
      hideTip(name);
      countPoints(name, 0);
      inNextFrame(ownFeed, null);
      ownFeed.close();
      ownPlot.destroy();
    };
  }, [name, metrics, ownX, box]);

  const query = useMemo<Omit<GetSeries, "metric">>(() => {
    const which = groupBy.length ? { runs: null, q, prefix, group_by: [...groupBy], center, spread } : { runs: [...keys], split };
    return { type: "get_series", ...which, x, bins };
  }, [keys, q, prefix, x, groupBy, center, spread, split, bins]);
  useEffect(() => {
    const ask = () => {
      if (!bins || !(keys.length || grouped)) return;
      const { x: range } = zoomOf(useView.getState(), name, ownX);
      feed.current?.ask({ ...query, lo: range?.[0] ?? null, hi: range?.[1] ?? null }, smoothing);
    };
    latest.current.ask = ask;
    if (drawn.current !== NO_LINES) return afterFrame(ask);
    ask();
    return undefined;
  }, [query, smoothing, bins, keys.length, grouped, name, ownX]);

  const lines = useMemo(() => {
    if (!data) return NO_LINES;
    const draw = data.length > 1 ? severalLines : ([one]: readonly ChartData[], ...more: Rest) => linesOf(one!, ...more);
    return draw(data, keys, grouped || split !== "", paletteOf(theme));
  }, [data, keys, grouped, split, theme]);
  useEffect(() => {
    drawn.current = lines;
    latest.current.draw = () => {
      const zoom = zoomOf(useView.getState(), name, ownX);
      if (data) plot.current?.show(sceneOf(name, lines, wholeOf(data), { x, logX, logY, clip, zoom, groupBy }, paletteOf(theme)));
    };
    latest.current.draw();
    countPoints(name, countsOf(lines.map((line) => line.band)).shown);
    if (underTest && window.mlLogger) {
      window.mlLogger.charts[name] = { model: () => modelOf(drawn.current, plot.current) };
      return () => {
        delete window.mlLogger?.charts[name];
      };
    }
    return undefined;
  }, [name, ownX, data, lines, x, logX, logY, clip, groupBy, theme]);

  return { plot, lines, grouped, error, waiting: !data && !error && (keys.length > 0 || grouped) };
}

const nothing = () => {};

/** Call once the next frame is on the screen, at once if the page is hidden; the returned function calls it off. */
function afterFrame(act: () => void): () => void {
  if (document.hidden) {
    act();
    return nothing;
  }
  let timer = 0;
  const frame = requestAnimationFrame(() => {
    timer = window.setTimeout(act);
  });
  return () => {
    cancelAnimationFrame(frame);
    window.clearTimeout(timer);
  };
}

let resting = 0;

/** Highlight a line once the pointer rests on it: a pointer that crosses many lines would repaint all charts for each. */
function hoverSoon(run: string | null): void {
  window.clearTimeout(resting);
  resting = window.setTimeout(hoverRun, REST_MS, run);
}

function eventsOf(metric: string, drawn: RefObject<readonly Line[]>, ownX: string): PlotEvents {
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
      showTip({ metric, xName: ownX || useView.getState().x, x: at.x, rows, left: at.left, top: at.top });
      hoverX(metric, at.x);
      hoverSoon(closest <= ON_LINE ? (rows.find((row) => row.nearest)?.key ?? null) : null);
    },
    onClick: pinTip,
    onZoomX: ownX ? (range) => zoomOwnX(metric, range) : zoomX,
    onZoomY: (range) => zoomY(metric, range),
    onReset: resetZoom,
  };
}

/** What is drawn, as plain numbers: NaN is null. */
function modelOf(lines: readonly Line[], plot: Plot | null): ChartModel {
  const ranges = plot?.ranges ?? null;
  const { exact, logged, stored, shown } = countsOf(lines.map((line) => line.band));
  const runs = lines.map(({ key, columns, band, metric }) => ({
    key,
    ...(metric !== undefined && { metric }),
    x: Array.from(columns.x),
    mean: finite(columns.mean),
    min: finite(band.min),
    max: finite(band.max),
  }));
  return { runs, xRange: ranges?.x ?? null, yRange: ranges?.y ?? null, exact, logged, stored, shown };
}

const finite = (values: Float64Array): (number | null)[] =>
  Array.from(values, (value) => (Number.isFinite(value) ? value : null));
