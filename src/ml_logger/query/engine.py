"""Every question, answered: from the index where it needs one, else straight from run directories. Knows no face.

One engine serves many threads. What it keeps between questions are loaded curves and answers, within a bound in bytes,
each with the statistics of the series it was made from: it is used again only while those are the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from ml_logger import keys
from ml_logger.answers import Completions, Importance, MetricInfo, MetricList, ParamWeight, RunDetail, RunsPage, SeriesHeader
from ml_logger.errors import NotFoundError
from ml_logger.queries import CompleteQuery, GetImportance, GetRun, GetSeries, ListMetrics, SearchRuns, Smoothing
from ml_logger.query import direct
from ml_logger.query.complete import complete
from ml_logger.query.detail import run_detail, trashed_runs
from ml_logger.query.filter import matching, ordered
from ml_logger.query.importance import Feature, importance
from ml_logger.query.kept import Kept
from ml_logger.query.language import parse
from ml_logger.query.loading import Asked, Plan, chosen_series, load, planned
from ml_logger.query.patient import Patient
from ml_logger.query.piecewise import is_many, joined, limits_of, pieces_of
from ml_logger.query.runs import groups_of, search_runs, visible
from ml_logger.query.series import Loaded, SeriesAnswer, answer_series
from ml_logger.query.shapes import has_shape
from ml_logger.query.split import parts_of, together
from ml_logger.query.table import SnapshotTable
from ml_logger.query.terms import OF_JOB, Curve
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.base import ColumnInfo, SeriesStats, Store

MOST_BINS = 20_000
_CURVE_BINS = 2048
_OF_SERIES = 400
"""Bytes that the statistics of one series take beside an answer."""
_FEW = 6
"""Up to a sixth of all runs are looked up one by one, more in one scan."""


class Engine:
    """Answers over one store and its root."""

    def __init__(self, store: Store, root: SafeRoot, clock: Callable[[], float] = time.time) -> None:
        """Answer from `store`, whose run directories lie below `root`; ages are counted from `clock()`."""
        self.store, self.root, self._clock = store, root, clock
        self._names: Patient[list[ColumnInfo]] = Patient()
        self._metrics: Patient[dict[str, tuple[int, int, bool]]] = Patient()
        self._loaded: Kept[Loaded] = Kept()
        self._answers: Kept[SeriesAnswer] = Kept()
        self._current: Kept[SeriesAnswer] = Kept()
        self._verbs: dict[type, Callable[[Any], Any]] = {
            SearchRuns: self._search_runs, CompleteQuery: self._complete, GetRun: self._get_run, ListMetrics: self._list_metrics,
            GetSeries: self._get_series, GetImportance: self._get_importance,
        }  # fmt: skip

    def answer(self, query: Any) -> Any:
        """Answer any query but `ReadFile` (see `direct.read`); `GetSeries` gives (header, arrays) for `formats.series.encode`.

        Raises what `errors.py` says of the question: `QuerySyntaxError`, `NotFoundError`, `InvalidKeyError`.
        """
        verb = self._verbs.get(type(query))
        return direct.answer(self.root, query) if verb is None else verb(query)

    def _table(self) -> SnapshotTable:
        snapshot = self.store.snapshot()
        names = self._names.get(len(snapshot), snapshot.version, snapshot.names)
        return SnapshotTable(snapshot, self._clock(), names, self._curves)

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _search_runs(self, query: SearchRuns) -> RunsPage:
        if query.trash:
            return trashed_runs(self.root, query)
        with self.store.reading():
            page = search_runs(query, self._table().within(query.prefix))
        page.unread = self.store.unread
        if page.unread:
            page.notices = []  # what no run has may be in one that is still to be read
        return page

    def _complete(self, query: CompleteQuery) -> Completions:
        with self.store.reading():
            return Completions(complete(query.q, query.position, self._table()))

    def _get_run(self, query: GetRun) -> RunDetail:
        return run_detail(self.store, self.root, keys.clean(query.key))

    def _chosen(self, table: SnapshotTable, runs: list[str] | None, q: str, prefix: str) -> np.ndarray:
        """Return the positions of the asked runs: those named (unknown ones are left out), or all that match, in order."""
        if runs is not None:
            found = (table.snapshot.position(keys.clean(key)) for key in runs)
            return np.array([at for at in dict.fromkeys(found) if at is not None and at < len(table)], "i8")
        search, table = parse(q), table.within(prefix)
        below = table.below(prefix) & visible(search, table)
        return ordered(matching(search.where, table, below), search.sort, table)

    # ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _list_metrics(self, query: ListMetrics) -> MetricList:
        with self.store.reading():
            table = self._table()
            positions = self._chosen(table, query.runs, query.q, query.prefix)
            if not query.points:
                return MetricList([MetricInfo(c.name, c.runs, 0, c.numeric) for c in _metrics_among(table, positions)], len(positions))
            found = self._metrics_of(table, positions)
        return MetricList([MetricInfo(name, *found[name]) for name in sorted(found)], len(positions))

    def _metrics_of(self, table: SnapshotTable, positions: np.ndarray) -> dict[str, tuple[int, int, bool]]:
        ids = None if len(positions) == len(table) else _ids(table, positions)
        return self._metrics.get(ids, table.snapshot.version, lambda: self.store.metrics(ids))

    def _get_series(self, query: GetSeries) -> SeriesAnswer:
        with self.store.reading():
            table = self._table()
            positions = self._chosen(table, query.runs, query.q, query.prefix)
        query.bins = max(1, min(query.bins, MOST_BINS))
        asked = 0 if query.runs is None else len(set(query.runs)) - len(positions)
        if query.split and not query.group_by:
            header, arrays = self._split_at(query, table, positions)
        else:
            header, arrays = self._series_at(query, table, positions)
        header.missing += asked
        header.version = table.snapshot.version
        return header, arrays

    def _split_at(self, query: GetSeries, table: SnapshotTable, positions: np.ndarray) -> SeriesAnswer:
        writers = self.store.writers(sorted(_ids(table, positions)))
        values = [writer.rank if query.split == "rank" else writer.attempt for writer in writers]
        parts = [(value, self._series_at(part, table, positions)) for value, part in parts_of(query, values)]
        return together(query.split, parts, SeriesHeader(query.metric, query.x, query.lo, query.hi, [], missing=len(positions)))

    def _series_at(self, query: GetSeries, table: SnapshotTable, positions: np.ndarray) -> SeriesAnswer:
        """Answer for the runs at `positions`; as long as nothing at all has changed, an answer that is kept is not looked into.

        The tail of a live chart is asked for once, and not kept.
        """
        if query.since is not None:
            return self._new_answer(query, table, positions, None)
        version = table.snapshot.version
        whole = (repr(query), positions.tobytes())
        kept = self._current.get(whole, version)
        if kept is None:
            kept = self._series_of(query, table, positions)
            self._current.put(whole, version, kept, _bytes(kept[1]) + positions.nbytes)
        return msgspec.structs.replace(kept[0]), kept[1]

    def _series_of(self, query: GetSeries, table: SnapshotTable, positions: np.ndarray) -> SeriesAnswer:
        """Answer from what is kept if the series in question are what they were, else anew."""
        series = chosen_series(self.store, query, _asked(table, positions))
        key = (repr(query), positions.tobytes(), str(self._groups(query, table, positions)))
        kept = self._answers.get(key, series)
        if kept is None:
            kept = self._new_answer(query, table, positions, series)
            self._answers.put(key, series, kept, _bytes(kept[1]) + _OF_SERIES * len(series))
        return kept

    def _new_answer(self, query: GetSeries, table: SnapshotTable, positions: np.ndarray, series: list[SeriesStats] | None) -> SeriesAnswer:
        ids, listed = _ids(table, positions), table.snapshot.keys
        asked = _asked(table, positions)
        plan = planned(query, chosen_series(self.store, query, asked) if series is None else series)
        if is_many(query, plan):
            return self._piecewise(query, plan, ids, [listed[at] for at in positions.tolist()])
        source = (query.metric, query.x, plan.level, plan.lo, plan.hi, ids)
        loaded = None if series is None else self._loaded.get(source, series)
        if loaded is None:
            loaded = load(self.store, query, plan, {run: number for number, run in enumerate(ids)}, most=asked.most)
            if series is not None:
                size = _bytes([column for column in loaded.curves if column is not None])
                self._loaded.put(source, series, loaded, size + _OF_SERIES * len(series))
        groups = self._groups(query, table, positions)
        return answer_series(query, [listed[at] for at in positions.tolist()], loaded, groups)

    def _piecewise(self, query: GetSeries, plan: Plan, ids: tuple[int, ...], names: list[str]) -> SeriesAnswer:
        """Answer for a few runs after the other; what was loaded for them is not kept."""
        limits, answers = limits_of(query, plan.series), []
        for start, stop, piece in pieces_of(ids, plan):
            loaded = load(self.store, query, piece, {run: number for number, run in enumerate(ids[start:stop])})
            answers.append(answer_series(query, names[start:stop], loaded, None, limits))
        return joined(answers)

    def _groups(self, query: GetSeries, table: SnapshotTable, positions: np.ndarray) -> list[Any] | None:
        """Return the groups of the chosen runs, their members numbered as in `positions`."""
        if not query.group_by:
            return None
        mask = np.zeros(len(table), bool)
        mask[positions] = True
        number_of = {at: number for number, at in enumerate(positions.tolist())}
        with self.store.reading():
            groups = groups_of(query.group_by, mask, table.within(query.prefix))
        return [group._replace(runs=[number_of[at] for at in group.runs]) for group in groups]

    def _curves(self, metric: str, curve: Curve, positions: np.ndarray) -> np.ndarray:
        """Answer a curve predicate for runs: from their points if they are few, else from the buckets of an overview."""
        table = self._table()
        query = GetSeries(metric, bins=_CURVE_BINS, lo=curve.after or None, smoothing=Smoothing())
        header, arrays = self._series_at(query, table, positions)
        place = {table.snapshot.keys[at]: number for number, at in enumerate(positions.tolist())}
        found = np.zeros(len(positions), bool)
        at = 0
        for info in header.series:
            high = None if info.exact else arrays[at + 3]
            ends_badly = bool(info.marks) and (not info.n or info.marks[-1][0] >= arrays[at][-1])
            if info.n or ends_badly:
                shaped = has_shape(curve.kind, arrays[at + 1], high, curve.sigma)
                found[place[info.key]] = shaped or (curve.kind == "diverged" and ends_badly)
            at += 2 if info.exact else 5
        return found

    # ── importance ───────────────────────────────────────────────────────────────────────────────────────────────

    def _get_importance(self, query: GetImportance) -> Importance:
        with self.store.reading():  # what is taken out are copies: the forest grows outside
            table = self._table()
            positions = self._chosen(table, query.runs, query.q, query.prefix)
            objective = table.column(query.objective)
            if objective is None:
                raise NotFoundError(f"metric {query.objective}", "no run has it")
            target = objective.numbers[positions]
            settings = [info.name for info in table.columns() if info.kind == "param" and not info.name.startswith(OF_JOB)]
            features = [feature for name in settings if (feature := _feature(table, name, positions))]
        found = importance(features, target)
        weights = [ParamWeight(*weight) for weight in found.weights]
        return Importance(query.objective, found.n, found.r2, weights, found.reason)


def _metrics_among(table: SnapshotTable, positions: np.ndarray) -> list[ColumnInfo]:
    """Return the metrics that some of the runs at `positions` have, sorted by name."""
    mask = np.zeros(len(table), bool)
    mask[positions] = True
    return [column for column in table.snapshot.names(mask) if column.kind == "metric"]


def _feature(table: SnapshotTable, name: str, positions: np.ndarray) -> Feature | None:
    column = table.exact("param", name)
    if column is None or not column.present[positions].any():
        return None
    numbers, codes = column.numbers[positions], column.codes[positions]
    if (codes >= 0).any():
        return Feature(name, np.where(codes >= 0, codes, np.nan).astype("f8"), numeric=False)
    return Feature(name, numbers, numeric=True)


def _asked(table: SnapshotTable, positions: np.ndarray) -> Asked:
    return Asked(frozenset(_ids(table, positions)), len(positions) * _FEW > len(table))


def _ids(table: SnapshotTable, positions: np.ndarray) -> tuple[int, ...]:
    return tuple(table.snapshot.ids[positions].tolist())


def _bytes(arrays: Sequence[np.ndarray]) -> int:
    return sum(array.nbytes for array in arrays)
