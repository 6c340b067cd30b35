// What can be done with the selected runs: tag, archive, trash, restore.
import { useState } from "react";
import { archiveRuns, restorePaths, tagRuns, trashPaths } from "../state/bulk";
import { useVisibleRuns } from "../state/runs";
import { clearSelection, MOST_SELECTED } from "../state/table";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import { grouped } from "../ui/numbers";
import styles from "./RunTable.module.css";

export default function BulkBar({ selected }: { selected: ReadonlySet<string> }) {
  const trash = useView((view) => view.trash);
  const archived = useView((view) => /\barchived\b/.test(view.q));
  const [failed, setFailed] = useState("");
  const [done, setDone] = useState(0);
  const [tagging, setTagging] = useState(false);
  const { keys: drawn } = useVisibleRuns();
  const runs = [...selected];
  const showOnly = (keys: ReadonlySet<string>) => {
    const others = drawn.filter((key) => !keys.has(key)).map((key) => [key, false]);
    setView({ shown: Object.fromEntries([...others, ...runs.map((key) => [key, true])]) });
  };
  const carryOut = (order: Promise<void>, leave = true) =>
    order
      .then(
        () => leave && clearSelection(),
        (error: Error) => setFailed(error.message),
      )
      .finally(() => setDone(0));
  const tag = (tags: string[]) => {
    setTagging(false);
    if (tags.length > 0) void carryOut(tagRuns(runs, ...splitTags(tags), setDone), false);
  };
  return (
    <div className={styles.tools} role="group" aria-label="Selected runs">
      <button type="button" className={controls.plain} aria-label="Clear the selection" onClick={clearSelection}>
        <Icon name="close" size={12} />
      </button>
      <span>{failed ? <span role="alert">{failed}</span> : saidOf(runs.length, done)}</span>
      <span className={styles.spring} />
      {trash ? null : tagging ? (
        <TagInput onDone={tag} />
      ) : (
        <button type="button" className={controls.plain} onClick={() => setTagging(true)}>
          Tag
        </button>
      )}
      {!trash && (
        <>
          <button type="button" className={controls.plain} onClick={() => showOnly(selected)}>
            Show only
          </button>
          <button type="button" className={controls.plain} onClick={() => void carryOut(archiveRuns(runs, !archived, setDone))}>
            {archived ? "Unarchive" : "Archive"}
          </button>
        </>
      )}
      {trash ? (
        <button type="button" className={controls.plain} onClick={() => void carryOut(restorePaths(runs, setDone))}>
          Restore
        </button>
      ) : (
        <button
          type="button"
          className={`${controls.plain} ${controls.danger}`}
          onClick={() => void carryOut(trashPaths(runs, setDone))}
        >
          Trash
        </button>
      )}
    </div>
  );
}

const saidOf = (all: number, done: number): string => {
  if (done > 0 && done < all) return `${grouped(done)} of ${grouped(all)} done…`;
  return `${grouped(all)} selected${all >= MOST_SELECTED ? ", no more at once" : ""}`;
};

/** "good -old" adds the first and removes the second. */
export function splitTags(tags: string[]): [add: string[], remove: string[]] {
  return [tags.filter((tag) => !tag.startsWith("-")), tags.filter((tag) => tag.startsWith("-")).map((tag) => tag.slice(1))];
}

function TagInput({ onDone }: { onDone: (tags: string[]) => void }) {
  const [text, setText] = useState("");
  return (
    <input
      className={controls.input}
      // biome-ignore lint/a11y/noAutofocus: it appears by a click on "Tag"
      autoFocus
      aria-label="Tags"
      placeholder="tag -untag"
      size={12}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => onDone([])}
      onKeyDown={(event) => {
        if (event.key === "Enter") onDone(text.split(/[\s,]+/).filter(Boolean));
        if (event.key === "Escape") onDone([]);
        event.stopPropagation();
      }}
    />
  );
}
