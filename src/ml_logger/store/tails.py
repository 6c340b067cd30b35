"""The tail of a writer: rows that are in its journal and not yet in the index. Knows no database.

Numbers become float64 (booleans 0 and 1); values that are no numbers are not kept here, only the newest of each name.
A point is (row, step, time, value); a row without a step has its number as step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ml_logger.formats import values as plain_values
from ml_logger.records import STEP_KEYS
from ml_logger.store.journals import HEADS, Parts, chosen, join
from ml_logger.store.rundir import metric_name


class Points(NamedTuple):
    """Points of one metric in the order of logging, arrays of equal length."""

    rows: np.ndarray
    steps: np.ndarray
    times: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        """Count the points."""
        return len(self.rows)


class Group(NamedTuple):
    """Metrics that were logged together: shared rows, steps, times, and one column of values for each name."""

    rows: np.ndarray
    steps: np.ndarray
    times: np.ndarray
    columns: dict[str, np.ndarray]


class Tail:
    """Parts of one writer, those of one list of names together, in the order of its journal."""

    def __init__(self) -> None:
        """Begin empty."""
        self._stacks: dict[tuple[str, tuple[str, ...]], list[Parts]] = {}
        self._asked: tuple[str, Points | None] | None = None  # a question first wants to know how many points there are, then the points
        self.count = self.values = 0

    @property
    def parts(self) -> list[Parts]:
        """The parts: of those with the same names a few, each longer than all behind it."""
        return [parts for stack in self._stacks.values() for parts in stack]

    def add(self, parts: Parts) -> None:
        """Take in columns of rows; short ones are joined, so that a run that grows a row at a time is read as quickly as any."""
        self._asked = None
        stack = self._stacks.setdefault((parts.table, parts.names), [])
        stack.append(parts)
        while len(stack) > 1 and len(stack[-2]) <= len(stack[-1]):
            stack[-2:] = [join(stack[-2:])]
        self.count += len(parts)
        self.values += len(parts) * (len(parts.values) + HEADS)

    @property
    def newest_row(self) -> int:
        """The number of the newest row, 0 if there is none."""
        return max((int(parts.rows.max()) for parts in self.parts), default=0)

    def split(self) -> Tail:
        """Leave only the newest row here, which may still gain values, and return the rows before it.

        Of parts with the same names only the last one stays, so that a row that never ends does not grow.
        """
        done, found, newest = Tail(), self.parts, self.newest_row
        kept: dict[tuple[str, tuple[str, ...]], Parts] = {}
        for parts in found:
            is_open = parts.rows >= newest
            if not is_open.all():
                done.add(chosen(parts, ~is_open))
            if is_open.any():
                kept[parts.table, parts.names] = chosen(parts, np.flatnonzero(is_open)[-1:])
        self.__init__()  # type: ignore[misc]
        for parts in kept.values():
            self.add(parts)
        return done

    def saved(self) -> list[list[Any]]:
        """Return the parts as plain lists, for `parts_from`."""
        return [[p.table, p.names, *(_listed(column) for column in p[2:7]), [_listed(column) for column in p.values]] for p in self.parts]

    def names(self) -> set[str]:
        """Return the metrics that have numbers here."""
        return {metric_name(p.table, name) for p in self.parts for name in metric_columns(p)}

    def points(self, metric: str) -> Points | None:
        """Return the points of one metric, later values of a row winning; None if there are none. Not to be changed."""
        if self._asked is None or self._asked[0] != metric:
            self._asked = (metric, self._joined(metric))
        return self._asked[1]

    def _joined(self, metric: str) -> Points | None:
        found = []
        for parts in self.parts:
            for name, at in metric_columns(parts).items():
                if metric_name(parts.table, name) == metric:
                    column, keep = numeric(parts.values[at])
                    found.append([c[keep] for c in (parts.rows, self.steps_of(parts), parts.times, column, parts.sequences)])
        if not found or not sum(len(item[0]) for item in found):
            return None
        rows, steps, times, column, sequences = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return last_of_each_row(Points(rows, steps, times, column), sequences)

    def steps_of(self, parts: Parts) -> np.ndarray:
        """Return the steps of parts: their own, that of their row if it came in another part, or the row number."""
        if parts.has_step.all():
            return parts.steps
        known = self.row_steps()
        bare = [known.get(row, row) for row in parts.rows.tolist()]
        return np.where(parts.has_step, parts.steps, np.array(bare, np.int64))

    def row_steps(self) -> dict[int, int]:
        """Return row → step for all rows here that have one."""
        found: dict[int, int] = {}
        for parts in self.parts:
            mask = parts.has_step
            if mask.any():
                found.update(zip(parts.rows[mask].tolist(), parts.steps[mask].tolist(), strict=True))
        return found

    def groups(self) -> list[Group]:
        """Return all points, metrics that were logged together side by side, in the order of logging; later values of a row win."""
        apart = self._logged_again()
        found: list[Group] = []
        for metric in sorted(apart):
            points = self.points(metric)
            if points is not None:
                found.append(Group(points.rows, points.steps, points.times, {metric: points.values}))
        for (table, _), several in self._stacks.items():
            found += self._groups_of(table, several, apart)
        return found

    def _logged_again(self) -> set[str]:
        """Return the metrics that some row has twice, logged together with other names each time."""
        of: dict[str, list[list[Parts]]] = {}
        for (table, _), stack in self._stacks.items():
            for name in metric_columns(stack[0]):
                of.setdefault(metric_name(table, name), []).append(stack)
        found = set()
        for metric, stacks in of.items():
            if len(stacks) > 1:
                rows = [np.unique(np.concatenate([parts.rows for parts in stack])) for stack in stacks]
                if len(np.unique(np.concatenate(rows))) < sum(map(len, rows)):
                    found.add(metric)
        return found

    def _groups_of(self, table: str, several: list[Parts], apart: set[str]) -> list[Group]:
        rows = np.concatenate([p.rows for p in several])
        steps = np.concatenate([self.steps_of(p) for p in several])
        times = np.concatenate([p.times for p in several])
        unique = len(rows) < 2 or bool((np.diff(rows) > 0).all())
        whole: dict[str, np.ndarray] = {}
        found: list[Group] = []
        for name, at in metric_columns(several[0]).items():
            if metric_name(table, name) in apart:
                continue
            pairs = [numeric(p.values[at]) for p in several]
            keep = np.concatenate([pair[1] for pair in pairs])
            column = np.concatenate([pair[0] for pair in pairs])
            if keep.all() and unique:
                whole[metric_name(table, name)] = column
            elif keep.any():
                points = last_of_each_row(Points(rows[keep], steps[keep], times[keep], column[keep]), np.arange(len(rows))[keep])
                found.append(Group(points.rows, points.steps, points.times, {metric_name(table, name): points.values}))
        return [Group(rows, steps, times, whole), *found] if whole else found


def parts_from(saved: list[Any]) -> Parts:
    """Return the parts that `Tail.saved` gave; columns of values stay lists."""
    table, names, sequences, rows, steps, has_step, times, columns = saved
    heads = (np.array(sequences, np.int64), np.array(rows, np.int64), np.array(steps, np.int64), np.array(has_step, bool))
    return Parts(table, tuple(names), *heads, np.array(times, "f8"), columns)


def _listed(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else column


def metric_columns(parts: Parts) -> dict[str, int]:
    """Return name → place of the values that are metrics: all but the one that gives the step."""
    step = next((key for key in STEP_KEYS if key in parts.names and _is_step(parts, key)), None)
    return {name: at for at, name in enumerate(parts.names) if name != step}


def _is_step(parts: Parts, key: str) -> bool:
    column = parts.values[parts.names.index(key)]
    if isinstance(column, np.ndarray):
        return column.dtype.kind == "i"
    return any(type(value) is int for value in column[:1])


def columns_of(found: list[Parts], steps: list[np.ndarray]) -> Iterator[tuple[str, Parts]]:
    """Yield (metric, its column with one value for each row, in the order of rows) of parts that were read together."""
    of: dict[str, list[Parts]] = {}
    for parts, own in zip(found, steps, strict=True):
        for name, at in metric_columns(parts).items():
            piece = Parts("", (name,), parts.sequences, parts.rows, own, parts.has_step, parts.times, [parts.values[at]])
            of.setdefault(metric_name(parts.table, name), []).append(piece)
    for metric, pieces in of.items():
        whole = join(pieces)
        again = np.flatnonzero(np.diff(whole.rows) == 0)
        yield metric, chosen(whole, np.delete(np.arange(len(whole)), again)) if len(again) else whole


def numeric(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return (float64 values, mask of those that are numbers); booleans are 0 and 1, what is no number is NaN and not in the mask."""
    if isinstance(column, np.ndarray):
        return column.astype("f8"), np.ones(len(column), bool)
    values = [number_of(value) for value in column]
    keep = np.array([value is not None for value in values], bool)
    return np.array([np.nan if value is None else value for value in values], "f8"), keep


def number_of(value: Any) -> float | None:
    """Return a plain value as the float nearest to it, None if it is no number."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    revived = plain_values.revive(value)
    if isinstance(revived, int):
        try:
            return float(revived)
        except OverflowError:
            return float("inf") if revived > 0 else float("-inf")
    return float(revived) if type(revived).__name__ == "Decimal" else None


def last_of_each_row(points: Points, sequences: np.ndarray) -> Points:
    """Return the points with one for each row, the one with the highest sequence, in the order of rows."""
    rows = points.rows
    if len(rows) < 2 or bool((np.diff(rows) > 0).all()):
        return points
    order = np.lexsort((sequences, rows))
    last = np.append(np.diff(rows[order]) != 0, True)
    chosen = order[last]
    return Points(*(column[chosen] for column in points))
