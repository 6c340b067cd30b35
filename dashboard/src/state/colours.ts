// Which colour and dash a run is drawn in: stable by its key, and apart from its neighbours where it can. Knows no theme.

export const COLOURS = 10;

/** `slot` names the CSS variable --series-<slot>; `round` is 0 for a plain line, then dashes. */
export interface RunStyle {
  readonly slot: number;
  readonly round: number;
}

/** FNV-1a of a key's UTF-16 units: small, stable over versions and browsers. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash ^= key.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * Add styles for the keys that have none yet. A key takes the slot of its hash if no earlier key has it, else the next
 * least used one, so ten runs drawn together have ten colours; a key that has a style keeps it.
 */
export function assignStyles(keys: readonly string[], styles: Map<string, RunStyle>): void {
  const used = new Array<number>(COLOURS).fill(0);
  for (const { slot } of styles.values()) used[slot]!++;
  for (const key of keys) {
    if (styles.has(key)) continue;
    const least = Math.min(...used);
    let slot = hashOf(key) % COLOURS;
    while (used[slot]! > least) slot = (slot + 1) % COLOURS;
    styles.set(key, { slot, round: used[slot]! });
    used[slot]!++;
  }
}

const styles = new Map<string, RunStyle>();

/** The style of a run or group in this tab. */
export function styleOf(key: string): RunStyle {
  if (!styles.has(key)) assignStyles([key], styles);
  return styles.get(key)!;
}

/** Give the runs that are drawn together their styles at once, in the order of the table. */
export function styleRuns(keys: readonly string[]): void {
  assignStyles(keys, styles);
}

/** Forget all styles, when another folder opens. */
export function forgetStyles(): void {
  styles.clear();
}

const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

/** The dash pattern of a style, in CSS pixels; [] is a plain line. */
export const dashOf = (style: RunStyle): readonly number[] => DASHES[style.round % DASHES.length]!;

/** The CSS colour of a style, for elements. */
export const colourOf = (style: RunStyle): string => `var(--series-${style.slot})`;
