// Whether the page is about one run, rather than a folder of runs: then its details.
import { useQuery } from "@tanstack/react-query";
import { getRun } from "../api/queries";
import type { RunDetail } from "../api/types";
import { useView } from "../state/view";

export function usePageRun(): RunDetail | null {
  const prefix = useView((view) => view.prefix);
  const { data } = useQuery({ ...getRun(prefix), enabled: prefix !== "" });
  return prefix && data?.row ? data : null;
}
