// A change is written at once, until there are so many that a browser would refuse them; the strictest takes 100 addresses in 10 s.
const BURST = 20;
const RECOVERS_MS = 300;
const PAUSE_MS = 150;

/** A function that says how long a change at `now` (ms) waits: not at all (a reload right after a click restores the click), or for a pause. */
export function pacer(): (now: number) => number {
  let left = BURST;
  let last = 0;
  return (now) => {
    left = Math.min(BURST, left + (now - last) / RECOVERS_MS);
    last = now;
    if (left < 1) return PAUSE_MS;
    left -= 1;
    return 0;
  };
}
