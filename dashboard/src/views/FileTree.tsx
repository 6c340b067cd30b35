// A tree of files, whose folders are listed when they are opened. Arrow keys move, right opens, left closes. Knows no content.
import { useInfiniteQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { filePages } from "../api/queries";
import type { FileEntry } from "../api/types";
import { Icon } from "../ui/Icon";
import { bytes, grouped } from "../ui/numbers";
import styles from "./Files.module.css";

interface Props {
  root: string;
  /** A path whose folders stand open at first. */
  opened: string | null;
  chosen: string | null;
  onChoose: (file: FileEntry) => void;
}

export function FileTree({ root, opened, chosen, onChoose }: Props) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(opened ? foldersTo(opened) : []));
  const toggle = (path: string, wanted?: boolean) => {
    const next = new Set(open);
    if (wanted ?? !next.has(path)) next.add(path);
    else next.delete(path);
    setOpen(next);
  };
  const choose = (entry: FileEntry) => (entry.is_dir ? toggle(entry.path) : onChoose(entry));
  return (
    <div
      role="tree"
      aria-label={`Files of ${root || "all runs"}`}
      className={styles.tree}
      onKeyDown={(event) => onKey(event, toggle)}
    >
      <Branch path={root} level={1} open={open} chosen={chosen} choose={choose} />
    </div>
  );
}

/** "a/b/c" → "a", "a/b", "a/b/c". */
export const foldersTo = (path: string): string[] => path.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"));

interface BranchProps {
  path: string;
  level: number;
  open: ReadonlySet<string>;
  chosen: string | null;
  choose: (entry: FileEntry) => void;
}

function Branch({ path, level, open, chosen, choose }: BranchProps) {
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery(filePages(path));
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  const total = data?.pages.at(-1)?.total ?? entries.length;
  if (error) return <div>{error.message}</div>;
  if (data && !entries.length)
    return (
      <div className={styles.hint} style={indent(level)}>
        {level === 1 ? "No files here." : "empty"}
      </div>
    );
  return (
    <>
      {entries.map((entry, at) => (
        <div
          key={entry.path}
          role="treeitem"
          aria-level={level}
          aria-expanded={entry.is_dir ? open.has(entry.path) : undefined}
          aria-selected={entry.path === chosen}
          aria-label={entry.name}
          data-path={entry.path}
          ref={entry.path === chosen ? intoView : undefined}
          tabIndex={level === 1 && at === 0 ? 0 : -1}
          onClick={(event) => {
            event.stopPropagation();
            event.currentTarget.focus();
            choose(entry);
          }}
        >
          <div className={styles.item} style={indent(level)} title={entry.path}>
            <span className={styles.mark} data-open={open.has(entry.path)}>
              {entry.is_dir && <Icon name="chevron" size={12} />}
            </span>
            <span className={styles.name}>{entry.name}</span>
            {entry.run && <small>run</small>}
            {!entry.is_dir && <small>{entry.kind === "view" ? "made when read" : bytes(entry.size)}</small>}
          </div>
          {entry.is_dir && open.has(entry.path) && (
            <div role="group">
              <Branch path={entry.path} level={level + 1} open={open} chosen={chosen} choose={choose} />
            </div>
          )}
        </div>
      ))}
      {hasNextPage && (
        <div role="treeitem" aria-level={level} tabIndex={-1} data-path="" onClick={() => void fetchNextPage()}>
          <div className={styles.item} style={indent(level)}>
            <span className={styles.mark} />
            <span className={styles.loadMore}>
              Load more: {grouped(entries.length)} of {grouped(total)} are listed
            </span>
          </div>
        </div>
      )}
    </>
  );
}

const intoView = (item: HTMLElement | null) => item?.scrollIntoView({ block: "nearest" });

const indent = (level: number) => ({ paddingLeft: 4 + 14 * (level - 1) });

function onKey(event: KeyboardEvent<HTMLDivElement>, toggle: (path: string, open?: boolean) => void): void {
  const item = document.activeElement;
  if (!(item instanceof HTMLElement) || item.getAttribute("role") !== "treeitem") return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="treeitem"]')];
  const at = items.indexOf(item);
  const expanded = item.getAttribute("aria-expanded");
  const path = item.dataset.path!;
  const actions = new Map<string, () => void>([
    ["ArrowDown", () => items[at + 1]?.focus()],
    ["ArrowUp", () => items[at - 1]?.focus()],
    ["Home", () => items[0]?.focus()],
    ["End", () => items.at(-1)?.focus()],
    [
      "ArrowRight",
      () => (expanded === "false" ? toggle(path, true) : expanded === "true" ? items[at + 1]?.focus() : item.click()),
    ],
    [
      "ArrowLeft",
      () => (expanded === "true" ? toggle(path, false) : item.parentElement?.closest<HTMLElement>('[role="treeitem"]')?.focus()),
    ],
    ["Enter", () => item.click()],
    [" ", () => item.click()],
  ]);
  const act = actions.get(event.key);
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}
