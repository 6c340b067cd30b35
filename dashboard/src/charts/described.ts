// The panels that files (.charts.yml) in the page's folder or run describe, as the server read them. Knows no card.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getRun } from "../api/queries";
import { type Panel, panelsOf } from "../math/panels";
import { useVisibleRuns } from "../state/runs";
import { useView } from "../state/view";

export function useDescribed(): { panels: readonly Panel[]; problems: readonly string[] } {
  const prefix = useView((view) => view.prefix);
  const { all } = useVisibleRuns();
  const { data } = useQuery({ ...getRun(prefix), enabled: all > 0 }); // where no run is, there may be no folder
  const panels = useMemo(() => panelsOf(data?.panels), [data?.panels]);
  return { panels, problems: data?.panel_problems ?? [] };
}
