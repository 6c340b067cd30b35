// Which runs the table holds and which of them are drawn. Knows the queries, and no component.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { create } from "zustand";
import { type Search, sampleRuns, searchRuns } from "../api/queries";
import type { Column, RunRow } from "../api/types";
import { own } from "../ui/own";
import { styleRuns } from "./colours";
import { allColumns, areAmbiguous, type ColumnDef, isAskable, nameWidthOf } from "./columns";
import { SHOWN, useView } from "./view";

/** Names of the parameters and metrics that are in sight in the table: rows carry these and no others. */
export const useAsked = create<{ columns: string[] }>()(() => ({ columns: [] }));

/** Ask for names that rows do not carry yet. Fewer names ask for nothing: two answers could otherwise ask for each other without end. */
export function askFor(names: readonly string[]): void {
  const asked = new Set(useAsked.getState().columns);
  const columns = names.filter(isAskable);
  if (columns.some((name) => !asked.has(name))) useAsked.setState({ columns });
}

/** What the table asks the server for. */
export function useSearchNow(): Search {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const trash = useView((view) => view.trash);
  const columns = useAsked((asked) => asked.columns);
  return { q, prefix, trash, columns };
}

/** The first page of the table: its rows, counts and columns. */
export const useFirstPage = () =>
  useQuery({
    ...searchRuns(useSearchNow(), 0),
    // How far the server is tells no notice; once there are rows, the newest of them change less often.
    refetchInterval: ({ state }) => (state.data?.unread ? (state.data.total ? 3000 : 1000) : false),
  });

const NO_COLUMNS: readonly Column[] = [];

/** All columns that the table can have, in the order they stand at first. */
export function useAllColumns(): ColumnDef[] {
  const prefix = useView((view) => view.prefix);
  const trash = useView((view) => view.trash);
  const { data: page } = useFirstPage();
  const { data: sample } = useQuery(sampleRuns(prefix, trash));
  const columns = page?.columns ?? NO_COLUMNS;
  const names = columns.map(({ kind, name, numeric }) => `${kind} ${name} ${numeric}`).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names stand for the columns, whose counts change while runs log
  return useMemo(() => (sample ? allColumns(columns, sample.rows) : []), [names, sample]);
}

/** How wide the names are: as the user made them, else as the sample needs. */
export function useNameWidth(): number {
  const prefix = useView((view) => view.prefix);
  const trash = useView((view) => view.trash);
  const chosen = useView((view) => view.columns?.widths.name);
  const { data: sample } = useQuery(sampleRuns(prefix, trash));
  return chosen ?? (sample ? nameWidthOf(sample.rows, prefix) : 160);
}

/** The folder that names are told apart from, or null where they are no two alike. */
export function useFolderShown(): string | null {
  const prefix = useView((view) => view.prefix);
  const trash = useView((view) => view.trash);
  const { data: sample } = useQuery(sampleRuns(prefix, trash));
  return sample && areAmbiguous(sample.rows) ? prefix : null;
}

/** The keys that are drawn, in the order of the table, then those that were shown by hand from further below. */
export function visibleKeys(rows: readonly Pick<RunRow, "key">[], shown: Readonly<Record<string, boolean>>): string[] {
  const first = rows.filter((row, index) => own(shown, row.key) ?? index < SHOWN).map((row) => row.key);
  const have = new Set(rows.map((row) => row.key));
  return [...first, ...Object.keys(shown).filter((key) => shown[key] && !have.has(key))];
}

const NONE: readonly RunRow[] = [];

export interface VisibleRuns {
  /** Keys of the drawn runs; the same array until it differs. */
  keys: readonly string[];
  /** Matches of the query, and all runs below the prefix. */
  total: number;
  all: number;
  /** Runs that the server has still to read; −1 while it looks for them. */
  unread: number;
  ready: boolean;
}

/** The runs that charts draw. */
export function useVisibleRuns(): VisibleRuns {
  const { data } = useFirstPage();
  const shown = useView((view) => view.shown);
  const joined = JSON.stringify(visibleKeys(data?.rows ?? NONE, shown));
  const keys = useMemo(() => {
    const list = JSON.parse(joined) as string[];
    styleRuns(list);
    return list;
  }, [joined]);
  return { keys, total: data?.total ?? 0, all: data?.all ?? 0, unread: data?.unread ?? 0, ready: data !== undefined };
}

/** The last part of a run's key: its name where no row is at hand. */
export const nameOf = (key: string): string => key.slice(key.lastIndexOf("/") + 1) || key;
