// Whether the page is about one run, rather than a folder of runs: then its details.
import { useQuery } from "@tanstack/react-query";
import { getRun } from "../api/queries";
import type { RunDetail } from "../api/types";
import { useFirstPage } from "../state/runs";
import { useView } from "../state/view";

export function usePageRun(): RunDetail | null {
  const prefix = useView((view) => view.prefix);
  const { data: page } = useFirstPage();
  const isRun = prefix !== "" && (page?.rows.some((row) => row.key === prefix) ?? false);
  const { data } = useQuery({ ...getRun(prefix), enabled: isRun }); // asking for what is no run would be an error
  return isRun && data?.row ? data : null;
}
