// Parallel coordinates on the page: a canvas of lines under axes that can be brushed, moved and turned. Knows places, not runs' data.
import { useMemo, useRef } from "react";
import type { Brush, ParallelAxis } from "../math/parallel";
import { useHover } from "../state/hover";
import { useTheme } from "../state/theme";
import { ParallelAxisBar } from "./ParallelAxisBar";
import { paletteOf } from "./palette";
import styles from "./parallel.module.css";
import { type ParallelFrame, type ParallelScene, paintParallel, paintParallelRun, runAt } from "./parallelPainter";
import { hovering, useCanvas, useWidth } from "./useCanvas";

export interface ParallelProps {
  keys: readonly string[];
  axes: readonly ParallelAxis[];
  /** Of each run, its place on each axis: 0 at the bottom, 1 at the top. */
  places: readonly (readonly number[])[];
  /** Whether each run lies in all brushes; null while there are none. */
  selected: readonly boolean[] | null;
  colours: readonly string[];
  brushes: ReadonlyMap<string, Brush>;
  inverted: ReadonlySet<string>;
  onBrush(axis: string, brush: Brush | null): void;
  onInvert(axis: string): void;
  onMove(axis: string, by: number): void;
}

const HEIGHT = 250;
const EDGE = { side: 56, top: 34, bottom: 22 };

export function ParallelPlot(props: ParallelProps) {
  const { keys, axes, places, selected, colours, brushes, inverted } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const theme = useTheme((state) => state.theme);
  const frame = useMemo(() => frameOf(width, axes.length), [width, axes.length]);
  const palette = paletteOf(theme);
  const scene: ParallelScene = { places, colours, selected, faded: palette.line, accent: palette.accent };
  const base = useCanvas(frame, (ctx) => paintParallel(ctx, scene, frame), [places, colours, selected, frame, palette]);
  const hovered = keys.indexOf(useHover((hover) => hover.run) ?? "");
  const over = useCanvas(frame, (ctx) => hovered >= 0 && paintParallelRun(ctx, hovered, scene, frame), [
    hovered,
    places,
    frame,
    palette,
  ]);
  return (
    <figure className={styles.figure} aria-label="Parallel coordinates">
      <div ref={box} className={styles.box} style={{ height: HEIGHT }} {...hovering(keys, (x, y) => runAt(x, y, places, frame))}>
        <canvas ref={base} />
        <canvas ref={over} />
        <div
          role="application"
          className={styles.axes}
          aria-label="Axes: drag on one to brush, its name to move it, x turns it over"
        >
          {width > 0 &&
            axes.map((axis, at) => (
              <ParallelAxisBar
                key={axis.name}
                axis={axis}
                left={frame.lefts[at]!}
                top={frame.top}
                height={frame.bottom - frame.top}
                pitch={axes.length > 1 ? frame.lefts[1]! - frame.lefts[0]! : 1}
                last={at === axes.length - 1}
                brush={brushes.get(axis.name) ?? null}
                inverted={inverted.has(axis.name)}
                onBrush={(brush) => props.onBrush(axis.name, brush)}
                onInvert={() => props.onInvert(axis.name)}
                onMove={(by) => props.onMove(axis.name, by)}
              />
            ))}
        </div>
      </div>
    </figure>
  );
}

function frameOf(width: number, axes: number): ParallelFrame {
  const pitch = axes > 1 ? (width - 2 * EDGE.side) / (axes - 1) : 0;
  const lefts = Array.from({ length: axes }, (_, at) => EDGE.side + at * pitch);
  return { width, height: HEIGHT, lefts, top: EDGE.top, bottom: HEIGHT - EDGE.bottom };
}
