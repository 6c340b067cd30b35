// One axis of parallel coordinates: its name, ends and brush. Drag on it brushes, drag of its name moves it, x turns it over.
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { type Brush, type ParallelAxis, ticksOf, valueAt } from "../math/parallel";
import { shortNumber } from "../ui/numbers";
import styles from "./parallel.module.css";

interface Props {
  axis: ParallelAxis;
  left: number;
  top: number;
  height: number;
  /** Pixels between two axes. */
  pitch: number;
  last: boolean;
  brush: Brush | null;
  inverted: boolean;
  onBrush(brush: Brush | null): void;
  onInvert(): void;
  onMove(by: number): void;
}

const WIDTH = 28;
/** Room for labels beside the last axis. */
const AFTER_LAST = 49;
const CLICK = 0.015;
const NUDGE = 0.05;
/** So near to an end, the end is meant. */
const SNAP = 0.03;

export function ParallelAxisBar(props: Props) {
  const { axis, left, top, height, brush, inverted, last } = props;
  const start = useRef<number | null>(null);
  const place = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = 1 - (event.clientY - box.top) / box.height;
    return at < SNAP ? 0 : at > 1 - SNAP ? 1 : at;
  };
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (start.current === null) return;
    const [from, to] = [start.current, place(event)];
    props.onBrush([Math.min(from, to), Math.max(from, to)]);
  };
  return (
    <div
      role="group"
      aria-label={`${axis.name}${axis.kind === "log" ? " (log)" : ""}${inverted ? ", turned over" : ""}${brush ? `, brushed ${textOf(axis, brush, inverted)}` : ""}`}
      tabIndex={0}
      className={styles.axis}
      style={{ left: left - WIDTH / 2, top, width: WIDTH, height }}
      onKeyDown={(event) => onKey(event, props)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = place(event);
      }}
      onPointerMove={drag}
      onPointerUp={(event) => {
        const from = start.current;
        drag(event);
        start.current = null;
        if (from !== null && Math.abs(place(event) - from) < CLICK) props.onBrush(null);
      }}
    >
      <AxisName axis={axis} inverted={inverted} pitch={props.pitch} onMove={props.onMove} onInvert={props.onInvert} />
      {brush && (
        <i className={styles.brush} style={{ bottom: `${brush[0] * 100}%`, height: `${(brush[1] - brush[0]) * 100}%` }} />
      )}
      {ticksOf(axis, shortNumber).map(({ place: at, text }) => (
        <small
          key={text}
          style={{ bottom: `calc(${(inverted ? 1 - at : at) * 100}% - 7px)`, maxWidth: last ? AFTER_LAST : props.pitch - 10 }}
          title={text}
        >
          {text}
        </small>
      ))}
    </div>
  );
}

/** The name above an axis: drag it sideways to move the axis, double click it to turn the axis over. */
function AxisName({
  axis,
  inverted,
  pitch,
  onMove,
  onInvert,
}: Pick<Props, "axis" | "inverted" | "pitch" | "onMove" | "onInvert">) {
  const from = useRef<number | null>(null);
  return (
    <span
      className={styles.name}
      style={{ maxWidth: Math.max(40, pitch - 6) }}
      title={`${axis.name}: drag to move, double click to turn over`}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = event.clientX;
      }}
      onPointerMove={(event) => event.stopPropagation()}
      onPointerUp={(event) => {
        event.stopPropagation();
        const by = Math.round((event.clientX - (from.current ?? event.clientX)) / pitch);
        from.current = null;
        if (by) onMove(by);
      }}
      onDoubleClick={onInvert}
    >
      {axis.label}
      {inverted ? " ↓" : ""}
    </span>
  );
}

function textOf(axis: ParallelAxis, [low, high]: Brush, inverted: boolean): string {
  const [from, to] = inverted ? [1 - high, 1 - low] : [low, high];
  if (axis.kind !== "category") return `${shortNumber(valueAt(axis, from))} to ${shortNumber(valueAt(axis, to))}`;
  const inside = ticksOf(axis, shortNumber).filter((tick) => tick.place >= from && tick.place <= to);
  return inside.map((tick) => tick.text).join(", ") || "nothing";
}

/** x turns over, arrows sideways move the axis, arrows up and down move a brush (the upper half at first), Escape takes it away. */
function onKey(event: KeyboardEvent, { brush, onBrush, onInvert, onMove }: Props): void {
  const [low, high] = brush ?? [0.5, 1];
  const by = event.key === "ArrowUp" ? NUDGE : event.key === "ArrowDown" ? -NUDGE : 0;
  if (event.key === "x") onInvert();
  else if (event.key === "ArrowLeft") onMove(-1);
  else if (event.key === "ArrowRight") onMove(1);
  else if (by && !brush) onBrush([low, high]);
  else if (by && event.shiftKey) onBrush([low, Math.min(1, Math.max(low + NUDGE, high + by))]);
  else if (by) onBrush(low + by < 0 || high + by > 1 ? [low, high] : [low + by, high + by]);
  else if (event.key === "Escape" || event.key === "Delete") onBrush(null);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
