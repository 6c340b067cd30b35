"""Columns of numbers come back bit for bit, and those that are no noise are short."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_logger.formats import numbers

RNG = np.random.default_rng(0)
ROUNDED = st.builds(round, st.floats(-1e6, 1e6), st.integers(0, 9))
COLUMNS = st.one_of(
    st.lists(st.floats(), min_size=1, max_size=90),
    st.lists(ROUNDED, min_size=1, max_size=90),
    st.lists(st.sampled_from([0.0, -0.0, 0.1, 0.5, 1e-9, 1e300, float("nan")]), min_size=1, max_size=90),
    st.lists(st.floats(width=32), min_size=1, max_size=90),
    st.lists(st.integers(-(2**60), 2**60).map(float), min_size=1, max_size=90),
)


def bits(values: np.ndarray) -> list[int]:
    return values.view("<u8").tolist()


@given(COLUMNS, st.sampled_from([1, 9]))
def test_floats(values: list[float], level: int) -> None:
    column = np.array(values, "f8")
    assert bits(numbers.unpack(numbers.pack(column, level), len(column))) == bits(column)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=90))
def test_integers(values: list[int]) -> None:
    column = np.array(values, "i8")
    assert numbers.unpack_integers(numbers.pack_integers(column), len(column)).tolist() == values


@given(st.integers(-(2**62), 2**62), st.integers(-(2**50), 2**50), st.integers(1, 90))
def test_what_is_even_is_a_head(first: int, stride: int, n: int) -> None:
    column = first + stride * np.arange(n)
    assert len(numbers.pack_integers(column)) <= 19


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (np.full(8192, 1e-3), 0.01),
        (RNG.normal(size=8192).round(4), 3.0),
        (RNG.normal(size=8192).cumsum().round(3), 2.1),
        (np.arange(8192.0), 0.01),
        (RNG.normal(size=8192).astype("f4").astype("f8"), 3.6),
        (RNG.normal(size=8192), 7.4),
        (RNG.normal(size=20).round(5), 4.0),
    ],
)
def test_bytes_a_number(values: np.ndarray, most: float) -> None:
    assert len(numbers.pack(values)) / len(values) < most


def test_another_count_is_refused() -> None:
    for values in (RNG.normal(size=100), np.arange(100.0) ** 2, RNG.normal(size=100).round(2), np.arange(400.0) ** 0.5):
        blob = numbers.pack(values)
        for n in (1, 99, 101):
            with pytest.raises(ValueError, match="column"):
                numbers.unpack(blob, n)
    with pytest.raises(ValueError, match="no integers"):
        numbers.unpack_integers(numbers.pack(RNG.normal(size=100)), 100)


@given(st.binary(max_size=60), st.integers(1, 20))
def test_hostile_bytes_are_refused_or_numbers(blob: bytes, n: int) -> None:
    for unpack in (numbers.unpack, numbers.unpack_integers):
        with contextlib.suppress(ValueError):
            assert len(unpack(blob, n)) == n


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_numbers(at: int, byte: int) -> None:
    blob = bytearray(numbers.pack(np.sin(np.arange(300.0)).astype("f4").astype("f8")))
    blob[at % len(blob)] = byte
    with contextlib.suppress(ValueError):
        assert len(numbers.unpack(bytes(blob), 300)) == 300
