// The edge between run table and main area: dragged, or moved by arrow keys. Kept in this browser; knows neither side.
import { type KeyboardEvent, type PointerEvent, useEffect, useState } from "react";
import styles from "./Shell.module.css";

const KEPT = "ml-logger.left";
const LEAST = 240;

const within = (width: number) => Math.round(Math.max(LEAST, Math.min(width, window.innerWidth * 0.6)));

export function Divider() {
  const [width, setWidth] = useState(() => within(Number(localStorage.getItem(KEPT)) || 380));
  useEffect(() => {
    document.documentElement.style.setProperty("--left", `${width}px`);
    localStorage.setItem(KEPT, String(width));
  }, [width]);
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons === 1) setWidth(within(event.clientX));
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (step) setWidth(within(width + step));
  };
  return (
    <div
      className={styles.divider}
      role="separator"
      tabIndex={0}
      aria-label="Width of the run table"
      aria-orientation="vertical"
      aria-valuenow={width}
      aria-valuemin={LEAST}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onDoubleClick={() => setWidth(380)}
      onKeyDown={key}
    />
  );
}
