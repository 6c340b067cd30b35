// Which charts stand together, and where each card lies on the page. Pure; knows no element.

export interface Section {
  title: string;
  metrics: readonly string[];
}

/** A prefix with fewer charts than this shares a section with its like. */
const SMALL = 9;

/** The part of a metric's name before its first slash, or "". */
export const prefixOf = (metric: string): string => {
  const slash = metric.indexOf("/");
  return slash > 0 ? metric.slice(0, slash) : "";
};

const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/** Sections of charts: small prefixes together ("train · eval"), large ones ("layers") on their own, pinned charts first. */
export function sectionsOf(metrics: readonly string[], pinned: readonly string[] = []): Section[] {
  const kept = new Set(pinned);
  const groups = new Map<string, string[]>();
  for (const metric of [...metrics].sort(inOrder)) {
    if (kept.has(metric)) continue;
    const prefix = prefixOf(metric);
    const list = groups.get(prefix);
    if (list) list.push(metric);
    else groups.set(prefix, [metric]);
  }
  const small = [...groups].filter(([, list]) => list.length < SMALL);
  const large = [...groups].filter(([, list]) => list.length >= SMALL);
  const sections: Section[] = [];
  const have = new Set(metrics);
  const first = pinned.filter((metric) => have.has(metric));
  if (first.length) sections.push({ title: "pinned", metrics: first });
  if (small.length)
    sections.push({ title: titleOf(small.map(([prefix]) => prefix)), metrics: small.flatMap(([, list]) => list) });
  for (const [prefix, list] of large) sections.push({ title: prefix || "metrics", metrics: list });
  return sections;
}

function titleOf(prefixes: readonly string[]): string {
  const named = prefixes.filter(Boolean);
  if (!named.length) return "metrics";
  return named.slice(0, 3).join(" · ") + (named.length > 3 ? " · …" : "");
}

export interface Grid {
  width: number;
  cardWidth: number;
  cardHeight: number;
  gap: number;
  header: number;
}

/** Where something lies: a section's header, or one of its cards. Pixels from the grid's top left. */
export interface Place {
  section: number;
  /** Index within the section's metrics; −1 is the header. */
  card: number;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** How many cards stand side by side. */
export const columnsOf = (grid: Grid): number => Math.max(1, Math.floor((grid.width + grid.gap) / (grid.cardWidth + grid.gap)));

export interface Layout {
  places: Place[];
  height: number;
}

/** Places of what meets [from, to], at most `most` cards, and the height of the whole. Cost: linear in sections and results. */
export function placed(sizes: readonly number[], grid: Grid, from: number, to: number, most: number): Layout {
  const columns = columnsOf(grid);
  const width = (grid.width - grid.gap * (columns - 1)) / columns;
  const pitch = grid.cardHeight + grid.gap;
  const places: Place[] = [];
  let top = 0;
  let cards = 0;
  sizes.forEach((size, section) => {
    places.push({ section, card: -1, left: 0, top, width: grid.width, height: grid.header });
    const start = top + grid.header;
    const rows = Math.ceil(size / columns);
    const firstRow = Math.max(0, Math.ceil((from - start - grid.cardHeight) / pitch));
    const lastRow = Math.min(rows - 1, Math.floor((to - start) / pitch));
    for (let card = firstRow * columns; card < Math.min(size, (lastRow + 1) * columns) && cards < most; card++, cards++) {
      const [row, column] = [Math.floor(card / columns), card % columns];
      places.push({ section, card, left: column * (width + grid.gap), top: start + row * pitch, width, height: grid.cardHeight });
    }
    top = start + rows * pitch;
  });
  return { places, height: top };
}
