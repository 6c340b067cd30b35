"""No text makes the search language do anything but parse or raise `QuerySyntaxError`, within a second."""

from __future__ import annotations

import time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ml_logger.errors import QuerySyntaxError
from ml_logger.query.language import parse
from ml_logger.query.terms import leaves, written

WORDS = ["lr", "loss.min", "<", ">=", "==", "!=", "~", ":", "(", ")", "[", "]", ",", "and", "or", "not", "in", "exists", "sort", "-acc",
         '"a b"', "`n`", "/x.*/", "1e-3", "10k", "2d", "2030-01-01", "diverged", "spiked", "after", "sigma", "status",
         "'", '"', "\\", "\x00", "é"]  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
        st.lists(st.sampled_from(WORDS), max_size=40).map("".join),
    )
)
@example("status: [x")
@example("a:b:c:d")
@example("\ud800 = \ud800")
@settings(deadline=None)
def test_parse_or_say_why(text: str) -> None:
    try:
        search = parse(text)
    except QuerySyntaxError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - most texts are no query
        return
    for leaf in leaves(search.where):
        assert 0 <= leaf.start <= leaf.end <= len(text)
    assert len(leaves(parse(written(search.where, text)).where)) == len(leaves(search.where))


def test_hostile_patterns_are_quick() -> None:
    start = time.perf_counter()
    for pattern in ("(a+)+$", "(a|a)*b", "(.*)*x", "a{1000}{1000}", "(((((a{50}){50}){50}){50}){50})"):
        try:
            parse(f'name ~ "{pattern}"')
        except QuerySyntaxError as error:
            assert "regular expression" in error.reason  # noqa: PT017
    assert time.perf_counter() - start < 1
