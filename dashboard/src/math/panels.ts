// Charts that a user made: what one is, how it is read from an address or a file, what it is called. Pure; draws nothing.

export const PANEL_KINDS = ["line", "bar", "histogram", "image", "video", "file"] as const;
export type PanelKind = (typeof PANEL_KINDS)[number];
export const STATS = ["last", "min", "max"] as const;
export type Stat = (typeof STATS)[number];

export interface Panel {
  readonly kind: PanelKind;
  readonly title: string;
  /** Metrics. */
  readonly y: readonly string[];
  /** "" is the axis of all charts; "step", "time", "relative" or a metric is the panel's own. */
  readonly x: string;
  /** Files of a run, for pictures and videos. */
  readonly glob: string;
  /** What a bar shows of a run. */
  readonly stat: Stat;
}

export const NEW_PANEL: Panel = { kind: "line", title: "", y: [], x: "", glob: "", stat: "last" };

/** Read a panel from something that may be anything; null if it is no panel. */
export function panelOf(value: unknown): Panel | null {
  if (typeof value !== "object" || value === null) return null;
  const { kind, title, y, x, glob, stat } = value as Record<string, unknown>;
  if (!PANEL_KINDS.includes(kind as PanelKind)) return null;
  const text = (one: unknown) => (typeof one === "string" ? one : "");
  const panel: Panel = {
    kind: kind as PanelKind,
    title: text(title),
    y: Array.isArray(y) ? [...new Set(y.filter((name): name is string => typeof name === "string" && name !== ""))] : [],
    x: text(x),
    glob: text(glob),
    stat: STATS.includes(stat as Stat) ? (stat as Stat) : "last",
  };
  return panel.y.length || panel.glob ? panel : null;
}

/** The panels in a list that may be anything. */
export const panelsOf = (value: unknown): Panel[] =>
  Array.isArray(value) ? value.map(panelOf).filter((panel) => panel !== null) : [];

/** A panel without what is as in a new one: short in an address. */
export function brief(panel: Panel): Partial<Panel> {
  const { kind, title, y, x, glob, stat } = panel;
  return {
    kind,
    ...(title && { title }),
    ...(y.length && { y }),
    ...(x && { x }),
    ...(glob && { glob }),
    ...(stat !== "last" && { stat }),
  };
}

/** What a panel is called: its title, or what it shows. */
export function nameOfPanel({ title, kind, y, x, glob, stat }: Panel): string {
  if (title) return title;
  const what = y.join(", ") || glob;
  if (kind === "bar") return `${what} (${stat})`;
  if (kind === "histogram") return `${what} over time`;
  return x ? `${what} vs ${x}` : what;
}

/** Distinct names for panels: like ones are numbered. */
export function panelNames(panels: readonly Panel[]): string[] {
  const seen = new Map<string, number>();
  return panels.map((panel) => {
    const name = nameOfPanel(panel);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count > 1 ? `${name} #${count}` : name;
  });
}

/** One step's distribution, as log_histogram logs it. */
export interface Histogram {
  readonly step: number;
  readonly counts: readonly number[];
  readonly edges: readonly number[];
}

/** Read the histograms named `key` from rows of a table; what is no histogram is passed over. */
export function histogramsOf(rows: readonly Record<string, unknown>[], key: string): Histogram[] {
  const found: Histogram[] = [];
  rows.forEach((row, index) => {
    const value = row[key];
    if (typeof value !== "object" || value === null) return;
    const { counts, edges } = value as Record<string, unknown>;
    if (!isNumbers(counts) || !isNumbers(edges) || !counts.length || edges.length !== counts.length + 1) return;
    const step = ["step", "timestep", "global_step", "epoch"].map((name) => row[name]).find((one) => Number.isInteger(one));
    found.push({ step: (step as number | undefined) ?? index, counts, edges });
  });
  return found.sort((a, b) => a.step - b.step);
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number" && Number.isFinite(one));

/** Where a bar lies between the least and greatest value, zero included: [left, width] as parts of the whole. */
export function barOf(value: number, values: readonly number[]): [left: number, width: number] {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const span = high / 2 - low / 2; // halves, so that ±1e308 do not overflow
  if (!(span > 0)) return [0, 0];
  const part = (at: number) => (at / 2 - low / 2) / span;
  return [part(Math.min(0, value)), Math.abs(part(value) - part(0))];
}
