"""Pages of a log: the index counts as `split` does, grows with the file, and filters line by line."""

from __future__ import annotations

import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_logger.errors import QuerySyntaxError
from ml_logger.query.lines import LineIndexes


def page(data: bytes, start: int, limit: int, match: str = "", indexes: LineIndexes | None = None) -> tuple[list[str], list[int], int]:
    found = (indexes or LineIndexes()).page("x", io.BytesIO(data), len(data), start, limit, match=match)
    return found.lines, found.numbers, found.total


def test_pages_and_tail() -> None:
    data = b"".join(b"line %d\n" % i for i in range(5000)) + b"open"
    assert page(data, 0, 2) == (["line 0", "line 1"], [0, 1], 5001)
    assert page(data, 2047, 2) == (["line 2047", "line 2048"], [2047, 2048], 5001)
    assert page(data, -1, 2) == (["line 4999", "open"], [4999, 5000], 5001)
    assert page(data, 6000, 2) == ([], [], 5001)
    assert page(b"", -1, 10) == ([], [], 0)
    assert page(b"a\r\n\xff\n", 0, 10) == (["a", "\ufffd"], [0, 1], 2)


def test_the_index_grows_and_notices_another_file() -> None:
    indexes = LineIndexes()
    data = b"a\n" * 1500
    assert page(data, -1, 1, indexes=indexes)[1:] == ([1499], 1500)
    data += b"b\n" * 1500
    assert page(data, 2047, 1, indexes=indexes) == (["b"], [2047], 3000)
    assert page(b"c\n" * 4000, 2047, 1, indexes=indexes) == (["c"], [2047], 4000)
    assert page(b"d\n", 0, 1, indexes=indexes) == (["d"], [0], 1)


def test_filter() -> None:
    data = b"".join(b"step %d\n" % i for i in range(3000))
    lines, numbers, total = page(data, 0, 3, r"^step \d*7$")
    assert (lines, numbers, total) == (["step 7", "step 17", "step 27"], [7, 17, 27], 300)
    assert page(data, -1, 1, "7$")[:2] == (["step 2997"], [2997])
    assert page(b"a\nb\n", 0, 9, r"a\sb") == ([], [], 0)
    assert page(b"a\nb\nab", 0, 9, r"a[^x]?b") == (["ab"], [2], 1)
    with pytest.raises(QuerySyntaxError):
        page(b"a", 0, 1, "(")


def test_a_filter_looks_at_what_a_terminal_shows() -> None:
    data = b"\x1b[32mINFO\x1b[0m step 1 \xf0\x9f\x8e\x89 loss\nother\n 1%\r50%\rdone step\x1b[2K 2\r\n\x1b[31m[0m\n"
    found = LineIndexes().page("x", io.BytesIO(data), len(data), 0, 9, match="step|loss")
    assert (found.numbers, found.total, found.marks) == ([0, 2], 2, [[5, 9, 15, 19], [5, 9]])
    assert found.lines[0].startswith("\x1b[32mINFO")
    assert page(data, 0, 9, "^INFO step")[1] == [0]
    assert page(data, 0, 9, "31m")[1] == []
    assert LineIndexes().page("x", io.BytesIO(b"aaa\n"), 4, 0, 9, match="a*?").marks == [[]]


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"a", b"bb", b"", b"\n", b"ab\n"]), max_size=60), st.integers(-1, 20), st.integers(0, 8))
def test_pages_are_slices(parts: list[bytes], start: int, limit: int) -> None:
    data = b"".join(parts)
    expected = [line.decode() for line in data.split(b"\n")]
    expected = expected[:-1] if expected[-1] == "" else expected
    first = max(0, len(expected) - limit) if start < 0 else start
    assert page(data, start, limit) == (expected[first : first + limit], list(range(len(expected)))[first : first + limit], len(expected))
    wanted = [(number, line) for number, line in enumerate(expected) if "a" in line]
    chosen = wanted[max(0, len(wanted) - limit) :] if start < 0 else wanted[start : start + limit]
    assert page(data, start, limit, "a") == ([line for _, line in chosen], [number for number, _ in chosen], len(wanted))


def test_a_long_log_is_quick_and_a_long_line_is_cut() -> None:
    data = b"".join(b"epoch %d loss 0.123 accuracy 0.9\n" % i for i in range(1_000_000))
    indexes = LineIndexes()
    page(data, -1, 100, indexes=indexes)
    start = time.perf_counter()
    for first in (0, 500_000, -1):
        assert len(page(data, first, 100, indexes=indexes)[0]) == 100
    assert time.perf_counter() - start < 1
    line = page(b"x" * 5_000_000 + b"\nnext\n", 0, 5)
    assert len(line[0][0]) == (1 << 16) + 1
    assert line[0][1:] == ["next"]
