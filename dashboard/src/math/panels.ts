// Charts that a user made: what one is, how it is read from an address or a file. Pure; draws nothing.

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
