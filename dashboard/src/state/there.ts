// Whether a run that an address names is there: it may have been deleted, moved or never logged. Knows no view.
import { useQuery } from "@tanstack/react-query";
import { isThere } from "../api/queries";
import { useFirstPage } from "./runs";
import { useView } from "./view";

/** Undefined while it is not known: the question is on its way, or the server has still to read its runs. */
export function useThere(run: string | null): boolean | undefined {
  const trash = useView((view) => view.trash);
  const { data: page } = useFirstPage();
  const listed = run !== null && !trash && page?.rows.some((row) => row.key === run);
  const { data } = useQuery({ ...isThere(run ?? ""), enabled: run !== null && !listed });
  if (listed || data?.all) return true;
  return data?.unread === 0 ? false : undefined;
}

/** The key of the pinned run; null where there is none, or none of this name; undefined while that is not known. */
export function usePinnedKey(): string | null | undefined {
  const pinned = useView((view) => view.pinned);
  const there = useThere(pinned);
  return pinned === null || there === false ? null : there && pinned;
}
