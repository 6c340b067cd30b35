"""From the store's chunks to curves: which level, which writers, which x. Knows no search and no smoothing but its reach.

Up to a million points in the window come from raw points, so that every bucket is exact; beyond that from the coarsest
level with at least two buckets a pixel, with raw points at the edges of the window.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ml_logger.queries import GetSeries
from ml_logger.query.downsample import Curves, selected
from ml_logger.query.series import MAX_MARKS, Loaded
from ml_logger.query.smooth import context
from ml_logger.store.base import MIP64, MIP4096, RAW, Chunk, SeriesStats, Store

EXACT_POINTS = 1_000_000
"""Windows with at most so many points, over all runs, are read raw."""
_PATIENCE = 20
"""Beyond so many times EXACT_POINTS one bucket a pixel has to do."""
_REACH = 8
_BESIDE = 8.0
"""Of points one by one, those so many usual distances beside a window are read too: its lines go on to them."""
"""A plan that turns out to be too narrow is made wider so many times."""
_SIZES = {MIP4096: 4096, MIP64: 64}


class Plan(NamedTuple):
    """What to read: the series, at which level, and which steps (None: all)."""

    series: list[SeriesStats]
    level: int
    lo: int | None
    hi: int | None


class Asked(NamedTuple):
    """The runs of a question, by id; `most` tells that they are a large part of all runs, so that one scan is quicker."""

    ids: frozenset[int]
    most: bool

    def listed(self) -> list[int] | None:
        """Return the runs as a store wants them: None for all."""
        return None if self.most else sorted(self.ids)


def chosen_series(store: Store, query: GetSeries, asked: Asked) -> list[SeriesStats]:
    """Return the series that the question is about: of the newest attempt that has the metric, or as `attempt` and `rank` say."""
    found = [stats for stats in store.series(query.metric, asked.listed()) if stats.run in asked.ids]
    several = len({stats.run for stats in found}) < len(found)
    if not several and query.rank is None and query.attempt is None:
        return found
    writers = {writer.id: writer for writer in store.writers(sorted({stats.run for stats in found}))}
    known = [stats for stats in found if stats.writer in writers]
    if query.rank is not None:
        known = [stats for stats in known if writers[stats.writer].rank == query.rank]
    if query.attempt == -1:
        return known
    newest: dict[int, int] = {}
    for stats in known:
        newest[stats.run] = max(newest.get(stats.run, 0), writers[stats.writer].attempt)
    return [stats for stats in known if writers[stats.writer].attempt == (newest[stats.run] if query.attempt is None else query.attempt)]


def planned(query: GetSeries, series: list[SeriesStats], exact: int = EXACT_POINTS) -> Plan:
    """Choose the level and the range of steps to read; up to `exact` points are read raw."""
    if query.x != "step":
        return Plan(series, _level(query, series, 1.0, exact), None, None)
    lo = _beginning(query)
    share = _share(series, lo, query.hi)
    before, after = context(query.smoothing)
    spacing = _spacing(series)
    level = _level(query, series, share, exact)
    beside = _BESIDE if level == RAW else 0.0
    low = None if lo is None else _integer(lo - max(2.0 * before, beside if query.since is None else 0.0) * spacing, up=False)
    high = None if query.hi is None else _integer(query.hi + max(2.0 * after, beside) * spacing, up=True)
    return Plan(series, level, low, high)


def _beginning(query: GetSeries) -> float | None:
    """Return the x from which on the answer begins."""
    return query.lo if query.since is None else max(query.since, -np.inf if query.lo is None else query.lo)


def _integer(x: float, *, up: bool) -> int:
    """Return the step at or beyond x, within 64 bits."""
    return int(np.clip(np.ceil(x) if up else np.floor(x), -(2.0**62), 2.0**62))


def _share(series: list[SeriesStats], lo: float | None, hi: float | None) -> float:
    """Return which part of the steps of the series the window holds, about."""
    if not series or (lo is None and hi is None):
        return 1.0
    first, last = min(s.step_min for s in series), max(s.step_max for s in series)
    inside = min(last, last if hi is None else hi) - max(first, first if lo is None else lo)
    return float(np.clip(inside / max(last - first, 1), 0.0, 1.0))


def _spacing(series: list[SeriesStats]) -> float:
    return max(((s.step_max - s.step_min) / max(s.n - 1, 1) for s in series), default=1.0) or 1.0


def _level(query: GetSeries, series: list[SeriesStats], share: float, exact: int) -> int:
    if sum(s.n for s in series) * share <= exact or query.x not in ("step", "time", "relative"):
        return RAW
    longest = max(s.n for s in series) * share
    least = 2 if sum(s.n for s in series) * share <= _PATIENCE * exact else 1
    for level, size in _SIZES.items():
        if longest / size >= least * max(query.bins, 1):
            return level
    return RAW


def load(store: Store, query: GetSeries, plan: Plan, position_of: dict[int, int], *, most: bool = False) -> Loaded:
    """Read what was planned; `position_of` numbers the runs (by id) as the answer lists them; `most`: see `Asked`."""
    ids = None if most else sorted({s.run for s in plan.series})
    pieces = _read(store, query, plan, ids)
    while (wider := _wider(query, plan, pieces)) is not None:
        plan = wider
        pieces = _read(store, query, plan, ids)
    other = values_by_row(store, query.x, ids) if query.x not in ("step", "time", "relative") else ValuesByRow({})
    return _Assembly(query, plan, position_of, other).take(pieces)


def _read(store: Store, query: GetSeries, plan: Plan, ids: list[int] | None) -> list[Chunk]:
    wanted = {(s.run, s.writer) for s in plan.series}
    times = query.x in ("time", "relative")
    chunks = store.read(query.metric, ids, plan.level, plan.lo, plan.hi, times=times)
    pieces = [chunk for chunk in chunks if (chunk.run, chunk.writer) in wanted]
    if plan.level != RAW and (plan.lo is not None or plan.hi is not None):
        pieces = _with_exact_edges(store, query, plan, pieces)
    return pieces


def _wider(query: GetSeries, plan: Plan, pieces: list[Chunk]) -> Plan | None:
    """Return a plan that reaches farther, if some series has fewer finite points around the window than smoothing looks at."""
    before, after = context(query.smoothing)
    lo, hi = _beginning(query), query.hi
    least, most = float(before), float(after)
    if lo is not None and plan.lo is not None and before:
        found = _counted(pieces, float(plan.lo), np.nextafter(lo, -np.inf))
        least = min((found.get((s.run, s.writer), 0) for s in plan.series if plan.lo > s.step_min), default=before)
    if hi is not None and plan.hi is not None and after:
        found = _counted(pieces, np.nextafter(hi, np.inf), float(plan.hi))
        most = min((found.get((s.run, s.writer), 0) for s in plan.series if plan.hi < s.step_max), default=after)
    if least >= before and most >= after:
        return None
    low = plan.lo if least >= before or lo is None or plan.lo is None else _integer(lo - _REACH * max(lo - plan.lo, 1.0), up=False)
    high = plan.hi if most >= after or hi is None or plan.hi is None else _integer(hi + _REACH * max(plan.hi - hi, 1.0), up=True)
    return plan._replace(lo=low, hi=high)


def _counted(pieces: list[Chunk], lo: float, hi: float) -> dict[tuple[int, int], float]:
    """Return how many finite points of each series lie in [lo, hi]."""
    found: dict[tuple[int, int], float] = {}
    for chunk in pieces:
        inside = (chunk.steps >= lo) & (chunk.steps <= hi) & np.isfinite(chunk.mean)
        number = inside.sum() if chunk.count is None else (chunk.count - (0 if chunk.bad is None else chunk.bad))[inside].sum()
        found[chunk.run, chunk.writer] = found.get((chunk.run, chunk.writer), 0.0) + float(number)
    return found


def _with_exact_edges(store: Store, query: GetSeries, plan: Plan, pieces: list[Chunk]) -> list[Chunk]:
    """Replace buckets that reach over an end of the window by their raw points."""
    lo, hi = (plan.lo if plan.lo is not None else -(1 << 62)), (plan.hi if plan.hi is not None else 1 << 62)
    found: list[Chunk] = []
    for chunk in pieces:
        if chunk.last_steps is None:
            found.append(chunk)
            continue
        inside = (chunk.steps >= lo) & (chunk.last_steps <= hi)
        found.append(_taken(chunk, inside))
        for at in np.flatnonzero((chunk.last_steps >= lo) & (chunk.steps <= hi) & ~inside).tolist():
            found += _points_of_bucket(store, query.metric, chunk, at, (lo, hi))
    return found


def _points_of_bucket(store: Store, metric: str, chunk: Chunk, at: int, limits: tuple[int, int]) -> list[Chunk]:
    """Return the points within `limits` that the bucket `at` stands for: so many from the one in its first row on."""
    assert chunk.count is not None
    assert chunk.last_steps is not None
    found: list[Chunk] = []
    for raw in store.read(metric, [chunk.run], RAW, int(chunk.steps[at]), int(chunk.last_steps[at])):
        first = np.flatnonzero(raw.rows == chunk.rows[at]) if raw.writer == chunk.writer else np.zeros(0, np.int64)
        if len(first):
            place = np.arange(len(raw.rows)) - first[0]
            found.append(_taken(raw, (place >= 0) & (place < chunk.count[at]) & (raw.steps >= limits[0]) & (raw.steps <= limits[1])))
    return found


def _taken(chunk: Chunk, keep: np.ndarray) -> Chunk:
    return Chunk(chunk.run, chunk.writer, *(None if c is None else (c[keep] if len(c) == len(keep) else c) for c in chunk[2:]))  # type: ignore[arg-type]


class ValuesByRow(NamedTuple):
    """The points of a metric that serves as x: (run, writer) → rows, sorted, and values."""

    found: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]

    def at(self, chunk: Chunk) -> np.ndarray:
        """Return the value in each row of `chunk`, NaN where the row has none."""
        rows, values = self.found.get((chunk.run, chunk.writer), (np.zeros(0, "i8"), np.zeros(0)))
        at = np.searchsorted(rows, chunk.rows)
        known = at < len(rows)
        known[known] = rows[at[known]] == chunk.rows[known]
        x = np.full(len(chunk.rows), np.nan)
        x[known] = values[at[known]]
        return x


def values_by_row(store: Store, metric: str, ids: list[int] | None) -> ValuesByRow:
    """Return all points of `metric` in the runs with these ids (None: all), by row."""
    gathered: dict[tuple[int, int], list[Chunk]] = {}
    for chunk in store.read(metric, ids, RAW):
        gathered.setdefault((chunk.run, chunk.writer), []).append(chunk)
    found: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
    for series, chunks in gathered.items():
        rows = np.concatenate([chunk.rows for chunk in chunks])
        values = np.concatenate([chunk.mean for chunk in chunks])
        order = np.argsort(rows, kind="stable")
        found[series] = rows[order], values[order]
    return ValuesByRow(found)


class _Assembly:
    """Chunks on their way to one flat set of curves."""

    def __init__(self, query: GetSeries, plan: Plan, position_of: dict[int, int], other: ValuesByRow) -> None:
        self.query, self.plan, self.position_of, self.other = query, plan, position_of, other
        self.starts: dict[int, float] = {}

    def take(self, pieces: list[Chunk]) -> Loaded:
        """Return the curves of all series, those without a chunk in the window included, in the order of the runs."""
        of: dict[tuple[int, int], list[Chunk]] = {}
        for chunk in pieces:
            of.setdefault((chunk.run, chunk.writer), []).append(chunk)
        series = sorted(self.plan.series, key=lambda s: (self.position_of[s.run], s.writer))
        each = [of.get((stats.run, stats.writer), []) for stats in series]
        ordered = [chunk for chunks in each for chunk in chunks]
        sizes = [sum(len(chunk.mean) for chunk in chunks) for chunks in each]
        bounds = np.concatenate(([0], np.cumsum(sizes, dtype="i8"))) if sizes else np.zeros(1, "i8")
        run = np.array([self.position_of[s.run] for s in series], "i8")
        if self.query.x == "relative":
            for chunk in ordered:
                self.starts[chunk.run] = min(float(chunk.times.min()), self.starts.get(chunk.run, np.inf))
        bucketed = any(chunk.low is not None for chunk in ordered)
        x, in_order = self._xs(each)
        mean = _flat([chunk.mean for chunk in ordered])
        columns = _bucket_columns(ordered, mean) if bucketed else (None, None, None)
        marks = self._marks(ordered, x, mean, run, bounds)
        curves = Curves(bounds, x, _finite(mean), *columns)
        before = np.array([0.0 if self.plan.lo is None or self.plan.lo <= s.step_min else 1e9 for s in series])
        logged, bad = (np.array([value(s) for s in series], "f8") for value in (lambda s: s.n, lambda s: s.bad))
        return Loaded(curves if in_order else _in_order(curves), run, before, logged, bad, marks)

    def _xs(self, each: list[list[Chunk]]) -> tuple[np.ndarray, bool]:
        """Return the x of all series, and whether they are seen to be in order. The very same steps in all are looked at once."""
        if self.query.x == "step" and self.plan.level == RAW and len({tuple(id(chunk.steps) for chunk in chunks) for chunks in each}) == 1:
            steps = _flat([chunk.steps for chunk in each[0]])
            return np.tile(steps, len(each)), bool((steps[1:] >= steps[:-1]).all())
        return _flat([self._x(chunk) for chunks in each for chunk in chunks]), False

    def _x(self, chunk: Chunk) -> np.ndarray:
        if self.query.x == "step":
            if chunk.last_steps is None:
                return chunk.steps
            return (chunk.steps + chunk.last_steps) / 2
        if self.query.x == "time":
            return chunk.times
        if self.query.x == "relative":
            return chunk.times - self.starts[chunk.run]
        return self.other.at(chunk)

    def _marks(
        self, chunks: list[Chunk], x: np.ndarray, mean: np.ndarray, run: np.ndarray, bounds: np.ndarray
    ) -> dict[int, list[list[Any]]]:
        if not sum(stats.bad for stats in self.plan.series):
            return {}
        wrong = ~np.isfinite(mean)
        if any(chunk.bad is not None for chunk in chunks):
            wrong |= _flat([np.zeros(len(c.mean)) if c.bad is None else c.bad for c in chunks]) > 0
        marks: dict[int, list[list[Any]]] = {}
        places = np.flatnonzero(wrong & np.isfinite(x))
        for at, owner in zip(places.tolist(), run[np.searchsorted(bounds, places, side="right") - 1].tolist(), strict=True):
            listed = marks.setdefault(owner, [])
            if len(listed) < MAX_MARKS:
                listed.append([float(x[at]), repr(float(mean[at])) if not np.isfinite(mean[at]) else "nan"])
        return marks


def _flat(columns: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(columns, dtype="f8", casting="unsafe") if columns else np.zeros(0)


def _finite(values: np.ndarray) -> np.ndarray:
    """Return the values with NaN for infinities. What is counted as bad does not tell: a run may log between two looks at it."""
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(values.sum()):  # no NaN and no infinity leaves a sum: one pass is enough for most curves
            return values
    return np.where(np.isfinite(values), values, np.nan)


def _bucket_columns(chunks: list[Chunk], mean: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return low, high and the number of finite values; a raw point among buckets stands for itself."""
    low = _flat([c.mean if c.low is None else c.low for c in chunks])
    high = _flat([c.mean if c.high is None else c.high for c in chunks])
    counts = [np.isfinite(c.mean).astype("f8") if c.count is None else c.count - (0 if c.bad is None else c.bad) for c in chunks]
    return np.where(np.isfinite(mean), low, np.nan), np.where(np.isfinite(mean), high, np.nan), _flat(counts)


def _in_order(curves: Curves) -> Curves:
    """Sort each curve by x, stably, where it is not in order, and leave out items without an x."""
    if len(curves.x) and np.isnan(curves.x).any():
        curves = selected(curves, np.isfinite(curves.x))
    steps_back = np.flatnonzero(curves.x[1:] < curves.x[:-1]) + 1
    inner = np.setdiff1d(steps_back, curves.bounds)
    if not len(inner):
        return curves
    owner = np.repeat(np.arange(len(curves)), np.diff(curves.bounds))
    order = np.lexsort((np.arange(len(curves.x)), curves.x, owner))
    return Curves(curves.bounds, *(None if c is None else c[order] for c in curves[1:]))  # type: ignore[arg-type]
