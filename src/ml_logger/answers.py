"""What comes back: the answers to `queries.py`, as JSON over HTTP. Knows no store and no server.

Times are seconds since the epoch, UTC. Non-finite floats and integers beyond 2**53 are tagged in JSON:
{"$f": "nan"}, {"$i": "…"} (`formats.values.jsonable`).
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct


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


class Notice(Struct):
    """What is to be said of the characters [start, end) of a query: a name that no run has. `instead` is a likelier query."""

    text: str
    start: int
    end: int
    instead: str | None = None


class RunsPage(Struct):
    """Answer to `SearchRuns`. `total` counts all matches, `all` all runs below the prefix; `notices` tell of names that no run has.

    `of_groups` counts all groups, of which `groups` holds the 2,000 largest.

    `unread` runs of the root are not indexed yet; −1 while it is looked for them. `located` is the index of the run that was
    to be located, None if it is not among the matches.
    """

    total: int
    all: int
    offset: int
    rows: list[RunRow]
    columns: list[Column] = []
    groups: list[GroupRow] = []
    version: int = 0
    nearest: str | None = None
    unread: int = 0
    notices: list[Notice] = []
    of_groups: int = 0
    located: int | None = None


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


class Panel(Struct):
    """A chart that someone made: `kind` is line, bar, histogram, image, video or file; `x` "" is the axis of all charts.

    `y` names metrics; `glob` matches files; `stat` (last, min, max) is what a bar shows.
    """

    kind: str
    title: str = ""
    y: list[str] = []
    x: str = ""
    glob: str = ""
    stat: str = "last"


class RunDetail(Struct):
    """Answer to `GetRun`. `nested` is the parameter tree; `meta` is run.json; `readme` is README.md if there is one.

    `panels` are those of `.charts.yml`; `panel_problems` says what is wrong there.
    """

    key: str
    row: RunRow | None = None
    nested: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    readme: str | None = None
    writers: list[WriterInfo] = []
    lifecycle: list[dict[str, Any]] = []
    signals: list[dict[str, Any]] = []
    warnings: list[str] = []
    panels: list[Panel] = []
    panel_problems: list[str] = []


class MetricInfo(Struct):
    """A metric: how many of the asked runs have it, and how many points; 0 if they were not asked for."""

    name: str
    runs: int
    points: int
    numeric: bool = True


class MetricList(Struct):
    """Answer to `ListMetrics`, sorted by name; `of` is how many runs were asked."""

    metrics: list[MetricInfo]
    of: int


class SeriesInfo(Struct):
    """One series of the answer: n points of x, mean, min, max, count in this order in the binary body.

    `exact`: these are the logged points, not buckets (then min, max and count are left out of the body).
    `logged`, `stored`, `shown` count points; `bad` non-finite ones; `marks` are [x, "nan" | "inf" | "-inf"].
    `before`, `after`: [x, mean] of the neighbours outside of a window, through which its line goes on; they are not counted.
    Of a group [x, mean, min, max].
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
    before: list[float | None] | None = None
    after: list[float | None] | None = None


class SeriesHeader(Struct):
    """JSON header of the answer to `GetSeries`; `missing` counts asked runs that lack the metric."""

    metric: str
    x: str
    lo: float | None
    hi: float | None
    series: list[SeriesInfo]
    missing: int = 0
    version: int = 0


class ParamWeight(Struct):
    """How much one parameter matters: share of the forest's R² that shuffling it costs, its deviation, rank correlation (numbers)."""

    name: str
    importance: float
    std: float = 0.0
    correlation: float | None = None


class Importance(Struct):
    """Answer to `GetImportance`, largest first: `n` runs, out-of-bag `r2`, or the `reason` why there is none."""

    objective: str
    n: int
    r2: float | None = None
    params: list[ParamWeight] = []
    reason: str = ""


class Table(Struct):
    """Rows of one table; each is what the user logged, in the order of first appearance of its keys."""

    path: str
    rows: list[dict[str, Any]]
    total: int = 0


class Tables(Struct):
    """Answer to `ReadRows`."""

    tables: list[Table]


class ParamsAnswer(Struct):
    """Answer to `ReadParams`: run key → nested parameters."""

    runs: dict[str, dict[str, Any]]


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
    """Answer to `ListFiles`, directories first, then by name. `total` counts all entries; None where a recursive listing goes on."""

    path: str
    entries: list[FileEntry]
    more: bool = False
    total: int | None = None


class Keys(Struct):
    """Answer to `Glob`; None when `wd` does not exist."""

    keys: list[str] | None


class LogPage(Struct):
    """Answer to `ReadLog`: `numbers` are 0-based line numbers; `total` counts the lines (that match).

    `marks` says where each line matches: start, end, start, end …, in UTF-16 units of the text that a terminal would show.
    """

    lines: list[str]
    numbers: list[int]
    total: int
    size: int = 0
    marks: list[list[int]] = []


class Saved(Struct):
    """Answer to `GetSaved`: name → JSON value."""

    items: dict[str, Any]


class Change(Struct):
    """A notice on ``GET /v1/live``: something of `run` changed, and `version` counts such changes.

    `what` lists rows, params, text, files, status, new, gone, state.
    """

    run: str
    what: list[str]
    version: int
    last_step: int | None = None
    metrics: list[str] = []
