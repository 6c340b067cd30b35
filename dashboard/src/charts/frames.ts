// What charts do together: draw once a frame (each alone would cost a layout of the page), and ask for what is new once a beat (each alone
// would cost a request). Knows no chart.

type Together = (owner: object, act: (() => void) | null) => void;

/** Two redraws a second by live points at most. */
const BEAT_MS = 500;
/** Notices of many runs come one after the other: those of a moment are waited for. */
const GATHER_MS = 20;

/** Gather what is to be done, one act for each owner, until `soon` calls. */
function together(soon: (all: () => void) => void): Together {
  const waiting = new Map<object, () => void>();
  let asked = false;
  const all = () => {
    asked = false;
    const acts = [...waiting.values()];
    waiting.clear();
    for (const act of acts) act();
  };
  return (owner, act) => {
    if (act) waiting.set(owner, act);
    else waiting.delete(owner);
    if (asked || !waiting.size) return;
    asked = true;
    soon(all);
  };
}

const inFrame = together((all) => requestAnimationFrame(all));

/** Do something in the next frame, instead of what else `owner` was to do in it; null calls it off. A hidden page has no frames: at once. */
export const inNextFrame: Together = (owner, act) => {
  inFrame(owner, document.hidden ? null : act);
  if (document.hidden) act?.();
};

let last = -BEAT_MS;

/** Do something at the next beat, instead of what else `owner` was to do at it; null calls it off. */
export const atBeat = together((all) => {
  const beat = () => {
    last = performance.now();
    all();
  };
  window.setTimeout(beat, Math.max(GATHER_MS, last + BEAT_MS - performance.now()));
});
