// The tokens as canvases need them: colours of the theme, and lines faded into the panel. Knows no chart.
import { COLOURS } from "../state/colours";
import type { Theme } from "../state/theme";

export interface Palette {
  panel: string;
  grid: string;
  line: string;
  fg: string;
  fg2: string;
  fg3: string;
  accent: string;
  series: readonly string[];
  /** The same colours, most of the way to the panel's: raw values behind a smoothed line, without the cost of transparency. */
  faint: readonly string[];
}

const known = new Map<Theme, Palette>();

/** The palette of a theme, whichever the page is in: an element that no one sees carries the theme for a moment. */
export function paletteOf(theme: Theme): Palette {
  const found = known.get(theme);
  if (found) return found;
  const probe = document.createElement("i");
  probe.dataset.theme = theme;
  probe.hidden = true;
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const token = (name: string) => style.getPropertyValue(name).trim() || "#808080";
  const series = Array.from({ length: COLOURS }, (_, slot) => token(`--series-${slot}`));
  const panel = token("--panel");
  const palette: Palette = {
    panel,
    grid: token("--grid"),
    line: token("--line"),
    fg: token("--fg"),
    fg2: token("--fg2"),
    fg3: token("--fg3"),
    accent: token("--accent"),
    series,
    faint: series.map((colour) => mixed(colour, panel, 0.32)),
  };
  probe.remove();
  known.set(theme, palette);
  return palette;
}

/** Lines in the colours of another theme; a colour of neither stays. */
export function recoloured<L extends { colour: string; faint: string }>(lines: readonly L[], from: Palette, to: Palette): L[] {
  return lines.map((line) => {
    const slot = from.series.indexOf(line.colour);
    return slot < 0 ? line : { ...line, colour: to.series[slot]!, faint: to.faint[slot]! };
  });
}

/** `part` of one colour, the rest of another. */
export function mixed(colour: string, other: string, part: number): string {
  const [a, b] = [channels(colour), channels(other)];
  const hex = a.map((value, i) =>
    Math.round(value * part + b[i]! * (1 - part))
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

/** Red, green, blue of #rrggbb, or of #rgb, to which a build shortens it. */
function channels(colour: string): number[] {
  const hex = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join("") : colour.slice(1);
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) || 0);
}
