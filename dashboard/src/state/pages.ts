// The rows of the run table by index: groups that fold, and runs, which are fetched in pages as they come near the viewport. Knows no element.
import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { groupRuns, PAGE, searchRuns } from "../api/queries";
import type { GroupRow, RunRow, RunsPage } from "../api/types";
import { numberOf } from "../ui/numbers";
import { useFirstPage, useSearchNow } from "./runs";
import { quoted, sortTerms } from "./sorting";
import { useView, withoutSort } from "./view";

/** A row of the table: a run, a group of runs, or one that is still on its way. */
export type Item =
  | { kind: "run"; row: RunRow; index: number; depth: number }
  | { kind: "group"; group: GroupRow; id: string; index: number; depth: number }
  | { kind: "waiting"; index: number };

/** Consecutive rows: one group, or the runs that one query finds. */
export type Segment = { start: number; count: number; depth: number } & (
  | { kind: "runs"; q: string }
  | { kind: "group"; group: GroupRow; id: string }
);

/** What the table consists of, and how many rows that are. */
export interface Layout {
  segments: readonly Segment[];
  count: number;
  /** How many groups there are at the level where the server left the smallest out. */
  cutFrom?: number | undefined;
}

const NO_GROUPS: readonly GroupRow[] = [];

/** The table as it is folded: groups by the first name, in each open one groups by the next, and runs at the end. */
export function useLayout(): Layout {
  const names = useView((view) => view.tableGroups);
  const unfolded = useView((view) => view.unfolded);
  const search = useSearchNow();
  const { data } = useFirstPage();
  const total = data?.total ?? 0;
  const q = search.q ?? "";
  const { levels, cutFrom } = useQueries({
    queries: names.map((_, level) => groupRuns(search, names.slice(0, level + 1))),
    combine: (answers) => ({
      levels: answers.map((answer) => answer.data?.groups ?? NO_GROUPS),
      cutFrom: answers.find(({ data }) => data && data.of_groups > data.groups.length)?.data?.of_groups,
    }),
  });
  return useMemo(
    () => (names.length ? { ...layoutOf(levels, names, new Set(unfolded), q), cutFrom } : plainLayout(q, total)),
    [levels, cutFrom, names, unfolded, q, total],
  );
}

const plainLayout = (q: string, count: number): Layout => ({ segments: [{ kind: "runs", q, start: 0, count, depth: 0 }], count });

/** Groups by level as one list of rows; `levels[i]` are the groups by the first i + 1 names. */
export function layoutOf(
  levels: readonly (readonly GroupRow[])[],
  names: readonly string[],
  open: ReadonlySet<string>,
  q: string,
): Layout {
  const segments: Segment[] = [];
  let count = 0;
  const add = (groups: readonly GroupRow[], level: number) => {
    for (const group of groups) {
      const id = groupId(group);
      segments.push({ kind: "group", group, id, start: count++, count: 1, depth: level });
      if (!open.has(id)) continue;
      if (level + 1 < names.length) add(inside(levels[level + 1]!, group, names.slice(0, level + 1)), level + 1);
      else {
        segments.push({ kind: "runs", q: within(q, group), start: count, count: group.runs, depth: level + 1 });
        count += group.runs;
      }
    }
  };
  add(levels[0] ?? NO_GROUPS, 0);
  return { segments, count };
}

const inside = (groups: readonly GroupRow[], outer: GroupRow, names: readonly string[]): GroupRow[] => {
  const id = JSON.stringify(names.map((name) => outer.values[name]));
  return groups.filter((group) => JSON.stringify(names.map((name) => group.values[name])) === id);
};

/** The items of rows `first` … `last`: by index. */
export function useItems({ segments }: Layout, first: number, last: number): (index: number) => Item {
  const search = useSearchNow();
  const wanted = pagesBetween(segments, first, last);
  const folded = segments[0]?.kind === "group";
  const answers = useQueries({
    queries: wanted.map(({ q, page }) => ({ ...searchRuns({ ...search, q }, page), placeholderData: undefined })),
  });
  // Rows stay until their successors are there: with other columns, and in the plain table also those of another query.
  const before = useRef<ReadonlyMap<string, RunsPage>>(new Map());
  const places = wanted.map(({ q, page }) => (folded ? `${page} ${q}` : `${page}`));
  const pages = answers.map((answer, at) => answer.data ?? before.current.get(places[at]!));
  useEffect(() => {
    before.current = new Map(places.flatMap((place, at) => (pages[at] ? [[place, pages[at]]] : [])));
  });
  return (index) => {
    const segment = segmentAt(segments, index);
    if (!segment) return { kind: "waiting", index };
    if (segment.kind === "group") return { ...segment, index };
    const at = index - segment.start;
    const page = wanted.findIndex((one) => one.q === segment.q && one.page === Math.floor(at / PAGE));
    const answer = pages[page];
    const row = answer?.offset === at - (at % PAGE) ? answer.rows[at % PAGE] : undefined;
    return row ? { kind: "run", row, index, depth: segment.depth } : { kind: "waiting", index };
  };
}

/** The pages of runs that rows `first` … `last` need. */
export function pagesBetween(segments: readonly Segment[], first: number, last: number): { q: string; page: number }[] {
  const pages: { q: string; page: number }[] = [];
  for (const segment of segments) {
    if (segment.kind !== "runs" || segment.start > last || segment.start + segment.count <= first) continue;
    const from = Math.floor(Math.max(0, first - segment.start) / PAGE);
    const to = Math.floor((Math.min(last, segment.start + segment.count - 1) - segment.start) / PAGE);
    for (let page = from; page <= to; page++) pages.push({ q: segment.q, page });
  }
  return pages;
}

/** The segment that holds row `index`, found by halving. */
export function segmentAt(segments: readonly Segment[], index: number): Segment | undefined {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle]!.start <= index) low = middle;
    else high = middle - 1;
  }
  const found = segments[low];
  return found && index >= found.start && index < found.start + found.count ? found : undefined;
}

export const groupId = (group: GroupRow): string => JSON.stringify(group.values);

/** The query that finds a group's runs. */
export function within(q: string, group: GroupRow): string {
  const conditions = Object.entries(group.values).map(([name, value]) => {
    if (value === null) return `${quoted(name)} not exists`;
    return `${quoted(name)} == ${Number.isNaN(numberOf(value)) ? "nan" : JSON.stringify(value)}`;
  });
  const filter = withoutSort(q);
  return [[filter && `(${filter})`, ...conditions].filter(Boolean).join(" and "), ...sortTerms(q)].join(" ");
}
