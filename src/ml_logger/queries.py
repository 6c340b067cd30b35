"""What can be asked, and what comes back: the read contract of every face (Python, HTTP, dashboard).

Knows no store and no server. A destination answers `session.ask(query)`; the server answers `POST /v1/query` with
the same structs as JSON (`type` names the struct), and series as binary columns (docs/formats/series.md). TypeScript types
are generated from this file. Times are seconds since the epoch, UTC. Non-finite floats and integers beyond 2**53
are tagged in JSON: {"$f": "nan"}, {"$i": "…"}.
"""

from __future__ import annotations

from typing import Any, Literal, Union

from msgspec import Struct, field

XAxis = str
"""``step``, ``time`` (s since the epoch), ``relative`` (s since the run's first point) or a metric's name."""


class Query(Struct, tag_field="type"):
    """Base of all questions."""


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class SearchRuns(Query, tag="search_runs"):
    """One page of the runs below `prefix` that match `q` (docs/reference/search.md), in its `sort:` order.

    `columns`: parameter and metric names whose values each row carries; None means all (at most 200).
    """

    q: str = ""
    prefix: str = ""
    offset: int = 0
    limit: int = 200
    columns: list[str] | None = None
    group_by: list[str] = []
    trash: bool = False


class MetricSummary(Struct):
    """Summary of one metric of one run: newest attempt, all writers. `n` counts logged points, `bad` the non-finite ones."""

    last: Any = None
    min: float | None = None
    max: float | None = None
    first: Any = None
    n: int = 0
    bad: int = 0
    last_step: int | None = None
    argmin: int | None = None
    argmax: int | None = None


class RunRow(Struct):
    """A run as a row of a table. `params` is flat, with dotted names; `status` is running, completed, errored, paused or lost."""

    key: str
    name: str
    uuid: str = ""
    status: str = "running"
    created: float = 0.0
    updated: float = 0.0
    host: str = ""
    params: dict[str, Any] = {}
    metrics: dict[str, MetricSummary] = {}
    tags: list[str] = []
    notes: str = ""
    points: int = 0
    writers: int = 1
    attempts: int = 1
    archived: bool = False
    duration: float = 0.0


class Column(Struct):
    """A column that some run below the prefix has: ``param`` or ``metric``; `runs` says how many have it."""

    name: str
    kind: Literal["param", "metric", "tag", "field"]
    runs: int
    numeric: bool = True


class GroupRow(Struct):
    """Runs that share the values of the `group_by` columns; `metrics` maps a name to [mean, std, n] over all of them."""

    values: dict[str, Any]
    runs: int
    metrics: dict[str, list[float | None]] = {}


class RunsPage(Struct):
    """Answer to `SearchRuns`. `total` counts all matches, `all` all runs below the prefix."""

    total: int
    all: int
    offset: int
    rows: list[RunRow]
    columns: list[Column] = []
    groups: list[GroupRow] = []
    version: int = 0
    nearest: str | None = None


class CompleteQuery(Query, tag="complete"):
    """What could stand at character `position` of the query `q`: names, operators and values."""

    q: str
    position: int
    prefix: str = ""


class Completion(Struct):
    """One suggestion: replace [start, end) of the query by `text`. `histogram` holds counts over the range of a number."""

    text: str
    kind: str
    start: int
    end: int
    runs: int = 0
    histogram: list[int] = []
    low: float | None = None
    high: float | None = None


class Completions(Struct):
    """Answer to `CompleteQuery`."""

    items: list[Completion]


class GetRun(Query, tag="get_run"):
    """Everything about one run but its points; `key` may be a folder, which then has no `row`."""

    key: str


class WriterInfo(Struct):
    """One writer of a run, as a page shows it."""

    writer: str
    host: str
    rank: int
    attempt: int
    created: float
    updated: float
    records: int = 0
    ended: bool = False
    damaged: int = 0
    gaps: int = 0


class RunDetail(Struct):
    """Answer to `GetRun`. `nested` is the parameter tree; `meta` is run.json; `readme` is README.md if there is one."""

    key: str
    row: RunRow | None = None
    nested: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    readme: str | None = None
    writers: list[WriterInfo] = []
    lifecycle: list[dict[str, Any]] = []
    signals: list[dict[str, Any]] = []
    warnings: list[str] = []


# ── series ───────────────────────────────────────────────────────────────────────────────────────────────────────


class ListMetrics(Query, tag="list_metrics"):
    """Metrics that the given runs have (or all runs that match `q` below `prefix`, if `runs` is None)."""

    runs: list[str] | None = None
    q: str = ""
    prefix: str = ""


class MetricInfo(Struct):
    """A metric: how many of the asked runs have it, and how many points."""

    name: str
    runs: int
    points: int
    numeric: bool = True


class MetricList(Struct):
    """Answer to `ListMetrics`, sorted by name; `of` is how many runs were asked."""

    metrics: list[MetricInfo]
    of: int


class Smoothing(Struct):
    """`ema` with weight 0 … 0.999 (bias-corrected), `gaussian` with sigma in points, or `mean` over a window of points."""

    kind: Literal["none", "ema", "gaussian", "mean"] = "none"
    amount: float = 0.0


class GetSeries(Query, tag="get_series"):
    """One metric over many runs within [lo, hi] of `x`, as at most `bins` buckets each (exact points if they fit).

    Runs are `runs`, or all that match `q` below `prefix`. With `group_by` (parameter names, or ``["*-seed"]`` for all
    parameters but seed), each group is one series whose mean, min and max are `center` and `center` ∓ `spread`.
    `since`: only points after this x (a live tail).
    """

    metric: str
    runs: list[str] | None = None
    q: str = ""
    prefix: str = ""
    x: XAxis = "step"
    lo: float | None = None
    hi: float | None = None
    bins: int = 1000
    smoothing: Smoothing = field(default_factory=Smoothing)
    group_by: list[str] = []
    center: Literal["mean", "median", "iqm"] = "mean"
    spread: Literal["std", "sem", "ci95", "minmax", "iqr"] = "std"
    rank: int | None = None
    attempt: int | None = None
    since: float | None = None


class SeriesInfo(Struct):
    """One series of the answer: n points of x, mean, min, max, count in this order in the binary body.

    `exact`: these are the logged points, not buckets (then min, max and count are left out of the body).
    `logged`, `stored`, `shown` count points; `bad` non-finite ones; `marks` are [x, "nan" | "inf" | "-inf"].
    """

    key: str
    n: int
    exact: bool
    logged: int
    stored: int
    shown: int
    bad: int = 0
    marks: list[Any] = []
    runs: int = 1
    group: dict[str, Any] = {}
    smoothed: bool = False


class SeriesHeader(Struct):
    """JSON header of the answer to `GetSeries`; `missing` counts asked runs that lack the metric."""

    metric: str
    x: XAxis
    lo: float | None
    hi: float | None
    series: list[SeriesInfo]
    missing: int = 0
    version: int = 0


# ── rows, text, files ────────────────────────────────────────────────────────────────────────────────────────────


class ReadRows(Query, tag="read_rows"):
    """The merged rows of one table of a run, in order, from `start` (inclusive) to `stop`; `path` is `<run>/metrics.pkl`.

    `path` may be a glob; then the answer has one table for each match.
    """

    path: str
    start: int = 0
    stop: int | None = None
    keys: list[str] | None = None
    attempt: int | None = None
    rank: int | None = None


class Table(Struct):
    """Rows of one table; each is what the user logged, in the order of first appearance of its keys."""

    path: str
    rows: list[dict[str, Any]]
    total: int = 0


class Tables(Struct):
    """Answer to `ReadRows`."""

    tables: list[Table]


class ReadParams(Query, tag="read_params"):
    """Nested parameters of the runs whose `parameters.pkl` matches `path` (a glob is allowed)."""

    path: str


class ParamsAnswer(Struct):
    """Answer to `ReadParams`: run key → nested parameters."""

    runs: dict[str, dict[str, Any]]


class ReadRecords(Query, tag="read_records"):
    """The journal of a run, one entry for each record, in per-writer order, from sequence `since`."""

    run: str
    since: int = 0
    limit: int = 100_000


class RecordEntry(Struct):
    """One record: `seq` within its writer, `row` for rows, `t` its wall time, `kind`, and `data` as logged."""

    writer: str
    epoch: int
    seq: int
    t: float
    kind: str
    data: dict[str, Any]
    row: int | None = None
    table: str | None = None
    step: int | None = None


class RecordPage(Struct):
    """Answer to `ReadRecords`."""

    records: list[RecordEntry]
    more: bool = False


class ListFiles(Query, tag="list_files"):
    """Entries of the directory `path`; with `recursive`, all files below it, at most `limit`."""

    path: str = ""
    recursive: bool = False
    limit: int = 10_000


class FileEntry(Struct):
    """A file or directory. `step`, `key`, `kind` and `meta` come from the FILE record that put it there; `run` marks run directories."""

    path: str
    name: str
    is_dir: bool = False
    size: int = 0
    modified: float = 0.0
    kind: str = "file"
    step: int | None = None
    run: bool = False
    sha256: str = ""
    meta: dict[str, Any] = {}


class FileList(Struct):
    """Answer to `ListFiles`, directories first, then by name."""

    path: str
    entries: list[FileEntry]
    more: bool = False


class Glob(Query, tag="glob"):
    """Keys below `wd` that match `pattern` (``*``, ``?``, ``[…]``, ``**``), sorted, relative to `wd`."""

    pattern: str
    wd: str = ""
    recursive: bool = True
    start: int | None = None
    stop: int | None = None


class Keys(Struct):
    """Answer to `Glob`; None when `wd` does not exist."""

    keys: list[str] | None


class ReadFile(Query, tag="read_file"):
    """Bytes [start, stop) of a file; answered by a stream, over HTTP by ``GET /v1/files/<path>`` with Range."""

    path: str
    start: int = 0
    stop: int | None = None


class ReadLog(Query, tag="read_log"):
    """Lines [start, start + limit) of a text file, or its last `limit` with start −1; `match` keeps lines with this regex."""

    path: str
    start: int = 0
    limit: int = 1000
    match: str = ""


class LogPage(Struct):
    """Answer to `ReadLog`: `numbers` are 0-based line numbers; `total` counts the lines (that match)."""

    lines: list[str]
    numbers: list[int]
    total: int
    size: int = 0


# ── what users keep with runs ────────────────────────────────────────────────────────────────────────────────────


class GetSaved(Query, tag="get_saved"):
    """What users saved under `kind` (``view``, ``report``, ``link``, ``panel``): one `name`, or all names if None."""

    kind: str
    name: str | None = None
    prefix: str = ""


class Saved(Struct):
    """Answer to `GetSaved`: name → JSON value."""

    items: dict[str, Any]


AnyQuery = Union[  # noqa: UP007 - msgspec reads it at run time
    SearchRuns, CompleteQuery, GetRun, ListMetrics, GetSeries, ReadRows, ReadParams, ReadRecords,
    ListFiles, Glob, ReadFile, ReadLog, GetSaved,
]  # fmt: skip
ANSWER_OF: dict[type[Query], type[Struct]] = {
    SearchRuns: RunsPage, CompleteQuery: Completions, GetRun: RunDetail, ListMetrics: MetricList,
    GetSeries: SeriesHeader, ReadRows: Tables, ReadParams: ParamsAnswer, ReadRecords: RecordPage,
    ListFiles: FileList, Glob: Keys, ReadLog: LogPage, GetSaved: Saved,
}  # fmt: skip
"""What each question is answered with; `GetSeries` adds arrays to its header, `ReadFile` is a stream of bytes."""


# ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Change(Struct):
    """A notice on ``GET /v1/live``: something of `run` is newer than `version`. `what`: rows, params, text, files, status, new, gone, state."""

    run: str
    what: list[str]
    version: int
    last_step: int | None = None
    metrics: list[str] = []
