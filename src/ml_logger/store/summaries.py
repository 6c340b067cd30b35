"""Running statistics of one metric of one run, whoever writes it and however its rows are cut into readings. Knows no journal.

The value of a row that its writer may still log again is kept apart (`open`): a later value replaces it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ml_logger.answers import MetricSummary
from ml_logger.formats import values
from ml_logger.store.tails import number_of


class OpenValue(NamedTuple):
    """What a writer logged last, in a row that may not be over."""

    writer: int
    row: int
    step: int
    value: Any


class LiveSummary:
    """Running statistics of one metric of one run: all writers of the newest `attempt` that logged it."""

    FIELDS = ("n", "bad", "last", "first", "low", "high", "last_step", "argmin", "argmax", "numeric")
    __slots__ = (*FIELDS, "attempt", "open", "settled")

    def __init__(self, attempt: int = 0) -> None:
        """Begin with nothing."""
        self.attempt = attempt
        self.n = self.bad = 0
        self.last: Any = None
        self.first: Any = None
        self.low: float | None = None
        self.high: float | None = None
        self.last_step: int | None = None
        self.argmin: int | None = None
        self.argmax: int | None = None
        self.numeric = True
        self.open: tuple[OpenValue, ...] = ()
        self.settled: tuple[Any, ...] = ()

    def add_rows(self, writer: int, rows: np.ndarray, steps: np.ndarray, column: Any) -> None:
        """Take in one value for each of a writer's `rows`; if its newest row is logged again, the value is replaced, not added to."""
        mine = [item for item in self.open if item.writer == writer]
        rest = [item for item in self.open if item.writer != writer]
        self._go_back()
        for item in mine:
            if item.row != int(rows[0]):
                self._add_one(item.step, item.value)
        self.add(steps[:-1], column[:-1])
        last = column[-1].item() if isinstance(column, np.ndarray) else column[-1]
        self._keep_open([*rest, OpenValue(writer, int(rows[-1]), int(steps[-1]), last)])

    def settle(self, open_rows: Mapping[int, int]) -> None:
        """Count values for good whose rows are over: all but those of `open_rows` (writer → row)."""
        rest = [item for item in self.open if open_rows.get(item.writer) == item.row]
        if len(rest) == len(self.open):
            return
        over = [item for item in self.open if open_rows.get(item.writer) != item.row]
        self._go_back()
        for item in over:
            self._add_one(item.step, item.value)
        self._keep_open(rest)

    def settled_fields(self) -> tuple[Any, ...]:
        """Return FIELDS without the values that may be replaced."""
        return self.settled if self.open else self._fields()

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.FIELDS)

    def _go_back(self) -> None:
        """Take the open values out."""
        if self.open:
            for name, value in zip(self.FIELDS, self.settled, strict=True):
                setattr(self, name, value)
        self.open = ()

    def _keep_open(self, found: list[OpenValue]) -> None:
        """Add values so that they can be taken out again."""
        self.settled, self.open = self._fields() if found else (), tuple(found)
        for item in found:
            self._add_one(item.step, item.value)

    def _add_one(self, step: int, value: Any) -> None:
        """Do what `add` does, for one value and without an array."""
        if not isinstance(value, (bool, int, float)):
            self._add_mixed(np.array([step]), [value])
            return
        self._begin_numbers(value)
        if self.last_step is None or step >= self.last_step:
            self.last, self.last_step = value, step
        self.n += 1
        if math.isfinite(value):
            self._extreme(float(value), step, float(value), step)
        else:
            self.bad += 1

    def _begin_numbers(self, first: Any) -> None:
        """Begin to count with the first number: values that are none count only as long as there is no number."""
        if not self.numeric or self.n == 0:
            self.numeric, self.n, self.first = True, 0, first

    def add(self, steps: np.ndarray, column: Any) -> None:
        """Take in values at steps, in the order of logging; arrays are numbers, lists may hold anything."""
        if len(steps) == 0:
            return
        if isinstance(column, list):
            self._add_mixed(steps, column)
            return
        numbers = column.astype("f8")
        self._note_last(int(steps[-1]), int(steps.max()), column, steps)
        self._begin_numbers(column[0].item())
        self.n += len(column)
        finite = np.isfinite(numbers)
        if finite.all():
            low, high = int(numbers.argmin()), int(numbers.argmax())
        else:
            self.bad += int(len(numbers) - finite.sum())
            if not finite.any():
                return
            low, high = int(np.where(finite, numbers, np.inf).argmin()), int(np.where(finite, numbers, -np.inf).argmax())
        self._extreme(float(numbers[low]), int(steps[low]), float(numbers[high]), int(steps[high]))

    def _note_last(self, newest: int, highest: int, column: np.ndarray, steps: np.ndarray) -> None:
        if self.last_step is None or highest >= self.last_step:
            at = len(steps) - 1 if newest == highest else int(len(steps) - 1 - np.argmax(steps[::-1]))
            self.last, self.last_step = column[at].item(), highest

    def _extreme(self, low: float, low_step: int, high: float, high_step: int) -> None:
        if self.low is None or low < self.low:
            self.low, self.argmin = low, low_step
        if self.high is None or high > self.high:
            self.high, self.argmax = high, high_step

    def _add_mixed(self, steps: np.ndarray, column: list[Any]) -> None:
        """Take in values of any kind; a number that is no float (2**200, a Decimal) counts as the float nearest to it."""
        numbers = {at: number for at, value in enumerate(column) if (number := number_of(value)) is not None}
        if numbers:
            before, is_first = (self.last, self.last_step), not self.numeric or self.n == 0
            places = list(numbers)
            self.add(steps[places], np.array(list(numbers.values()), "f8"))
            self.last, self.last_step = before
            if is_first:
                self.first = values.revive(column[places[0]])
        elif self.n == 0 or not self.numeric:
            self.n += len(column)
            self.numeric = False
        at = int(len(steps) - 1 - np.argmax(steps[::-1]))
        if self.last_step is None or int(steps[at]) >= self.last_step:
            self.last, self.last_step = values.revive(column[at]), int(steps[at])
        if self.first is None:
            self.first = values.revive(column[0])

    def answer(self) -> MetricSummary:
        """Return it as a table shows it."""
        return MetricSummary(self.last, self.low, self.high, self.first, self.n, self.bad, self.last_step, self.argmin, self.argmax)
