// The command palette: every action, tab, metric and run by a few letters of its name.
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { getSaved, listMetrics, searchRuns } from "../api/queries";
import { addressOf } from "../state/address";
import { change } from "../state/bulk";
import { openAddress } from "../state/history";
import { useFirstPage } from "../state/runs";
import { clickedHeader } from "../state/sorting";
import { chooseTheme, useTheme } from "../state/theme";
import { openPrefix, resetZoom, setQuery, setView, setX, TABS, undoZoom, useView } from "../state/view";
import { Dialog } from "../ui/Dialog";
import { keptKeys } from "../ui/typed";
import { matching } from "./matching";
import styles from "./Palette.module.css";
import type { DialogProps } from "./useDialog";

interface Entry {
  title: string;
  kind: string;
  act: () => void;
}

const MOST = 60;

export default function Palette({ onClose, onHelp }: DialogProps) {
  const [ahead] = useState(keptKeys);
  const [text, setText] = useState(ahead?.text ?? "");
  const [active, setActive] = useState(0);
  const entries = useEntries(onHelp);
  const elsewhere = useRunsElsewhere(text);
  const found = useMemo(() => {
    const near = [...saving(text), ...matching(entries, text)];
    const have = new Set(near.filter(({ kind }) => kind === "run").map(({ title }) => title));
    return [...near, ...elsewhere.filter(({ title }) => !have.has(title))].slice(0, MOST);
  }, [entries, elsewhere, text]);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.act();
  };
  const entered = useRef(ahead?.entered);
  useEffect(() => {
    if (!entered.current || !found.length) return; // what it names may still be on its way
    entered.current = false;
    run(found[0]);
  });
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((active + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[active]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog label="Command palette" onClose={onClose}>
      <input
        className={styles.input}
        autoFocus
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[active] ? `palette-${active}` : undefined}
        placeholder="A command, a metric, a run – or: save my view"
        value={text}
        onChange={(event) => {
          entered.current = false;
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={key}
      />
      <div role="listbox" id="palette-list" aria-label="Commands" tabIndex={-1} className={styles.list}>
        {found.map((entry, index) => (
          <div
            key={`${entry.kind} ${entry.title}`}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            ref={(element) => {
              if (index === active) element?.scrollIntoView({ block: "nearest" });
            }}
            className={styles.item}
            onMouseMove={() => setActive(index)}
            onClick={() => run(entry)}
          >
            <span>{entry.title}</span>
            <small>{entry.kind}</small>
          </div>
        ))}
      </div>
    </Dialog>
  );
}

/** "save my view" keeps the view under a name, for everyone who uses this server. */
function saving(text: string): Entry[] {
  const name = /^save (?:view )?(.+)/.exec(text)?.[1]?.trim();
  if (!name) return [];
  const { prefix } = useView.getState();
  const value = addressOf(useView.getState());
  return [
    {
      title: `Save view “${name}”`,
      kind: "command",
      act: () => void change({ type: "save", kind: "view", name, value, prefix }),
    },
  ];
}

/** Runs anywhere below the root whose key holds the text; those of the table's first page are found without it. */
function useRunsElsewhere(text: string): Entry[] {
  const word = text.trim();
  const q = `key:${JSON.stringify(word)}`;
  const { data } = useQuery({ ...searchRuns({ q, prefix: "", trash: false, columns: [] }, 0), enabled: word.length > 1 });
  const rows = word.length > 1 ? data?.rows : undefined;
  return useMemo(
    // the answer may still be that of a shorter word: ↵ must not open a run that this one does not name
    () =>
      (rows ?? [])
        .filter(({ key }) => key.toLowerCase().includes(word.toLowerCase()))
        .slice(0, MOST)
        .map(({ key }) => ({ title: key, kind: "run", act: () => openPrefix(key) })),
    [rows, word],
  );
}

function useEntries(onHelp: () => void): Entry[] {
  const { data: page } = useFirstPage();
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const { data: list } = useQuery(listMetrics(null, q, prefix));
  const { data: saved } = useQuery(getSaved("view", prefix));
  return useMemo(() => {
    const command = (title: string, act: () => void): Entry => ({ title, kind: "command", act });
    const names = list?.metrics.slice(0, 20_000).map((metric) => metric.name) ?? [];
    const params = page?.columns.filter((column) => column.kind === "param").map((column) => column.name) ?? [];
    return [
      ...TABS.map((tab) => ({ title: `Open ${tab[0]!.toUpperCase()}${tab.slice(1)}`, kind: "tab", act: () => setView({ tab }) })),
      command("Switch between dark and light", () => chooseTheme(useTheme.getState().theme === "dark" ? "light" : "dark")),
      command("Theme: as the system", () => chooseTheme("auto")),
      command("Log y", () => setView({ logY: !useView.getState().logY })),
      command("Log x", () => setView({ logX: !useView.getState().logX })),
      command("Undo zoom", undoZoom),
      command("Reset zoom", resetZoom),
      command("Show the first runs again", () => setView({ shown: {} })),
      command("Unpin the run", () => setView({ pinned: null })),
      command("Keys and help", onHelp),
      ...Object.entries(saved?.items ?? {}).map(([name, address]) => ({
        title: name,
        kind: "saved view",
        act: () => openAddress(String(address)),
      })),
      ...["step", "time", "relative"].map((x) => command(`x: ${x}`, () => setX(x))),
      command("Group: none", () => setView({ groupBy: [] })),
      command("Group: all but seed", () => setView({ groupBy: ["*-seed"] })),
      ...params.map((name) => command(`Group: ${name}`, () => setView({ groupBy: [name] }))),
      ...(page?.columns ?? []).map(({ name }) =>
        command(`Sort: ${name}`, () => setQuery(clickedHeader(useView.getState().q, name))),
      ),
      ...names.map((name) => ({
        title: name,
        kind: "chart",
        act: () => setView({ tab: "charts", chartFilter: `^${escaped(name)}$` }),
      })),
      ...(page?.rows ?? []).map((row) => ({ title: row.key, kind: "run", act: () => openPrefix(row.key) })),
    ];
  }, [page, list, saved, onHelp]);
}

const escaped = (name: string) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
