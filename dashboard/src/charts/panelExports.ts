// Bars and distributions as files: rows for other programs, and a picture on white. Knows values and names, no card.
import type { Histogram } from "../math/bars";
import { barOf } from "../math/bars";
import { plainNumber } from "../math/describe";
import { csvRows } from "../math/tables";
import { saveBlob, saveText } from "./exports";
import { escaped } from "./svg";

/** What a panel gives of itself: texts, made when they are asked for. */
export interface PanelTexts {
  csv(): string;
  svg(): string;
  python(): string;
}

export type PanelWay = "PNG" | "SVG" | "CSV" | "Copy as Python";

export interface BarToTake {
  title: string;
  value: number;
  std: number | null;
  colour: string;
}

const WIDTH = 720;
const TOP = 40;
const ROW = 20;

/** One line for each bar: its title, value, and spread where it stands for a group. */
export const barsCsv = (bars: readonly BarToTake[]): string =>
  csvRows([["series", "value", "std"], ...bars.map(({ title, value, std }) => [title, value, std ?? ""])]);

export function barsSvg(name: string, bars: readonly BarToTake[]): string {
  const values = bars.map((bar) => bar.value);
  const rows = bars.map(({ title, value, std, colour }, at) => {
    const y = TOP + at * ROW;
    const [left, width] = barOf(value, values);
    const shown = plainNumber(value) + (std === null ? "" : ` ± ${plainNumber(std)}`);
    return (
      `<text x="210" y="${y + 13}" text-anchor="end">${escaped(cutTo(title, 32))}</text>` +
      `<rect x="${(220 + left * 360).toFixed(1)}" y="${y + 3}" width="${(width * 360).toFixed(1)}" height="13" rx="2" fill="${colour}"/>` +
      `<text x="${WIDTH - 12}" y="${y + 13}" text-anchor="end">${shown}</text>`
    );
  });
  return sheet(name, TOP + bars.length * ROW + 12, rows);
}

/** One line for each bin of each step: its edges and its count. */
export const heatCsv = (found: readonly Histogram[]): string =>
  csvRows([
    ["step", "left", "right", "count"],
    ...found.flatMap(({ step, counts, edges }) => counts.map((count, bin) => [step, edges[bin]!, edges[bin + 1]!, count])),
  ]);

/** `picture` is the painted heat as a data address: a column a step, stretched over the frame. */
export function heatSvg(name: string, found: readonly Histogram[], low: number, high: number, picture: string): string {
  const bottom = TOP + 320;
  return sheet(name, bottom + 44, [
    `<image x="60" y="${TOP}" width="${WIDTH - 80}" height="320" preserveAspectRatio="none" style="image-rendering:pixelated" href="${picture}"/>`,
    `<text x="54" y="${TOP + 10}" text-anchor="end">${plainNumber(high)}</text>`,
    `<text x="54" y="${bottom}" text-anchor="end">${plainNumber(low)}</text>`,
    `<text x="60" y="${bottom + 18}">${found[0]?.step ?? ""}</text>`,
    `<text x="${WIDTH - 20}" y="${bottom + 18}" text-anchor="end">${found.at(-1)?.step ?? ""}</text>`,
    `<text x="${WIDTH / 2}" y="${bottom + 18}" text-anchor="middle">step</text>`,
  ]);
}

const cutTo = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const sheet = (name: string, height: number, parts: readonly string[]) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="Inter, system-ui, sans-serif" font-size="11" fill="#5a6472">`,
    `<title>${escaped(name)}</title><rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="20" y="24" font-weight="600" font-size="14" fill="#1a1f27">${escaped(cutTo(name, 90))}</text>`,
    ...parts,
    "</svg>",
  ].join("\n");

/** Save a panel as the file of that kind, or put the lines that read it on the clipboard. */
export async function takePanel(way: PanelWay, name: string, { csv, svg, python }: PanelTexts): Promise<void> {
  if (way === "Copy as Python") return navigator.clipboard?.writeText(python());
  if (way === "CSV") return saveText(`${name}.csv`, "text/csv", csv());
  if (way === "SVG") return saveText(`${name}.svg`, "image/svg+xml", svg());
  const blob = await rasterised(svg());
  if (blob) saveBlob(`${name}.png`, blob);
}

/** The document as a PNG at twice its size. */
async function rasterised(svg: string): Promise<Blob | null> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done));
}
