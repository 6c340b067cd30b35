// The Charts tab. Knows that there is a grid of charts, not what is in it.
import type { ComponentType } from "react";

const found = import.meta.glob<{ ChartGrid: ComponentType }>("../charts/ChartGrid.tsx", { eager: true });
const Grid = Object.values(found)[0]?.ChartGrid;

export function ChartsView() {
  return Grid ? <Grid /> : null;
}
