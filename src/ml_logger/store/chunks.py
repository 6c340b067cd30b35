"""The bytes of chunks: columns of values, axes, and the buckets of the mip levels. Pure; knows no database.

A value blob is a column of `formats.numbers`. An axis blob holds times, and steps and rows where they are not evenly
spaced, shared by all metrics that were logged together. See docs/formats/index.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np

from ml_logger.formats import numbers

MAX_POINTS = 8192
"""Points of a raw chunk."""
MAX_BUCKETS = 4096
"""Buckets of a chunk of buckets."""
_COUNT = np.arange(MAX_POINTS, dtype="<i8")
_SPREADS = 64
"""So many evenly spaced columns are kept: runs of one program have the same steps."""


class Spacing(NamedTuple):
    """Integers that are evenly spaced: `first`, and `stride`; None if they are not."""

    first: int
    stride: int | None


def spacing(values: np.ndarray) -> Spacing:
    """Return the spacing of integers, at least one."""
    first = int(values[0])
    if len(values) == 1:
        return Spacing(first, 1)
    stride = int(values[1]) - first
    return Spacing(first, stride if bool((np.diff(values) == stride).all()) else None)


@lru_cache(_SPREADS)
def spread(space: Spacing, n: int) -> np.ndarray | None:
    """Return `n` integers of a spacing, read-only: the very same array for the same spacing; None if they are not even."""
    if space.stride is None:
        return None
    steps = _COUNT[:n] if n <= MAX_POINTS else np.arange(n, dtype="<i8")
    found = space.first + (steps if space.stride == 1 else space.stride * steps)
    found.flags.writeable = False
    return found


def pack_axis(times: np.ndarray, steps: np.ndarray | None, rows: np.ndarray | None) -> bytes:
    """Return times, and steps and rows (None where they are evenly spaced), as one blob."""
    columns = (np.ascontiguousarray(times, "<f8").view("<i8"), steps, rows)
    return msgspec.msgpack.encode([len(times), *(None if column is None else numbers.pack_integers(column) for column in columns)])


def unpack_axis(blob: bytes) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return (times, steps or None, rows or None) of an axis blob."""
    n, *columns = msgspec.msgpack.decode(blob)
    times, steps, rows = (None if column is None else numbers.unpack_integers(column, n) for column in columns)
    assert times is not None
    return times.view("<f8"), steps, rows


class Buckets(NamedTuple):
    """Points gathered in the order of their steps: one item for each bucket."""

    rows: np.ndarray
    steps: np.ndarray
    last_steps: np.ndarray
    times: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray  # pyright: ignore[reportIncompatibleMethodOverride]
    bad: np.ndarray


def buckets(rows: np.ndarray, steps: np.ndarray, times: np.ndarray, values: np.ndarray, size: int) -> Buckets:
    """Gather points (in the order of their steps) into buckets of `size`; non-finite ones are counted as bad and left out."""
    at = np.arange(0, len(values), size)
    finite = np.isfinite(values)
    count = np.diff(at, append=len(values)).astype("f8")
    good = np.add.reduceat(finite.astype("f8"), at)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.where(finite, values, 0.0), at) / good
    low = np.fmin.reduceat(np.where(finite, values, np.nan), at)
    high = np.fmax.reduceat(np.where(finite, values, np.nan), at)
    last = np.append(at[1:], len(values)) - 1
    return Buckets(rows[at], steps[at], steps[last], times[at], mean, low, high, count, count - good)


def behind(pieces: list[Buckets]) -> Buckets:
    """Return the buckets of several pieces as one, in order."""
    return pieces[0] if len(pieces) == 1 else Buckets(*map(np.concatenate, zip(*pieces, strict=True)))


def pack_buckets(found: Buckets) -> bytes:
    """Return buckets as one blob."""
    times = np.ascontiguousarray(found.times, "<f8").view("<i8")
    integers = (found.rows, found.steps, found.last_steps - found.steps, times, found.count.astype("<i8"), found.bad.astype("<i8"))
    columns = [*map(numbers.pack_integers, integers), *map(numbers.pack, (found.mean, found.low, found.high))]
    return msgspec.msgpack.encode([len(times), *columns])


def unpack_buckets(blob: bytes) -> Buckets:
    """Return the buckets in a blob."""
    n, *columns = msgspec.msgpack.decode(blob)
    rows, steps, widths, times, count, bad = (numbers.unpack_integers(column, n) for column in columns[:6])
    mean, low, high = (numbers.unpack(column, n) for column in columns[6:])
    return Buckets(rows, steps, steps + widths, times.view("<f8"), mean, low, high, count.astype("f8"), bad.astype("f8"))
