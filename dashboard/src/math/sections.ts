// Which charts stand together, and where each card lies on the page. Pure; knows no element.

export interface Section {
  title: string;
  metrics: readonly string[];
}

/** A prefix with fewer charts than this shares a section with its like: on their own they leave most of a row empty. */
const SMALL = 9;
/** Small prefixes share a section up to so many charts, so that its title can name them all. */
const SHARED = 12;
/** The title of metrics without a prefix. */
const TOP = "top level";

/** The part of a metric's name before its first slash, or "". */
export const prefixOf = (metric: string): string => {
  const slash = metric.indexOf("/");
  return slash > 0 ? metric.slice(0, slash) : "";
};

const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/**
 * Sections of charts: pinned ones, then what has few charts, then what has many ("layers"), each in natural order.
 * Metrics without a prefix have a section of their own; small prefixes that follow each other share one ("eval · train").
 */
export function sectionsOf(metrics: readonly string[], pinned: readonly string[] = []): Section[] {
  const kept = new Set(pinned);
  const have = new Set(metrics);
  const groups = byPrefix(metrics.filter((metric) => !kept.has(metric)));
  const top = groups.filter(([prefix]) => !prefix);
  const isSmall = ([, list]: Group) => list.length < SMALL;
  const small = groups.filter((group) => group[0] && isSmall(group));
  const large = groups.filter((group) => group[0] && !isSmall(group));
  const first: Group = ["pinned", pinned.filter((metric) => have.has(metric))];
  const inTurn = [...(top.every(isSmall) ? top : []), ...shared(small), ...(top.every(isSmall) ? [] : top), ...large];
  return [first, ...inTurn].filter(([, list]) => list.length).map(([title, list]) => ({ title: title || TOP, metrics: list }));
}

type Group = [prefix: string, metrics: string[]];

/** Groups of metrics in natural order, those without a prefix first. */
function byPrefix(metrics: readonly string[]): Group[] {
  const groups = new Map<string, string[]>();
  for (const metric of [...metrics].sort(inOrder)) {
    const prefix = prefixOf(metric);
    const list = groups.get(prefix);
    if (list) list.push(metric);
    else groups.set(prefix, [metric]);
  }
  return [...groups].sort(([a], [b]) => inOrder(a, b));
}

/** Small groups joined with those that follow; a title names all that its section holds. */
function shared(groups: readonly Group[]): Group[] {
  const joined: Group[] = [];
  for (const [prefix, list] of groups) {
    const last = joined.at(-1);
    if (last && last[1].length + list.length <= SHARED)
      joined[joined.length - 1] = [`${last[0]} · ${prefix}`, [...last[1], ...list]];
    else joined.push([prefix, list]);
  }
  return joined;
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
