// The printed text of one run: choose run and file, filter, follow. Knows which file, not how its lines are drawn.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { fileUrl } from "../api/client";
import { listFiles, queryClient } from "../api/queries";
import type { FileEntry } from "../api/types";
import { live } from "../state/live";
import { nameOf, useVisibleRuns } from "../state/runs";
import { usePinnedKey } from "../state/there";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { LogLines } from "./LogLines";
import styles from "./Logs.module.css";

const REST_MS = 120;
const TEXT = /\.(log|txt|out|err)$/i;
const FIRST = ["outputs.log", "stdout.log", "output.log"];

/** Text files of a run, the printed output first. */
export function logsOf(entries: readonly FileEntry[]): FileEntry[] {
  const rank = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return entries.filter((entry) => !entry.is_dir && TEXT.test(entry.name)).sort((a, b) => rank(a.name) - rank(b.name));
}

export default function LogsView() {
  const { keys, ready } = useVisibleRuns();
  const pinned = usePinnedKey();
  const chosen = useView((view) => view.logRun);
  const runs = pinned && !keys.includes(pinned) ? [pinned, ...keys] : keys;
  const run = chosen && runs.includes(chosen) ? chosen : (pinned ?? keys[0]);
  if (!ready || pinned === undefined) return <p className={`${styles.nothing} waiting`}>Loading…</p>;
  if (!run) return <p className={styles.nothing}>No run is shown.</p>;
  return (
    <section aria-label="Logs" className={styles.view}>
      <RunLogs key={run} run={run}>
        {runs.length > 1 && (
          <label className={controls.pill}>
            Run:
            <select aria-label="Run" value={run} onChange={(event) => setView({ logRun: event.target.value })}>
              {runs.map((key) => (
                <option key={key} value={key}>
                  {nameOf(key)}
                </option>
              ))}
            </select>
          </label>
        )}
      </RunLogs>
    </section>
  );
}

function RunLogs({ run, children }: { run: string; children: React.ReactNode }) {
  const { data } = useQuery(listFiles(run, true));
  const chosen = useView((view) => view.logFile);
  const filter = useView((view) => view.logMatch);
  const match = useRested(filter);
  const files = logsOf(data?.entries ?? []);
  useFirstPrint(run, !files.some((file) => file.path === `${run}/${FIRST[0]}`));
  const path = files.find((file) => file.path === chosen)?.path ?? files[0]?.path;
  return (
    <>
      <div className={styles.bar}>
        {children}
        {files.length > 1 && (
          <label className={controls.pill}>
            File:
            <select aria-label="File" value={path} onChange={(event) => setView({ logFile: event.target.value })}>
              {files.map((file) => (
                <option key={file.path} value={file.path}>
                  {file.path.slice(run.length + 1)}
                </option>
              ))}
            </select>
          </label>
        )}
        <input
          type="search"
          className={`${controls.input} ${styles.filter}`}
          aria-label="Filter logs"
          placeholder="Filter logs: a regular expression"
          spellCheck={false}
          value={filter}
          onChange={(event) => setView({ logMatch: event.target.value })}
        />
        {path && (
          <a className={controls.button} href={fileUrl(path)} download={nameOf(path)}>
            Download
          </a>
        )}
      </div>
      {path && <LogLines key={`${path}\n${match}`} run={run} path={path} match={match} />}
      {data && !path && <p className={styles.nothing}>This run has printed nothing with logger.print(…) or log_text(…).</p>}
    </>
  );
}

/** A run that prints for the first time has a file that it had not: list its files again. Later prints make none. */
function useFirstPrint(run: string, silent: boolean): void {
  useEffect(() => {
    if (!silent) return;
    return live().onChange((change) => {
      if (change.run === run && change.what.includes("text")) void queryClient.invalidateQueries(listFiles(run, true));
    });
  }, [run, silent]);
}

/** A text once no key has been pressed for a moment: a filter reads the whole file. */
function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(setRested, REST_MS, text);
    return () => window.clearTimeout(timer);
  }, [text]);
  return rested;
}
