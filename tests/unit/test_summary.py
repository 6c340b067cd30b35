"""Statistics of stored metrics, against NumPy, on ragged, missing and textual data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_logger.summary import SummaryCache, summarize

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@settings(deadline=None)
@given(NUMBERS)
def test_statistics_agree_with_numpy(numbers: list[float]) -> None:
    found = summarize(numbers, "sum,min_max,std,quantile,median,count")
    array = np.array(numbers)
    assert found["sum"] == pytest.approx(array.sum(), abs=1e-6)
    assert found["mean"] == pytest.approx(array.mean(), abs=1e-9 * (1 + abs(array).max()))
    assert (found["min"], found["max"], found["count"]) == (array.min(), array.max(), len(array))
    assert found["stddev"] == pytest.approx(array.std(), abs=1e-6)
    assert [found[q] for q in ("0", "25", "50", "75", "100")] == pytest.approx(list(np.quantile(array, [0, 0.25, 0.5, 0.75, 1])))
    assert found["median"] == pytest.approx(np.median(array))


@settings(deadline=None)
@given(NUMBERS)
def test_histogram_counts_every_number_once(numbers: list[float]) -> None:
    found = summarize(numbers, "histogram")
    assert sum(found["histogram"]) == len(numbers)
    assert len(found["edges"]) == len(found["histogram"]) + 1


def test_ragged_missing_and_nested_values() -> None:
    values = [1, None, [2.0, [3, float("nan")]], np.array([[4, 5], [6, 7]]), {"a": 8}, "text"]
    assert summarize(values, "mean count") == {"mean": 4.5, "count": 8}


def test_text_alone_keeps_the_last_and_nothing_gives_nothing() -> None:
    assert summarize(["a", "b", None], "mean") == {"last": "b"}
    assert summarize([None, float("nan")], "mean") == {}


def test_an_unknown_statistic_is_named() -> None:
    with pytest.raises(ValueError, match=r"'avarage'.*mean"):
        summarize([1], "avarage")


@pytest.mark.parametrize(
    ("name", "keys"), [("min_max", {"mean", "min", "max"}), ("std_dev", {"stddev", "mean", "mode"}), ("std", {"stddev", "mean", "mode"})]
)
def test_compound_statistics(name: str, keys: set[str]) -> None:
    assert set(summarize([1, 2, 2], name)) == keys


def test_statistics_have_more_names_than_one() -> None:
    for name in ("std", "std_dev", "stddev"):
        assert set(summarize([1.0, 3.0], name)) == {"stddev", "mean", "mode"}
    assert summarize([1.0, 3.0], "quantiles")["50"] == 2.0
    with pytest.raises(ValueError, match="window is 0"):
        SummaryCache("rolling", window=0)


def test_s32_tiled_is_empty_after_its_summary() -> None:
    cache = SummaryCache()
    for i in range(100):
        cache.store({"some_val/smooth": 10}, some=20, timestep=i)
    assert cache.summarize() == {"some_val/smooth/mean": 10.0, "some/mean": 20.0, "timestep/mean": 49.5}
    assert not cache
    assert cache.summarize() == {}


def test_rolling_keeps_the_last_window() -> None:
    cache = SummaryCache(mode="rolling", window=3, default_stats="max")
    for i in range(5):
        cache.store(a=i)
    assert cache.summarize() == {"a/max": 4.0}
    assert cache["a"] == [2, 3, 4]
    cache.summarize(force_clear=True)
    assert "a" not in cache


def test_statistics_by_key() -> None:
    cache = SummaryCache()
    cache.store(a=1, b=2, c=3)
    cache.store(a=3, b=4, c=5)
    found = cache.summary_stats(key_stats={"a": "min_max"}, b="sum")
    assert found == {"a/mean": 2.0, "a/min": 1.0, "a/max": 3.0, "b/sum": 6.0, "c/mean": 4.0}
    assert cache.summary_stats(key_stats={"a": "max"}, explicit=True) == {"a/max": 3.0}
    assert cache.summary_stats("c", stats="min") == {"c/min": 3.0}


def test_reading_the_cache() -> None:
    cache = SummaryCache()
    cache.store(a=1, b=math.pi)
    cache.store(a=2)
    assert cache.peek("a", len=1) == {"a": [1]}
    assert cache.get("a") == [1, 2]
    assert cache.get("nope", 0) == 0
    assert cache.pop("b") == [math.pi]
    assert repr(cache) == "SummaryCache(a: 2)"
    with pytest.raises(ValueError, match="tiled or rolling"):
        SummaryCache(mode="sliding")
