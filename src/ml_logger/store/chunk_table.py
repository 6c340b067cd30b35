"""The chunk table of the index: heads that are quick to scan, and bytes that lie elsewhere once they are many. Knows no array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from ml_logger.store.base import RAW, SeriesStats
from ml_logger.store.database import Database

AXIS = 0
"""The metric number of axis chunks; names are numbered from 1."""
_INLINE = 512
"""Longer blobs have a row of their own, so that the heads of a long series lie close together."""
I64 = (-(1 << 63), (1 << 63) - 1)
_HEAD = "run, writer, seq, n, bad, s0, s1, ds, r0, dr"
_BLOB = "coalesce(blob, (SELECT data FROM blob WHERE id=at))"


class ChunkRow(NamedTuple):
    """One chunk without its metric and level: `n` points, `bad` of them not finite, steps from `s0` to `s1`.

    `ds` is the stride of the steps if they are evenly spaced, `r0` and `dr` the first row and the stride of the rows.
    """

    run: int
    writer: int
    seq: int
    n: int
    bad: int
    s0: int
    s1: int
    ds: int | None
    r0: int
    dr: int | None
    blob: bytes


class ChunkTable:
    """Chunks in a database."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self.database = database

    def put(self, metric: int, level: int, row: ChunkRow) -> None:
        """Add a chunk of a metric at a level, or replace it."""
        at, blob = None, row.blob
        if len(blob) > _INLINE:
            self.database.query("INSERT INTO blob(data) VALUES (?)", (blob,))
            at, blob = self.database.last_id(), None  # type: ignore[assignment]
        self.database.query("INSERT OR REPLACE INTO chunk VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", (metric, level, *row[:-1], at, blob))

    def read(
        self, metric: int, level: int, runs: list[int] | None, lo: int | None, hi: int | None, below: int | None = None
    ) -> Iterator[ChunkRow]:
        """Yield the chunks of a metric that may hold steps in [lo, hi], of fewer than `below` points, by run, writer and sequence."""
        limits = (I64[0] if lo is None else lo, I64[1] if hi is None else hi, I64[1] if below is None else below)
        sql = f"SELECT {_HEAD}, {_BLOB} FROM chunk WHERE metric=? AND level=? {{}} AND s1>=? AND s0<=? AND n<? ORDER BY run, writer, seq"  # noqa: S608 - no text of a user
        where, wanted = among(runs)
        yield from map(ChunkRow._make, self.database.query(sql.format(where), (metric, level, *wanted, *limits)))

    def stats(self, metric: int, runs: list[int] | None) -> Iterator[SeriesStats]:
        """Yield what is known of the series of a metric, by run and writer."""
        sql = "SELECT run, writer, sum(n), sum(bad), min(s0), max(s1) FROM chunk WHERE metric=? AND level=? {} GROUP BY run, writer"
        where, wanted = among(runs)
        yield from map(SeriesStats._make, self.database.query(sql.format(where), (metric, RAW, *wanted)))

    def last(self, metric: int, level: int, run: int, writer: int) -> ChunkRow | None:
        """Return the newest chunk of a series at a level."""
        sql = f"SELECT {_HEAD}, {_BLOB} FROM chunk WHERE metric=? AND level=? AND run=? AND writer=? ORDER BY seq DESC LIMIT 1"  # noqa: S608
        for row in self.database.query(sql, (metric, level, run, writer)):
            return ChunkRow._make(row)
        return None

    def remove(self, metric: int, level: int, row: ChunkRow) -> None:
        """Take a chunk out."""
        key = (metric, level, row.run, row.writer, row.seq)
        where = "WHERE metric=? AND level=? AND run=? AND writer=? AND seq=?"
        self.database.query(f"DELETE FROM blob WHERE id IN (SELECT at FROM chunk {where})", key)  # noqa: S608
        self.database.query(f"DELETE FROM chunk {where}", key)  # noqa: S608

    def axis(self, run: int, writer: int, seq: int) -> bytes | None:
        """Return the axis blob of a chunk, which belongs to all metrics logged together; None if it is gone."""
        sql = f"SELECT {_BLOB} FROM chunk WHERE metric=? AND level=? AND run=? AND writer=? AND seq=?"  # noqa: S608
        return next((blob for (blob,) in self.database.query(sql, (AXIS, RAW, run, writer, seq))), None)

    def next_seq(self, run: int, writer: int) -> int:
        """Return the number of a writer's next chunk."""
        sql = "SELECT max(seq) FROM chunk WHERE metric=? AND level=? AND run=? AND writer=?"
        return int(self.database.query(sql, (AXIS, RAW, run, writer))[0][0] or 0) + 1


def among(runs: list[int] | None) -> tuple[str, tuple[str, ...]]:
    """Return a condition that holds for these runs (None: for all), and what is bound to it: one statement serves any number."""
    return ("", ()) if runs is None else ("AND run IN (SELECT value FROM json_each(?))", (json.dumps(runs),))
