"""Predicates over a whole curve: diverged, spiked, plateaued. Pure arithmetic on values in the order of their steps.

The definitions are documented in docs/reference/search.md; they are meant to agree with what an eye sees, and to be
cheap: a few passes over one array.
"""

from __future__ import annotations

import numpy as np

_WINDOW = 50
_ENOUGH = 10
"""A spike needs so many finite values before it, a plateau at least so many in all."""
_TIMES = 10.0
_FLAT = 0.01


def has_shape(kind: str, mean: np.ndarray, high: np.ndarray | None = None, sigma: float = 5.0) -> bool:
    """Tell whether a curve diverged, spiked (by more than `sigma`) or plateaued; `high` are maxima where items are buckets."""
    if kind == "diverged":
        return diverged(mean)
    return spiked(mean, mean if high is None else high, sigma) if kind == "spiked" else plateaued(mean)


def diverged(values: np.ndarray) -> bool:
    """Tell whether the end is not finite, or lies ten times (start − best) above the best."""
    finite = values[np.isfinite(values)]
    if not len(values):
        return False
    if not np.isfinite(values[-1]) or not len(finite):
        return True
    some = max(1, len(finite) // 20)
    start, end, best = finite[:some].mean(), finite[-some:].mean(), finite.min()
    return bool(end - best > _TIMES * max(start - best, abs(best) / 10, 1e-12))


def spiked(mean: np.ndarray, high: np.ndarray, sigma: float = 5.0) -> bool:
    """Tell whether a value lies more than `sigma` standard deviations above the mean of the up to 50 values before it."""
    finite = np.isfinite(mean)
    values, tops = mean[finite], high[finite]
    if len(values) <= _ENOUGH:
        return False
    centred = values - values.mean()
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    stop = np.arange(_ENOUGH, len(values))
    start = np.maximum(stop - _WINDOW, 0)
    before = (sums[stop] - sums[start]) / (stop - start)
    spread = np.sqrt(np.maximum((squares[stop] - squares[start]) / (stop - start) - before**2, 0.0))
    spread = np.maximum(spread, 1e-6 * np.abs(values).max())
    return bool((tops[_ENOUGH:] - values.mean() > before + sigma * spread).any())


def plateaued(values: np.ndarray) -> bool:
    """Tell whether the two halves of the last quarter differ by less than 1 % of the whole range."""
    finite = values[np.isfinite(values)]
    if len(finite) < _ENOUGH:
        return False
    last = finite[-max(len(finite) // 4, 2) :]
    middle = len(last) // 2
    spread = finite.max() - finite.min()
    return bool(abs(last[:middle].mean() - last[middle:].mean()) <= _FLAT * spread)
