// The Python lines that read what a panel of bars or of distributions draws. Knows no card.
import { scriptOf } from "./exports";

/** Which bars a panel draws: `runs` are those that are shown, in their order; with groups all that match. */
export interface BarsDrawn {
  q: string;
  prefix: string;
  groupBy: readonly string[];
  runs: readonly string[];
  metrics: readonly string[];
  stat: string;
  most: number;
}

const text = (value: unknown) => JSON.stringify(value); // JSON strings and lists are Python's too

export function barsPython({ q, prefix, groupBy, runs, metrics, stat, most }: BarsDrawn): string {
  const which = [`q=${text(q)}`, `prefix=${text(prefix)}`, ...(groupBy.length ? [`group_by=${text(groupBy)}`] : [])];
  const question = [...which, `columns=${text(metrics)}`, `limit=${most}`].map((argument) => `            ${argument},`);
  const ask = [
    "    page = runs.ask(",
    "        SearchRuns(",
    ...question,
    "        )",
    "    )",
    "",
    `metrics = ${text(metrics)}`,
  ];
  return scriptOf(["from ml_logger.queries import SearchRuns"], [...ask, ...(groupBy.length ? OF_GROUPS : ofRuns(runs, stat))]);
}

const OF_GROUPS = [
  "bars = [",
  "    (group.values, metric, *group.metrics[metric][:2])  # mean and standard deviation over its runs",
  "    for group in page.groups",
  "    for metric in metrics",
  "    if metric in group.metrics",
  "]",
  "for values, metric, mean, std in bars:",
  "    print(values, metric, mean, std)",
];

const ofRuns = (runs: readonly string[], stat: string) => [
  `shown = ${text(runs)}`,
  "rows = {row.key: row for row in page.rows}",
  "bars = [",
  `    (key, metric, rows[key].metrics[metric].${stat})`,
  "    for key in shown",
  "    for metric in metrics",
  "    if key in rows and metric in rows[key].metrics",
  "]",
  "for key, metric, value in bars:",
  "    print(key, metric, value)",
];

/** The distributions of one run as they were logged, by step. */
export const heatPython = (run: string, metric: string): string =>
  scriptOf(
    [],
    [
      `    rows = runs[${text(run)}].rows()`,
      "",
      `metric, names = ${text(metric)}, ("step", "timestep", "global_step", "epoch")`,
      "histograms = [",
      '    (next((row[name] for name in names if isinstance(row.get(name), int)), at), row[metric]["counts"], row[metric]["edges"])',
      "    for at, row in enumerate(rows)",
      "    if isinstance(row.get(metric), dict)",
      "]",
      "for step, counts, edges in histograms:",
      "    print(step, counts, edges)",
    ],
  );
