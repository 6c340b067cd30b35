// The rows of the run table by index, fetched in pages as they come near the viewport. Knows no element.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { PAGE, searchRuns } from "../api/queries";
import type { GroupRow, RunRow } from "../api/types";
import { quoted } from "./sorting";
import { useView } from "./view";

/** A row of the table: a run, a group of runs, or one that is still on its way. */
export type Item =
  | { kind: "run"; row: RunRow; index: number; depth: number }
  | { kind: "group"; group: GroupRow; id: string; index: number }
  | { kind: "waiting"; index: number };

const useSearchParams = () => {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const trash = useView((view) => view.trash);
  return { q, prefix, trash };
};

/** Rows `first` … `last` of the plain table. */
export function useRows(first: number, last: number): (index: number) => Item {
  const search = useSearchParams();
  const from = Math.floor(Math.max(0, first) / PAGE);
  const pages = Array.from({ length: Math.floor(Math.max(0, last) / PAGE) - from + 1 }, (_, i) => from + i);
  const answers = useQueries({ queries: pages.map((page) => searchRuns({ ...search, group_by: [] }, page)) });
  return (index) => {
    const answer = answers[Math.floor(index / PAGE) - from];
    const row = answer?.data?.offset === index - (index % PAGE) ? answer.data.rows[index % PAGE] : undefined;
    return row ? { kind: "run", row, index, depth: 0 } : { kind: "waiting", index };
  };
}

/** The table folded by `names`: groups, and below each unfolded one its first runs. */
export function useGroupedItems(names: readonly string[], open: ReadonlySet<string>): Item[] {
  const search = useSearchParams();
  const { data } = useQuery(searchRuns({ ...search, group_by: [...names] }, 0));
  const groups = useMemo(() => data?.groups ?? [], [data]);
  const unfolded = groups.filter((group) => open.has(groupId(group)));
  const answers = useQueries({
    queries: unfolded.map((group) => searchRuns({ ...search, q: within(search.q, group), group_by: [] }, 0)),
  });
  const items: Item[] = [];
  for (const group of groups) {
    const id = groupId(group);
    items.push({ kind: "group", group, id, index: items.length });
    const answer = answers[unfolded.indexOf(group)];
    for (const row of (open.has(id) && answer?.data?.rows) || []) items.push({ kind: "run", row, index: items.length, depth: 1 });
  }
  return items;
}

export const groupId = (group: GroupRow): string => JSON.stringify(group.values);

/** The query that finds a group's runs. */
export function within(q: string, group: GroupRow): string {
  const conditions = Object.entries(group.values).map(([name, value]) => {
    if (value === null) return `${quoted(name)} not exists`;
    return `${quoted(name)} == ${typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value)}`;
  });
  const sort = /(^|\s)sort:\S+/.exec(q)?.[0] ?? "";
  const filter = q.replace(sort, "").trim();
  return [filter && `(${filter})`, ...conditions].filter(Boolean).join(" and ") + sort;
}
