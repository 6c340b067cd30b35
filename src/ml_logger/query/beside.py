"""The items next to a window: lines go on to them, and what a group is at an edge is interpolated from them. Knows no store.

A window is [lo, hi]; either end may be None. Neighbours are in no column and no count.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ml_logger.answers import SeriesInfo
from ml_logger.queries import GetSeries
from ml_logger.query.downsample import Curves, selected


def set_neighbours(query: GetSeries, infos: list[SeriesInfo], curves: Curves) -> None:
    """Tell of each run the nearest items on both sides of the window; of a tail only those behind it. `infos` are those of each curve."""
    if query.lo is None and query.hi is None:
        return
    for at, info in enumerate(infos):
        start, stop = int(curves.bounds[at]), int(curves.bounds[at + 1])
        left, right = _inside(curves.x[start:stop], query.lo, query.hi)
        left = start if query.since is not None else start + left
        right += start
        if left > start and (info.before is None or curves.x[left - 1] > info.before[0]):
            info.before = _item(curves, left - 1)
        if right < stop and (info.after is None or curves.x[right] < info.after[0]):
            info.after = _item(curves, right)


def _inside(x: np.ndarray, lo: float | None, hi: float | None) -> tuple[int, int]:
    left = 0 if lo is None else int(np.searchsorted(x, lo))
    return left, len(x) if hi is None else int(np.searchsorted(x, hi, "right"))


def _item(curves: Curves, at: int) -> list[Any]:
    mean = float(curves.mean[at])
    return [float(curves.x[at]), mean if np.isfinite(mean) else None]


def with_neighbours(curves: Curves, lo: float | None, hi: float | None) -> Curves:
    """Return the items of a window and beside it, on each side, those up to the nearest finite one."""
    keep = np.zeros(len(curves.x), bool)
    for start, stop in zip(curves.bounds[:-1].tolist(), curves.bounds[1:].tolist(), strict=True):
        left, right = _inside(curves.x[start:stop], lo, hi)
        finite = np.isfinite(curves.mean[start:stop])
        before, after = np.flatnonzero(finite[:left]), np.flatnonzero(finite[right:])
        first = before[-1] if len(before) else max(left - 1, 0)
        last = right + after[0] if len(after) else right
        keep[start + first : min(start + last + 1, stop)] = True
    return selected(curves, keep)


def parts_of(curves: Curves, lo: float | None, hi: float | None) -> tuple[Curves, Curves]:
    """Return what lies before a window, and what lies behind it."""
    none = np.zeros(len(curves.x), bool)
    return selected(curves, none if lo is None else curves.x < lo), selected(curves, none if hi is None else curves.x > hi)


def nearest_places(x: np.ndarray, lo: float, hi: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the greatest of `x` below lo and the least above hi, each alone in an array, or an empty one."""
    below, above = x[x < lo], x[x > hi]
    return below.max(keepdims=True) if len(below) else below, above.min(keepdims=True) if len(above) else above
