// Draws the lines of parallel coordinates; those in the brushes above the others. Knows places and pixels, no parameter.

export interface ParallelScene {
  /** Of each run, its place on each axis in order (0 bottom … 1 top, NaN where it has none). */
  places: readonly (readonly number[])[];
  colours: readonly string[];
  selected: readonly boolean[] | null;
  faded: string;
  accent: string;
}

export interface ParallelFrame {
  width: number;
  height: number;
  /** Pixels of the axes from the left, and of their top and bottom. */
  lefts: readonly number[];
  top: number;
  bottom: number;
}

const REACH = 7;

/** Draw all runs. Lines of one colour are one stroke. */
export function paintParallel(ctx: CanvasRenderingContext2D, scene: ParallelScene, frame: ParallelFrame): void {
  const byColour = new Map<string, number[]>();
  scene.places.forEach((_, run) => {
    const colour = scene.selected === null ? scene.colours[run]! : scene.selected[run] ? "" : scene.faded;
    const list = byColour.get(colour);
    if (list) list.push(run);
    else byColour.set(colour, [run]);
  });
  const chosen = byColour.get("") ?? [];
  byColour.delete("");
  const many = scene.places.length > 200;
  ctx.lineWidth = 1;
  ctx.globalAlpha = many ? 0.35 : 0.7;
  for (const [colour, runs] of byColour) strokeRuns(ctx, colour, runs, scene, frame);
  ctx.globalAlpha = chosen.length > 200 ? 0.6 : 0.95;
  ctx.lineWidth = 1.4;
  for (const run of chosen) strokeRuns(ctx, scene.colours[run]!, [run], scene, frame);
  ctx.globalAlpha = 1;
}

/** Draw one run above all. */
export function paintParallelRun(ctx: CanvasRenderingContext2D, run: number, scene: ParallelScene, frame: ParallelFrame): void {
  ctx.lineWidth = 2.5;
  strokeRuns(ctx, scene.accent, [run], scene, frame);
}

function strokeRuns(
  ctx: CanvasRenderingContext2D,
  colour: string,
  runs: readonly number[],
  scene: ParallelScene,
  frame: ParallelFrame,
): void {
  ctx.strokeStyle = colour;
  ctx.beginPath();
  for (const run of runs) trace(ctx, scene.places[run]!, frame);
  ctx.stroke();
}

function trace(ctx: CanvasRenderingContext2D, places: readonly number[], frame: ParallelFrame): void {
  for (let axis = 0; axis + 1 < places.length; axis++) {
    const [from, to] = [pixelOf(places[axis]!, frame), pixelOf(places[axis + 1]!, frame)];
    if (Number.isNaN(from) || Number.isNaN(to)) continue;
    const [left, right] = [frame.lefts[axis]!, frame.lefts[axis + 1]!];
    const middle = (left + right) / 2;
    ctx.moveTo(left, from);
    ctx.bezierCurveTo(middle, from, middle, to, right, to);
  }
}

const pixelOf = (place: number, frame: ParallelFrame) => frame.bottom - place * (frame.bottom - frame.top);

/** The run whose line passes nearest to a point, or −1 if none is near. */
export function runAt(x: number, y: number, places: readonly (readonly number[])[], frame: ParallelFrame): number {
  const axis = frame.lefts.findIndex((left, at) => at + 1 < frame.lefts.length && x >= left && x <= frame.lefts[at + 1]!);
  if (axis < 0) return -1;
  const along = bezierTime((x - frame.lefts[axis]!) / (frame.lefts[axis + 1]! - frame.lefts[axis]!));
  const share = along * along * (3 - 2 * along);
  let best = -1;
  let nearest = REACH;
  places.forEach((row, run) => {
    const distance = Math.abs(pixelOf(row[axis]! + (row[axis + 1]! - row[axis]!) * share, frame) - y);
    if (distance < nearest) {
      nearest = distance;
      best = run;
    }
  });
  return best;
}

/** The curve's parameter where its x is `part` of the way: x(t) = 1.5 t (1 − t) + t³ with both handles in the middle. */
function bezierTime(part: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 20; i++) {
    const t = (low + high) / 2;
    if (1.5 * t * (1 - t) + t ** 3 < part) low = t;
    else high = t;
  }
  return (low + high) / 2;
}
