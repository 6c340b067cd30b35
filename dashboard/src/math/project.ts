// From values to pixels: the arithmetic below the painter. Pure; knows no canvas.

/** An axis on the canvas: values `min` … `max` lie at pixels `from` … `to`. */
export interface Axis {
  min: number;
  max: number;
  from: number;
  to: number;
  log: boolean;
}

/** A pixel beyond this is drawn at it: canvases lose precision far outside. */
const FAR = 1e6;

/** The pixel of one value; NaN for what has none (NaN, ±∞, and values ≤ 0 on a log axis). */
export function toPixel(axis: Axis, value: number): number {
  if (axis.log ? !(value > 0 && value < Number.POSITIVE_INFINITY) : !Number.isFinite(value)) return Number.NaN;
  const { scale, shift } = linear(axis);
  return clamp((axis.log ? Math.log10(value) : value) * scale + shift);
}

/** The value at a pixel. */
export function toValue(axis: Axis, pixel: number): number {
  const { scale, shift } = linear(axis);
  const value = (pixel - shift) / scale;
  return axis.log ? 10 ** value : value;
}

/** Write the pixels of values [start, stop) into `out`, as `toPixel` does. */
export function project(axis: Axis, values: ArrayLike<number>, start: number, stop: number, out: Float32Array): void {
  const { scale, shift } = linear(axis);
  if (axis.log) {
    for (let i = start; i < stop; i++) {
      const value = values[i]!;
      out[i - start] = value > 0 ? clamp(Math.log10(value) * scale + shift) : Number.NaN;
      if (value === Number.POSITIVE_INFINITY) out[i - start] = Number.NaN;
    }
  } else {
    for (let i = start; i < stop; i++) {
      const value = values[i]!;
      out[i - start] = value - value === 0 ? clamp(value * scale + shift) : Number.NaN; // ∞ − ∞ and NaN are not 0
    }
  }
}

function linear(axis: Axis): { scale: number; shift: number } {
  const [min, max] = axis.log ? [Math.log10(axis.min), Math.log10(axis.max)] : [axis.min, axis.max];
  const scale = max > min ? (axis.to - axis.from) / (max - min) : 0;
  return { scale, shift: scale === 0 ? (axis.from + axis.to) / 2 : axis.from - min * scale };
}

const clamp = (pixel: number) => Math.min(FAR, Math.max(-FAR, pixel));

/** Call `span` for each stretch [from, to) in which both pixels exist: between two stretches the line has a gap. */
export function spans(px: Float32Array, py: Float32Array, n: number, span: (from: number, to: number) => void): void {
  let from = -1;
  for (let i = 0; i < n; i++) {
    const drawn = px[i]! - px[i]! === 0 && py[i]! - py[i]! === 0;
    if (drawn && from < 0) from = i;
    if (!drawn && from >= 0) {
      span(from, i);
      from = -1;
    }
  }
  if (from >= 0) span(from, n);
}

/** The pieces that a long stroke is cut into, end to end: [0, 32, 64, …, n − 1] for n points. */
export function cuts(n: number, segments: number): number[] {
  const at: number[] = [];
  for (let i = 0; i < n - 1; i += segments) at.push(i);
  at.push(n - 1);
  return at;
}
