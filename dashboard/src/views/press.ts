// A press and its release are a click, wherever the element of the press has gone meanwhile (docs/decisions/0102). Knows no row.
import type { MouseEvent } from "react";

interface Press {
  act: (event: MouseEvent) => void;
  x: number;
  y: number;
}

/** A pointer that moved farther than this many pixels dragged, and did not click. */
const STILL = 5;
let pressed: Press | null = null;

/** The button went down on something that `act` belongs to; nothing around it is pressed. */
export function press(event: MouseEvent, act: Press["act"]): void {
  event.stopPropagation();
  if (event.button) return;
  if (event.shiftKey) event.preventDefault(); // or the browser marks the text from the last click to this one
  pressed = { act, x: event.clientX, y: event.clientY };
}

/**
 * The button was let go over the table: that is a click on what it was pressed on. The browser's own click goes to what holds
 * both elements, or to none if the first was put elsewhere meanwhile, as rows are while a table scrolls or is sized.
 */
export function release(event: MouseEvent): void {
  const was = pressed;
  pressed = null;
  if (was && Math.hypot(event.clientX - was.x, event.clientY - was.y) < STILL) was.act(event);
}

/** Whether a click was made by a program, a key or an assistive technology: it has no press before it. */
export const isMade = (event: { detail: number }): boolean => event.detail === 0;
