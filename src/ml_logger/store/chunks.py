"""The bytes of chunks: values and axes as compressed columns, and the buckets of the mip levels. Pure; knows no database.

A value blob is float64, bytes shuffled, zstd where it pays. An axis blob holds rows, steps (each only if not evenly
spaced) and times, shared by all metrics that were logged together. See docs/formats/index.md.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import zstandard

_SMALL = 32
"""Below so many values compression costs more than it saves."""
MAX_POINTS = 8192
"""Points of a raw chunk."""
_COUNT = np.arange(MAX_POINTS, dtype="<i8")
_decompressor = threading.local()


def pack(values: np.ndarray) -> bytes:
    """Return 8-byte numbers as a blob."""
    data = np.ascontiguousarray(values.view("u1").reshape(-1, 8).T).tobytes()
    return b"\x00" + data if len(values) < _SMALL else b"\x01" + zstandard.compress(data, 1)


def unpack(blob: bytes, dtype: str = "<f8") -> np.ndarray:
    """Return the numbers in a blob."""
    data = blob[1:] if blob[:1] == b"\x00" else _inflate(blob[1:])
    planes = np.frombuffer(data, "u1").reshape(8, -1)
    words = np.empty((planes.shape[1], 8), "u1")
    for at in range(8):  # twice as quick as a copy of the transposed array
        words[:, at] = planes[at]
    return words.reshape(-1).view(dtype)


def _inflate(data: bytes) -> bytes:
    """Decompress with one decompressor a thread: making one costs as much as a small chunk."""
    if not hasattr(_decompressor, "it"):
        _decompressor.it = zstandard.ZstdDecompressor()
    return _decompressor.it.decompress(data)


def pack_integers(values: np.ndarray) -> bytes:
    """Return int64 numbers as a blob of differences."""
    return pack(np.diff(values, prepend=np.zeros(1, "<i8")))


def unpack_integers(blob: bytes) -> np.ndarray:
    """Return the int64 numbers in a blob of differences."""
    return np.cumsum(unpack(blob, "<i8"), dtype="<i8")


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


def spread(space: Spacing, n: int) -> np.ndarray | None:
    """Return `n` integers of a spacing, or None if they are not even."""
    if space.stride is None:
        return None
    steps = _COUNT[:n] if n <= MAX_POINTS else np.arange(n, dtype="<i8")
    return space.first + (steps if space.stride == 1 else space.stride * steps)


class Buckets(NamedTuple):
    """Points gathered in the order of their steps: one item for each bucket."""

    rows: np.ndarray
    steps: np.ndarray
    last_steps: np.ndarray
    times: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
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


def pack_buckets(found: Buckets) -> bytes:
    """Return buckets as one blob."""
    columns = [found.mean, found.low, found.high, found.count, found.bad, found.times]
    integers = [np.ascontiguousarray(column, "<i8").view("<f8") for column in (found.rows, found.steps, found.last_steps)]
    return pack(np.concatenate([*(np.ascontiguousarray(column, "<f8") for column in columns), *integers]))


def unpack_buckets(blob: bytes) -> Buckets:
    """Return the buckets in a blob."""
    mean, low, high, count, bad, times, rows, steps, last = unpack(blob).reshape(9, -1)
    return Buckets(rows.view("<i8"), steps.view("<i8"), last.view("<i8"), times, mean, low, high, count, bad)
