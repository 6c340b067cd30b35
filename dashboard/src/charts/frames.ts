// What charts do once a frame, together: answers come one by one, and each drawn alone would cost a layout of the page. Knows no chart.

const waiting = new Map<object, () => void>();
let asked = false;

/** Do something in the next frame, instead of what else `owner` was to do in it; null calls it off. A hidden page has no frames: at once. */
export function inNextFrame(owner: object, act: (() => void) | null): void {
  if (!act) waiting.delete(owner);
  else if (document.hidden) act();
  else waiting.set(owner, act);
  if (asked || !waiting.size) return;
  asked = true;
  requestAnimationFrame(doAll);
}

function doAll(): void {
  asked = false;
  const acts = [...waiting.values()];
  waiting.clear();
  for (const act of acts) act();
}
