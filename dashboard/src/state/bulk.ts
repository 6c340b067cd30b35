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

/** So many runs are changed by one command: it takes about a second, and whoever waits is told how far it is. */
const PART = 500;

type Told = (done: number) => void;

/** Carry out a command on many runs, a part after the other; what was done before one fails stays done. */
async function inParts(runs: string[], order: (part: string[]) => AnyCommand, told?: Told): Promise<void> {
  try {
    for (let start = 0; start < runs.length; start += PART) {
      await command(order(runs.slice(start, start + PART)));
      told?.(Math.min(start + PART, runs.length));
    }
  } finally {
    await renewed();
  }
}

export const tagRuns = (all: string[], add: string[], remove: string[] = [], told?: Told) =>
  inParts(all, (runs) => ({ type: "set_tags", runs, add, remove }), told);
export const archiveRuns = (all: string[], archived: boolean, told?: Told) =>
  inParts(all, (runs) => ({ type: "set_archived", runs, archived }), told);
export const trashPaths = (all: string[], told?: Told) => inParts(all, (paths) => ({ type: "trash", paths }), told);
export const restorePaths = (all: string[], told?: Told) => inParts(all, (paths) => ({ type: "restore", paths }), told);
/** Replace notes that were `was`; null replaces whatever they are. */
export const noteRun = (run: string, text: string, was: string | null) => change({ type: "set_notes", run, text, was });
export const signalRun = (run: string, name: string, value: unknown = null) =>
  change({ type: "send_signal", run, name, value: value as null });
