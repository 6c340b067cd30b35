// Changes to many runs at once, and what becomes stale by them. Knows the commands, and no element.
import { command } from "../api/client";
import { queryClient } from "../api/queries";
import type { AnyCommand } from "../api/types";

/** Carry out a command, then renew what shows runs. */
export async function change(order: AnyCommand): Promise<void> {
  await command(order);
  await renewed();
}

/** Ask again for all that is shown. */
export const renewed = (): Promise<void> => queryClient.invalidateQueries();

export const tagRuns = (runs: string[], add: string[], remove: string[] = []) => change({ type: "set_tags", runs, add, remove });
export const archiveRuns = (runs: string[], archived: boolean) => change({ type: "set_archived", runs, archived });
export const trashPaths = (paths: string[]) => change({ type: "trash", paths });
export const restorePaths = (paths: string[]) => change({ type: "restore", paths });
/** Replace notes that were `was`; null replaces whatever they are. */
export const noteRun = (run: string, text: string, was: string | null) => change({ type: "set_notes", run, text, was });
export const signalRun = (run: string, name: string, value: unknown = null) =>
  change({ type: "send_signal", run, name, value: value as null });
