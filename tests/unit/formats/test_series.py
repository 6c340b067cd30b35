"""The series body: what is encoded comes back, and the golden file that the TypeScript decoder reads stays readable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml_logger.answers import SeriesHeader, SeriesInfo
from ml_logger.formats.series import decode, encode

GOLDEN = Path(__file__).parents[2] / "golden" / "series.bin"


def example() -> tuple[SeriesHeader, list[np.ndarray]]:
    points = SeriesInfo("group/run é", 3, exact=True, logged=4, stored=4, shown=3, bad=1, marks=[[2.0, "nan"]])
    buckets = SeriesInfo("b", 2, exact=False, logged=10, stored=10, shown=10, runs=2, group={"lr": 0.1}, smoothed=True)
    empty = SeriesInfo("c", 0, exact=True, logged=0, stored=0, shown=0)
    header = SeriesHeader("loss", "step", 0.0, None, [points, buckets, empty], missing=1, version=7)
    columns = [[0, 1, 2], [0.5, -0.0, np.nan], [0.5, 2.5], [1.5, 3e-320], [1, -1e308], [2, np.nan], [4, 6], [], []]
    return header, [np.array(column, "f8") for column in columns]


def test_round_trip() -> None:
    header, arrays = example()
    found, columns = decode(encode(header, arrays))
    assert found == header
    assert [column.tobytes() for column in columns] == [array.tobytes() for array in arrays]


def test_golden_file() -> None:
    header, arrays = example()
    assert encode(header, arrays) == GOLDEN.read_bytes()


def test_columns_are_aligned() -> None:
    header, arrays = example()
    for metric in ("", "a", "ab", "abcdefg"):
        header.metric = metric
        body = encode(header, arrays)
        assert (4 + int.from_bytes(body[:4], "little")) % 8 == 0


@pytest.mark.parametrize("cut", [3, 40, -8, -1])
def test_a_cut_body_is_an_error(cut: int) -> None:
    with pytest.raises(ValueError):
        decode(encode(*example())[:cut])


def test_left_over_bytes_are_an_error() -> None:
    with pytest.raises(ValueError, match="left over"):
        decode(b"".join([encode(*example()), b"\0" * 8]))
