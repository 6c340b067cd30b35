"""A summary is the same however the rows were cut into readings, and whichever of them held no numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml_logger.store.summaries import LiveSummary

VALUES = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([float("nan"), float("inf"), None, "text"]))


def summarised(column: list[Any], cuts: list[int]) -> list[Any]:
    found = LiveSummary()
    for lo, hi in zip([0, *cuts], [*cuts, len(column)], strict=True):
        piece: Any = column[lo:hi]
        if not piece:
            continue
        if all(isinstance(value, float) for value in piece):
            piece = np.array(piece)
        rows = np.arange(lo, hi)
        found.add_rows(0, rows, rows, piece)
    return [getattr(found, name) for name in LiveSummary.FIELDS]


@given(st.lists(VALUES, min_size=1, max_size=12), st.lists(st.integers(0, 12), max_size=6))
def test_cuts_change_nothing(column: list[Any], cuts: list[int]) -> None:
    places = sorted(cut for cut in cuts if cut <= len(column))
    assert repr(summarised(column, places)) == repr(summarised(column, []))  # NaN is like NaN


@given(st.lists(VALUES, min_size=1, max_size=12))
def test_numbers_are_what_is_counted_if_there_are_any(column: list[Any]) -> None:
    numbers = [value for value in column if isinstance(value, float)]
    n, bad = summarised(column, [])[:2]
    assert n == len(numbers or column)
    assert bad == sum(not np.isfinite(value) for value in numbers)
