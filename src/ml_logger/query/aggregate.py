"""Aggregates over curves aligned on x: mean, median, IQM with std, standard error, CI, range or IQR. Pure; knows no store."""

from __future__ import annotations

import numpy as np

from ml_logger.query.downsample import Curves, bucket_of, shared_x

_T975 = (
    12.70620, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.30600, 2.26216, 2.22814,
    2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596,
    2.07961, 2.07387, 2.06866, 2.06390, 2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227,
)  # fmt: skip
"""Student's t at 0.975 for 1 … 30 degrees of freedom."""


def grid_of(curves: Curves, bins: int) -> np.ndarray | None:
    """Return all distinct x of the curves if they are at most `bins`, else None: then buckets are needed."""
    common = shared_x(curves)
    distinct = common if common is not None and (common[1:] > common[:-1]).all() else np.unique(curves.x)
    return distinct if len(distinct) <= bins else None


def matrix(
    curves: Curves, grid: np.ndarray | None, lo: float, hi: float, bins: int, around: Curves | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (x, values[curve, x]): on `grid`, or in buckets of [lo, hi] if it is None.

    Several values of one curve at the same place are averaged. A place between two points of a curve is interpolated;
    beyond its first and last point a curve is NaN: it takes no part there. `around` are the same curves with points
    beyond the first and last place, so that a zoom changes no value.
    """
    common = None if grid is None else shared_x(curves)
    if grid is not None and common is not None and np.array_equal(common, grid):
        return grid, curves.mean.reshape(len(curves), -1)
    full = curves.filled()
    width = bins if grid is None else len(grid)
    column = bucket_of(full.x, lo, hi, bins) if grid is None else np.searchsorted(grid, full.x)
    cell = np.repeat(np.arange(len(curves)), np.diff(curves.bounds)) * width + column
    assert full.finite is not None
    weight = np.bincount(cell, full.finite, len(curves) * width)
    sums = np.bincount(cell, np.where(full.finite > 0, full.mean * full.finite, 0.0), len(curves) * width)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (sums / weight).reshape(len(curves), width)
    logged = np.bincount(cell, minlength=len(curves) * width).reshape(len(curves), width) > 0
    x = grid if grid is not None else _centres(full.x, column, width)
    keep = logged.any(axis=0)
    return x[keep], _interpolated(full if around is None else around, x[keep], values[:, keep], logged[:, keep])


def _centres(x: np.ndarray, column: np.ndarray, width: int) -> np.ndarray:
    """Return the mean x of what fell into each bucket."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.bincount(column, x, width) / np.bincount(column, minlength=width)


def _interpolated(curves: Curves, x: np.ndarray, values: np.ndarray, logged: np.ndarray) -> np.ndarray:
    """Fill places between a curve's own points where it logged nothing; a logged NaN stays NaN."""
    for i in np.flatnonzero(~logged.all(axis=1)):
        part = curves.curve(int(i))
        good = np.isfinite(part.mean)
        if good.sum() > 1:
            between = np.interp(x, part.x[good], part.mean[good], left=np.nan, right=np.nan)
            values[i] = np.where(logged[i], values[i], between)
    return values


def aggregate(values: np.ndarray, center: str, spread: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (center, low, high, count) over axis 0 of `values`, NaN left out; low and high are center ∓ spread.

    `std` divides by n as NumPy does; `sem` and `ci95` (Student's t) use the sample's n − 1 and are 0 wide for one value.
    Around an `iqm` these two are those of a trimmed mean (Yuen 1974), around a median those of the mean.
    `minmax` and `iqr` are the range and the quartiles themselves.
    """
    finite = np.isfinite(values)
    count = finite.sum(axis=0)
    ordered = np.sort(np.where(finite, values, np.nan), axis=0) if center != "mean" or spread == "iqr" else None
    middle = _center(values, finite, count, ordered, center)
    if spread == "minmax":
        return middle, _reduced(np.fmin, values, finite), _reduced(np.fmax, values, finite), count.astype("f8")
    if spread == "iqr":
        assert ordered is not None
        return middle, _quantile(ordered, count, 0.25), _quantile(ordered, count, 0.75), count.astype("f8")
    if center == "iqm" and spread in ("sem", "ci95"):
        assert ordered is not None
        values, kept = _winsorised(values, ordered, count)
    else:
        kept = count
    half = _half_width(values, finite, count, kept, spread)
    return middle, middle - half, middle + half, count.astype("f8")


def _reduced(function: np.ufunc, values: np.ndarray, finite: np.ndarray) -> np.ndarray:
    return function.reduce(np.where(finite, values, np.nan), axis=0)


def _mean(values: np.ndarray, finite: np.ndarray, count: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(finite, values, 0.0).sum(axis=0) / count


def _center(values: np.ndarray, finite: np.ndarray, count: np.ndarray, ordered: np.ndarray | None, center: str) -> np.ndarray:
    if ordered is None or center == "mean":
        return _mean(values, finite, count)
    return _quantile(ordered, count, 0.5) if center == "median" else interquartile_mean(ordered, count)


def _winsorised(values: np.ndarray, ordered: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `values` with the lowest and the highest quarter (n // 4 values) at their neighbours' value, and how many are between."""
    cut = count // 4
    columns = np.arange(ordered.shape[1])
    low, high = ordered[cut, columns], ordered[np.maximum(count - cut - 1, 0), columns]
    return np.clip(values, low, high), count - 2 * cut


def _half_width(values: np.ndarray, finite: np.ndarray, count: np.ndarray, kept: np.ndarray, spread: str) -> np.ndarray:
    mean = _mean(values, finite, count)
    squares = np.where(finite, (values - mean) ** 2, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        if spread == "std":
            return np.sqrt(squares / count)
        error = np.sqrt(squares / np.maximum(kept - 1, 1) / kept)
    return error * t975(kept - 1) if spread == "ci95" else error


def t975(freedom: np.ndarray) -> np.ndarray:
    """Return Student's t at 0.975: from a table to 30 degrees of freedom, beyond by its expansion (good to 1e-4)."""
    z = 1.959963985
    large = np.maximum(freedom, 1).astype("f8")
    expansion = z + (z**3 + z) / (4 * large) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * large**2)
    table = np.array((0.0, *_T975))  # one value: no width, as it has no error
    return np.where(freedom <= 30, table[np.clip(freedom, 0, 30)], expansion) if len(freedom) else large


def _quantile(ordered: np.ndarray, count: np.ndarray, q: float) -> np.ndarray:
    """Return the quantile of each column by linear interpolation, as NumPy's default; NaNs lie at the end."""
    place = np.maximum(count - 1, 0) * q
    low = np.floor(place).astype("i8")
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    columns = np.arange(ordered.shape[1])
    below, above = ordered[low, columns], ordered[high, columns]
    return below + (above - below) * (place - low)


def interquartile_mean(ordered: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the mean of the middle half of each sorted column; values at its borders count with their part."""
    edge = count / 4
    rank = np.arange(ordered.shape[0])[:, None]
    weight = np.clip(np.minimum(rank + 1 - edge, count - edge - rank), 0.0, 1.0)
    weight = np.where(rank < count, weight, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, ordered * weight, 0.0).sum(axis=0) / weight.sum(axis=0)
