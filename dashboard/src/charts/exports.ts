// A chart leaves the page: PNG, SVG, CSV, or the Python lines that read the same numbers. Knows no card.
import { logTicks, niceTicks, tickLabel } from "../math/labels";
import { type Axis, project, spans, toPixel } from "../math/project";
import type { View } from "../state/view";
import type { Line } from "./painter";
import type { Plot } from "./plot";

/** Let the browser save a text. */
export const saveText = (name: string, type: string, text: string): void => saveBlob(name, new Blob([text], { type }));

export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replaceAll(/[\\/:*?"<>|\s]+/g, "_");
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Save the plot as it is on the screen, on the panel's colour. */
export function savePng(metric: string, plot: Plot, background: string): void {
  const canvas = plot.canvas;
  if (!canvas) return;
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const ctx = copy.getContext("2d")!;
  ctx.fillStyle = background;
  ctx.fillRect(0, 0, copy.width, copy.height);
  ctx.drawImage(canvas, 0, 0);
  copy.toBlob((blob) => blob && saveBlob(`${metric}.png`, blob));
}

const SIZE = { width: 640, height: 400, left: 56, right: 12, top: 28, bottom: 28 };

let clips = 0;

/** The chart as an SVG document. Names are escaped. */
export function svgOf(
  metric: string,
  lines: readonly Line[],
  ranges: { x: [number, number]; y: [number, number] },
  log: { x: boolean; y: boolean },
): string {
  const { width, height, left, right, top, bottom } = SIZE;
  const x: Axis = { min: ranges.x[0], max: ranges.x[1], from: left, to: width - right, log: log.x };
  const y: Axis = { min: ranges.y[0], max: ranges.y[1], from: height - bottom, to: top, log: log.y };
  clips += 1;
  const clip = `clip-${clips}`; // several charts may stand in one document
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Inter, sans-serif" font-size="11">`,
    `<title>${escaped(metric)}</title><rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="16" font-weight="600" font-size="13">${escaped(metric)}</text>`,
    ...(log.x ? logTicks(...ranges.x) : niceTicks(...ranges.x, 7)).map((tick) =>
      label(tickLabel(tick), toPixel(x, tick), height - 10, "middle"),
    ),
    ...(log.y ? logTicks(...ranges.y) : niceTicks(...ranges.y, 6)).map((tick) =>
      label(tickLabel(tick), left - 6, toPixel(y, tick) + 4, "end"),
    ),
    `<clipPath id="${clip}"><rect x="${left}" y="${top}" width="${width - left - right}" height="${height - top - bottom}"/></clipPath>`,
    `<path d="M${left},${top}V${height - bottom}H${width - right}" fill="none" stroke="#6b7480"/><g clip-path="url(#${clip})" fill="none" stroke-linecap="round" stroke-linejoin="round">`,
    ...lines
      .filter((line) => line.band.count)
      .map((line) => `<path d="${bandOf(line, x, y)}" fill="${line.colour}" fill-opacity="0.14"/>`),
    ...lines.map(
      (line) =>
        `<path d="${pathOf(line, x, y)}" stroke="${line.colour}" stroke-width="1.5"${dashed(line)}><title>${escaped(line.key)}</title></path>`,
    ),
    "</g></svg>",
  ];
  return parts.join("\n");
}

function pathOf({ columns }: Line, x: Axis, y: Axis): string {
  const n = columns.x.length;
  const [px, py] = [new Float32Array(n), new Float32Array(n)];
  project(x, columns.x, 0, n, px);
  project(y, columns.mean, 0, n, py);
  const pieces: string[] = [];
  spans(px, py, n, (from, to) => {
    for (let i = from; i < to; i++) pieces.push(`${i === from ? "M" : "L"}${px[i]!.toFixed(2)},${py[i]!.toFixed(2)}`);
    if (to - from === 1) pieces.push("h0"); // a point alone: a dot, by its round end
  });
  return pieces.join("");
}

const dashed = ({ dash }: Line) => (dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "");

/** From min to max, along the stretches where both are finite. */
function bandOf({ band }: Line, x: Axis, y: Axis): string {
  const n = band.x.length;
  const [px, low, high] = [new Float32Array(n), new Float32Array(n), new Float32Array(n)];
  project(x, band.x, 0, n, px);
  project(y, band.min, 0, n, low);
  project(y, band.max, 0, n, high);
  const pieces: string[] = [];
  spans(px, low, n, (from, to) => {
    const points: string[] = [];
    for (let i = from; i < to; i++) points.push(`${px[i]!.toFixed(2)},${high[i]!.toFixed(2)}`);
    for (let i = to - 1; i >= from; i--) points.push(`${px[i]!.toFixed(2)},${low[i]!.toFixed(2)}`);
    if (points.every((point) => !point.includes("NaN"))) pieces.push(`M${points.join("L")}Z`);
  });
  return pieces.join("");
}

const label = (text: string, x: number, y: number, anchor: string) =>
  Number.isFinite(x + y)
    ? `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#5a6472">${text}</text>`
    : "";
export const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** What a chart asks the server, as far as Python can ask the same of a directory. */
export type Drawing = Pick<View, "x" | "q" | "prefix" | "groupBy" | "center" | "spread" | "smoothing" | "split"> & {
  lo: number | null;
  hi: number | null;
  bins: number;
};

/** Python that reads the drawn numbers from the server's directory: what `Runs.chart` returns. JSON strings are Python strings. */
export function pythonOf(metrics: readonly string[], runs: readonly string[], drawing: Drawing): string {
  const { q, prefix, x, groupBy, center, spread, split, smoothing } = drawing;
  const text = (value: unknown) => JSON.stringify(value);
  const which = groupBy.length
    ? [`q=${text(q)}`, `prefix=${text(prefix)}`, `group_by=${text(groupBy)}`, `center=${text(center)}`, `spread=${text(spread)}`]
    : [`runs=${text(runs)}`, ...(split ? [`split=${text(split)}`] : [])];
  const zoom = drawing.lo !== null && drawing.hi !== null ? [`lo=${drawing.lo}`, `hi=${drawing.hi}`] : [];
  const smooth = smoothing ? [`smoothing=Smoothing("ema", ${smoothing})`] : [];
  const how = [...which, `x=${text(x)}`, ...zoom, `bins=${drawing.bins}`, ...smooth];
  return [
    "import os",
    "",
    "import ml_logger",
    ...(smoothing ? ["from ml_logger.queries import Smoothing"] : []),
    "",
    'root = os.environ.get("ML_LOGGER_ROOT", ".")  # the directory that the server serves',
    "with ml_logger.open(root) as runs:",
    "    charts = {",
    "        metric: runs.chart(",
    "            metric,",
    ...how.map((argument) => `            ${argument},`),
    "        )",
    `        for metric in ${text(metrics)}`,
    "    }",
    "",
    "for metric, lines in charts.items():",
    "    for name, line in lines.items():",
    '        print(metric, name, line["x"], line["mean"])',
    "",
  ].join("\n");
}
