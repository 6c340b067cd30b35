// The run table's passing state: the row under the keyboard's cursor and the selected rows. Knows no address: neither is kept.
import { create } from "zustand";

export interface TableState {
  /** Index of the row that keys act on; −1 before the first key. */
  cursor: number;
  /** Key of that row, once it is loaded. */
  cursorKey: string | null;
  selected: ReadonlySet<string>;
  /** Where a shift-click's span begins. */
  anchor: number;
}

export const useTable = create<TableState>()(() => ({ cursor: -1, cursorKey: null, selected: new Set(), anchor: -1 }));

export function moveCursor(cursor: number, cursorKey: string | null): void {
  useTable.setState({ cursor, cursorKey });
}

export function selectRuns(keys: Iterable<string>, anchor: number): void {
  useTable.setState({ selected: new Set(keys), anchor });
}

export function toggleSelected(key: string, anchor: number): void {
  const selected = new Set(useTable.getState().selected);
  if (!selected.delete(key)) selected.add(key);
  useTable.setState({ selected, anchor });
}

export const clearSelection = (): void => useTable.setState({ selected: new Set(), anchor: -1 });
