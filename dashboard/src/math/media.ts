// Which picture stands in which cell of the Media view: pure arithmetic of names and steps. Knows no element.

/** What a file of a run says of itself. */
export interface MediaFile {
  path: string;
  kind: string;
  step: number | null;
  modified: number;
}

/** The files of one run under one key, by step; those without a step come first. */
export type Cell = readonly MediaFile[];

/** The key that files of a sequence share: the digits before the suffix go, `samples/000100.png` → `samples/#.png`. */
export function mediaKey(path: string, step: number | null): string {
  const slash = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const end = dot > slash ? dot : path.length;
  if (step === null) return path;
  return path.slice(0, slash) + path.slice(slash, end).replace(/\d+(?=\D*$)/, "#") + path.slice(end);
}

/** Files of one run by key; each key's files in the order of their steps. Paths are taken relative to the run. */
export function cellsOf(run: string, files: readonly MediaFile[]): Map<string, MediaFile[]> {
  const cells = new Map<string, MediaFile[]>();
  for (const file of files) {
    const key = mediaKey(file.path.startsWith(`${run}/`) ? file.path.slice(run.length + 1) : file.path, file.step);
    const list = cells.get(key);
    if (list) list.push(file);
    else cells.set(key, [file]);
  }
  for (const list of cells.values()) list.sort((a, b) => (a.step ?? -Infinity) - (b.step ?? -Infinity));
  return cells;
}

/** The file at `step`, else the nearest earlier one; undefined before the first. */
export function fileAt(cell: Cell, step: number): MediaFile | undefined {
  let found: MediaFile | undefined;
  for (const file of cell) if ((file.step ?? -Infinity) <= step) found = file;
  return found;
}

/** All steps of all cells, ascending, each once. */
export function stepsOf(runs: Iterable<ReadonlyMap<string, Cell>>): number[] {
  const steps = new Set<number>();
  for (const cells of runs) for (const cell of cells.values()) for (const { step } of cell) if (step !== null) steps.add(step);
  return [...steps].sort((a, b) => a - b);
}

/** The next step after `step` (`by` 1) or before it (`by` −1); the last or first one at the ends. */
export function nextStep(steps: readonly number[], step: number, by: 1 | -1): number {
  if (by > 0) return steps.find((one) => one > step) ?? steps.at(-1) ?? step;
  return steps.findLast((one) => one < step) ?? steps[0] ?? step;
}
