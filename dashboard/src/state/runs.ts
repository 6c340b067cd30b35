// Which runs the table holds and which of them are drawn. Knows the queries, and no component.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { searchRuns } from "../api/queries";
import type { RunRow } from "../api/types";
import { own } from "../ui/own";
import { styleRuns } from "./colours";
import { SHOWN, useView } from "./view";

/** The first page of the table: its rows, counts and columns. */
export function useFirstPage() {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const trash = useView((view) => view.trash);
  const groups = useView((view) => view.tableGroups);
  return useQuery(searchRuns({ q, prefix, trash, group_by: [...groups] }, 0));
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
  return { keys, total: data?.total ?? 0, all: data?.all ?? 0, ready: data !== undefined };
}

/** The last part of a run's key: its name where no row is at hand. */
export const nameOf = (key: string): string => key.slice(key.lastIndexOf("/") + 1) || key;
