// The search box: parsed on every key, a bad token underlined with the reason. Knows the text, not the language.
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, lazy, Suspense, useRef, useState } from "react";
import { complete } from "../api/queries";
import type { Completion, Notice } from "../api/types";
import { useFirstPage } from "../state/runs";
import { badQuery, endOfToken, tryQuery, useSearch } from "../state/search";
import { useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import styles from "./TopBar.module.css";

const CompletionList = lazy(() => import("./CompletionList"));
const NONE: Completion[] = [];

export function SearchBar() {
  const { text, bad: typedBad, unanswered } = useSearch();
  const { data, error } = useFirstPage();
  const input = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [tried, setTried] = useState<Tried>({ text: "", caret: 0 });
  const typing = useRef(0);
  const items = useSuggestions(tried, open);
  const bad = typedBad ?? badQuery(error);
  const close = () => {
    setOpen(false);
    setActive(-1);
  };
  const change = (value: string, at: number) => {
    setActive(-1);
    setOpen(performance.now() - typing.current < 500 && value.trim() !== "");
    void tryQuery(value).then(() => {
      if (useSearch.getState().text === value) setTried({ text: value, caret: at });
    });
  };
  const accept = (item: Completion) => {
    const value = text.slice(0, item.start) + item.text + text.slice(item.end);
    close();
    void tryQuery(value);
    const at = item.start + item.text.length;
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at));
  };
  const key = (event: KeyboardEvent) => {
    typing.current = performance.now();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && items.length) setActive((active + step + items.length + (active < 0 && step < 0 ? 1 : 0)) % items.length);
    else if ((event.key === "Enter" || event.key === "Tab") && items[active]) accept(items[active]);
    else if (event.key === "Enter" || (event.key === "Escape" && open && items.length)) close();
    else if (event.key === "Escape") input.current?.blur();
    else return;
    if (event.key !== "Enter" || active >= 0) event.preventDefault();
    event.stopPropagation();
  };
  const showing = open && items.length > 0;
  return (
    <div className={styles.search}>
      <div className={styles.box}>
        <Icon name="search" />
        <div className={styles.mirror} aria-hidden="true" ref={(mirror) => follow(mirror, input.current)}>
          {bad && (
            <>
              {text.slice(0, bad.position)}
              <span className={styles.bad}>{text.slice(bad.position, endOfToken(text, bad.position)) || " "}</span>
            </>
          )}
        </div>
        <input
          ref={input}
          id="search"
          type="search"
          aria-label="Search runs"
          aria-invalid={bad ? true : undefined}
          aria-describedby={bad ? "search-reason" : undefined}
          aria-autocomplete="list"
          aria-controls={showing ? "search-list" : undefined}
          aria-activedescendant={showing && active >= 0 ? `search-option-${active}` : undefined}
          placeholder="Search: lr < 1e-3 and eval/acc > 0.9 sort:-eval/acc"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => change(event.target.value, event.target.selectionStart ?? event.target.value.length)}
          onKeyDown={key}
          onBlur={close}
          onScroll={(event) => follow(event.currentTarget.previousElementSibling as HTMLElement, event.currentTarget)}
        />
        {!text && <kbd className={controls.kbd}>/</kbd>}
      </div>
      {bad && (
        <div role="alert" id="search-reason" className={`${styles.drop} ${styles.reason}`}>
          {bad.message}
        </div>
      )}
      {unanswered && (
        <div role="note" aria-live="polite" className={`${styles.drop} ${styles.note}`}>
          The server does not answer. The last result stays until it does.
        </div>
      )}
      {!bad && !unanswered && !showing && data?.notices[0] && <Unknown {...data.notices[0]} />}
      <Suspense fallback={null}>{showing && !bad && <CompletionList items={items} active={active} onPick={accept} />}</Suspense>
    </div>
  );
}

/** A name in the query that no run has, and the query with the nearest one. */
const Unknown = ({ text, instead }: Notice) => (
  <div role="note" aria-live="polite" className={`${styles.drop} ${styles.note}`}>
    {text}
    {instead && (
      <button type="button" className={controls.button} onClick={() => void tryQuery(instead)}>
        {instead}
      </button>
    )}
  </div>
);

function follow(mirror: HTMLElement | null, input: HTMLInputElement | null) {
  if (mirror?.firstChild && input) mirror.scrollLeft = input.scrollLeft; // it costs a layout: only where there is a mark to move
}

/** A text that the server has answered: suggestions are asked for behind its rows, and not beside them. */
interface Tried {
  text: string;
  caret: number;
}

/** What could stand at the caret; nothing once the word is complete. */
function useSuggestions({ text, caret }: Tried, open: boolean): Completion[] {
  const prefix = useView((view) => view.prefix);
  const { data } = useQuery({ ...complete(text, caret, prefix), enabled: open });
  if (!open || !data) return NONE;
  return data.items.filter((item) => item.text !== text.slice(item.start, item.end)).slice(0, 12);
}
