// The keys of the page, and what they do. Knows the view's functions, no component.
import { moveCursor, openRow, selectAll, toggleSelected, useTable } from "../state/table";
import { foldGroup, setView, showRun, TABS, undoZoom, useView } from "../state/view";

export type Overlay = "palette" | "help" | null;

/** Every key and its meaning, as the help dialog lists them. */
export const KEYS: readonly [string, string][] = [
  ["/", "search"],
  ["⌘K, Ctrl K", "command palette"],
  ["j k", "next, previous run"],
  ["x", "show or hide the run"],
  ["p", "pin the run to compare others with it"],
  ["Enter", "open the run's drawer, then go into it; fold the group"],
  ["Space", "select the run (in the table)"],
  ["Ctrl A", "select all runs (in the table)"],
  ["← → ⇧← ⇧→ − +", "in the table's header: go, move, narrower, wider"],
  ["[ ]", "step in Media"],
  ["g", "group by"],
  ["l", "log scale"],
  ["s", "smoothing"],
  ["z", "undo zoom"],
  ["1 – 6", "tabs"],
  ["?", "this help"],
  ["Escape", "close"],
];

const typesText = (element: Element | null) =>
  element instanceof HTMLTextAreaElement ||
  (element instanceof HTMLInputElement && !["checkbox", "range", "button", "radio"].includes(element.type)) ||
  (element instanceof HTMLElement && element.isContentEditable);

/** Act on a key unless it is typed into a field or a dialog is open. */
export function onKey(event: KeyboardEvent, setOverlay: (overlay: Overlay) => void): void {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    setOverlay("palette");
    return;
  }
  if ((event.metaKey || event.ctrlKey) && event.key === "a" && document.activeElement?.id === "runs") {
    event.preventDefault();
    void selectAll();
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
  if (typesText(document.activeElement) || document.querySelector("dialog[open]")) return;
  if (document.activeElement instanceof HTMLSelectElement && event.key !== "Escape") return;
  const act = ACTIONS[event.key] ?? (/^[1-6]$/.test(event.key) ? openTab : undefined);
  if (!act || ((event.key === "Enter" || event.key === " ") && !onTable(event.key))) return;
  event.preventDefault();
  act(event.key, setOverlay);
}

/** Enter belongs to a focused button or link; on the table, or nowhere, it opens the drawer. */
const onTable = (key: string) =>
  document.activeElement?.id === "runs" || (key === "Enter" && document.activeElement === document.body);

type Action = (key: string, setOverlay: (overlay: Overlay) => void) => void;

const openTab: Action = (key) => setView({ tab: TABS[Number(key) - 1]! });
const focus =
  (id: string): Action =>
  () =>
    document.getElementById(id)?.focus();
const onCharts =
  (id: string): Action =>
  () => {
    setView({ tab: "charts" });
    requestAnimationFrame(() => document.getElementById(id)?.focus());
  };
const step =
  (by: number): Action =>
  () =>
    moveCursor(Math.max(0, useTable.getState().cursor + by), null);
const withRun =
  (act: (run: string) => void): Action =>
  () => {
    const { cursorKey } = useTable.getState();
    if (cursorKey) act(cursorKey);
  };

const ACTIONS: Record<string, Action | undefined> = {
  "/": focus("search"),
  "?": (_, setOverlay) => setOverlay("help"),
  j: step(1),
  k: step(-1),
  ArrowDown: (key, overlay) => document.activeElement?.id === "runs" && step(1)(key, overlay),
  ArrowUp: (key, overlay) => document.activeElement?.id === "runs" && step(-1)(key, overlay),
  x: withRun((run) => {
    const box = document.querySelector<HTMLInputElement>(`#runs input[data-key="${CSS.escape(run)}"]`);
    showRun(run, !(box?.checked ?? false));
  }),
  p: withRun((run) => setView({ pinned: useView.getState().pinned === run ? null : run })),
  Enter: () => {
    const { cursorKey, cursorGroup } = useTable.getState();
    if (cursorGroup) foldGroup(cursorGroup);
    else if (cursorKey && cursorKey === useView.getState().drawer) document.getElementById("drawer-title")?.focus();
    else if (cursorKey) openRow(cursorKey, useTable.getState().cursor);
  },
  " ": withRun((run) => toggleSelected(run, useTable.getState().cursor)),
  Escape: () => {
    if (document.activeElement?.closest("aside")) document.getElementById("runs")?.focus(); // where it was opened from
    setView({ drawer: null });
  },
  g: onCharts("group-by"),
  s: onCharts("smoothing"),
  l: () => setView({ logY: !useView.getState().logY }),
  z: undoZoom,
};
