// One parameter's effect on the objective: points and their mean along the axis, as places 0 … 1. Pure; knows no canvas.

export type Place = readonly [x: number, y: number];

/** The mean of the points in each of `parts` equal stretches of x that holds any. */
export function trendOf(points: readonly Place[], parts: number): Place[] {
  const sums = Array.from({ length: parts }, () => ({ x: 0, y: 0, n: 0 }));
  for (const [x, y] of points) {
    if (!Number.isFinite(x + y)) continue;
    const sum = sums[Math.min(parts - 1, Math.max(0, Math.floor(x * parts)))]!;
    sum.x += x;
    sum.y += y;
    sum.n += 1;
  }
  return sums.filter(({ n }) => n).map(({ x, y, n }) => [x / n, y / n]);
}

/** How straight the points lie: Pearson's r, or null where one side does not vary or fewer than three have both. */
export function correlationOf(points: readonly Place[]): number | null {
  const given = points.filter(([x, y]) => Number.isFinite(x + y));
  const mean = (at: 0 | 1) => given.reduce((sum, point) => sum + point[at], 0) / given.length;
  const [mx, my] = [mean(0), mean(1)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [x, y] of given) {
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
    xy += (x - mx) * (y - my);
  }
  return given.length > 2 && xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}
