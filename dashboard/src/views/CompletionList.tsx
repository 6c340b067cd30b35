// The suggestions below the search box: a name or value, how many runs have it, and how its values spread.
import { useEffect, useState } from "react";
import type { Completion } from "../api/types";
import { grouped } from "../ui/numbers";
import styles from "./TopBar.module.css";

interface Props {
  items: Completion[];
  active: number;
  onPick: (item: Completion) => void;
}

/** After this long without a key the list goes, so that it does not lie over the table. */
const IDLE_MS = 6000;

export default function CompletionList({ items, active, onPick }: Props) {
  const idle = useIdle(items, active);
  if (idle) return null;
  return (
    <div role="listbox" id="search-list" aria-label="Suggestions" className={styles.drop}>
      {items.map((item, index) => (
        <div
          key={`${item.kind} ${item.text}`}
          id={`search-option-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          className={styles.option}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onPick(item)}
        >
          <span>{item.text}</span>
          <Spread counts={item.histogram} />
          <small>{item.runs ? `${item.kind} · ${grouped(item.runs)}` : item.kind}</small>
        </div>
      ))}
    </div>
  );
}

function Spread({ counts }: { counts: number[] }) {
  const most = Math.max(1, ...counts);
  return (
    <span className={styles.bars} aria-hidden="true">
      {counts.map((count, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bins have no other name
        <i key={index} style={{ height: `${(14 * count) / most}px` }} />
      ))}
    </span>
  );
}

function useIdle(items: Completion[], active: number): boolean {
  const [idle, setIdle] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new list or another active item begins the wait anew
  useEffect(() => {
    setIdle(false);
    const timer = window.setTimeout(() => setIdle(true), IDLE_MS);
    return () => window.clearTimeout(timer);
  }, [items, active]);
  return idle;
}
