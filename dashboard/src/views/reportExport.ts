// A report as one HTML file that works from disk: charts as SVG, pictures as data, no script and no request. Knows the shown article only.
import { drawnChart } from "../charts/drawn";
import { paletteOf, recoloured } from "../charts/palette";
import { titleOf } from "../charts/scene";
import { escaped, svgOf } from "../charts/svg";
import { figureOf } from "../math/figure";
import { useTheme } from "../state/theme";
import { useView } from "../state/view";

const STYLE = `
:root { color-scheme: light }
body { margin: 0; background: #f7f8fa; color: #1a1f27; font: 15px/23px Inter, system-ui, sans-serif }
article { max-width: 820px; margin: 24px auto; padding: 20px 32px; border: 1px solid #e3e6eb; border-radius: 8px; background: #fff }
h1 { font-size: 22px } h2 { font-size: 17px } figure { margin: 16px 0 } img, svg, video { max-width: 100% }
pre { overflow: auto; padding: 10px; border-radius: 6px; background: #f7f8fa } table { border-collapse: collapse }
th, td { padding: 4px 10px; border: 1px solid #e3e6eb } a { color: #2563eb } figcaption { color: #5a6472; font-size: 13px; line-height: 18px }`;

/** Nothing is loaded, nothing runs, wherever the file is opened. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:";

/** The article as a whole document. Pictures that cannot be read are left out. */
export async function documentOf(article: HTMLElement, title: string): Promise<string> {
  const copy = article.cloneNode(true) as HTMLElement;
  for (const figure of copy.querySelectorAll("figure[aria-label]")) figure.replaceWith(chartOf(figure));
  for (const extra of copy.querySelectorAll("button, script, style, link, iframe, [data-not-exported]")) extra.remove();
  await Promise.all([...copy.querySelectorAll<HTMLImageElement>("img")].map(inlined));
  for (const link of copy.querySelectorAll("a")) link.href = new URL(link.getAttribute("href") ?? "", location.href).href;
  for (const element of copy.querySelectorAll("[class]")) element.removeAttribute("class");
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>${escaped(title)}</title><style>${STYLE}</style></head>`,
    `<body><article>${copy.innerHTML}</article></body></html>\n`,
  ].join("\n");
}

function chartOf(figure: Element): HTMLElement {
  const name = figure.getAttribute("aria-label")!;
  const drawn = drawnChart(name);
  const made = document.createElement("figure");
  if (!drawn?.ranges) {
    made.textContent = `${name}: nothing was drawn`;
    return made;
  }
  const { x, logX, logY } = useView.getState();
  const lines = recoloured(drawn.lines, paletteOf(useTheme.getState().theme), paletteOf("light"));
  const figureShape = figureOf({
    title: name,
    xName: x,
    ranges: drawn.ranges,
    log: { x: logX, y: logY },
    names: lines.map(titleOf),
  });
  const words = figure.querySelector("p")?.textContent ?? "";
  made.innerHTML = `${svgOf(figureShape, lines)}<figcaption>${escaped(words)}</figcaption>`;
  return made;
}

async function inlined(image: HTMLImageElement): Promise<void> {
  const source = image.getAttribute("src") ?? "";
  image.removeAttribute("loading");
  if (source.startsWith("data:image/")) return;
  const response = await fetch(source, { credentials: "same-origin" }).catch(() => null);
  if (response?.ok) image.src = await asData(await response.blob());
  else image.replaceWith(document.createTextNode(image.alt));
}

const asData = (blob: Blob): Promise<string> =>
  new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.readAsDataURL(blob);
  });
