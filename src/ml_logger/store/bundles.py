"""Short series side by side: metrics that were logged together, many to a row of the index. Knows no run directory.

A sweep of small runs has millions of series of some twenty points. In rows of their own the heads take more room than the
points, and writing them is what indexing costs; here up to 32 metrics with neighbouring numbers share one head.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ml_logger.formats import numbers
from ml_logger.store.base import SeriesStats
from ml_logger.store.chunk_table import I64, ChunkRow, among
from ml_logger.store.database import BUNDLE_BITS, Database, inflated, squeezed

LONGEST = 63
"""Points of a series that is put among others; one more makes a bucket of the first level."""
_IN_BLOCK = (1 << BUNDLE_BITS) - 1
_MOST_BYTES = 2500
"""Of the columns in a row: they shrink to 1,900, and SQLite would put the end of a longer row on a page of its own."""
_ALL = "run, writer, seq, n, s0, s1, ds, r0, dr, members, bads, data"


class Short(NamedTuple):
    """One series' part: the number of its metric, how many of its points are not finite, and its values as a column."""

    metric: int
    bad: int
    blob: bytes


class BundleTable:
    """Bundles in a database."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    def put(self, head: ChunkRow, found: list[Short]) -> None:
        """Add series that share a head, of at most LONGEST points."""
        rows, row = [], list[Short]()
        for item in sorted(found):
            if row and (
                item.metric >> BUNDLE_BITS != row[0].metric >> BUNDLE_BITS or sum(len(s.blob) for s in row) + len(item.blob) > _MOST_BYTES
            ):
                rows.append(_row(head, row))
                row = []
            row.append(item)
        rows.append(_row(head, row))
        self._database.many("INSERT INTO bundle VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)

    def read(self, metric: int, runs: list[int] | None, lo: int | None, hi: int | None) -> Iterator[ChunkRow]:
        """Yield a metric's parts that may hold steps in [lo, hi]."""
        below = (1 << (metric & _IN_BLOCK)) - 1
        limits = (I64[0] if lo is None else lo, I64[1] if hi is None else hi)
        for run, writer, seq, n, s0, s1, ds, r0, dr, members, bads, data in self._rows(metric, runs, _ALL, "s1>=? AND s0<=?", limits):
            at = (members & below).bit_count()
            yield ChunkRow(run, writer, seq, n, bads[at] if bads else 0, s0, s1, ds, r0, dr, _part(data, members.bit_count(), at))

    def stats(self, metric: int, runs: list[int] | None) -> Iterator[SeriesStats]:
        """Yield what is known of each part of a metric's series."""
        below = (1 << (metric & _IN_BLOCK)) - 1
        for run, writer, n, bads, members, s0, s1 in self._rows(metric, runs, "run, writer, n, bads, members, s0, s1"):
            yield SeriesStats(run, writer, n, bads[(members & below).bit_count()] if bads else 0, s0, s1)

    def _rows(
        self, metric: int, runs: list[int] | None, what: str, where: str = "1", limits: tuple[int, ...] = ()
    ) -> Iterator[tuple[Any, ...]]:
        chosen, wanted = among(runs)
        sql = f"SELECT {what} FROM bundle WHERE block=? {chosen} AND members & ? AND {where}"  # noqa: S608 - no text of a user
        yield from self._database.query(sql, (metric >> BUNDLE_BITS, *wanted, 1 << (metric & _IN_BLOCK), *limits))


def _row(head: ChunkRow, found: list[Short]) -> tuple[object, ...]:
    """Return a row of the table."""
    members = sum(1 << (item.metric & _IN_BLOCK) for item in found)
    bads = bytes(item.bad for item in found) if any(item.bad for item in found) else None
    data = _joined([item.blob for item in found], head.n)
    return found[0].metric >> BUNDLE_BITS, head.run, head.writer, head.seq, members, *head[3:4], *head[5:10], bads, data


def _joined(blobs: list[bytes], n: int) -> bytes:
    """Return columns of `n` numbers as one blob.

    Its layout::

        u16 length | zstd: u16 lengths of all upper halves, of all lower ones, the upper halves | the lower halves
    """
    tops, rests = zip(*(numbers.halves(blob, n) for blob in blobs), strict=True)
    lengths = np.array([[*map(len, tops)], [*map(len, rests)]], "<u2").tobytes()
    upper = squeezed(lengths + b"".join(tops))
    return len(upper).to_bytes(2, "little") + upper + b"".join(rests)


def _part(data: bytes, count: int, at: int) -> bytes:
    """Return column number `at` of the `count` in a blob of `_joined`."""
    end = 2 + int.from_bytes(data[:2], "little")
    upper = inflated(data[2:end])
    tops, rests = np.frombuffer(upper, "<u2", 2 * count).reshape(2, count).tolist()
    top, rest = 4 * count + sum(tops[:at]), end + sum(rests[:at])
    return numbers.whole(upper[top : top + tops[at]], data[rest : rest + rests[at]])
