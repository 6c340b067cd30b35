"""The store's protocol: what ingest writes, what the engine reads, what the dashboard follows. Knows no engine.

Runs have an id that never changes and a position (0 … n − 1) in the arrays of one `Snapshot`. A series is (run, metric,
writer); its points come as `Chunk`s of arrays. Everything here is derived from run directories and may be deleted,
but for what users keep (`state_*`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

import numpy as np

from ml_logger.answers import Change, RunRow, WriterInfo
from ml_logger.safe_fs import SafeRoot

RAW, MIP64, MIP4096 = 0, 1, 2
"""Levels: logged points; buckets of 64 and of 4096 points in the order of their steps."""


class Chunk(NamedTuple):
    """Points (level RAW) or buckets of one series, in order of step; arrays of equal length.

    RAW: `mean` holds the values (NaN and infinities included) and `low`, `high`, `count` are None.
    Otherwise `count` is the number of points in a bucket, `bad` of those that are not finite, `mean`, `low` and `high` are over
    the finite ones (NaN if there is none), `steps`, `rows` and `times` those of its first point, `last_steps` of its last.
    """

    run: int
    writer: int
    rows: np.ndarray
    steps: np.ndarray
    times: np.ndarray
    mean: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    count: np.ndarray | None = None  # pyright: ignore[reportIncompatibleMethodOverride]
    bad: np.ndarray | None = None
    last_steps: np.ndarray | None = None


class SeriesStats(NamedTuple):
    """What is known of one series without reading it: points, of those not finite, range of steps."""

    run: int
    writer: int
    n: int
    bad: int
    step_min: int
    step_max: int


class WriterRow(NamedTuple):
    """A writer as the index knows it."""

    id: int
    run: int
    attempt: int
    rank: int
    info: WriterInfo


class StoredColumn(NamedTuple):
    """One name's values over the runs of a snapshot: a number, or a text as its index in `words`, or neither.

    `numbers` is NaN and `codes` −1 where there is none; `present` tells a logged NaN from nothing. Booleans are 0 and 1.
    """

    numbers: np.ndarray
    codes: np.ndarray
    words: list[str]
    present: np.ndarray


class ColumnInfo(NamedTuple):
    """A name that some run has: a parameter (dotted) or a metric, and how many runs have it."""

    name: str
    kind: str
    runs: int
    numeric: bool


class Snapshot(Protocol):
    """The catalog at one version: columns over all runs, by position. Cheap to get; do not keep it."""

    version: int
    keys: list[str]

    @property
    def ids(self) -> np.ndarray:
        """The ids of the runs, by position, rising."""
        ...

    def __len__(self) -> int:
        """Count the runs."""
        ...

    def position(self, key: str) -> int | None:
        """Return the position of the run `key`."""
        ...

    def below(self, prefix: str) -> np.ndarray:
        """Tell of each run whether its key is `prefix` or lies below it (all for "")."""
        ...

    def param(self, name: str) -> StoredColumn | None:
        """Return the column of the parameter `name` (dotted), or None if no run has it."""
        ...

    def metric(self, name: str, summary: str = "last") -> StoredColumn | None:
        """Return a summary (last, min, max, first, n, bad, argmin, argmax, last_step) of a metric over all runs, or None."""
        ...

    def field(self, name: str) -> StoredColumn | None:
        """Return name, key, status, host, created, updated, duration, points, attempts, writers, notes or archived; None otherwise."""
        ...

    def tagged(self, tag: str) -> np.ndarray:
        """Tell of each run whether it has `tag`."""
        ...

    def tags(self) -> dict[str, int]:
        """Return all tags, and how many runs have each."""
        ...

    def containing(self, text: str) -> np.ndarray:
        """Tell of each run whether all words of `text` (or their beginnings) are in its name, tags, notes or parameters."""
        ...

    def names(self, chosen: np.ndarray | None = None) -> list[ColumnInfo]:
        """Return the parameters and metrics of all runs, or of those in the mask, sorted by kind and name; cheap."""
        ...

    def rows(self, positions: Iterable[int], columns: list[str] | None = None) -> list[RunRow]:
        """Return runs as table rows, with all parameters and metrics, or only those named in `columns`."""
        ...


class Store(Protocol):
    """Where runs are indexed; `SqliteStore` first.

    `unread`: runs that are still to be read, −1 while it is looked for them. `problems`: why runs were set aside.
    """

    root: SafeRoot
    unread: int
    problems: dict[str, list[str]]

    def offsets(self, writers: Iterable[str]) -> dict[str, int]:
        """Return for each writer (uuid) the committed byte offset of its journal; unknown ones are left out."""
        ...

    def reading(self) -> AbstractContextManager[object]:
        """Return a context in which the snapshot stands still: its columns are changed in place. Hold it briefly; it may be nested."""
        ...

    def snapshot(self) -> Snapshot:
        """Return the catalog as it is now, tails included."""
        ...

    def series(self, metric: str, runs: Iterable[int] | None = None) -> list[SeriesStats]:
        """Return the series of `metric` in the runs with these ids (None: all), sorted by run id and writer; tails included."""
        ...

    def read(
        self,
        metric: str,
        runs: Iterable[int] | None = None,
        level: int = RAW,
        lo: int | None = None,
        hi: int | None = None,
        *,
        times: bool = False,
    ) -> Iterator[Chunk]:
        """Yield the chunks of `metric` that may hold steps in [lo, hi], sorted by run id, writer and the order of logging.

        Tails in RAM are included, as RAW chunks at every level. Without `times` the chunks' times may be empty (and reading is quicker).
        """
        ...

    def writers(self, runs: Iterable[int] | None = None) -> list[WriterRow]:
        """Return the writers of the runs with these ids (None: all)."""
        ...

    def metrics(self, runs: Iterable[int] | None = None) -> dict[str, tuple[int, int, bool]]:
        """Return metric → (runs, points, numeric) over the runs with these ids (None: all)."""
        ...

    def changes(self, since: int) -> list[Change]:
        """Return what changed after version `since`, one entry a run, oldest first."""
        ...

    def wait(self, since: int, timeout: float) -> int:
        """Wait until the version is above `since`, at most `timeout` seconds, and return it."""
        ...

    def poke(self, run: str) -> None:
        """Say that the run `run` has grown; costs microseconds, from any thread."""
        ...

    def state_get(self, kind: str, name: str) -> Any:
        """Return what users keep under (kind, name), or None."""
        ...

    def state_put(self, kind: str, name: str, value: Any) -> None:
        """Keep a JSON value under (kind, name); None removes it. On the disk when this returns."""
        ...

    def state_scan(self, kind: str) -> dict[str, Any]:
        """Return all that is kept under `kind`."""
        ...

    def refresh(self) -> None:
        """Look at the whole root now, instead of at the next poll."""
        ...

    def close(self, most_s: float = math.inf) -> None:
        """Fold what is in RAM, for at most about `most_s` seconds, and let go."""
        ...
