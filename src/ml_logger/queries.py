"""What can be asked: the questions of every face (Python, HTTP, dashboard); `answers.py` is what comes back.

Knows no store and no server. A destination answers `session.ask(query)`; the server answers `POST /v1/query` with
the same structs as JSON (`type` names the struct), and series as binary columns (docs/formats/series.md). TypeScript types
are generated from both. Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from msgspec import Meta, Struct, field

from ml_logger.answers import (
    Completions,
    FileList,
    Importance,
    Keys,
    LogPage,
    MetricList,
    ParamsAnswer,
    RecordPage,
    RunDetail,
    RunsPage,
    Saved,
    SeriesHeader,
    Tables,
)

Whole = Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]
"""What a browser counts exactly, too."""
XAxis = str
"""``step``, ``time`` (s since the epoch), ``relative`` (s since the run's first point) or a metric's name."""


class Query(Struct, tag_field="type"):
    """Base of all questions."""


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class SearchRuns(Query, tag="search_runs"):
    """One page of the runs below `prefix` that match `q` (docs/reference/search.md), in its `sort:` order.

    `columns`: parameter and metric names whose values each row carries; None means all (at most 200).
    `locate`: the key of a run whose index in that order is wanted, wherever the page lies; it costs putting all matches in order.
    """

    q: str = ""
    prefix: str = ""
    offset: Whole = 0
    limit: Whole = 200
    columns: list[str] | None = None
    group_by: list[str] = []
    trash: bool = False
    locate: str = ""


class CompleteQuery(Query, tag="complete"):
    """What could stand at character `position` of the query `q`: names, operators and values."""

    q: str
    position: Whole
    prefix: str = ""


class GetRun(Query, tag="get_run"):
    """Everything about one run but its points; `key` may be a folder, which then has no `row`."""

    key: str


# ── series ───────────────────────────────────────────────────────────────────────────────────────────────────────


class ListMetrics(Query, tag="list_metrics"):
    """Metrics that the given runs have (or all runs that match `q` below `prefix`, if `runs` is None).

    Their points are counted if `points`: over all of 100,000 runs that takes a third of a second, the rest a millisecond.
    """

    runs: list[str] | None = None
    q: str = ""
    prefix: str = ""
    points: bool = True


class Smoothing(Struct):
    """`ema` with weight 0 … 0.999 (bias-corrected), `gaussian` with sigma in points, or `mean` over a window of points."""

    kind: Literal["none", "ema", "gaussian", "mean"] = "none"
    amount: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.0


class GetSeries(Query, tag="get_series"):
    """One metric over many runs within [lo, hi] of `x`, as at most `bins` buckets each (exact points if they fit).

    Runs are `runs`, or all that match `q` below `prefix`. With `group_by` (parameter names, or ``["*-seed"]`` for all
    parameters but seed), each group is one series whose mean, min and max are `center` and `center` ∓ `spread`.
    `since`: only points after this x (a live tail). `split`: a series for each rank, or attempt, of each run.
    """

    metric: str
    runs: list[str] | None = None
    q: str = ""
    prefix: str = ""
    x: XAxis = "step"
    lo: float | None = None
    hi: float | None = None
    bins: Whole = 1000
    smoothing: Smoothing = field(default_factory=Smoothing)
    group_by: list[str] = []
    center: Literal["mean", "median", "iqm"] = "mean"
    spread: Literal["std", "sem", "ci95", "minmax", "iqr"] = "std"
    rank: Whole | None = None
    attempt: Whole | None = None
    since: float | None = None
    split: Literal["", "rank", "attempt"] = ""


class GetImportance(Query, tag="get_importance"):
    """Permutation importance of the parameters for `objective` (a metric, or `loss.min` …) over all runs that match, or `runs`."""

    objective: str
    runs: list[str] | None = None
    q: str = ""
    prefix: str = ""


# ── rows, text, files ────────────────────────────────────────────────────────────────────────────────────────────


class ReadRows(Query, tag="read_rows"):
    """The merged rows of one table of a run, in order, from `start` (inclusive) to `stop`; `path` is `<run>/metrics.pkl`.

    `path` may be a glob; then the answer has one table for each match.
    """

    path: str
    start: Whole = 0
    stop: Whole | None = None
    keys: list[str] | None = None
    attempt: Whole | None = None
    rank: Whole | None = None


class ReadParams(Query, tag="read_params"):
    """Nested parameters of the runs whose `parameters.pkl` matches `path` (a glob is allowed)."""

    path: str


class ReadRecords(Query, tag="read_records"):
    """The journal of a run, one entry for each record, in per-writer order, from sequence `since`."""

    run: str
    since: Whole = 0
    limit: Whole = 100_000


class ListFiles(Query, tag="list_files"):
    """Entries of the directory `path`; with `recursive`, all files below it; at most `limit`, from the one numbered `start` on.

    `journals` shows, with `recursive`, the journals of runs, too.
    """

    path: str = ""
    recursive: bool = False
    limit: Whole = 10_000
    start: Whole = 0
    journals: bool = False


class Glob(Query, tag="glob"):
    """Keys below `wd` that match `pattern` (``*``, ``?``, ``[…]``, ``**``), sorted, relative to `wd`."""

    pattern: str
    wd: str = ""
    recursive: bool = True
    start: Whole | None = None
    stop: Whole | None = None


class ReadFile(Query, tag="read_file"):
    """Bytes [start, stop) of a file; answered by a stream, over HTTP by ``GET /v1/files/<path>`` with Range."""

    path: str
    start: Whole = 0
    stop: Whole | None = None


class ReadLog(Query, tag="read_log"):
    """Lines [start, start + limit) of a text file, or its last `limit` with start −1; `match` keeps lines with this regex."""

    path: str
    start: Whole = 0
    limit: Whole = 1000
    match: str = ""


# ── what users keep with runs ────────────────────────────────────────────────────────────────────────────────────


class GetSaved(Query, tag="get_saved"):
    """What users saved under `kind` (``view``, ``report``, ``link``, ``panel``): one `name`, or all names if None."""

    kind: str
    name: str | None = None
    prefix: str = ""


AnyQuery = Union[  # noqa: UP007 - msgspec reads it at run time
    SearchRuns, CompleteQuery, GetRun, ListMetrics, GetSeries, GetImportance, ReadRows, ReadParams, ReadRecords,
    ListFiles, Glob, ReadFile, ReadLog, GetSaved,
]  # fmt: skip
Several = Annotated[list[GetSeries], Meta(min_length=1, max_length=100)]
"""What charts ask at once, over HTTP only: the answer is the bodies of the answers, one behind the other."""
Posted: Any = Union[AnyQuery, Several]  # noqa: UP007
"""The body of `POST /v1/query`."""
ANSWER_OF: dict[type[Query], type[Struct]] = {
    SearchRuns: RunsPage, CompleteQuery: Completions, GetRun: RunDetail, ListMetrics: MetricList,
    GetSeries: SeriesHeader, GetImportance: Importance, ReadRows: Tables, ReadParams: ParamsAnswer, ReadRecords: RecordPage,
    ListFiles: FileList, Glob: Keys, ReadLog: LogPage, GetSaved: Saved,
}  # fmt: skip
"""What each question is answered with; `GetSeries` adds arrays to its header, `ReadFile` is a stream of bytes."""
