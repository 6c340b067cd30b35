// The two canvases over a plot's axes: its lines, and the highlighted one above a veil. Knows scenes and ranges, not uPlot.
import type { Axis } from "../math/project";
import type { Pair } from "../math/range";
import { type Frame, type Line, paint, paintHighlight } from "./painter";
import type { Palette } from "./palette";

export interface Scene {
  lines: readonly Line[];
  x: Pair;
  y: Pair;
  logX: boolean;
  logY: boolean;
  /** "step", "time", "relative" or a metric. */
  xName: string;
  palette: Palette;
}

/** After a zoom the old pixels are stretched; without an answer within this time the old points are drawn instead. */
const STRETCHED_MS = 150;

export class Layers {
  readonly element = document.createElement("div");
  private readonly lines = canvasIn(this.element);
  private readonly over = canvasIn(this.element);
  private painted: Scene | null = null;
  private timer = 0;

  constructor() {
    Object.assign(this.element.style, { position: "absolute", inset: "0", overflow: "hidden", pointerEvents: "none" });
    this.lines.style.transformOrigin = "0 0";
    this.over.hidden = true;
  }

  /** Draw a scene into `width` × `height` device pixels; where only its ranges are new, stretch what is there first. */
  show(scene: Scene, width: number, height: number, ratio: number): void {
    window.clearTimeout(this.timer);
    const before = this.painted;
    const kept = before && before !== scene && before.lines === scene.lines && before.palette === scene.palette;
    if (kept && this.lines.width === width && this.lines.height === height && sameKind(before, scene)) {
      this.lines.style.transform = stretched(before, scene);
      this.timer = window.setTimeout(() => this.paint(scene, width, height, ratio), STRETCHED_MS);
    } else this.paint(scene, width, height, ratio);
  }

  /** The highlighted line above a veil over all others: no other line is drawn again. */
  highlight(scene: Scene | null, key: string | null, width: number, height: number, ratio: number): void {
    const line = key === null ? undefined : scene?.lines.find((one) => one.key === key);
    this.over.hidden = !line;
    if (!line || !scene) return;
    const ctx = cleared(this.over, width, height);
    ctx.globalAlpha = 0.72;
    ctx.fillStyle = scene.palette.panel;
    ctx.fillRect(0, 0, width, height);
    ctx.globalAlpha = 1;
    paintHighlight(ctx, line, frameOf(scene, width, height, ratio));
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.element.remove();
  }

  private paint(scene: Scene, width: number, height: number, ratio: number): void {
    this.painted = scene;
    this.lines.style.transform = "";
    paint(cleared(this.lines, width, height), scene.lines, frameOf(scene, width, height, ratio));
  }
}

function canvasIn(parent: HTMLElement): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  Object.assign(canvas.style, { position: "absolute", inset: "0", width: "100%", height: "100%" });
  parent.append(canvas);
  return canvas;
}

function cleared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ctx = canvas.getContext("2d")!;
  if (canvas.width === width && canvas.height === height) ctx.clearRect(0, 0, width, height);
  else Object.assign(canvas, { width, height });
  return ctx;
}

function frameOf({ x, y, logX, logY }: Scene, width: number, height: number, ratio: number): Frame {
  const axis = ([min, max]: Pair, from: number, to: number, log: boolean): Axis => ({ min, max, from, to, log });
  return { x: axis(x, 0, width, logX), y: axis(y, height, 0, logY), ratio };
}

const sameKind = (a: Scene, b: Scene) => a.logX === b.logX && a.logY === b.logY && a.xName === b.xName;

/** The transform that puts the pixels of one scene where another has them; y runs downwards. */
export function stretched(from: Pick<Scene, "x" | "y" | "logX" | "logY">, to: Pick<Scene, "x" | "y">): string {
  const x = moved(from.x, to.x, from.logX);
  const y = moved([from.y[1], from.y[0]], [to.y[1], to.y[0]], from.logY);
  return `translate(${100 * x.shift}%, ${100 * y.shift}%) scale(${x.scale}, ${y.scale})`;
}

/** Where [start, end] lies in another range, as parts of it. */
function moved(from: Pair, to: Pair, log: boolean): { shift: number; scale: number } {
  const at = (value: number) => (log ? Math.log10(value) : value);
  const span = at(to[1]) - at(to[0]) || 1;
  return { shift: (at(from[0]) - at(to[0])) / span, scale: (at(from[1]) - at(from[0])) / span };
}
