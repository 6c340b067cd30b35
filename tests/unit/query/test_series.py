"""`GetSeries` on curves in memory: exact points, buckets, writers, groups, smoothing, windows, odd metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ml_logger.queries import GetSeries, Smoothing
from ml_logger.query.downsample import Curves
from ml_logger.query.series import Group, Loaded, answer_series


def loaded(*series: tuple[int, Any, Any]) -> Loaded:
    """Return what a store would give for (run, x, values) of each writer."""
    x = [np.asarray(s[1], "f8") for s in series]
    y = [np.asarray(s[2], "f8") for s in series]
    bounds = np.concatenate(([0], np.cumsum([len(part) for part in x]))).astype("i8")
    bad = np.array([int((~np.isfinite(part)).sum()) for part in y])
    flat = np.concatenate(y) if y else np.zeros(0)
    curves = Curves(bounds, np.concatenate(x) if x else np.zeros(0), np.where(np.isfinite(flat), flat, np.nan))
    sizes = np.diff(bounds)
    return Loaded(curves, np.array([s[0] for s in series], "i8"), np.zeros(len(series)), sizes, bad, {})


def test_points_that_fit_are_exact_and_others_are_buckets() -> None:
    header, arrays = answer_series(
        GetSeries("loss", bins=10), ["a", "b"], loaded((0, range(5), [5, 4, 3, 2, 1]), (1, range(100), range(100)))
    )
    first, second = header.series
    assert (first.exact, first.n, first.logged, first.shown) == (True, 5, 5, 5)
    assert arrays[1].tolist() == [5, 4, 3, 2, 1]
    assert (second.exact, second.n, second.shown) == (False, 10, 100)
    assert (arrays[4].min(), arrays[5].max(), arrays[6].sum()) == (0, 99, 100)
    assert (header.lo, header.hi, header.missing) == (0, 99, 0)


def test_a_window_and_what_is_new() -> None:
    data = loaded((0, range(100), range(100)))
    header, arrays = answer_series(GetSeries("loss", lo=10, hi=14, bins=10), ["a"], data)
    assert arrays[0].tolist() == [10, 11, 12, 13, 14]
    assert header.series[0].exact
    assert answer_series(GetSeries("loss", since=97, bins=10), ["a"], data)[1][0].tolist() == [98, 99]
    header, arrays = answer_series(GetSeries("loss", lo=500, hi=600), ["a"], data)
    assert (header.series[0].n, header.series[0].logged) == (0, 100)


def test_a_window_tells_the_neighbours_that_its_lines_go_on_to() -> None:
    data = loaded((0, range(100), range(100)), (0, [9.5, 30], [7, 8]), (1, [0, 50], [1, np.nan]), (2, [3], [4]))
    info = answer_series(GetSeries("loss", lo=10, hi=14.5), ["a", "b", "c"], data)[0].series
    assert [(one.n, one.before, one.after) for one in info] == [(5, [9.5, 7], [15, 15]), (0, [0, 1], [50, None]), (0, [3, 4], None)]
    tail = answer_series(GetSeries("loss", lo=10, hi=14.5, since=12), ["a", "b", "c"], data)[0].series[0]
    assert (tail.n, tail.before, tail.after) == (2, None, [15, 15])
    whole = answer_series(GetSeries("loss"), ["a", "b", "c"], data)[0].series
    assert {(one.before, one.after) for one in whole} == {(None, None)}


def test_writers_of_a_run_are_pooled() -> None:
    header, arrays = answer_series(GetSeries("loss"), ["a"], loaded((0, [0, 1, 2], [1, 2, 3]), (0, [0, 1], [3, 6])))
    x, mean, low, high, count = arrays
    assert not header.series[0].exact
    assert (x.tolist(), mean.tolist(), low.tolist(), high.tolist(), count.tolist()) == (
        [0, 1, 2],
        [2, 4, 3],
        [1, 2, 3],
        [3, 6, 3],
        [2, 2, 1],
    )
    assert header.series[0].logged == 5


def test_groups_are_mean_and_std_over_all_runs() -> None:
    data = loaded((0, range(3), [1, 2, 3]), (1, range(3), [3, 4, 5]), (2, range(3), [10, 10, 10]))
    groups = [Group("lr=0.1", {"lr": 0.1}, [0, 1]), Group("lr=1", {"lr": 1}, [2]), Group("none", {}, [3])]
    header, (x, mean, low, high, count, *rest) = answer_series(GetSeries("loss", group_by=["lr"]), list("abcd"), data, groups)
    assert [(s.key, s.runs, s.group) for s in header.series] == [("lr=0.1", 2, {"lr": 0.1}), ("lr=1", 1, {"lr": 1})]
    assert (x.tolist(), mean.tolist(), low.tolist(), high.tolist(), count.tolist()) == (
        [0, 1, 2],
        [2, 3, 4],
        [1, 2, 3],
        [3, 4, 5],
        [2, 2, 2],
    )
    assert rest[1].tolist() == [10, 10, 10] == rest[2].tolist()
    assert header.missing == 1


RAGGED = (
    (0, range(0, 101, 2), np.arange(0, 101, 2) ** 1.5),
    (1, [1, 7, 30, 33, 36, 90], [5, 3, np.nan, 9, np.nan, 40]),
    (2, range(0, 100, 3), np.sin(np.arange(0, 100, 3))),
    (2, range(0, 100, 5), np.cos(np.arange(0, 100, 5))),
    (3, [50], [7]),
)
"""Steps of four runs that hardly ever meet, one of them of two writers; a gap and a point that was never finite."""


@pytest.mark.parametrize(("center", "spread"), [("mean", "std"), ("median", "iqr"), ("mean", "minmax")])
@pytest.mark.parametrize(("lo", "hi"), [(31, 61), (10.5, 10.9), (90, 100), (None, 40), (34, None), (55, 300), (-9, -1)])
def test_a_zoom_changes_no_value_of_a_group_and_its_line_goes_on(lo: float | None, hi: float | None, center: Any, spread: Any) -> None:
    groups, keys = [Group("all", {}, [0, 1, 2, 3]), Group("two", {}, [2])], list("abcd")
    query = GetSeries("loss", group_by=["x"], center=center, spread=spread)
    _, whole = answer_series(query, keys, loaded(*RAGGED), groups)
    query.lo, query.hi = lo, hi
    header, part = answer_series(query, keys, loaded(*RAGGED), groups)
    for at, info in enumerate(header.series):
        every, cut = whole[5 * at : 5 * at + 5], part[5 * at : 5 * at + 5]
        inside = np.flatnonzero((every[0] >= (-np.inf if lo is None else lo)) & (every[0] <= (np.inf if hi is None else hi)))
        for column, of_whole in zip(cut, every, strict=True):
            np.testing.assert_allclose(column, of_whole[inside], rtol=1e-12)
        place = np.searchsorted(every[0], lo) - 1 if lo is not None else -1
        _is_item(info.before, every, int(place))
        _is_item(info.after, every, len(every[0]) if hi is None else int(np.searchsorted(every[0], hi, "right")))


def _is_item(found: list[float | None] | None, columns: list[np.ndarray], at: int) -> None:
    if not 0 <= at < len(columns[0]):
        assert found is None
        return
    assert found is not None
    np.testing.assert_allclose([np.nan if one is None else one for one in found], [column[at] for column in columns[:4]], rtol=1e-12)


def test_a_member_that_is_sparse_takes_part_in_each_bucket_of_a_zoomed_group() -> None:
    data = loaded((0, range(10_000), np.zeros(10_000)), (1, [0, 9_999], [10, 10]))
    query = GetSeries("loss", group_by=["x"], lo=2_000, hi=4_000, bins=100)
    header, (x, mean, *_, count) = answer_series(query, ["a", "b"], data, [Group("all", {}, [0, 1])])
    assert (len(x), set(mean), set(count), header.series[0].shown) == (100, {5.0}, {2.0}, 2_001)


def test_smoothing_is_the_same_in_every_window() -> None:
    values = np.random.default_rng(0).normal(size=300).cumsum()
    data = loaded((0, range(300), values))
    query = GetSeries("loss", smoothing=Smoothing("ema", 0.9), bins=500)
    header, whole = answer_series(query, ["a"], data)
    query.lo, query.hi = 100, 150
    _, part = answer_series(query, ["a"], data)
    assert header.series[0].exact
    assert header.series[0].smoothed
    np.testing.assert_array_equal(part[1], whole[1][100:151])
    query = GetSeries("loss", smoothing=Smoothing("ema", 0.9), bins=10)
    _, buckets = answer_series(query, ["a"], data)
    assert (buckets[2].min(), buckets[3].max()) == (values.min(), values.max())


def test_buckets_of_the_store_are_smoothed_too() -> None:
    points = loaded((0, range(4), [0, 4, 4, 4]), (1, range(4), [8, 8, 8, 0]))
    header, arrays = answer_series(
        GetSeries("loss", smoothing=Smoothing("mean", 3)), ["a", "b"], points._replace(curves=points.curves.filled())
    )
    assert [one.smoothed for one in header.series] == [True, True]
    assert arrays[1].tolist() == answer_series(GetSeries("loss", smoothing=Smoothing("mean", 3)), ["a", "b"], points)[1][1].tolist()
    assert (arrays[2].tolist(), arrays[3].tolist()) == ([0, 4, 4, 4], [0, 4, 4, 4])


@pytest.mark.parametrize("values", [[], [np.nan], [np.nan, np.nan], [1.0], [np.inf, 1.0], [5.0] * 30])
def test_odd_metrics_break_nothing(values: list[float]) -> None:
    data = loaded((0, range(len(values)), values), (1, range(40), range(40)))
    groups = [Group("g", {}, [0, 1])]
    for smoothing in (Smoothing(), Smoothing("ema", 0.5), Smoothing("gaussian", 2), Smoothing("mean", 3)):
        for bins in (1, 7, 1000):
            header, arrays = answer_series(GetSeries("m", bins=bins, smoothing=smoothing), ["a", "b"], data)
            assert header.series[0].logged == len(values)
            assert all(len(column) <= bins for column in arrays)
            for center, spread in (("mean", "std"), ("median", "iqr"), ("iqm", "ci95"), ("mean", "minmax"), ("mean", "sem")):
                header, arrays = answer_series(
                    GetSeries("m", bins=bins, smoothing=smoothing, center=center, spread=spread),
                    ["a", "b"],
                    data,
                    groups,  # type: ignore[arg-type]
                )
                assert len(header.series) == 1
                assert np.isfinite(arrays[1]).any()


def test_no_run_has_the_metric() -> None:
    header, arrays = answer_series(GetSeries("nothing"), ["a", "b"], loaded())
    assert (header.series, arrays, header.missing) == ([], [], 2)
