// The run table's passing state: the row under the keyboard's cursor and the selected rows. Knows no address: neither is kept.
import { create } from "zustand";
import { ask } from "../api/client";
import type { Layout } from "./pages";
import { setView, useView } from "./view";

export interface TableState {
  /** Index of the row that keys act on; −1 before the first key. */
  cursor: number;
  /** Key of the run in that row, or the id of the group, once it is loaded. */
  cursorKey: string | null;
  cursorGroup: string | null;
  selected: ReadonlySet<string>;
  /** Where a shift-click's span begins. */
  anchor: number;
}

/** So many runs can be selected at once. */
export const MOST_SELECTED = 100_000;
const PAGE = 1000;

export const useTable = create<TableState>()(() => ({
  cursor: -1,
  cursorKey: null,
  cursorGroup: null,
  selected: new Set(),
  anchor: -1,
}));

export function moveCursor(cursor: number, cursorKey: string | null): void {
  useTable.setState({ cursor, cursorKey, cursorGroup: null });
}

export function toggleSelected(key: string, anchor: number): void {
  const selected = new Set(useTable.getState().selected);
  if (!selected.delete(key)) selected.add(key);
  useTable.setState({ selected, anchor });
}

/** Open a run's drawer; of one in the trash it would tell nothing, so that this is selected, to be restored. */
export function openRow(key: string, index: number): void {
  if (useView.getState().trash) toggleSelected(key, index);
  else setView({ drawer: key });
}

export const clearSelection = (): void => useTable.setState({ selected: new Set(), anchor: -1 });

let layout: Layout = { segments: [], count: 0 };

/** The table says what it consists of, so that rows out of sight can be selected too. */
export function setLayout(now: Layout): void {
  layout = now;
}

/** Add the runs of rows `a` … `b` to the selection, whether they are loaded or not. */
export async function selectBetween(a: number, b: number): Promise<void> {
  const keys = await keysBetween(Math.min(a, b), Math.max(a, b));
  const { selected, anchor } = useTable.getState();
  useTable.setState({ selected: new Set([...selected, ...keys]), anchor: anchor < 0 ? a : anchor });
}

export const selectAll = (): Promise<void> => selectBetween(0, layout.count - 1);

async function keysBetween(first: number, last: number): Promise<string[]> {
  const { prefix, trash } = useView.getState();
  const keys: string[] = [];
  for (const segment of layout.segments) {
    if (segment.kind !== "runs") continue;
    const from = Math.max(first, segment.start) - segment.start;
    const to = Math.min(last, segment.start + segment.count - 1) - segment.start;
    for (let offset = from; offset <= to && keys.length < MOST_SELECTED; offset += PAGE) {
      const limit = Math.min(PAGE, to - offset + 1);
      const page = await ask({ type: "search_runs", q: segment.q, prefix, trash, offset, limit, columns: [] });
      keys.push(...page.rows.map((row) => row.key));
    }
  }
  return keys;
}
