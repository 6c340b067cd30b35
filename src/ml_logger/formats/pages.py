"""A page of runs as strict JSON, quickly: rows of plain, finite values are encoded as they are. Knows no store.

A row that was encoded before, and is the same object, is not encoded again: stores hand out a run's row until the run changes.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from ml_logger.answers import RunRow, RunsPage
from ml_logger.formats.values import jsonable

MOST_ROWS = 4096
"""Rows whose JSON is kept: some 6 KiB each."""
_PLAIN = {bool, int, float, str, type(None)}
_SAFE = 1 << 53
_json = msgspec.json.Encoder()


class PageEncoder:
    """Encodes pages, and remembers rows. For several threads: at worst a row is encoded twice."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        """Remember at most so many rows."""
        self._most = most
        self._known: OrderedDict[int, tuple[RunRow, bytes]] = OrderedDict()

    def encode(self, page: RunsPage) -> bytes:
        """Return the page as JSON; non-finite floats and large integers are tagged, as `jsonable` does."""
        rest = msgspec.structs.replace(page, rows=[])
        body = {name: jsonable(getattr(rest, name)) for name in rest.__struct_fields__}
        body["rows"] = [msgspec.Raw(self._row(row)) for row in page.rows]
        return _json.encode(body)

    def _row(self, row: RunRow) -> bytes:
        known = self._known.get(id(row))
        if known is not None and known[0] is row:
            return known[1]
        found = _json.encode(row if is_plain(row) else jsonable(row))
        self._known[id(row)] = row, found  # the row is kept with it, so that no other can have its id
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return found


def is_plain(row: RunRow) -> bool:
    """Tell whether JSON says all of a row as it is: no value is of a rare type, not finite, or an integer beyond 2**53."""
    values: list[Any] = list(row.params.values())
    for summary in row.metrics.values():
        values += (summary.last, summary.first, summary.last_step, summary.argmin, summary.argmax)
    return set(map(type, values)) <= _PLAIN and _is_exact(values)


def _is_exact(values: Iterable[Any]) -> bool:
    whole, total = 0, 0.0
    for value in values:
        if type(value) is float:
            total += value - value  # NaN if it is not finite
        elif type(value) is int:
            whole = max(whole, abs(value))
    return math.isfinite(total) and whole <= _SAFE
