// The menu of a card: take the chart along as PNG, SVG, CSV or Python. Knows the card's lines and plot.
import { type RefObject, useId } from "react";
import { csvOf } from "../math/describe";
import type { Figure } from "../math/figure";
import { useTheme } from "../state/theme";
import { useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import { own } from "../ui/own";
import styles from "./charts.module.css";
import type { Line } from "./painter";
import { paletteOf, recoloured } from "./palette";
import type { Plot } from "./plot";
import { titleOf } from "./scene";

interface Props {
  metric: string;
  metrics: readonly string[];
  lines: readonly Line[];
  plot: RefObject<Plot | null>;
  /** How many points were logged, are stored, are shown. */
  size: string;
  /** A panel's own axis. */
  x?: string | undefined;
}

export function CardMenu(props: Props) {
  const { metric, lines, size, x } = props;
  const id = useId();
  const items: [string, () => Promise<void>][] = [
    ["PNG", () => png(props)],
    ["SVG", () => svg(props)],
    ["CSV", async () => (await exports()).saveText(`${metric}.csv`, "text/csv", csv(lines, x))],
    ["Copy as Python", async () => navigator.clipboard?.writeText(await python(props))],
  ];
  return (
    <>
      <button
        type="button"
        className={controls.plain}
        aria-label={`More for ${metric}`}
        popoverTarget={id}
        onClick={(event) => place(document.getElementById(id)!, event.currentTarget)}
      >
        <Icon name="more" size={13} />
      </button>
      <div id={id} popover="auto" className={controls.menu}>
        <small className={styles.size}>{size}</small>
        {items.map(([name, act]) => (
          <button
            key={name}
            type="button"
            onClick={() => {
              void act();
              document.getElementById(id)?.hidePopover();
            }}
          >
            {name}
          </button>
        ))}
      </div>
    </>
  );
}

const exports = () => import("./exports");
const csv = (lines: readonly Line[], x?: string) =>
  csvOf(
    x || useView.getState().x,
    lines.map(titleOf),
    lines.map((line) => line.band),
  );

async function png(props: Props): Promise<void> {
  const [{ saveBlob }, { pngOf }] = await Promise.all([exports(), import("./png")]);
  const palette = paletteOf(useTheme.getState().theme);
  const blob = await pngOf(await figure(props), props.lines, palette);
  if (blob) saveBlob(`${props.metric}.png`, blob);
}

async function svg(props: Props): Promise<void> {
  const [{ saveText }, { svgOf }] = await Promise.all([exports(), import("./svg")]);
  const lines = recoloured(props.lines, paletteOf(useTheme.getState().theme), paletteOf("light"));
  saveText(`${props.metric}.svg`, "image/svg+xml", svgOf(await figure(props), lines));
}

async function figure({ metric, lines, plot, x }: Props): Promise<Figure> {
  const { figureOf } = await import("../math/figure");
  const { x: shared, logX, logY } = useView.getState();
  const ranges = plot.current?.ranges ?? { x: [0, 1], y: [0, 1] };
  return figureOf({ title: metric, xName: x || shared, ranges, log: { x: logX, y: logY }, names: lines.map(titleOf) });
}

async function python({ metric, metrics, lines, plot, x }: Props): Promise<string> {
  const { pythonOf } = await exports();
  const view = useView.getState();
  const runs = [...new Set(lines.map((line) => line.key))];
  const { lo, hi } = zoomOf(x ? (own(view.zoom.own, metric) ?? null) : view.zoom.x);
  return pythonOf(metrics, runs, { ...view, x: x || view.x, lo, hi, bins: plot.current?.bins ?? 1000 });
}

const zoomOf = (range: readonly [number, number] | null) => ({ lo: range?.[0] ?? null, hi: range?.[1] ?? null });

/** A popover stands where its button is: the style sheet cannot know. */
function place(menu: HTMLElement, button: HTMLElement): void {
  const { right, bottom } = button.getBoundingClientRect();
  menu.style.left = `${Math.max(4, right - 168)}px`;
  menu.style.top = `${Math.min(bottom + 4, window.innerHeight - 140)}px`;
}
