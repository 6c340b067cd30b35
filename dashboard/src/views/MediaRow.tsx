// One run's row of media: for each key the file at the chosen step, else the nearest earlier one, labelled. Knows no other run.
import { memo, type SyntheticEvent } from "react";
import { fileUrl } from "../api/client";
import { lookOf } from "../math/fileKinds";
import { type Cell, fileAt, type MediaFile } from "../math/media";
import { colourOf, styleOf } from "../state/colours";
import { hoverRun } from "../state/hover";
import { nameOf } from "../state/runs";
import { setView } from "../state/view";
import styles from "./Media.module.css";

interface Props {
  run: string;
  cells: ReadonlyMap<string, Cell>;
  columns: readonly string[];
  step: number;
}

export const MediaRow = memo(function MediaRow({ run, cells, columns, step }: Props) {
  return (
    <tr onMouseEnter={() => hoverRun(run)} onMouseLeave={() => hoverRun(null)}>
      <th scope="row" title={run}>
        <button type="button" className={styles.run} onClick={() => setView({ drawer: run })}>
          <i style={{ background: colourOf(styleOf(run)) }} />
          {nameOf(run)}
        </button>
      </th>
      {columns.map((key) => (
        <td key={key}>
          <Medium run={run} name={key} file={fileAt(cells.get(key) ?? [], step)} step={step} />
        </td>
      ))}
    </tr>
  );
});

function Medium({ run, name, file, step }: { run: string; name: string; file: MediaFile | undefined; step: number }) {
  if (!file) return <span className={styles.none}>–</span>;
  const source = `${fileUrl(file.path)}?v=${file.modified}`;
  const label = `${name} of ${nameOf(run)}${file.step === null ? "" : `, step ${file.step}`}`;
  return (
    <figure className={styles.medium}>
      <Bytes kind={lookOf(file.path) === "image" ? "image" : file.kind} source={source} label={label} />
      <figcaption data-earlier={file.step !== null && file.step !== step}>
        {file.step === null ? "no step" : `step ${file.step.toLocaleString("en-US")}`}
      </figcaption>
    </figure>
  );
}

function Bytes({ kind, source, label }: { kind: string; source: string; label: string }) {
  if (kind === "video") {
    return (
      <video
        src={source}
        aria-label={label}
        controls
        loop
        muted
        preload="metadata"
        data-media="true"
        onPlay={together}
        onPause={together}
        onSeeked={together}
      />
    );
  }
  if (kind === "audio") return <audio src={source} aria-label={label} controls preload="none" />;
  return <img src={source} alt={label} loading="lazy" decoding="async" />;
}

/** What one video does, all do: so runs can be compared at the same moment. */
function together(event: SyntheticEvent<HTMLVideoElement>): void {
  const leader = event.currentTarget;
  if (!leader.matches(":hover") && document.activeElement !== leader) return; // this one follows
  for (const video of document.querySelectorAll<HTMLVideoElement>("video[data-media]")) {
    if (video === leader) continue;
    video.currentTime = leader.currentTime;
    if (leader.paused) video.pause();
    else void video.play().catch(() => undefined); // a file that cannot be played is silent
  }
}
