// The Charts tab. Knows that there is a grid of charts, not what is in it.
import { ChartGrid } from "../charts/ChartGrid";

export function ChartsView() {
  return <ChartGrid />;
}
