"""Many curves into at most `bins` buckets each, with min, max, mean and count. Pure; knows no store and no run.

Curves lie behind one another in flat arrays, `bounds[i] … bounds[i + 1]` being curve i with its x in order. Items may be
points or buckets themselves (then they carry their own min, max and number of finite values), and are merged without loss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_SHORT = 4
"""Up to so many items a bucket, whole columns are combined instead of one bucket after the other."""


class Curves(NamedTuple):
    """Curves one behind another; `mean` is NaN where no value was finite. With `low` None every item is a point.

    `finite` counts the finite values behind each item, as float64.
    """

    bounds: np.ndarray
    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    finite: np.ndarray | None = None

    def __len__(self) -> int:
        """Return how many curves there are."""
        return len(self.bounds) - 1

    def curve(self, i: int) -> Curves:
        """Return curve `i` alone, as views."""
        part = slice(int(self.bounds[i]), int(self.bounds[i + 1]))
        rest = (None if column is None else column[part] for column in self[2:])
        return Curves(np.array([0, part.stop - part.start]), self.x[part], *rest)  # type: ignore[arg-type]

    def filled(self) -> Curves:
        """Return the same with `low`, `high` and `finite` given for points too."""
        if self.low is not None:
            return self
        return Curves(self.bounds, self.x, self.mean, self.mean, self.mean, np.isfinite(self.mean).astype("f8"))


def joined(curves: list[Curves]) -> Curves:
    """Return several as one, in order."""
    if len(curves) == 1:
        return curves[0]
    if any(c.low is not None for c in curves):
        curves = [c.filled() for c in curves]
    sizes = np.concatenate([np.diff(c.bounds) for c in curves]) if curves else np.zeros(0, "i8")
    columns = [_concatenated([c[k] for c in curves]) for k in range(1, 6)]
    return Curves(np.concatenate(([0], np.cumsum(sizes))), *columns)  # type: ignore[arg-type]


def joined_as_one(curves: list[Curves]) -> Curves:
    """Return several, which follow one another in x, as one curve."""
    whole = joined(curves)
    return Curves(np.array([0, len(whole.x)]), *whole[1:])


def _concatenated(columns: list[np.ndarray | None]) -> np.ndarray | None:
    given = [column for column in columns if column is not None]
    return np.concatenate(given) if given else (None if columns else np.zeros(0))


def window(curves: Curves, lo: float | None, hi: float | None) -> Curves:
    """Return only the items whose x lies in [lo, hi]."""
    if lo is None and hi is None:
        return curves
    keep = (curves.x >= (-np.inf if lo is None else lo)) & (curves.x <= (np.inf if hi is None else hi))
    return selected(curves, keep)


def selected(curves: Curves, keep: np.ndarray) -> Curves:
    """Return only the items where `keep` is true."""
    before = np.concatenate(([0], np.cumsum(keep)))
    return Curves(before[curves.bounds], *(None if column is None else column[keep] for column in curves[1:]))  # type: ignore[arg-type]


def downsample(curves: Curves, lo: float, hi: float, bins: int) -> Curves:
    """Return buckets of equal width over [lo, hi], empty ones left out; x is the mean x of what a bucket holds.

    All x must lie in [lo, hi], in order within each curve. min, max, count are exact, the mean to rounding.
    Cost: 10 ns an item where all curves have the same x, else 60.
    """
    if not len(curves.x):
        return curves.filled()
    x = shared_x(curves)
    rows = 1 if x is None else len(curves)
    starts = curves.bounds[:-1] if x is None else np.zeros(1, "i8")
    x = curves.x if x is None else x
    at = _segments(bucket_of(x, lo, hi, bins), starts)
    bounds = np.searchsorted(at, curves.bounds) if rows == 1 else np.arange(rows + 1) * len(at)
    centre = _reduced(np.add, x.reshape(1, -1), at)[0] / np.diff(at, append=len(x))
    return _merged(curves, rows, at, bounds, np.tile(centre, rows))


def pooled(curves: Curves, lo: float, hi: float, bins: int) -> Curves:
    """Return all curves as one: items at the same x together, or in buckets of [lo, hi] where there are more than `bins` x."""
    order = np.argsort(curves.x, kind="stable")
    full = Curves(curves.bounds, *(column[order] for column in curves.filled()[1:] if column is not None))
    if not len(full.x):
        return Curves(np.zeros(2, "i8"), *full[1:])
    at = _segments(full.x, np.zeros(1, "i8"))
    if len(at) > bins:
        at = _segments(bucket_of(full.x, lo, hi, bins), np.zeros(1, "i8"))
    x = np.add.reduceat(full.x, at) / np.diff(at, append=len(full.x))
    return _merged(full, 1, at, np.array([0, len(at)]), x)


def shared_x(curves: Curves) -> np.ndarray | None:
    """Return the x that all curves have in common, or None if they differ."""
    sizes = np.diff(curves.bounds)
    if not len(sizes) or not sizes[0] or (sizes != sizes[0]).any():
        return None
    grid = curves.x.reshape(len(sizes), -1)
    return grid[0] if (grid == grid[0]).all() else None


def bucket_of(x: np.ndarray, lo: float, hi: float, bins: int) -> np.ndarray:
    """Return the bucket of each x; the last bucket includes `hi`."""
    if not hi > lo:
        return np.zeros(len(x), "i8")
    return np.clip(((x - lo) * (bins / (hi - lo))).astype("i8"), 0, bins - 1)


def _segments(bucket: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return where a new bucket, or a new curve, begins."""
    first = np.empty(len(bucket), bool)
    first[0] = True
    np.not_equal(bucket[1:], bucket[:-1], out=first[1:])
    first[starts[starts < len(bucket)]] = True
    return np.flatnonzero(first)


def _merged(curves: Curves, rows: int, at: np.ndarray, bounds: np.ndarray, x: np.ndarray) -> Curves:
    """Reduce, in each row, the items from each `at` to the next into one."""
    found = _of_points(curves.mean.reshape(rows, -1), at) if curves.low is None else None
    mean, low, high, count = found or _of_buckets(curves.filled(), rows, at)
    inside = np.minimum(np.maximum(mean, low), high)  # rounding must not push a mean out of its own range
    return Curves(bounds, x, *(column.reshape(-1) for column in (inside, low, high, count)))


_Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _of_points(values: np.ndarray, at: np.ndarray) -> _Columns | None:
    """Return mean, min, max and count of points, half as dear as of buckets; None if a sum is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        sums = _reduced(np.add, values, at)
    if not np.isfinite(sums).all():
        return None
    sizes = np.diff(at, append=values.shape[1]).astype("f8")
    sums /= sizes
    return sums, _reduced(np.minimum, values, at), _reduced(np.maximum, values, at), np.tile(sizes, len(values))


def _of_buckets(full: Curves, rows: int, at: np.ndarray) -> _Columns:
    """Return mean, min, max and count of items, each weighed by the number of its finite values."""
    mean, low, high, count = (np.asarray(column).reshape(rows, -1) for column in full[2:])
    whole = bool(count.all())  # no item without a finite value: the quicker functions do
    number = _reduced(np.add, count, at)
    sums = _reduced(np.add, mean * count if whole else np.where(count > 0, mean * count, 0.0), at)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums /= number
    return sums, _reduced(np.minimum if whole else np.fmin, low, at), _reduced(np.maximum if whole else np.fmax, high, at), number


def _reduced(function: np.ufunc, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return `function.reduceat(values, at, axis=1)`, several times faster where the pieces are short."""
    sizes = np.diff(at, append=values.shape[1])
    if values.shape[0] == 1 or sizes.max() > _SHORT:
        return function.reduceat(values, at, axis=1)
    out = values.take(at, axis=1)
    for offset in range(1, int(sizes.max())):
        more = np.flatnonzero(sizes > offset)
        if len(more) == len(at):
            function(out, values.take(at + offset, axis=1), out=out)
        else:
            out[:, more] = function(out[:, more], values.take(at[more] + offset, axis=1))
    return out
