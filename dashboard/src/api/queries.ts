// Answers kept by react-query: how each is asked and when it is stale. Knows no component; live notices renew what they name.
import { infiniteQueryOptions, keepPreviousData, QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiError, ask } from "./client";
import type { Live } from "./live";
import type { Change, SearchRuns } from "./types";

/** Rows of a page: what is in sight and some to spare are two at most. */
export const PAGE = 100;
const SAMPLE = 40;
/** The run table asks again at most this often while runs log. */
const RENEW_MS = 1000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      networkMode: "always", // a server on this machine needs no network
      retry: (failures, error) => !(error instanceof ApiError) && failures < 2,
    },
  },
});

/** Which runs, and which of their parameters and metrics each row carries. */
export type Search = Pick<SearchRuns, "q" | "prefix" | "trash"> & { columns: string[] };

/** Pages that nobody looks at go soon: a table of 100,000 runs has 500. */
const KEPT_MS = 20_000;

/** One page of the run table; the last good answer stays while the next one is on its way or was refused. */
export const searchRuns = (search: Search, page: number) =>
  queryOptions({
    queryKey: ["search_runs", search, page],
    queryFn: ({ signal }) => ask({ type: "search_runs", ...search, offset: page * PAGE, limit: PAGE }, signal),
    placeholderData: keepPreviousData,
    gcTime: KEPT_MS,
  });

/** Which row of the table a run is, wherever that is; null where it is not among the `total` matches. */
export const locateRun = (search: Search, run: string, total: number) =>
  queryOptions({
    queryKey: ["locate_run", search.q, search.prefix, search.trash, run, total],
    queryFn: async ({ signal }) =>
      (await ask({ type: "search_runs", ...search, columns: [], limit: 0, locate: run }, signal)).located ?? null,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The groups of the runs that match, with the mean and spread of the given metrics. */
export const groupRuns = (search: Search, by: readonly string[]) =>
  queryOptions({
    queryKey: ["search_runs", search, "by", by],
    queryFn: ({ signal }) => ask({ type: "search_runs", ...search, group_by: [...by], limit: 0 }, signal),
    placeholderData: keepPreviousData,
  });

/** The newest rows of a folder with all that they have: what varies in it, and how wide it is written. */
export const sampleRuns = (prefix: string, trash: boolean) =>
  queryOptions({
    queryKey: ["sample_runs", prefix, trash],
    queryFn: ({ signal }) => ask({ type: "search_runs", prefix, trash, limit: SAMPLE }, signal),
    staleTime: 60_000,
  });

/** The metrics of the given runs, or of all that match. */
export const listMetrics = (runs: string[] | null, q: string, prefix: string) =>
  queryOptions({
    queryKey: ["list_metrics", runs, q, prefix],
    queryFn: ({ signal }) => ask({ type: "list_metrics", runs, q, prefix, points: false }, signal),
    placeholderData: keepPreviousData,
  });

/** Everything about one run or folder. */
export const getRun = (key: string) =>
  queryOptions({ queryKey: ["get_run", key], queryFn: ({ signal }) => ask({ type: "get_run", key }, signal) });

/** Whether anything is at a key (`all` > 0), which `getRun` answers with an error where nothing is. */
export const isThere = (key: string) =>
  queryOptions({
    queryKey: ["get_run", key, "there"],
    queryFn: ({ signal }) => ask({ type: "search_runs", prefix: key, columns: [], limit: 0 }, signal),
    refetchInterval: ({ state }) => (state.data?.unread && !state.data.all ? 3000 : false), // how far the server is tells no notice
  });

/** As many files as a view looks through at first. */
export const FILES = 10_000;

export const listFiles = (path: string, recursive = false, limit = FILES) =>
  queryOptions({
    queryKey: ["list_files", path, recursive, limit],
    queryFn: ({ signal }) => ask({ type: "list_files", path, recursive, limit }, signal),
  });

/** Whether there is a folder at a path (`keys` is null where none is), which `listFiles` answers with an error. */
export const isFolder = (path: string) =>
  queryOptions({
    queryKey: ["list_files", path, "there"],
    queryFn: ({ signal }) => ask({ type: "glob", pattern: "*", wd: path, recursive: false, stop: 1 }, signal),
  });

/** Elements of a tree are on the page all at once, so a large folder is listed by pages. */
const LISTED = 1000;

export const filePages = (path: string) =>
  infiniteQueryOptions({
    queryKey: ["list_files", path, "pages"],
    queryFn: ({ pageParam: start, signal }) => ask({ type: "list_files", path, start, limit: LISTED }, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => (last.more ? pages.length * LISTED : undefined),
  });

export const complete = (q: string, position: number, prefix: string) =>
  queryOptions({
    queryKey: ["complete", q, position, prefix],
    queryFn: ({ signal }) => ask({ type: "complete", q, position, prefix }, signal),
    placeholderData: keepPreviousData,
  });

export const getSaved = (kind: string, prefix: string, name: string | null = null) =>
  queryOptions({
    queryKey: ["get_saved", kind, prefix, name],
    queryFn: ({ signal }) => ask({ type: "get_saved", kind, name, prefix }, signal),
  });

/** Renew answers as notices come in: at most once in RENEW_MS each. Series are renewed by their charts. */
export function renewOnChange(live: Live, client: QueryClient): () => void {
  const waiting = new Set<string>();
  let timer = 0;
  const renew = () => {
    timer = 0;
    const names = [...waiting];
    waiting.clear();
    for (const name of names) void client.invalidateQueries({ queryKey: name.split("\n") });
  };
  const stopChanges = live.onChange((change) => {
    if (change.what.includes("gone")) waiting.delete(`get_run\n${change.run}`);
    for (const name of touchedBy(change)) waiting.add(name);
    if (!timer && waiting.size) timer = window.setTimeout(renew, RENEW_MS);
  });
  const stopStatus = live.onStatus((status) => {
    if (status === "live") void client.invalidateQueries(); // the first notices, or those of a gap, were not heard
  });
  return () => {
    stopChanges();
    stopStatus();
    window.clearTimeout(timer);
  };
}

/** The answers that a notice makes stale, as react-query keys joined by line breaks. */
export function touchedBy(change: Change): string[] {
  const what = new Set(change.what);
  const touched = ["search_runs"];
  touched.push(`get_run\n${change.run}${what.has("gone") ? "\nthere" : ""}`); // of what is gone there is no other answer
  if (what.has("files") || what.has("text") || what.has("new")) touched.push(...foldersOf(change.run)); // they show a run's .charts.yml
  if (what.has("rows") || what.has("new") || what.has("gone")) touched.push("list_metrics");
  if (what.has("new") || what.has("params")) touched.push("sample_runs"); // its parameters are columns
  if (what.has("files") || what.has("gone") || what.has("new")) touched.push("list_files");
  if (what.has("text")) touched.push(`read_log\n${change.run}`);
  if (what.has("state")) touched.push("get_saved");
  return touched;
}

/** The answers on the folders above a run, up to the root. */
function foldersOf(run: string): string[] {
  const parts = run.split("/");
  return parts.map((_, length) => `get_run\n${parts.slice(0, length).join("/")}`);
}
