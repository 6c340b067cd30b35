// Lines of a log: only those in sight exist, and are fetched where they are looked at; at the end, it follows. Knows no run table.
import { memo, useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from "react";
import { marked, type Stretch, stretchesOf } from "../math/ansi";
import { live } from "../state/live";
import { type Line, LogPages } from "../state/logs";
import { grouped } from "../ui/numbers";
import styles from "./Logs.module.css";

const ROW = 18;
/** Elements cannot be taller than this in some browsers: a longer log is scrolled in proportion. */
const TALLEST = 15_000_000;
const SPARE = 20;
const GROW_MS = 500;

export function LogLines({ run, path, match }: { run: string; path: string; match: string }) {
  const { pages, total, error } = useLog(run, path, match);
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [seen, setSeen] = useState(-1);
  const follow = useRef(true);
  const tall = Math.min(total * ROW, TALLEST);
  const scale = tall > height ? (Math.max(total, 0) * ROW - height) / (tall - height) : 1;
  const first = Math.floor((top * scale) / ROW);
  const count = Math.ceil(height / ROW) + 1;
  useEffect(
    () => pages.want(first - SPARE, Math.min(total < 0 ? count : total, first + count + SPARE)),
    [pages, first, count, total],
  );
  useLayoutEffect(() => {
    const element = box.current!;
    if (follow.current && total > 0) {
      element.scrollTop = element.scrollHeight;
      setSeen(total);
    } else if (seen < 0 || total < seen) setSeen(total);
  }, [total, seen]);
  useEffect(() => {
    const element = box.current!;
    const sizes = new ResizeObserver(() => setHeight(element.clientHeight));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);
  const onScroll = () => {
    const element = box.current!;
    follow.current = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW;
    if (follow.current) setSeen(total);
    setTop(element.scrollTop);
  };
  const toEnd = () => {
    follow.current = true;
    setSeen(total);
    box.current!.scrollTop = box.current!.scrollHeight;
  };
  const lines = Array.from({ length: Math.max(0, Math.min(count, total - first)) }, (_, i) => first + i);
  return (
    <div className={styles.frame}>
      <div ref={box} className={styles.lines} role="log" aria-label={path} aria-live="off" tabIndex={0} onScroll={onScroll}>
        <div style={{ height: tall, minWidth: "100%", position: "relative" }}>
          <div className={styles.window} style={{ transform: `translateY(${top - (top * scale - first * ROW)}px)` }}>
            {lines.map((index) => (
              <LogLine key={index} line={pages.line(index)} />
            ))}
          </div>
        </div>
      </div>
      {error && (
        <p role="alert" className={styles.error}>
          {error.message}
        </p>
      )}
      <p className={styles.count}>{total < 0 ? "" : `${grouped(total)} line${total === 1 ? "" : "s"}${match ? " match" : ""}`}</p>
      {seen >= 0 && total > seen && (
        <button type="button" className={styles.more} onClick={toEnd}>
          {grouped(total - seen)} new ↓
        </button>
      )}
    </div>
  );
}

/** The pages of a file, growing while notices come in. */
function useLog(run: string, path: string, match: string) {
  const [, changed] = useReducer((count: number) => count + 1, 0);
  const make = useCallback(() => new LogPages(path, match, changed), [path, match]);
  const [pages] = useState(make);
  useEffect(() => {
    pages.open();
    pages.want(0, 1);
    let timer = 0;
    const stop = live().onChange((change) => {
      if (change.run !== run || timer || !change.what.some((what) => what === "text" || what === "files")) return;
      timer = window.setTimeout(() => {
        timer = 0;
        if (!document.hidden) pages.grow();
      }, GROW_MS);
    });
    const seen = () => !document.hidden && pages.grow();
    document.addEventListener("visibilitychange", seen);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", seen);
      window.clearTimeout(timer);
      pages.close();
    };
  }, [pages, run]);
  return { pages, total: pages.total, error: pages.error };
}

const LogLine = memo(function LogLine({ line }: LineProps) {
  return (
    <div className={styles.line}>
      <span className={styles.number}>{line ? line.number + 1 : ""}</span>
      <span>{line ? marked(stretchesOf(line.text), line.marks).map(piece) : " "}</span>
    </div>
  );
}, sameLine);

interface LineProps {
  line: Line | undefined;
}

function sameLine(a: LineProps, b: LineProps): boolean {
  return a.line?.text === b.line?.text && a.line?.number === b.line?.number && a.line?.marks.join() === b.line?.marks.join();
}

function piece({ text, colour, bold, dim, italic, underline, found }: Stretch, index: number) {
  if (colour === null && !bold && !dim && !italic && !underline && !found) return text;
  const Tag = found ? "mark" : "span";
  const style = typeof colour === "string" ? { color: colour } : undefined;
  const flags = [bold && styles.bold, dim && styles.dim, italic && styles.italic, underline && styles.underline]
    .filter(Boolean)
    .join(" ");
  return (
    <Tag key={index} className={flags} style={style} data-colour={typeof colour === "number" ? colour % 8 : undefined}>
      {text}
    </Tag>
  );
}
