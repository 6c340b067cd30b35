// Made by generate_types.py from queries.py, answers.py, commands.py; `python dashboard/generate_types.py` renews it.

/** A JSON value; non-finite floats and large integers come as {"$f": "nan"} and {"$i": "…"}. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One page of the runs below `prefix` that match `q` (docs/reference/search.md), in its `sort:` order. */
export interface SearchRuns {
  type: "search_runs";
  q?: string;
  prefix?: string;
  offset?: number;
  limit?: number;
  columns?: string[] | null;
  group_by?: string[];
  trash?: boolean;
  locate?: string;
}

/** What could stand at character `position` of the query `q`: names, operators and values. */
export interface CompleteQuery {
  type: "complete";
  q: string;
  position: number;
  prefix?: string;
}

/** Everything about one run but its points; `key` may be a folder, which then has no `row`. */
export interface GetRun {
  type: "get_run";
  key: string;
}

/** Metrics that the given runs have (or all runs that match `q` below `prefix`, if `runs` is None). */
export interface ListMetrics {
  type: "list_metrics";
  runs?: string[] | null;
  q?: string;
  prefix?: string;
  points?: boolean;
}

/** One metric over many runs within [lo, hi] of `x`, as at most `bins` buckets each (exact points if they fit). */
export interface GetSeries {
  type: "get_series";
  metric: string;
  runs?: string[] | null;
  q?: string;
  prefix?: string;
  x?: string;
  lo?: number | null;
  hi?: number | null;
  bins?: number;
  smoothing?: Smoothing;
  group_by?: string[];
  center?: "iqm" | "mean" | "median";
  spread?: "ci95" | "iqr" | "minmax" | "sem" | "std";
  rank?: number | null;
  attempt?: number | null;
  since?: number | null;
  split?: "" | "attempt" | "rank";
}

/** `ema` with weight 0 … 0.999 (bias-corrected), `gaussian` with sigma in points, or `mean` over a window of points. */
export interface Smoothing {
  kind?: "ema" | "gaussian" | "mean" | "none";
  amount?: number;
}

/** Permutation importance of the parameters for `objective` (a metric, or `loss.min` …) over all runs that match, or `runs`. */
export interface GetImportance {
  type: "get_importance";
  objective: string;
  runs?: string[] | null;
  q?: string;
  prefix?: string;
}

/** The merged rows of one table of a run, in order, from `start` (inclusive) to `stop`; `path` is `<run>/metrics.pkl`. */
export interface ReadRows {
  type: "read_rows";
  path: string;
  start?: number;
  stop?: number | null;
  keys?: string[] | null;
  attempt?: number | null;
  rank?: number | null;
}

/** Nested parameters of the runs whose `parameters.pkl` matches `path` (a glob is allowed). */
export interface ReadParams {
  type: "read_params";
  path: string;
}

/** The journal of a run, one entry for each record, in per-writer order, from sequence `since`. */
export interface ReadRecords {
  type: "read_records";
  run: string;
  since?: number;
  limit?: number;
}

/** Entries of the directory `path`; with `recursive`, all files below it; at most `limit`, from the one numbered `start` on. */
export interface ListFiles {
  type: "list_files";
  path?: string;
  recursive?: boolean;
  limit?: number;
  start?: number;
  journals?: boolean;
}

/** Keys below `wd` that match `pattern` (``*``, ``?``, ``[…]``, ``**``), sorted, relative to `wd`. */
export interface Glob {
  type: "glob";
  pattern: string;
  wd?: string;
  recursive?: boolean;
  start?: number | null;
  stop?: number | null;
}

/** Bytes [start, stop) of a file; answered by a stream, over HTTP by ``GET /v1/files/<path>`` with Range. */
export interface ReadFile {
  type: "read_file";
  path: string;
  start?: number;
  stop?: number | null;
}

/** Lines [start, start + limit) of a text file, or its last `limit` with start −1; `match` keeps lines with this regex. */
export interface ReadLog {
  type: "read_log";
  path: string;
  start?: number;
  limit?: number;
  match?: string;
}

/** What users saved under `kind` (``view``, ``report``, ``link``, ``panel``): one `name`, or all names if None. */
export interface GetSaved {
  type: "get_saved";
  kind: string;
  name?: string | null;
  prefix?: string;
}

/** Add and remove tags of runs. */
export interface SetTags {
  type: "set_tags";
  runs: string[];
  add?: string[];
  remove?: string[];
}

/** Replace the notes (markdown) of a run; with `was`, only if they are still that: else `ConflictError`. */
export interface SetNotes {
  type: "set_notes";
  run: string;
  text: string;
  was?: string | null;
}

/** Hide runs from the default list, or show them again. */
export interface SetArchived {
  type: "set_archived";
  runs: string[];
  archived?: boolean;
}

/** Move runs, folders or files to the trash, where they can be restored for seven days. */
export interface Trash {
  type: "trash";
  paths: string[];
}

/** Bring paths back from the trash. */
export interface Restore {
  type: "restore";
  paths: string[];
}

/** Rename a run, a folder or a file; the new name has to be free. Tags and notes go along. */
export interface MoveTo {
  type: "move";
  path: string;
  to: string;
}

/** Copy a run, a folder or a file to a name that is free; with `older`, the version of a file that was overwritten last. */
export interface CopyTo {
  type: "copy";
  path: string;
  to: string;
  older?: boolean;
}

/** Send `stop`, `checkpoint`, `set` … to a run; it sees it at its next `ping()`. */
export interface SendSignal {
  type: "send_signal";
  run: string;
  name: string;
  value?: Json;
}

/** Save a JSON value under (kind, name); None deletes it. With name "" a short name is made and returned. */
export interface Save {
  type: "save";
  kind: string;
  name: string;
  value: Json;
  prefix?: string;
  checked?: boolean;
  was?: Json;
}

/** Answer to `SearchRuns`. `total` counts all matches, `all` all runs below the prefix; `notices` tell of names that no run has. */
export interface RunsPage {
  total: number;
  all: number;
  offset: number;
  rows: RunRow[];
  columns: Column[];
  groups: GroupRow[];
  version: number;
  nearest: string | null;
  unread: number;
  notices: Notice[];
  of_groups: number;
  located: number | null;
}

/** A run as a row of a table. `params` is flat, with dotted names; `status` is running, completed, errored, paused or lost. */
export interface RunRow {
  key: string;
  name: string;
  uuid: string;
  status: string;
  created: number;
  updated: number;
  host: string;
  params: Record<string, Json>;
  metrics: Record<string, MetricSummary>;
  tags: string[];
  notes: string;
  points: number;
  writers: number;
  attempts: number;
  archived: boolean;
  duration: number;
}

/** Summary of one metric of one run: newest attempt, all writers. `n` counts logged points, `bad` the non-finite ones. */
export interface MetricSummary {
  last: Json;
  min: number | null;
  max: number | null;
  first: Json;
  n: number;
  bad: number;
  last_step: number | null;
  argmin: number | null;
  argmax: number | null;
}

/** A column that some run below the prefix has: ``param`` or ``metric``; `runs` says how many have it. */
export interface Column {
  name: string;
  kind: "field" | "metric" | "param" | "tag";
  runs: number;
  numeric: boolean;
}

/** Runs that share the values of the `group_by` columns; `metrics` maps a name to [mean, std, n] over all of them. */
export interface GroupRow {
  values: Record<string, Json>;
  runs: number;
  metrics: Record<string, (number | null)[]>;
}

/** What is to be said of the characters [start, end) of a query: a name that no run has. `instead` is a likelier query. */
export interface Notice {
  text: string;
  start: number;
  end: number;
  instead: string | null;
}

/** Answer to `CompleteQuery`. */
export interface Completions {
  items: Completion[];
}

/** One suggestion: replace [start, end) of the query by `text`. `histogram` holds counts over the range of a number. */
export interface Completion {
  text: string;
  kind: string;
  start: number;
  end: number;
  runs: number;
  histogram: number[];
  low: number | null;
  high: number | null;
}

/** Answer to `GetRun`. `nested` is the parameter tree; `meta` is run.json; `readme` is README.md if there is one. */
export interface RunDetail {
  key: string;
  row: RunRow | null;
  nested: Record<string, Json>;
  meta: Record<string, Json>;
  readme: string | null;
  writers: WriterInfo[];
  lifecycle: Record<string, Json>[];
  signals: Record<string, Json>[];
  warnings: string[];
  panels: Panel[];
  panel_problems: string[];
}

/** One writer of a run, as a page shows it. */
export interface WriterInfo {
  writer: string;
  host: string;
  rank: number;
  attempt: number;
  created: number;
  updated: number;
  records: number;
  ended: boolean;
  damaged: number;
  gaps: number;
}

/** A chart that someone made: `kind` is line, bar, histogram, image, video or file; `x` "" is the axis of all charts. */
export interface Panel {
  kind: string;
  title: string;
  y: string[];
  x: string;
  glob: string;
  stat: string;
}

/** Answer to `ListMetrics`, sorted by name; `of` is how many runs were asked. */
export interface MetricList {
  metrics: MetricInfo[];
  of: number;
}

/** A metric: how many of the asked runs have it, and how many points; 0 if they were not asked for. */
export interface MetricInfo {
  name: string;
  runs: number;
  points: number;
  numeric: boolean;
}

/** JSON header of the answer to `GetSeries`; `missing` counts asked runs that lack the metric. */
export interface SeriesHeader {
  metric: string;
  x: string;
  lo: number | null;
  hi: number | null;
  series: SeriesInfo[];
  missing: number;
  version: number;
}

/** One series of the answer: n points of x, mean, min, max, count in this order in the binary body. */
export interface SeriesInfo {
  key: string;
  n: number;
  exact: boolean;
  logged: number;
  stored: number;
  shown: number;
  bad: number;
  marks: Json[];
  runs: number;
  group: Record<string, Json>;
  smoothed: boolean;
  before: (number | null)[] | null;
  after: (number | null)[] | null;
}

/** Answer to `GetImportance`, largest first: `n` runs, out-of-bag `r2`, or the `reason` why there is none. */
export interface Importance {
  objective: string;
  n: number;
  r2: number | null;
  params: ParamWeight[];
  reason: string;
}

/** How much one parameter matters: share of the forest's R² that shuffling it costs, its deviation, rank correlation (numbers). */
export interface ParamWeight {
  name: string;
  importance: number;
  std: number;
  correlation: number | null;
}

/** Answer to `ReadRows`. */
export interface Tables {
  tables: Table[];
}

/** Rows of one table; each is what the user logged, in the order of first appearance of its keys. */
export interface Table {
  path: string;
  rows: Record<string, Json>[];
  total: number;
}

/** Answer to `ReadParams`: run key → nested parameters. */
export interface ParamsAnswer {
  runs: Record<string, Record<string, Json>>;
}

/** Answer to `ReadRecords`. */
export interface RecordPage {
  records: RecordEntry[];
  more: boolean;
}

/** One record: `seq` within its writer, `row` for rows, `t` its wall time, `kind`, and `data` as logged. */
export interface RecordEntry {
  writer: string;
  epoch: number;
  seq: number;
  t: number;
  kind: string;
  data: Record<string, Json>;
  row: number | null;
  table: string | null;
  step: number | null;
}

/** Answer to `ListFiles`, directories first, then by name. `total` counts all entries; None where a recursive listing goes on. */
export interface FileList {
  path: string;
  entries: FileEntry[];
  more: boolean;
  total: number | null;
}

/** A file or directory. `step`, `key`, `kind` and `meta` come from the FILE record that put it there; `run` marks run directories. */
export interface FileEntry {
  path: string;
  name: string;
  is_dir: boolean;
  size: number;
  modified: number;
  kind: string;
  step: number | null;
  run: boolean;
  sha256: string;
  meta: Record<string, Json>;
}

/** Answer to `Glob`; None when `wd` does not exist. */
export interface Keys {
  keys: string[] | null;
}

/** Answer to `ReadLog`: `numbers` are 0-based line numbers; `total` counts the lines (that match). */
export interface LogPage {
  lines: string[];
  numbers: number[];
  total: number;
  size: number;
  marks: number[][];
}

/** Answer to `GetSaved`: name → JSON value. */
export interface Saved {
  items: Record<string, Json>;
}

/** Answer to a command: how many things changed, and the name that was made, if any. */
export interface Done {
  changed: number;
  name: string;
}

/** A notice on ``GET /v1/live``: something of `run` changed, and `version` counts such changes. */
export interface Change {
  run: string;
  what: string[];
  version: number;
  last_step: number | null;
  metrics: string[];
}

export type AnyQuery = SearchRuns | CompleteQuery | GetRun | ListMetrics | GetSeries | GetImportance | ReadRows | ReadParams | ReadRecords | ListFiles | Glob | ReadFile | ReadLog | GetSaved;
export type AnyCommand = SetTags | SetNotes | SetArchived | Trash | Restore | MoveTo | CopyTo | SendSignal | Save;
/** What each question is answered with, by its type. */
export interface AnswerOf {
  search_runs: RunsPage;
  complete: Completions;
  get_run: RunDetail;
  list_metrics: MetricList;
  get_series: SeriesHeader;
  get_importance: Importance;
  read_rows: Tables;
  read_params: ParamsAnswer;
  read_records: RecordPage;
  list_files: FileList;
  glob: Keys;
  read_log: LogPage;
  get_saved: Saved;
}
