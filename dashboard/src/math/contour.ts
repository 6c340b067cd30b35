// A surface through scattered values, as bands and lines of equal value over two places 0 … 1. Pure; knows no canvas and no parameter.

export interface Spot {
  x: number;
  y: number;
  value: number;
}

/** Values at the nodes of a square grid, row by row from the bottom; NaN where no run is near. */
export interface Field {
  size: number;
  values: Float32Array;
  min: number;
  max: number;
}

/** A piece of a line of equal value: x0, y0, x1, y1, as places 0 … 1. */
export type Segment = readonly [number, number, number, number];

/** The spread of evenly scattered places. */
const SPREAD = 0.29;
/** Beyond two bandwidths from the nearest run nothing is claimed. */
const LEAST_WEIGHT = Math.exp(-2);

/** The mean of the values around each node, weighted by a Gaussian whose width shrinks as runs become more (Scott's rule). */
export function fieldOf(spots: readonly Spot[], size = 48): Field {
  const given = spots.filter(({ x, y, value }) => Number.isFinite(x + y + value));
  const width = SPREAD * Math.max(1, given.length) ** (-1 / 6);
  const values = new Float32Array(size * size).fill(Number.NaN);
  let [min, max] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at++) {
    const value = meanNear(given, (at % size) / (size - 1), Math.floor(at / size) / (size - 1), width);
    values[at] = value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { size, values, min, max };
}

function meanNear(spots: readonly Spot[], x: number, y: number, width: number): number {
  let [weights, sum] = [0, 0];
  for (const spot of spots) {
    const weight = Math.exp(-((spot.x - x) ** 2 + (spot.y - y) ** 2) / (2 * width * width));
    weights += weight;
    sum += weight * spot.value;
  }
  return weights < LEAST_WEIGHT ? Number.NaN : sum / weights;
}

/** The surface at a place between nodes; NaN where one of the four around it is. */
export function valueIn({ size, values }: Field, x: number, y: number): number {
  const [column, row] = [x * (size - 1), y * (size - 1)];
  const [left, below] = [Math.min(size - 2, Math.floor(column)), Math.min(size - 2, Math.floor(row))];
  const [u, v] = [column - left, row - below];
  const at = below * size + left;
  const low = values[at]! * (1 - u) + values[at + 1]! * u;
  const high = values[at + size]! * (1 - u) + values[at + size + 1]! * u;
  return low * (1 - v) + high * v;
}

/** The line where the surface has the value `level`, by marching squares. */
export function lineAt(field: Field, level: number): Segment[] {
  const { size, values } = field;
  const found: Segment[] = [];
  for (let row = 0; row < size - 1; row++) {
    for (let column = 0; column < size - 1; column++) {
      const at = row * size + column;
      const corners = [values[at]!, values[at + 1]!, values[at + size + 1]!, values[at + size]!];
      if (corners.some(Number.isNaN)) continue;
      found.push(...crossings(corners, level).map((segment) => placed(segment, column, row, size)));
    }
  }
  return found;
}

type Point = readonly [number, number];
/** The corners of a cell, around from bottom left. */
const CORNERS: readonly Point[] = [[0, 0], [1, 0], [1, 1], [0, 1]]; // biome-ignore format: pairs

/** Where a level crosses the sides of a cell: pairs of points, none, one or (at a saddle) two. */
function crossings(corners: readonly number[], level: number): [Point, Point][] {
  const points: Point[] = [];
  for (let side = 0; side < 4; side++) {
    const [from, to] = [corners[side]!, corners[(side + 1) % 4]!];
    if (from >= level === to >= level) continue;
    const part = (level - from) / (to - from);
    const [a, b] = [CORNERS[side]!, CORNERS[(side + 1) % 4]!];
    points.push([a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]);
  }
  const pairs: [Point, Point][] = [];
  for (let i = 0; i + 1 < points.length; i += 2) pairs.push([points[i]!, points[i + 1]!]);
  return pairs;
}

function placed([a, b]: [Point, Point], column: number, row: number, size: number): Segment {
  const scale = 1 / (size - 1);
  return [(column + a[0]) * scale, (row + a[1]) * scale, (column + b[0]) * scale, (row + b[1]) * scale];
}

/** The place of the highest node, or of the lowest. */
export function extremeOf({ size, values }: Field, highest: boolean): Point | null {
  let best = -1;
  values.forEach((value, at) => {
    if (!Number.isNaN(value) && (best < 0 || (highest ? value > values[best]! : value < values[best]!))) best = at;
  });
  return best < 0 ? null : [(best % size) / (size - 1), Math.floor(best / size) / (size - 1)];
}
