// The pinned run's row, wherever in the table it stands.
import { useQuery } from "@tanstack/react-query";
import { getRun } from "../api/queries";
import type { RunRow } from "../api/types";
import { usePinnedKey } from "../state/there";

export function usePinned(): RunRow | null {
  const pinned = usePinnedKey();
  const { data } = useQuery({ ...getRun(pinned ?? ""), enabled: Boolean(pinned) }); // asking for what is not there would be an error
  return pinned ? (data?.row ?? null) : null;
}
