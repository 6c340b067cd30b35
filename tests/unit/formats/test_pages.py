"""A page of runs is the same JSON as any other answer, however quickly it was made."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ml_logger.answers import Column, MetricSummary, RunRow, RunsPage
from ml_logger.formats.pages import PageEncoder, is_plain
from ml_logger.formats.values import jsonable

values: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(max_size=4), st.lists(st.floats(), max_size=3), st.just(dt.date(2030, 1, 2)),
)  # fmt: skip
steps = st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1))
summaries = st.builds(MetricSummary, last=values, first=values, n=st.integers(0, 1 << 40), last_step=steps, argmin=steps, argmax=steps)
rows = st.builds(
    RunRow, st.text("ab/"), st.text("ab"), params=st.dictionaries(st.text("ab."), values, max_size=4),
    metrics=st.dictionaries(st.text("ab/"), summaries, max_size=3), tags=st.lists(st.text("t"), max_size=2),
)  # fmt: skip


@given(st.lists(rows, max_size=4))
def test_the_same_as_jsonable(found: list[RunRow]) -> None:
    page = RunsPage(len(found), 9, 0, found, [Column("a", "param", 1, numeric=True)], version=3)
    encoder = PageEncoder(most=2)
    for _ in range(2):
        assert json.loads(encoder.encode(page)) == json.loads(json.dumps(jsonable(page)))


def test_a_row_that_changed_is_encoded_anew() -> None:
    encoder = PageEncoder()
    for number in range(3):
        page = RunsPage(1, 1, 0, [RunRow("a", "a", params={"x": number})])
        assert json.loads(encoder.encode(page))["rows"][0]["params"] == {"x": number}


def test_what_is_plain() -> None:
    assert is_plain(RunRow("a", "a", params={"x": 1.5, "y": "z", "b": True}, metrics={"m": MetricSummary(last=1 << 53)}))
    for odd in (float("nan"), float("-inf"), (1 << 53) + 1, b"", [1], dt.date(2030, 1, 1)):
        assert not is_plain(RunRow("a", "a", params={"x": odd}))
        assert not is_plain(RunRow("a", "a", metrics={"m": MetricSummary(last=odd)}))
