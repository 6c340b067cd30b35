// What the keys of the page do (the help lists them). Knows the view's functions, no component.
import { moveCursor, openRow, selectAll, toggleSelected, useTable } from "../state/table";
import { foldGroup, setView, showRun, TABS, undoZoom, useView } from "../state/view";
import type { DialogName } from "./useDialog";

const typesText = (element: Element | null) =>
  element instanceof HTMLTextAreaElement ||
  (element instanceof HTMLInputElement && !["checkbox", "range", "button", "radio"].includes(element.type)) ||
  (element instanceof HTMLElement && element.isContentEditable);

/** Act on a key unless it is typed into a field or a dialog is open. */
export function onKey(event: KeyboardEvent, open: (name: DialogName) => void): void {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open("palette");
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
  act(event.key, open);
}

/** Enter belongs to a focused button or link; on the table, or nowhere, it opens the drawer. */
const onTable = (key: string) =>
  document.activeElement?.id === "runs" || (key === "Enter" && document.activeElement === document.body);

type Action = (key: string, open: (name: DialogName) => void) => void;

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
  "?": (_, open) => open("help"),
  j: step(1),
  k: step(-1),
  ArrowDown: (key, open) => document.activeElement?.id === "runs" && step(1)(key, open),
  ArrowUp: (key, open) => document.activeElement?.id === "runs" && step(-1)(key, open),
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
