// Pictures or videos of the first shown run that match a glob, one at a time along a slider. Knows no series.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ask, fileUrl } from "../api/client";
import { nameOf, useVisibleRuns } from "../state/runs";
import { usePinnedKey } from "../state/there";
import { PanelCard, type PanelProps } from "./PanelCard";
import styles from "./panels.module.css";

const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/** So many shown runs are looked through. */
const MOST_RUNS = 20;

export function FilesPanel({ name, panel, buttons }: PanelProps) {
  const pinned = usePinnedKey();
  const { keys } = useVisibleRuns();
  const runs = pinned ? [pinned] : keys.slice(0, MOST_RUNS);
  const [place, setPlace] = useState<number | null>(null);
  const { data } = useQuery({
    queryKey: ["list_files", runs, "glob", panel.glob],
    enabled: pinned !== undefined && runs.length > 0,
    queryFn: ({ signal }) => firstWith(panel.glob ?? "", runs, signal),
  });
  const { run = "", files = [] } = data ?? {};
  const at = Math.min(place ?? files.length - 1, files.length - 1);
  const file = files[at];
  return (
    <PanelCard
      name={name}
      summary={`n=${files.length} last=${files.at(-1) ?? "none"}`}
      caption={run && nameOf(run)}
      buttons={buttons}
    >
      {file === undefined ? (
        <p className={styles.nothing}>
          {data && (runs.length > 1 ? `No shown run has a file ${panel.glob}` : `${nameOf(runs[0]!)} has no file ${panel.glob}`)}
        </p>
      ) : (
        <div className={styles.media}>
          <One kind={panel.kind} path={`${run}/${file}`} />
          <label>
            <input
              type="range"
              aria-label={`File of ${name}`}
              min={0}
              max={files.length - 1}
              value={at}
              onChange={(event) => setPlace(Number(event.target.value))}
            />
            <small>{file}</small>
          </label>
        </div>
      )}
    </PanelCard>
  );
}

/** The files of the first of `runs` that has any. */
async function firstWith(pattern: string, runs: readonly string[], signal: AbortSignal) {
  for (const run of runs) {
    const { keys } = await ask({ type: "glob", pattern, wd: run }, signal);
    if (keys?.length) return { run, files: [...keys].sort(inOrder) };
  }
  return { run: "", files: [] };
}

function One({ kind, path }: { kind: string; path: string }) {
  const source = fileUrl(path);
  if (kind === "video") return <video src={source} controls loop muted preload="metadata" aria-label={nameOf(path)} />;
  if (kind === "image") return <img src={source} alt={nameOf(path)} />;
  return (
    <a href={source} download>
      {nameOf(path)}
    </a>
  );
}
