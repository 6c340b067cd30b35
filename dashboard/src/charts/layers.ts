// The two pictures over a plot's axes: its lines, and the highlighted one above a veil. Knows scenes and ranges, not uPlot.
import type { Pair } from "../math/range";
import type { Line } from "./painter";
import type { Palette } from "./palette";
import { type Kind, type Picture, Sitting } from "./studio";

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

interface Size {
  width: number;
  height: number;
  /** Device pixels of a CSS pixel; width and height are device pixels. */
  ratio: number;
}

/** After a zoom the old pixels are stretched; without an answer within this time the old points are painted anew. */
const STRETCHED_MS = 150;

export class Layers {
  readonly element = document.createElement("div");
  private readonly lines = pictureIn(this.element);
  private readonly over = pictureIn(this.element);
  private readonly sitting = new Sitting((picture) => this.take(picture));
  private readonly turns: Record<Kind, number> = { lines: 0, over: 0 };
  /** What is to be seen, what is on its way from the studio, and what the picture shows. */
  private scene: Scene | null = null;
  private asked: Scene | null = null;
  private painted: Scene | null = null;
  private timer = 0;

  constructor() {
    Object.assign(this.element.style, { position: "absolute", inset: "0", overflow: "hidden", pointerEvents: "none" });
    this.lines.style.transformOrigin = "0 0";
    this.over.hidden = true;
  }

  /** Show a scene: until it is painted, the picture that is there is stretched to its ranges. */
  show(scene: Scene, size: Size): void {
    window.clearTimeout(this.timer);
    const before = this.asked;
    this.scene = scene;
    stretchTogether(this);
    const kept = before && before !== scene && before.lines === scene.lines && before.palette === scene.palette;
    if (kept && sameKind(before, scene)) this.timer = window.setTimeout(() => this.paint(scene, size), STRETCHED_MS);
    else this.paint(scene, size);
  }

  /** The highlighted line above a veil over all others: no other line is painted again. */
  highlight(scene: Scene | null, key: string | null, size: Size): void {
    this.turns.over++;
    if (scene?.lines.some((line) => line.key === key)) this.order("over", scene, size, key);
    else if (!this.over.hidden) this.over.hidden = true;
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.sitting.close();
    this.element.remove();
  }

  private paint(scene: Scene, size: Size): void {
    this.asked = scene;
    this.turns.lines++;
    this.order("lines", scene, size, null);
  }

  private order(kind: Kind, { lines, x, y, logX, logY, palette }: Scene, size: Size, highlighted: string | null): void {
    this.sitting.paint(lines, { kind, turn: this.turns[kind], x, y, logX, logY, ...size, highlighted, veil: palette.panel });
  }

  /** A picture has come; one that was overtaken is let go. */
  private take({ kind, turn, bitmap }: Picture): void {
    if (turn !== this.turns[kind]) {
      bitmap.close();
      return;
    }
    this[kind].getContext("bitmaprenderer")!.transferFromImageBitmap(bitmap);
    if (kind === "over") {
      this.over.hidden = false;
      return;
    }
    this.painted = this.asked;
    this.stretch();
  }

  /** Put the picture that is there where the ranges are now. */
  stretch(): void {
    const { scene, painted } = this;
    const fits = scene && painted && sameKind(painted, scene);
    this.lines.style.transform = fits && (painted.x !== scene.x || painted.y !== scene.y) ? stretched(painted, scene) : "";
  }
}

const moving = new Set<Layers>();

/** Once the axes of all charts are drawn: text on a canvas makes the browser compute styles anew if any has changed. */
function stretchTogether(layers: Layers): void {
  if (!moving.size)
    queueMicrotask(() => {
      for (const one of moving) one.stretch();
      moving.clear();
    });
  moving.add(layers);
}

function pictureIn(parent: HTMLElement): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  Object.assign(canvas.style, { position: "absolute", inset: "0", width: "100%", height: "100%" });
  parent.append(canvas);
  return canvas;
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
