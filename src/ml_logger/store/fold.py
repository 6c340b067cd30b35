"""Folding: from a writer's tail to chunks in the index, all levels at once. Knows no file and no run.

All metrics of a group (logged together) share one axis chunk, under metric 0. Points are sorted by step, stably; the
mip levels are made here, and never change afterwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ml_logger.store import chunks
from ml_logger.store.base import MIP64, MIP4096, RAW, Chunk
from ml_logger.store.database import ChunkRow, Database
from ml_logger.store.tails import Group

_MIP_SIZES = {MIP64: 64, MIP4096: 4096}
MIN_BUCKETED = 64
"""Chunks of fewer points have no mip levels; their points are read instead."""
AXIS = 0
"""The metric number of axis chunks; names are numbered from 1."""


class Where(NamedTuple):
    """Whose points they are, in the numbers of the index."""

    run: int
    writer: int


def fold(database: Database, where: Where, groups: list[Group]) -> int:
    """Write all points of `groups` as chunks; return how many chunks there are now. To be called in a transaction."""
    seq = database.next_seq(where.writer)
    for group in groups:
        for start in range(0, len(group.rows), chunks.MAX_POINTS):
            _fold_piece(database, where, seq, _sorted(group, start))
            seq += 1
    return seq


def _sorted(group: Group, start: int) -> Group:
    piece = slice(start, start + chunks.MAX_POINTS)
    rows, steps, times = group.rows[piece], group.steps[piece], group.times[piece]
    columns = {name: column[piece] for name, column in group.columns.items()}
    if len(steps) > 1 and bool((np.diff(steps) < 0).any()):
        order = np.argsort(steps, kind="stable")
        rows, steps, times = rows[order], steps[order], times[order]
        columns = {name: column[order] for name, column in columns.items()}
    return Group(rows, steps, times, columns)


def _fold_piece(database: Database, where: Where, seq: int, group: Group) -> None:
    rows, steps, times = group.rows, group.steps, group.times
    step, row = chunks.spacing(steps), chunks.spacing(rows)
    shape = (len(rows), int(steps[0]), int(steps[-1]), step.first, step.stride, row.first, row.stride, float(times[0]))

    def chunk(n: int, bad: int, blob: bytes) -> ChunkRow:
        return ChunkRow(where.run, where.writer, seq, n, bad, *shape[1:], blob)

    database.put_chunks(AXIS, RAW, [chunk(len(rows), 0, pack_axis(group, step, row))])
    for name, column in group.columns.items():
        metric = database.name_id(name, make=True)
        assert metric is not None
        bad = int(len(column) - np.isfinite(column).sum())
        database.put_chunks(metric, RAW, [chunk(len(column), bad, chunks.pack(column))])
        for level, size in _MIP_SIZES.items():
            if len(column) >= MIN_BUCKETED:
                found = chunks.buckets(rows, steps, times, column, size)
                database.put_chunks(metric, level, [chunk(len(found.count), bad, chunks.pack_buckets(found))])


def pack_axis(group: Group, step: chunks.Spacing, row: chunks.Spacing) -> bytes:
    """Return times, and steps and rows where they are not evenly spaced, as one blob of length-prefixed blobs."""
    times = chunks.pack_integers(np.ascontiguousarray(group.times, "<f8").view("<i8"))
    steps = chunks.pack_integers(group.steps) if step.stride is None else b""
    rows = chunks.pack_integers(group.rows) if row.stride is None else b""
    return b"".join(len(blob).to_bytes(4, "little") + blob for blob in (times, steps, rows))


def unpack_axis(blob: bytes) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return (times, steps or None, rows or None) of an axis blob."""
    found: list[bytes] = []
    at = 0
    for _ in range(3):
        size = int.from_bytes(blob[at : at + 4], "little")
        found.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    times = chunks.unpack_integers(found[0]).view("<f8")
    steps, rows = (chunks.unpack_integers(item) if item else None for item in found[1:])
    return times, steps, rows


def read_raw(database: Database, found: ChunkRow, *, times: bool) -> Chunk:
    """Return a raw chunk as arrays; the axis is read only if it is needed."""
    steps = chunks.spread(chunks.Spacing(found.s0, found.ds), found.n)
    rows = chunks.spread(chunks.Spacing(found.r0, found.dr), found.n)
    clock = np.zeros(0)
    if times or steps is None or rows is None:
        clock, own_steps, own_rows = unpack_axis(database.axis(found.run, found.writer, found.seq))
        steps, rows = own_steps if steps is None else steps, own_rows if rows is None else rows
    assert steps is not None
    assert rows is not None
    return Chunk(found.run, found.writer, rows, steps, clock, chunks.unpack(found.blob))


def read_buckets(found: ChunkRow) -> Chunk:
    """Return a chunk of buckets as arrays."""
    b = chunks.unpack_buckets(found.blob)
    return Chunk(found.run, found.writer, b.rows, b.steps, b.times, b.mean, b.low, b.high, b.count, b.bad, b.last_steps)
