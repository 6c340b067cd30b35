// A chart as an SVG document, on white, in the colours of the light theme. Names are escaped. Knows no card.
import { withBeside } from "../math/columns";
import type { Figure } from "../math/figure";
import { type Axis, project, spans, toPixel } from "../math/project";
import type { Line } from "./painter";

let clips = 0;

/** The figure with its lines, as the text of an SVG document. */
export function svgOf(figure: Figure, lines: readonly Line[]): string {
  const { width, height, x, y, title } = figure;
  clips += 1;
  const clip = `clip-${clips}`; // several charts may stand in one document
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, system-ui, sans-serif" font-size="11" fill="#5a6472">`,
    `<title>${escaped(title)}</title><rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${x.from}" y="22" font-weight="600" font-size="14" fill="#1a1f27">${escaped(title)}</text>`,
    ...gridOf(figure),
    text(figure.xName, (x.from + x.to) / 2, y.from + 34, "middle"),
    `<clipPath id="${clip}"><rect x="${x.from}" y="${y.to}" width="${x.to - x.from}" height="${y.from - y.to}"/></clipPath>`,
    `<path d="M${x.from},${y.to}V${y.from}" fill="none" stroke="#6b7480"/><g clip-path="url(#${clip})" fill="none" stroke-linecap="round" stroke-linejoin="round">`,
    ...lines
      .filter((line) => line.band.count)
      .map((line) => `<path d="${bandOf(line, x, y)}" fill="${line.colour}" fill-opacity="0.14"/>`),
    ...lines
      .filter((line) => line.smoothed)
      .map((line) => `<path d="${pathOf(line.band, x, y)}" stroke="${line.faint}" stroke-width="0.8"/>`),
    ...lines.map(
      (line, at) =>
        `<path d="${pathOf(line.columns, x, y)}" stroke="${line.colour}" stroke-width="1.5"${dashed(line)}><title>${escaped(figure.legend[at]?.text ?? line.key)}</title></path>`,
    ),
    "</g>",
    ...legendOf(figure, lines),
    "</svg>",
  ];
  return parts.join("\n");
}

function gridOf({ x, y, xTicks, yTicks }: Figure): string[] {
  return [
    ...xTicks.map(({ at, text: label }) => {
      const left = toPixel(x, at).toFixed(1);
      return `<path d="M${left},${y.to}V${y.from}" stroke="#eef0f3"/>${text(label, Number(left), y.from + 16, "middle")}`;
    }),
    ...yTicks.map(({ at, text: label }) => {
      const top = toPixel(y, at).toFixed(1);
      return `<path d="M${x.from},${top}H${x.to}" stroke="#eef0f3"/>${text(label, x.from - 7, Number(top) + 4, "end")}`;
    }),
  ];
}

function legendOf({ legend, more }: Figure, lines: readonly Line[]): string[] {
  const entries = legend.map(({ line, left, top, text: name }) => {
    const { colour } = lines[line]!;
    return `<path d="M${left},${top}h16" stroke="${colour}" stroke-width="2"${dashed(lines[line]!)}/>${text(name, left + 22, top + 4, "start")}`;
  });
  return more ? [...entries, text(`and ${more.count} more`, more.left, more.top + 4, "start")] : entries;
}

function pathOf(columns: Line["columns"], x: Axis, y: Axis): string {
  const drawn = withBeside(columns);
  const n = drawn.x.length;
  const [px, py] = [new Float32Array(n), new Float32Array(n)];
  project(x, drawn.x, 0, n, px);
  project(y, drawn.mean, 0, n, py);
  const pieces: string[] = [];
  spans(px, py, n, (from, to) => {
    for (let i = from; i < to; i++) pieces.push(`${i === from ? "M" : "L"}${px[i]!.toFixed(2)},${py[i]!.toFixed(2)}`);
    if (to - from === 1) pieces.push("h0"); // a point alone: a dot, by its round end
  });
  return pieces.join("");
}

const dashed = ({ dash }: Line) => (dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "");

/** From min to max, along the stretches where both are finite; what lies below a log axis reaches its edge. */
function bandOf(line: Line, x: Axis, y: Axis): string {
  const band = withBeside(line.band);
  const n = band.x.length;
  const [px, low, high] = [new Float32Array(n), new Float32Array(n), new Float32Array(n)];
  project(x, band.x, 0, n, px);
  project(y, y.log ? band.min.map((value) => (value <= 0 ? y.min : value)) : band.min, 0, n, low);
  project(y, band.max, 0, n, high);
  const pieces: string[] = [];
  spans(low, high, n, (from, to) => {
    const points: string[] = [];
    for (let i = from; i < to; i++) points.push(`${px[i]!.toFixed(2)},${high[i]!.toFixed(2)}`);
    for (let i = to - 1; i >= from; i--) points.push(`${px[i]!.toFixed(2)},${low[i]!.toFixed(2)}`);
    if (points.every((point) => !point.includes("NaN"))) pieces.push(`M${points.join("L")}Z`);
  });
  return pieces.join("");
}

const text = (label: string, x: number, y: number, anchor: string) =>
  Number.isFinite(x + y) ? `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(label)}</text>` : "";

export const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
