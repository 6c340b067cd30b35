// The edge between run table and main area: dragged, or moved by arrow keys. Kept in this browser; knows neither side.
import { type KeyboardEvent, type PointerEvent, useEffect, useState } from "react";
import styles from "./Shell.module.css";

const KEPT = "ml-logger.left";
const LEAST = 240;

/** Wider on a wide screen, as the style says before this is there. */
const usual = () => Math.round(Math.max(380, Math.min(window.innerWidth * 0.2, 560)));

const within = (width: number) => Math.round(Math.max(LEAST, Math.min(width, window.innerWidth * 0.6)));

export function Divider() {
  const [width, setWidth] = useState(() => within(Number(localStorage.getItem(KEPT)) || usual()));
  useEffect(() => {
    document.documentElement.style.setProperty("--left", `${width}px`);
  }, [width]);
  const choose = (wanted: number) => {
    localStorage.setItem(KEPT, String(within(wanted)));
    setWidth(within(wanted));
  };
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons === 1) choose(event.clientX);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (step) choose(width + step);
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
      onDoubleClick={() => {
        localStorage.removeItem(KEPT);
        setWidth(usual());
      }}
      onKeyDown={key}
    />
  );
}
