// Pictures, videos and sounds of the shown runs: rows are runs, columns are keys, one step for all. Knows files, not how they were made.
import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { FILES, listFiles } from "../api/queries";
import { cellsOf, nextStep, stepsOf } from "../math/media";
import { useVisibleRuns } from "../state/runs";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { grouped } from "../ui/numbers";
import styles from "./Media.module.css";
import { MediaRow } from "./MediaRow";

const KINDS = new Set(["image", "video", "audio"]);
const PLAY_MS = 400;

export default function MediaView() {
  const { keys, ready } = useVisibleRuns();
  const [limit, setLimit] = useState(FILES);
  const answers = useQueries({ queries: keys.map((key) => listFiles(key, true, limit)) });
  const isCut = answers.some((answer) => answer.data?.more);
  const stamp = answers.map((answer) => answer.dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp stands for the answers
  const runs = useMemo(
    () =>
      keys.map((key, at) => ({
        key,
        cells: cellsOf(
          key,
          (answers[at]?.data?.entries ?? []).filter((file) => KINDS.has(file.kind)),
        ),
      })),
    [keys, stamp],
  );
  const steps = useMemo(() => stepsOf(runs.map((run) => run.cells)), [runs]);
  const columns = useMemo(() => [...new Set(runs.flatMap((run) => [...run.cells.keys()]))].sort(), [runs]);
  const step = useView((view) => view.step) ?? steps.at(-1) ?? 0;
  const move = (by: 1 | -1) => setChosen(nextStep(steps, step, by));
  const [playing, setPlaying] = usePlaying(steps, step, setChosen);
  useStepKeys(move, () => setPlaying(!playing));
  if (!ready || answers.some((answer) => answer.isPending)) return <p className={`${styles.nothing} waiting`}>Loading media…</p>;
  const rows = runs.filter((run) => run.cells.size > 0);
  const failed = answers.find((answer) => answer.error);
  if (!rows.length && failed) return <p className={styles.nothing}>{failed.error!.message}</p>;
  if (!rows.length) return isCut ? <Cut limit={limit} onMore={() => setLimit(limit * 10)} /> : <Nothing />;
  return (
    <section aria-label="Media">
      <StepBar steps={steps} step={step} onStep={setChosen} move={move} playing={playing} onPlay={() => setPlaying(!playing)} />
      {isCut && <Cut limit={limit} onMore={() => setLimit(limit * 10)} />}
      <div className={styles.scroll}>
        <table
          className={styles.table}
          aria-label="Media by run and key"
          onFocus={(event) => event.target.scrollIntoView({ block: "nearest", inline: "nearest" })} // a browser leaves a video half in sight
        >
          <thead>
            <tr>
              <th scope="col">Run</th>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, cells }) => (
              <MediaRow key={key} run={key} cells={cells} columns={columns} step={step} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const setChosen = (step: number): void => setView({ step });

function Cut({ limit, onMore }: { limit: number; onMore: () => void }) {
  return (
    <p className={styles.cut}>
      Only the first {grouped(limit)} files of each run are looked at.{" "}
      <button type="button" className={controls.button} onClick={onMore}>
        Look at more
      </button>
    </p>
  );
}

function Nothing() {
  return (
    <div className={styles.nothing}>
      <p>No shown run has pictures, videos or sounds.</p>
      <pre>logger.save_image(image, "samples/000100.png", step=100)</pre>
    </div>
  );
}

interface StepBarProps {
  steps: readonly number[];
  step: number;
  onStep: (step: number) => void;
  move: (by: 1 | -1) => void;
  playing: boolean;
  onPlay: () => void;
}

function StepBar({ steps, step, onStep, move, playing, onPlay }: StepBarProps) {
  return (
    <div className={styles.bar}>
      <label>
        Step
        <input
          type="range"
          aria-label="Step"
          min={steps[0] ?? 0}
          max={steps.at(-1) ?? 0}
          step={1}
          value={step}
          disabled={steps.length === 0}
          aria-valuetext={`step ${step}`}
          onChange={(event) => onStep(Number(event.target.value))}
          onKeyDown={(event) => {
            const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key] as 1 | -1 | undefined;
            if (!by) return;
            event.preventDefault();
            move(by);
          }}
        />
      </label>
      <output className={styles.step}>{step.toLocaleString("en-US")}</output>
      <button
        type="button"
        className={controls.button}
        aria-label="Earlier step"
        disabled={step <= (steps[0] ?? step)}
        onClick={() => move(-1)}
      >
        ⟨
      </button>
      <button
        type="button"
        className={controls.button}
        aria-label="Later step"
        disabled={step >= (steps.at(-1) ?? step)}
        onClick={() => move(1)}
      >
        ⟩
      </button>
      <button type="button" className={controls.button} aria-pressed={playing} disabled={steps.length < 2} onClick={onPlay}>
        {playing ? "Pause" : "Play"}
      </button>
    </div>
  );
}

/** Step through all steps, over and over, while playing. */
function usePlaying(steps: readonly number[], step: number, onStep: (step: number) => void): [boolean, (on: boolean) => void] {
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing || steps.length < 2) return;
    const next = step >= steps.at(-1)! ? steps[0]! : nextStep(steps, step, 1);
    const timer = window.setTimeout(() => onStep(next), PLAY_MS);
    return () => window.clearTimeout(timer);
  }, [playing, steps, step, onStep]);
  return [playing, setPlaying];
}

/** `[` and `]` go a step back and on, the space bar plays. */
function useStepKeys(move: (by: 1 | -1) => void, play: () => void) {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const at = document.activeElement;
      if (event.ctrlKey || event.metaKey || event.altKey || (at instanceof HTMLInputElement && at.type !== "range")) return;
      if (event.key === "[") move(-1);
      else if (event.key === "]") move(1);
      else if (event.key === " " && (at === document.body || at?.id === "panel" || at instanceof HTMLInputElement)) play();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  });
}
