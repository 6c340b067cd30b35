"""The store of one root: an index in SQLite over what lies there, tails in RAM, and a thread that follows the files.

Knows no engine. One lock serves all; whoever holds `index/lock` writes the index, everybody else reads it and keeps
what is newer in RAM.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, starmap
from pathlib import Path
from typing import Any

import numpy as np

from ml_logger import keys
from ml_logger.answers import Change, WriterInfo
from ml_logger.safe_fs import SafeRoot
from ml_logger.store import fold
from ml_logger.store.base import RAW, Chunk, SeriesStats, WriterRow
from ml_logger.store.catalog import Catalog
from ml_logger.store.chunk_table import ChunkRow
from ml_logger.store.documents import load_writer
from ml_logger.store.indexing import Indexer
from ml_logger.store.live import LiveWriter
from ml_logger.store.tails import Points

_FEW = 6
"""Up to a sixth of all runs are looked up one by one, more in one scan."""


class SqliteStore(Indexer):
    """A `Store` over one directory. Thread-safe; use as a context manager, or `close` it."""

    def __enter__(self) -> SqliteStore:
        """Return the store."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # ── the protocol ─────────────────────────────────────────────────────────────────────────────────────────────

    def offsets(self, writers: Iterable[str]) -> dict[str, int]:
        """Return for each writer (uuid) the committed offset that the marks in its journal tell."""
        wanted, found = set(writers), {}
        with self._lock:
            for run in list(self.live.values()):
                for writer in run.writers.values():
                    if writer.header.writer in wanted and writer.reader.marks:
                        found[writer.header.writer] = writer.reader.marks[-1].hi
        return found

    def reading(self) -> contextlib.AbstractContextManager[object]:
        """Keep the follower out while the snapshot is read."""
        return self._lock

    def snapshot(self) -> Catalog:
        """Return the catalog as it is now, tails included."""
        return self.catalog

    def series(self, metric: str, runs: Iterable[int] | None = None) -> list[SeriesStats]:
        """Return what is known of the series of `metric`, sorted by run id and writer."""
        with self._lock:
            chosen = None if runs is None else list(runs)
            number = self.database.name_id(metric)
            stored = () if number is None else chain(self.chunks.stats(number, chosen), self.bundles.stats(number, chosen))
            found: dict[tuple[int, int], SeriesStats] = {}
            for item in chain(stored, starmap(_stats, self._tails(metric, chosen))):
                known = found.get(item[:2])
                found[item[:2]] = item if known is None else _together(known, item)
        return [item for _, item in sorted(found.items())]

    def _tails(self, metric: str, runs: list[int] | None) -> Iterator[tuple[int, int, Points]]:
        wanted = None if runs is None else set(runs)
        for number in sorted(self.catalog.live):
            if wanted is not None and number not in wanted:
                continue
            for writer in sorted(self.catalog.live[number].writers.values(), key=lambda w: w.id):
                points = writer.tail.points(metric) if writer.tail.count else None
                if points is not None:
                    yield number, writer.id, points

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
        """Yield the chunks of `metric`, sorted by run id, writer and the order of logging; tails last within a writer."""
        with self._lock:
            chosen = None if runs is None else list(runs)
            number = self.database.name_id(metric)
            rows: list[tuple[int, ChunkRow]] = []
            below = None  # what is too short for a level is read from the next finer one
            for at in range(level, -1, -1):
                if number is None:
                    break
                rows += [(at, row) for row in self.chunks.read(number, at, chosen, lo, hi, below)]
                below = fold.LEAST_POINTS[at]
            if number is not None:
                rows += [(RAW, row) for row in self.bundles.read(number, chosen, lo, hi)]
            tails = [
                (run, writer, 1 << 62, Chunk(run, writer, *points))
                for run, writer, points in self._tails(metric, chosen)
                if _overlaps(points, lo, hi)
            ]
        waiting: list[tuple[int, int, int, Any]] = [(row.run, row.writer, row.seq, (at, row)) for at, row in rows]
        for *_, item in sorted([*waiting, *tails], key=lambda item: item[:3]):  # unpacked one at a time, while nobody has to wait
            chunk = item if isinstance(item, Chunk) else self._unpacked(*item, times=times)
            if chunk is not None:
                yield chunk

    def _unpacked(self, level: int, row: ChunkRow, *, times: bool) -> Chunk | None:
        """Return a chunk as arrays; None if its run was forgotten meanwhile."""
        return fold.read_raw(self.chunks, row, times=times) if level == RAW else fold.read_buckets(row)

    def writers(self, runs: Iterable[int] | None = None) -> list[WriterRow]:
        """Return the writers of the runs with these ids (None: all)."""
        found: dict[int, WriterRow] = {}
        with self._lock:
            wanted = None if runs is None else set(runs)
            for number, run, journal, state in self.database.writers(wanted):
                found[number] = _writer_row(load_writer(number, journal, state), run)
            for live in list(self.live.values()):
                if wanted is None or live.id in wanted:
                    found.update({writer.id: _writer_row(writer, live.id) for writer in live.writers.values()})
        return sorted(found.values(), key=lambda row: (row.run, row.id))

    def metrics(self, runs: Iterable[int] | None = None) -> dict[str, tuple[int, int, bool]]:
        """Return metric → (runs, points, numeric) over the runs with these ids (None: all)."""
        found: dict[str, list[int]] = {}
        with self._lock:
            live = set(self.catalog.live)
            wanted = None if runs is None else set(runs)
            for number, count, points, numeric in self._stored_metrics(None if wanted is None else wanted - live, live):
                found[self.database.name_of(number)] = [count, points, numeric]
            for run, item in self.catalog.live.items():
                if wanted is None or run in wanted:
                    for name, summary in item.summaries.items():
                        entry = found.setdefault(name, [0, 0, 0])
                        entry[0], entry[1], entry[2] = entry[0] + 1, entry[1] + summary.n, entry[2] or summary.numeric
        return {name: (entry[0], entry[1], bool(entry[2])) for name, entry in sorted(found.items())}

    def _stored_metrics(self, runs: set[int] | None, live: set[int]) -> list[tuple[int, int, int, int]]:
        """Return (number, runs, points, numeric) of the metrics that the index has of runs (None: of all but `live`)."""
        what = "metric, count(*), sum(n), max(low IS NOT NULL OR bad > 0)"
        if runs is None:
            sql, bound = f"SELECT {what} FROM summary WHERE run NOT IN (SELECT value FROM json_each(?))", [sorted(live)]  # noqa: S608
        elif len(runs) * _FEW < len(self.catalog):  # looked up one by one, by the names that they have
            names = [self.database.name_id(column.name) for column in self.catalog.names_of(runs) if column.kind == "metric"]
            asked = "json_each(?) AS name CROSS JOIN summary ON metric=name.value"
            sql, bound = f"SELECT {what} FROM {asked} WHERE run IN (SELECT value FROM json_each(?))", [names, sorted(runs)]  # noqa: S608
        else:
            sql, bound = f"SELECT {what} FROM summary WHERE run IN (SELECT value FROM json_each(?))", [sorted(runs)]  # noqa: S608
        return self.database.query(f"{sql} GROUP BY metric", tuple(map(json.dumps, bound)))

    def changes(self, since: int) -> list[Change]:
        """Return what changed after version `since`, one entry a run, oldest first."""
        with self._lock:
            return self._changes.since(since)

    def wait(self, since: int, timeout: float) -> int:
        """Wait until the version is above `since`, at most `timeout` seconds, and return it."""
        with self._moved:
            self._moved.wait_for(lambda: self.version > since, timeout)
            return self.version

    def poke(self, run: str) -> None:
        """Look at one run now."""
        journals = [entry for entry in self.root.scan(run) if entry.name.endswith(keys.JOURNAL_SUFFIX)]
        if journals:
            self.take_run(run, journals)

    def state_get(self, kind: str, name: str) -> Any:
        """Return what users keep under (kind, name), or None."""
        return self.state.get(kind, name)

    def state_put(self, kind: str, name: str, value: Any) -> None:
        """Keep a JSON value under (kind, name); None removes it."""
        self.state.put(kind, name, value)
        if kind == "runs":
            with self._lock:
                if (at := self.catalog.position(name)) is not None:
                    self.catalog.set_kept(at, value or {})
                    self._announce(name, ["state"])

    def state_scan(self, kind: str) -> dict[str, Any]:
        """Return all that is kept under `kind`."""
        return self.state.scan(kind)

    def refresh(self) -> None:
        """Look at the whole root now."""
        from ml_logger.store.follow import sweep

        sweep(self)

    def close(self, most_s: float = math.inf) -> None:
        """Fold what is in RAM and let go; what takes longer than `most_s` is read from the journals again next time."""
        with self._lock, contextlib.suppress(ValueError):
            now, end = time.time(), time.monotonic() + most_s
            for run in list(self.live.values()):
                if time.monotonic() >= end:
                    break
                self.fold_run(run, now)
            self.database.close()


def _stats(run: int, writer: int, points: Points) -> SeriesStats:
    bad = len(points) - int(np.isfinite(points.values).sum())
    return SeriesStats(run, writer, len(points), bad, int(points.steps.min()), int(points.steps.max()))


def _together(a: SeriesStats, b: SeriesStats) -> SeriesStats:
    return SeriesStats(a.run, a.writer, a.n + b.n, a.bad + b.bad, min(a.step_min, b.step_min), max(a.step_max, b.step_max))


def _overlaps(points: Points, lo: int | None, hi: int | None) -> bool:
    return (lo is None or int(points.steps.max()) >= lo) and (hi is None or int(points.steps.min()) <= hi)


def _writer_row(writer: LiveWriter, run: int) -> WriterRow:
    h = writer.header
    info = WriterInfo(
        h.writer,
        h.host,
        h.rank,
        writer.attempt,
        h.created,
        writer.updated,
        writer.records,
        writer.reader.ended,
        writer.damaged,
        writer.gaps,
    )
    return WriterRow(writer.id, run, writer.attempt, h.rank, info)


def open_store(
    root: str | Path | SafeRoot,
    index_dir: str | Path | None = None,
    *,
    write: bool = True,
    follow: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> SqliteStore:
    """Open the index of `root` (in `<root>/.ml-logger/index`, or `index_dir`), read what is new, and return it.

    With `follow`, a thread keeps it current. `on_progress(done, runs)` is called while many runs are read.
    """
    from ml_logger.store.follow import Follower, sweep

    files = root if isinstance(root, SafeRoot) else SafeRoot(root)
    place = Path(index_dir) if index_dir else files.path_ / keys.HOME / "index"
    store = SqliteStore(files, place, write=write)
    if follow:
        store.follower = Follower(store, on_progress=on_progress)  # type: ignore[attr-defined]
        store.follower.start()  # type: ignore[attr-defined]
        return store
    try:
        sweep(store, on_progress)
    except BaseException:
        store.database.close()
        raise
    return store
