"""Folding: from a writer's tail to chunks in the index, all levels at once. Knows no file and no run.

All metrics of a group (logged together) share one axis chunk, under metric 0. Points are sorted by step, stably; the
mip levels are made here. Chunks of the coarsest level are joined, each at most as often as the series doubles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ml_logger.formats import numbers
from ml_logger.store import chunks
from ml_logger.store.base import MIP64, MIP4096, RAW, Chunk
from ml_logger.store.bundles import LONGEST, BundleTable, Short
from ml_logger.store.chunk_table import AXIS, ChunkRow, ChunkTable
from ml_logger.store.chunks import Buckets
from ml_logger.store.database import Database
from ml_logger.store.tails import Group

LEAST_POINTS = {RAW: 0, MIP64: 64, MIP4096: 4096}
"""Level → size of its buckets; a chunk of fewer points has no such level, and the next finer one is read instead."""
_AT_ONCE = 1 << 16
"""Numbers that are packed at once."""


class Where(NamedTuple):
    """Whose points they are, in the numbers of the index."""

    run: int
    writer: int


def fold(database: Database, where: Where, groups: list[Group]) -> None:
    """Write all points of `groups` as chunks. To be called in a transaction."""
    table = ChunkTable(database)
    seq = table.next_seq(*where)
    for group in groups:
        metrics = {name: database.name_id(name, make=True) or AXIS for name in group.columns}
        coarse: dict[int, list[ChunkRow]] = {}
        for start in range(0, len(group.rows), chunks.MAX_POINTS):
            _fold_piece(table, where, seq, _sorted(group, start), metrics, coarse)
            seq += 1
        for metric, found in coarse.items():
            _put_coarse(table, metric, found)


def _sorted(group: Group, start: int) -> Group:
    piece = slice(start, start + chunks.MAX_POINTS)
    rows, steps, times = group.rows[piece], group.steps[piece], group.times[piece]
    columns = {name: column[piece] for name, column in group.columns.items()}
    if len(steps) > 1 and bool((np.diff(steps) < 0).any()):
        order = np.argsort(steps, kind="stable")
        rows, steps, times = rows[order], steps[order], times[order]
        columns = {name: column[order] for name, column in columns.items()}
    return Group(rows, steps, times, columns)


def _fold_piece(
    table: ChunkTable, where: Where, seq: int, group: Group, metrics: dict[str, int], coarse: dict[int, list[ChunkRow]]
) -> None:
    rows, steps, times = group.rows, group.steps, group.times
    step, row = chunks.spacing(steps), chunks.spacing(rows)
    n = len(rows)
    head = ChunkRow(*where, seq, n, 0, int(steps[0]), int(steps[-1]), step.stride, row.first, row.stride, b"")
    axis = chunks.pack_axis(times, None if step.stride is not None else steps, None if row.stride is not None else rows)
    table.put(AXIS, RAW, head._replace(blob=axis))
    blobs = _packed(list(group.columns.values()))
    if n <= LONGEST:
        shorts = [Short(metrics[name], _bad(column), blob) for (name, column), blob in zip(group.columns.items(), blobs, strict=True)]
        BundleTable(table.database).put(head, shorts)
        return
    for (name, column), blob in zip(group.columns.items(), blobs, strict=True):
        bad = _bad(column)
        table.put(metrics[name], RAW, head._replace(bad=bad, blob=blob))
        for level in (MIP64, MIP4096):
            if n >= LEAST_POINTS[level]:
                found = chunks.pack_buckets(chunks.buckets(rows, steps, times, column, LEAST_POINTS[level]))
                chunk = head._replace(bad=bad, blob=found)
                if level == MIP64:
                    table.put(metrics[name], level, chunk)
                else:
                    coarse.setdefault(metrics[name], []).append(chunk)


def _bad(column: np.ndarray) -> int:
    return len(column) - int(np.isfinite(column).sum())


def _packed(columns: list[np.ndarray]) -> list[bytes]:
    """Return all columns as blobs, many short ones at once."""
    many = max(_AT_ONCE // len(columns[0]), 1) if columns else 1
    return [blob for at in range(0, len(columns), many) for blob in numbers.pack_all(np.stack(columns[at : at + many]))]


def _put_coarse(table: ChunkTable, metric: int, found: list[ChunkRow]) -> None:
    """Add chunks of the coarsest level as one, joined with those before it that are not longer."""
    joined, pieces = found[0], [chunks.unpack_buckets(row.blob) for row in found]
    for row in found[1:]:
        joined = _spanning(joined, row)
    while (last := table.last(metric, MIP4096, joined.run, joined.writer)) is not None and last.n <= joined.n:
        before = chunks.unpack_buckets(last.blob)
        if len(before.count) + sum(len(piece.count) for piece in pieces) > chunks.MAX_BUCKETS:
            break
        table.remove(metric, MIP4096, last)
        joined, pieces = _spanning(last, joined), [before, *pieces]
    table.put(metric, MIP4096, joined._replace(blob=chunks.pack_buckets(chunks.behind(pieces))))


def _spanning(a: ChunkRow, b: ChunkRow) -> ChunkRow:
    return a._replace(n=a.n + b.n, bad=a.bad + b.bad, s0=min(a.s0, b.s0), s1=max(a.s1, b.s1), ds=None, dr=None)


def read_raw(table: ChunkTable, found: ChunkRow, *, times: bool) -> Chunk | None:
    """Return a raw chunk as arrays; the axis is read only if it is needed. None if it is gone: the run was forgotten meanwhile."""
    steps = chunks.spread(chunks.Spacing(found.s0, found.ds), found.n)
    rows = chunks.spread(chunks.Spacing(found.r0, found.dr), found.n)
    clock = np.zeros(0)
    if times or steps is None or rows is None:
        axis = table.axis(found.run, found.writer, found.seq)
        if axis is None:
            return None
        clock, own_steps, own_rows = chunks.unpack_axis(axis)
        steps, rows = own_steps if steps is None else steps, own_rows if rows is None else rows
    assert steps is not None and rows is not None  # noqa: PT018
    return Chunk(found.run, found.writer, rows, steps, clock, numbers.unpack(found.blob, found.n))


def read_buckets(found: ChunkRow) -> Chunk:
    """Return a chunk of buckets as arrays."""
    b: Buckets = chunks.unpack_buckets(found.blob)
    return Chunk(found.run, found.writer, b.rows, b.steps, b.times, b.mean, b.low, b.high, b.count, b.bad, b.last_steps)
