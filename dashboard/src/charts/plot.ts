// One chart on the page: uPlot for axes, cursor, selection and their sync; lines by our painter. Knows no fetch and no React.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Pair } from "../math/range";
import { type Near, nearestLines } from "../math/search";
import { Layers, type Scene } from "./layers";
import { type Ticks, ticksOf } from "./ticks";

/** What the pointer does in a plot. */
export interface PlotEvents {
  /** The pointer is at x; null when it left. `near` are the lines around it. */
  onCursor(at: { x: number; near: Near[]; left: number; top: number } | null): void;
  onClick(): void;
  onZoomX(range: Pair): void;
  onZoomY(range: Pair): void;
  onReset(): void;
}

const SYNC = "charts";
const DRAG_PX = 4;
const AXIS = 11;
/** Pixels of the canvas to the right of the plot. */
const BESIDE = 12;
/** Pixels from one label to the next across; dates are wide. */
const LABEL = 58;
const WIDE_LABEL = 84;
/** A letter's width at that size, on average. */
const LETTER = 6.4;

export class Plot {
  private plot: uPlot | null = null;
  private scene: Scene | null = null;
  private readonly layers = new Layers();
  /** CSS pixels of the box, as they were told: asking it for them costs a layout. */
  private width = 0;
  private height = 0;
  private highlighted: string | null = null;
  private selecting = false;
  /** Charts off the screen follow neither cursor nor zoom; they catch up when they come into sight. */
  private inSight = true;
  private stale = false;

  constructor(
    private readonly box: HTMLElement,
    private readonly events: PlotEvents,
  ) {}

  /** Draw a scene. Only a changed kind of axis or theme makes a new uPlot. */
  show(scene: Scene): void {
    const before = this.scene;
    this.scene = scene;
    const same =
      before &&
      before.logX === scene.logX &&
      before.logY === scene.logY &&
      before.xName === scene.xName &&
      before.palette === scene.palette;
    this.stale = same === true && !this.inSight;
    if (this.stale) return;
    if (!this.plot || !same) this.create();
    else this.plot.setData(blank(scene), true);
    this.paintHighlight();
  }

  get visible(): boolean {
    return this.inSight;
  }

  set visible(visible: boolean) {
    this.inSight = visible;
    if (visible && this.stale && this.scene) this.show(this.scene);
  }

  resize(width: number, height: number): void {
    if (!width || !height || (this.width === width && this.height === height)) return;
    Object.assign(this, { width, height });
    if (!this.plot) return;
    this.plot.setSize({ width, height });
    this.paintHighlight();
  }

  /** Pixels between the axes, which is how many buckets can be told apart. */
  get bins(): number {
    const inner = this.plot ? this.plot.bbox.width / uPlot.pxRatio : this.width - 40;
    return Math.max(50, Math.round(inner));
  }

  get ranges(): { x: Pair; y: Pair } | null {
    return this.scene && { x: this.scene.x, y: this.scene.y };
  }

  highlight(key: string | null): void {
    if (key === this.highlighted) return;
    this.highlighted = key;
    if (this.inSight || key === null) this.paintHighlight();
  }

  /** Move the cursor by keys: `by` is a part of the width. */
  nudge(by: number): void {
    const plot = this.plot;
    if (!plot) return;
    const width = plot.over.clientWidth;
    const from = plot.cursor.left != null && plot.cursor.left >= 0 ? plot.cursor.left : width / 2;
    plot.setCursor({ left: Math.min(width - 1, Math.max(0, from + by * width)), top: plot.over.clientHeight / 2 });
    this.tell();
  }

  leave(): void {
    this.plot?.setCursor({ left: -10, top: -10 });
    this.events.onCursor(null);
  }

  destroy(): void {
    this.layers.close();
    this.plot?.destroy();
    this.plot = null;
  }

  private create(): void {
    this.plot?.destroy();
    this.plot = new uPlot(this.options(this.width || 300, this.height || 150), blank(this.scene!), this.box);
    this.plot.over.prepend(this.layers.element);
    this.plot.over.addEventListener("click", () => this.events.onClick());
  }

  private options(width: number, height: number): uPlot.Options {
    const { logX, logY } = this.scene!;
    return {
      width,
      height,
      legend: { show: false },
      padding: [8, BESIDE, 0, 0],
      scales: {
        x: { time: false, distr: logX ? 3 : 1, range: () => this.scene!.x },
        y: { distr: logY ? 3 : 1, range: () => this.scene!.y },
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: [this.axis("x"), this.axis("y")],
      cursor: this.cursor(),
      hooks: {
        draw: [(plot: uPlot) => this.draw(plot)],
        setSelect: [(plot) => this.select(plot)],
        setCursor: [(plot) => plot.cursor.event && this.tell()],
      },
    };
  }

  private axis(scale: "x" | "y"): uPlot.Axis {
    const { palette, xName, logX, logY } = this.scene!;
    const { ticks, labels } = ticksOf(scale === "x" ? xName : "", scale === "x" ? logX : logY);
    return {
      scale,
      font: `${AXIS}px "Inter Variable", system-ui, sans-serif`,
      stroke: palette.fg3,
      grid: { stroke: palette.grid, width: 1 },
      incrs: anyStep,
      splits: ticksBy(ticks, xName === "time" ? WIDE_LABEL : LABEL),
      filter: all,
      border: { show: scale === "y", stroke: palette.fg3, width: 1 },
      ticks: { show: false, size: 0 },
      gap: scale === "x" ? 6 : 5,
      size: scale === "x" ? 22 : (plot, values) => steady(plot, widthOf(values)),
      ...(scale === "x" ? { space: 58 } : { space: 30 }),
      values: (plot: uPlot, at: (number | null)[]) => fitting(plot, scale, at, labels(at)),
    };
  }

  private cursor(): uPlot.Cursor {
    return {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
      sync: { key: `${SYNC} ${this.scene!.xName}`, scales: ["x", null], filters: { sub: () => this.visible, pub: () => true } },
      bind: {
        mousedown: (plot, _target, handler) => (event) => {
          if (event.button !== 0) return null;
          plot.cursor.drag!.x = !event.shiftKey;
          plot.cursor.drag!.y = event.shiftKey;
          this.selecting = true;
          return handler(event);
        },
        mouseup: (_plot, _target, handler) => (event) => {
          handler(event);
          this.selecting = false;
          return null;
        },
        dblclick: () => () => {
          this.events.onReset();
          return null;
        },
        mouseleave: (_plot, _target, handler) => (event) => {
          handler(event);
          this.events.onCursor(null);
          return null;
        },
      },
    };
  }

  /** A selection ends: zoom by it, if it began in this plot. */
  private select(plot: uPlot): void {
    const { left, top, width, height } = plot.select;
    const own = this.selecting;
    const vertical = own && plot.cursor.drag!.y;
    if (width <= 0 && height <= 0) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (!own) return;
    if (vertical && height >= DRAG_PX) this.events.onZoomY([plot.posToVal(top + height, "y"), plot.posToVal(top, "y")]);
    else if (!vertical && width >= DRAG_PX) this.events.onZoomX([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  }

  private tell(): void {
    const { plot, scene } = this;
    const { left, top } = plot?.cursor ?? {};
    if (!plot || !scene || left == null || top == null || left < 0) return;
    const x = plot.posToVal(left, "x");
    const reach = (scene.x[1] - scene.x[0]) / 8;
    const lines = scene.lines.map((line) => line.columns);
    const near = nearestLines(lines, x, top, (value) => plot.valToPos(value, "y"), 8, scene.logX ? Infinity : reach);
    const bounds = plot.rect;
    this.events.onCursor({ x, near, left: bounds.left + left, top: bounds.top + top });
  }

  /** uPlot has drawn its axes: the lines go over them. */
  private draw(plot: uPlot): void {
    this.layers.show(this.scene!, sizeOf(plot));
  }

  private paintHighlight(): void {
    if (this.plot) this.layers.highlight(this.scene, this.highlighted, sizeOf(this.plot));
  }
}

const sizeOf = ({ bbox: { width, height } }: uPlot) => ({ width, height, ratio: uPlot.pxRatio });

/** uPlot's own data: two points that only carry the x range. */
const blank = (scene: Scene): uPlot.AlignedData => [scene.x, [null, null]];

/** Our own ticks: at most one in `room` pixels across, one in 26 up; log axes of y have at most seven. */
const ticksBy =
  (ticks: Ticks, room: number) =>
  (plot: uPlot, axis: number, min: number, max: number): number[] =>
    ticks(min, max, axis ? Math.min(7, Math.max(2, Math.floor(plot.height / 26))) : Math.max(2, Math.floor(plot.width / room)));

/** uPlot draws no axis for which it finds no step, in a table that ends at 1e16; below 5 it wants to know the digits. Ours need none. */
const anyStep = (_plot: uPlot, _axis: number, min: number, max: number) => [Math.max(5, max - min)];

/** uPlot leaves out ticks of log axes that it takes for crowded; ours are few. */
const all = (_plot: uPlot, ticks: (number | null)[]) => ticks;

/** A letter or two less give no other width: each would cost the chart a layout, and its lines a picture of another size. */
function steady(plot: uPlot, width: number): number {
  const now = (plot.axes[1] as uPlot.Axis & { _size?: number })._size ?? 0;
  return now >= width && now < width + 14 ? now : width;
}

/** Without the labels that would be cut off at the right edge; their grid lines stay. */
function fitting(plot: uPlot, scale: "x" | "y", ticks: readonly (number | null)[], labels: string[]): string[] {
  if (scale === "y") return labels;
  const room = plot.bbox.width / uPlot.pxRatio + BESIDE;
  const end = (at: number) => plot.valToPos(ticks[at]!, "x") + (labels[at]!.length * LETTER) / 2;
  return labels.map((label, at) => (ticks[at] !== null && end(at) > room + 1 ? "" : label));
}

const widthOf = (values: readonly string[] | null | undefined): number => {
  const longest = Math.max(0, ...(values ?? []).map((value) => value.length));
  return Math.max(30, 12 + longest * LETTER);
};
