"""Reading a directory of runs without any server: `ml_logger.open(root)`. Knows no client and no wire.

What is asked for is read when it is asked for: the table of runs from the index, a series from its chunks. Safe while
others write. Results are NumPy arrays and plain dicts; pandas, polars and Arrow where they are installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ml_logger import settings
from ml_logger.answers import RunRow
from ml_logger.elsewhere import is_bucket
from ml_logger.errors import MissingExtraError, NotFoundError, UsageError
from ml_logger.queries import AnyQuery, GetRun, GetSeries, ListMetrics, ReadRows, SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.query.raw import raw_series
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.root_format import refuse_newer
from ml_logger.store.sqlite import SqliteStore, open_store

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from ml_logger.bucket.mirror import Mirror

PAGE = 1000


def open(root: str | Path, index_dir: str | Path | None = None) -> Runs:  # noqa: A001 - it is `ml_logger.open`
    """Open the directory or bucket `root` and return its runs; raises `NotFoundError` without it, `IncompatibleFormatError` for a newer.

    What is new there is indexed first, in `<root>/.ml-logger/index` (or `index_dir`) where that can be written: up to 3 s for a
    million new rows, milliseconds if nothing is new. The index is then only read, so that a server can have it.
    """
    text = str(root)
    if text.startswith(("http://", "https://")):
        raise UsageError(f"{text} is a server: ml_logger.open reads directories; use logger.read_metrics and logger.get_exps")
    mirror = _mirror(text) if is_bucket(text) else None
    files = mirror.files if mirror else SafeRoot(Path(text.removeprefix("file://")).expanduser())
    if not files.is_dir(""):
        raise NotFoundError(f"directory {text}")
    refuse_newer(files)
    open_store(files, index_dir).close()
    return Runs(open_store(files, index_dir, write=False), mirror)


def _mirror(root: str) -> Mirror:
    """Return the mirror of a bucket, with all runs that are there now; raises `NotFoundError` if there is nothing, `TransportError`."""
    from ml_logger.bucket.mirror import Mirror
    from ml_logger.bucket.pull import pull

    mirror = Mirror(root, settings.read().spool)
    pull(mirror)
    if not mirror.files.scan():
        raise NotFoundError(f"anything in {root}")
    return mirror


class Runs(Sequence["Run"]):
    """All runs below a root, oldest first; `runs[key]` is one of them. Use as a context manager, or `close` it."""

    def __init__(self, store: SqliteStore, mirror: Mirror | None = None) -> None:
        """Read from `store`, which with `mirror` is a bucket's."""
        self._store, self._mirror = store, mirror
        self._engine = Engine(store, store.root)

    def __repr__(self) -> str:
        """Say where, and how many."""
        return f"<{len(self)} runs in {self._mirror.root if self._mirror else self._store.root.path_}>"

    def __len__(self) -> int:
        """Count the runs."""
        return len(self._store.snapshot())

    @overload
    def __getitem__(self, index: int | str) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...
    def __getitem__(self, index: int | str | slice) -> Run | list[Run]:
        """Return the run with a key, or at a place; raises `NotFoundError` or `IndexError`."""
        listed = self._store.snapshot().keys
        if isinstance(index, slice):
            return [Run(self, key) for key in listed[index]]
        if isinstance(index, int):
            return Run(self, listed[index])
        if self._store.snapshot().position(index) is None:
            raise NotFoundError(f"run {index}")
        return Run(self, index)

    def keys(self) -> list[str]:
        """Return the keys of all runs."""
        return list(self._store.snapshot().keys)

    def refresh(self) -> Runs:
        """Read what others have written since, and return self."""
        if self._mirror:
            from ml_logger.bucket.pull import pull

            pull(self._mirror)
        self._store.refresh()
        return self

    def table(self, q: str = "", columns: Sequence[str] | None = None, limit: int | None = None) -> RunTable:
        """Return the runs that match `q` (docs/reference/search.md) in its order: parameters and last values, one row a run.

        `columns` names parameters and metrics; None means all (at most 200 of each). Raises `QuerySyntaxError`.
        """
        rows: list[RunRow] = []
        wanted = None if columns is None else list(columns)
        while limit is None or len(rows) < limit:
            size = PAGE if limit is None else min(PAGE, limit - len(rows))
            page = self._engine.answer(SearchRuns(q, offset=len(rows), limit=size, columns=wanted))
            rows += page.rows
            if len(page.rows) < size:
                break
        return RunTable([_flat(row) for row in rows])

    def series(
        self, run: str, metric: str, x: str = "step", *, attempt: int | None = None, rank: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (x, values) of every point, float64 values, in the order of x: steps (int64), `time`, `relative`, or a metric.

        Of the newest attempt and all ranks, or as `attempt` and `rank` say. Raises `NotFoundError`. Cost: 20 ms a million points.
        """
        query = GetSeries(metric, runs=[run], x=x, attempt=attempt, rank=rank)
        at = self._store.snapshot().position(run)
        if at is None:
            raise NotFoundError(f"run {run}")
        found = raw_series(self._store, query, int(self._store.snapshot().ids[at]))
        if found is None:
            raise NotFoundError(f"metric {metric} of run {run}", "it has no numbers there")
        return found

    def chart(self, metric: str, q: str = "", **how: Any) -> dict[str, dict[str, np.ndarray]]:
        """Return what the dashboard draws: name → x, mean and, unless it holds single points, min, max, count.

        `how` are the other fields of `queries.GetSeries`: `group_by=["lr"]`, `bins`, `x`, `smoothing`, `spread` …
        """
        header, arrays = self._engine.answer(GetSeries(metric, q=q, **how))
        drawn: dict[str, dict[str, np.ndarray]] = {}
        columns = iter(arrays)
        for info in header.series:
            names = ("x", "mean") if info.exact else ("x", "mean", "min", "max", "count")
            drawn[info.key] = {name: next(columns) for name in names}
        return drawn

    def ask(self, query: AnyQuery) -> Any:
        """Return the answer to a question of `ml_logger.queries`, as the server gives it; its errors are raised.

        To `GetSeries` that is (header, arrays), as docs/formats/series.md says; `chart` has them by name.
        """
        return self._engine.answer(query)

    def close(self) -> None:
        """Let go of the index."""
        self._store.close()

    def __enter__(self) -> Runs:
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class Run:
    """One run, read when asked."""

    def __init__(self, runs: Runs, key: str) -> None:
        """Name the run `key` of `runs`."""
        self._runs, self.key = runs, key

    def __repr__(self) -> str:
        """Show the key."""
        return f"Run({self.key!r})"

    @property
    def params(self) -> dict[str, Any]:
        """The parameters as a tree."""
        return self._runs._engine.answer(GetRun(self.key)).nested  # noqa: SLF001 - the two are one

    @property
    def row(self) -> dict[str, Any]:
        """The run as a row of `Runs.table`."""
        return _flat(self._runs._engine.answer(GetRun(self.key)).row)  # noqa: SLF001

    def metrics(self) -> list[str]:
        """Return the names of its metrics, sorted."""
        return [metric.name for metric in self._runs._engine.answer(ListMetrics([self.key])).metrics]  # noqa: SLF001

    def series(self, metric: str, x: str = "step", *, attempt: int | None = None, rank: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return (x, values) of every point: see `Runs.series`."""
        return self._runs.series(self.key, metric, x, attempt=attempt, rank=rank)

    def rows(self, table: str = "metrics.pkl") -> Rows:
        """Return the rows as they were logged, values with their types; raises `NotFoundError` if nothing was."""
        return Rows(self._runs._engine.answer(ReadRows(f"{self.key}/{table}")).tables[0].rows)  # noqa: SLF001


class Rows(list[dict[str, Any]]):
    """Rows of anything as plain dicts, or as a frame."""

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame; raises `MissingExtraError`."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("pandas", "a DataFrame") from error
        return pd.DataFrame(list(self))

    def to_polars(self) -> pl.DataFrame:
        """Return a polars DataFrame; raises `MissingExtraError`."""
        try:
            import polars as pl
        except ImportError as error:
            raise MissingExtraError("polars", "a polars DataFrame") from error
        return pl.DataFrame(list(self), infer_schema_length=None, strict=False)

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table; raises `MissingExtraError`."""
        try:
            import pyarrow as pa
        except ImportError as error:
            raise MissingExtraError("parquet", "an Arrow table") from error
        from ml_logger.query.views import arrow_columns

        return pa.table(arrow_columns(self))


class RunTable(Rows):
    """Runs as rows: `key`, `name`, `status`, `created`, `updated`, `duration`, `tags`, `notes`, parameters, last values."""

    @property
    def columns(self) -> list[str]:
        """All names that a row has, in the order of first appearance."""
        return list(dict.fromkeys(name for row in self for name in row))

    def keys(self) -> Iterator[str]:
        """Yield the keys of the runs."""
        return (row["key"] for row in self)


def _flat(row: RunRow) -> dict[str, Any]:
    fixed = {name: getattr(row, name) for name in ("key", "name", "status", "created", "updated", "duration", "host", "tags", "notes")}
    return {**fixed, **row.params, **{name: summary.last for name, summary in row.metrics.items()}}
