// The pinned run's row, wherever in the table it stands.
import { useQuery } from "@tanstack/react-query";
import { getRun } from "../api/queries";
import type { RunRow } from "../api/types";
import { useView } from "../state/view";

export function usePinned(): RunRow | null {
  const pinned = useView((view) => view.pinned);
  const { data } = useQuery({ ...getRun(pinned ?? ""), enabled: pinned !== null });
  return pinned !== null ? (data?.row ?? null) : null;
}
