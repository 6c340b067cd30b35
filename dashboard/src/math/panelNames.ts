// What charts that a user made are called. Pure.
import type { Panel } from "./panels";

/** What a panel is called: its title, or what it shows. */
function nameOfPanel({ title, kind, y, x, glob, stat }: Panel): string {
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
