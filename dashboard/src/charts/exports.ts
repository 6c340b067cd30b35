// What leaves the page as a file, and the Python lines that read the same numbers. Knows no card and draws nothing.
import type { View } from "../state/view";

/** Let the browser save a text. */
export const saveText = (name: string, type: string, text: string): void => saveBlob(name, new Blob([text], { type }));

export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replaceAll(/[\\/:*?"<>|\s]+/g, "_");
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What a chart asks the server, as far as Python can ask the same of a directory. */
export type Drawing = Pick<View, "x" | "q" | "prefix" | "groupBy" | "center" | "spread" | "smoothing" | "split"> & {
  lo: number | null;
  hi: number | null;
  bins: number;
};

/** Python that reads the drawn numbers from the server's directory: what `Runs.chart` returns. JSON strings are Python strings. */
export function pythonOf(metrics: readonly string[], runs: readonly string[], drawing: Drawing): string {
  const { q, prefix, x, groupBy, center, spread, split, smoothing } = drawing;
  const text = (value: unknown) => JSON.stringify(value);
  const which = groupBy.length
    ? [`q=${text(q)}`, `prefix=${text(prefix)}`, `group_by=${text(groupBy)}`, `center=${text(center)}`, `spread=${text(spread)}`]
    : [`runs=${text(runs)}`, ...(split ? [`split=${text(split)}`] : [])];
  const zoom = drawing.lo !== null && drawing.hi !== null ? [`lo=${drawing.lo}`, `hi=${drawing.hi}`] : [];
  const smooth = smoothing ? [`smoothing=Smoothing("ema", ${smoothing})`] : [];
  const how = [...which, `x=${text(x)}`, ...zoom, `bins=${drawing.bins}`, ...smooth];
  return scriptOf(smoothing ? ["from ml_logger.queries import Smoothing"] : [], [
    "    charts = {",
    "        metric: runs.chart(",
    "            metric,",
    ...how.map((argument) => `            ${argument},`),
    "        )",
    `        for metric in ${text(metrics)}`,
    "    }",
    "",
    "for metric, lines in charts.items():",
    "    for name, line in lines.items():",
    '        print(metric, name, line["x"], line["mean"])',
  ]);
}

/** A Python script that opens the server's directory as `runs` before its `body`. */
export const scriptOf = (imports: readonly string[], body: readonly string[]): string =>
  [
    "import os",
    "",
    "import ml_logger",
    ...imports,
    "",
    'root = os.environ.get("ML_LOGGER_ROOT", ".")  # the directory that the server serves',
    "with ml_logger.open(root) as runs:",
    ...body,
    "",
  ].join("\n");
