"""From the curves of runs to the answer of `GetSeries`: smooth, cut, pool writers, group, downsample. Knows no store.

The order matters: a curve is smoothed with its context before it is cut to the window, so that zooming changes
nothing; writers of one run are pooled before runs are grouped; downsampling comes last.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ml_logger.answers import SeriesHeader, SeriesInfo
from ml_logger.queries import GetSeries
from ml_logger.query.aggregate import aggregate, grid_of, matrix
from ml_logger.query.beside import nearest_places, parts_of, set_neighbours, with_neighbours
from ml_logger.query.downsample import Curves, downsample, joined, joined_as_one, pooled, window
from ml_logger.query.smooth import smooth

MAX_MARKS = 1000


SeriesAnswer = tuple[SeriesHeader, list[np.ndarray]]


class Loaded(NamedTuple):
    """What was read for a question: one curve for each (run, writer), those of one run together, in the order of the runs.

    `run` numbers the run of each curve; `before`, `logged` and `bad` count points; `marks` are those of a run: [x, "nan"].
    """

    curves: Curves
    run: np.ndarray
    before: np.ndarray
    logged: np.ndarray
    bad: np.ndarray
    marks: dict[int, list[list[Any]]]


class Group(NamedTuple):
    """Runs that are drawn as one series: a label, the values they share, and the numbers of the runs."""

    label: str
    values: dict[str, Any]
    runs: list[int]


class Drawn(NamedTuple):
    """One curve for each run that has the metric; `runs` are their numbers."""

    runs: np.ndarray
    curves: Curves


def answer_series(
    query: GetSeries,
    keys: list[str],
    loaded: Loaded,
    groups: list[Group] | None = None,
    limits: tuple[float | None, float | None] | None = None,
) -> SeriesAnswer:
    """Return the answer for the runs `keys` (or for `groups` of them); `limits` is the range of x if they are only a part of it.

    Cost: about 10 ns a loaded item, more for many writers.
    """
    smoothed = _smoothed(query, loaded)
    curves = window(smoothed, query.lo, query.hi)
    if query.since is not None:
        curves = window(curves, np.nextafter(query.since, np.inf), None)
    lo, hi = limits or _range(query, curves)
    drawn = _one_a_run(loaded, curves, lo, hi, max(query.bins, 1))
    header = SeriesHeader(query.metric, query.x, lo, hi, [], missing=len(keys) - len(np.unique(loaded.run)))
    if groups is None:
        answer = _each_run(query, header, keys, loaded, drawn)
        of = dict(zip(drawn.runs.tolist(), header.series, strict=True))
        set_neighbours(query, [of[run] for run in loaded.run.tolist()], smoothed)
        return answer
    around = drawn if query.since is not None else _around(query, loaded, smoothed, drawn)
    return _each_group(query, header, groups, loaded, (drawn, around))


def _smoothed(query: GetSeries, loaded: Loaded) -> Curves:
    how, curves = query.smoothing, loaded.curves
    if how.kind == "none" or not how.amount > 0:
        return curves
    mean = np.empty(len(curves.x))
    for i, (start, stop) in enumerate(zip(curves.bounds[:-1].tolist(), curves.bounds[1:].tolist(), strict=True)):
        counts = None if curves.finite is None else curves.finite[start:stop]
        mean[start:stop] = smooth(curves.mean[start:stop], how, counts, float(loaded.before[i]))
    if curves.low is None:
        finite = np.isfinite(curves.mean).astype("f8")
        return Curves(curves.bounds, curves.x, mean, curves.mean, curves.mean, finite)
    return Curves(curves.bounds, curves.x, mean, *curves[3:])  # `_replace` takes the number of curves for that of fields


def _range(query: GetSeries, curves: Curves) -> tuple[float | None, float | None]:
    if not len(curves.x):
        return query.lo, query.hi
    filled = np.diff(curves.bounds) > 0
    first, last = curves.x[curves.bounds[:-1][filled]], curves.x[curves.bounds[1:][filled] - 1]
    return float(first.min() if query.lo is None else query.lo), float(last.max() if query.hi is None else query.hi)


def _one_a_run(loaded: Loaded, curves: Curves, lo: float | None, hi: float | None, bins: int) -> Drawn:
    """Pool the writers of each run that has several."""
    runs, first, writers = np.unique(loaded.run, return_index=True, return_counts=True)
    if (writers == 1).all() or lo is None or hi is None:
        return Drawn(runs, curves)
    parts = [curves.curve(int(i)) for i in first]
    for place in np.flatnonzero(writers > 1).tolist():
        several = joined([curves.curve(int(first[place]) + k) for k in range(int(writers[place]))])
        parts[place] = pooled(several, lo, hi, bins)
    return Drawn(runs, joined(parts))


def _each_run(query: GetSeries, header: SeriesHeader, keys: list[str], loaded: Loaded, drawn: Drawn) -> SeriesAnswer:
    """Give each run as points if they fit, else as buckets."""
    runs, curves = drawn
    bins = max(query.bins, 1)
    sizes = np.diff(curves.bounds)
    small = sizes <= bins
    buckets = curves
    if not small.all() and header.lo is not None and header.hi is not None:
        buckets = downsample(curves, header.lo, header.hi, bins)
    points = curves.low is None or _all_points(query, loaded, runs)
    logged, bad = (np.bincount(loaded.run, column, len(keys)).astype("i8").tolist() for column in (loaded.logged, loaded.bad))
    arrays: list[np.ndarray] = []
    exact_flags = (small & points).tolist()
    for place, run in enumerate(runs.tolist()):
        exact = exact_flags[place]
        columns = _columns(curves if small[place] else buckets, place, exact=exact)
        shown = len(columns[0]) if exact else int(columns[4].sum())
        marks = loaded.marks.get(run, [])[:MAX_MARKS]
        info = SeriesInfo(keys[run], len(columns[0]), exact, logged[run], logged[run], shown, bad[run], marks)
        info.smoothed = query.smoothing.kind != "none" and query.smoothing.amount > 0
        header.series.append(info)
        arrays += columns
    return header, arrays


def _all_points(query: GetSeries, loaded: Loaded, runs: np.ndarray) -> bool:
    """Tell whether the items are single points although they carry min and max, as smoothed ones do."""
    return query.smoothing.kind != "none" and len(runs) == len(loaded.run) and loaded.curves.low is None


def _columns(curves: Curves, place: int, *, exact: bool) -> list[np.ndarray]:
    start, stop = int(curves.bounds[place]), int(curves.bounds[place + 1])
    if exact:
        return [curves.x[start:stop], curves.mean[start:stop]]
    full = curves if curves.low is not None else curves.curve(place).filled()
    if full is not curves:
        start, stop = 0, stop - start
    return [column[start:stop] for column in full[1:] if column is not None]


def _around(query: GetSeries, loaded: Loaded, smoothed: Curves, drawn: Drawn) -> Drawn:
    """Return the curves of the runs with the items beside the window: what a group is at its edges hangs on them too."""
    if query.lo is None and query.hi is None:
        return drawn
    wide = with_neighbours(smoothed, query.lo, query.hi)
    if len(drawn.runs) == len(loaded.run):
        return Drawn(drawn.runs, wide)
    left, right = (_pooled_at_each_x(loaded, drawn, part) for part in parts_of(wide, query.lo, query.hi))
    curves = [joined_as_one([left.curve(at), drawn.curves.curve(at), right.curve(at)]) for at in range(len(drawn.runs))]
    return Drawn(drawn.runs, joined(curves))


def _pooled_at_each_x(loaded: Loaded, drawn: Drawn, curves: Curves) -> Curves:
    of = [np.flatnonzero(loaded.run == run).tolist() for run in drawn.runs.tolist()]
    return joined([pooled(joined([curves.curve(at) for at in places]), 0.0, 0.0, len(curves.x) + 1) for places in of])


def _each_group(
    query: GetSeries, header: SeriesHeader, groups: list[Group], loaded: Loaded, drawn_around: tuple[Drawn, Drawn]
) -> SeriesAnswer:
    (runs, curves), (_, around) = drawn_around
    place_of = {run: place for place, run in enumerate(runs.tolist())}
    logged, bad = (np.bincount(loaded.run, column) for column in (loaded.logged, loaded.bad))
    arrays: list[np.ndarray] = []
    for group in groups:
        members = [run for run in group.runs if run in place_of]
        if not members or header.lo is None or header.hi is None:
            continue
        places = [place_of[run] for run in members]
        chosen = _chosen(curves, places)
        columns, before, after = _aggregated(query, chosen, _chosen(around, places), header.lo, header.hi)
        total = int(logged[members].sum())
        marks = [mark for run in members for mark in loaded.marks.get(run, [])][:MAX_MARKS]
        shown = len(chosen.x) if chosen.finite is None else int(chosen.finite.sum())
        wrong = int(bad[members].sum())
        info = SeriesInfo(group.label, len(columns[0]), False, total, total, shown, wrong, marks, len(members), group.values)
        info.smoothed = query.smoothing.kind != "none" and query.smoothing.amount > 0
        info.before, info.after = before, after
        header.series.append(info)
        arrays += columns
    return header, arrays


def _chosen(curves: Curves, places: list[int]) -> Curves:
    if places == list(range(len(curves))):
        return curves
    return joined([curves.curve(place) for place in places])


_Neighbour = list[float | None] | None


def _aggregated(query: GetSeries, curves: Curves, around: Curves, lo: float, hi: float) -> tuple[list[np.ndarray], _Neighbour, _Neighbour]:
    """Return the columns of a group in [lo, hi], and its items beside: [x, center, low, high] at the nearest place outside."""
    bins = max(query.bins, 1)
    grid = grid_of(curves, bins)
    if grid is None:
        x, values = matrix(curves, None, lo, hi, bins, around)
        return [x, *aggregate(values, query.center, query.spread)], None, None
    left, right = nearest_places(around.x, lo, hi)
    wide = np.concatenate((left, grid, right))
    inner = around if around is curves else window(around, *wide[[0, -1]]) if len(wide) else curves
    x, values = matrix(inner, wide, lo, hi, bins, around)
    columns = [x, *aggregate(values, query.center, query.spread)]
    before = [float(column[0]) if np.isfinite(column[0]) else None for column in columns[:4]] if len(left) else None
    after = [float(column[-1]) if np.isfinite(column[-1]) else None for column in columns[:4]] if len(right) else None
    return [column[len(left) : len(x) - len(right)] for column in columns], before, after
