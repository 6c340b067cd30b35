"""Downsampling, smoothing and aggregation against plain NumPy on the raw points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml_logger.queries import Smoothing
from ml_logger.query.aggregate import grid_of, matrix
from ml_logger.query.downsample import Curves, bucket_of, downsample, joined, pooled, selected, window
from ml_logger.query.smooth import context, smooth

VALUES = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([float("nan"), float("inf"), 0.0]))


@st.composite
def curves(draw: st.DrawFn) -> Curves:
    """One to four curves with steps in order, some of them repeated."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        x = np.sort(np.array(draw(st.lists(st.integers(0, 60), max_size=50)), "f8"))
        y = draw(arrays("f8", len(x), elements=VALUES))
        parts.append(Curves(np.array([0, len(x)]), x, np.where(np.isfinite(y), y, np.nan)))
    return joined(parts)


@given(curves(), st.integers(1, 40))
@settings(deadline=None)
def test_buckets_hold_what_the_points_hold(given_curves: Curves, bins: int) -> None:
    found = downsample(given_curves, 0.0, 60.0, bins)
    assert len(found) == len(given_curves)
    for i in range(len(given_curves)):
        points = given_curves.curve(i)
        where = bucket_of(points.x, 0.0, 60.0, bins)
        assert_holds(found.curve(i), points, where)
        assert len(np.unique(where)) <= bins


@given(curves(), st.integers(1, 40))
@settings(deadline=None)
def test_writers_pooled_hold_what_each_of_them_holds(given_curves: Curves, bins: int) -> None:
    found = pooled(given_curves, 0.0, 60.0, bins)
    fits = len(np.unique(given_curves.x)) <= bins
    assert_holds(found, given_curves, given_curves.x if fits else bucket_of(given_curves.x, 0.0, 60.0, bins))
    assert len(found) == 1


def assert_holds(buckets: Curves, points: Curves, where: np.ndarray) -> None:
    """Compare each bucket with the points whose place is its own, the slow way; `where` is the place of each point."""
    assert buckets.finite is not None
    assert buckets.low is not None
    assert buckets.high is not None
    assert len(buckets.x) == len(np.unique(where)) == buckets.bounds[-1]
    for k, place in enumerate(np.unique(where)):
        inside = points.mean[where == place]
        good = inside[np.isfinite(inside)]
        assert buckets.finite[k] == len(good)
        assert buckets.x[k] == pytest.approx(points.x[where == place].mean())
        if len(good):
            assert (buckets.low[k], buckets.high[k]) == (good.min(), good.max())
            assert buckets.mean[k] == pytest.approx(good.mean(), rel=1e-9, abs=1e-6)
            assert buckets.low[k] <= buckets.mean[k] <= buckets.high[k], "rounding pushes no mean out of its own range"
        else:
            assert np.isnan([buckets.mean[k], buckets.low[k], buckets.high[k]]).all()


@given(curves(), st.integers(1, 8))
@settings(deadline=None)
def test_downsampling_twice_keeps_extremes_and_counts(given_curves: Curves, bins: int) -> None:
    once, twice = (downsample(c, 0.0, 60.0, bins) for c in (given_curves, downsample(given_curves, 0.0, 60.0, 8 * bins)))
    for i in range(len(given_curves)):
        a, b = once.curve(i), twice.curve(i)
        assert a.finite is not None
        assert b.finite is not None
        assert a.finite.sum() == b.finite.sum()
        if a.finite.sum():
            assert np.nanmin(a.low) == np.nanmin(b.low)  # type: ignore[type-var]
            assert np.nanmax(a.high) == np.nanmax(b.high)  # type: ignore[type-var]


@pytest.mark.parametrize("bins", [1, 7, 33, 50, 100])
@pytest.mark.parametrize("gaps", [False, True])
def test_shared_steps_take_the_quick_way_to_the_same_result(bins: int, gaps: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = np.tile(np.arange(100.0), 5), rng.normal(size=500)
    y[::7] = np.nan if gaps else 0.0
    given_curves = Curves(np.arange(6) * 100, x, y)
    together = downsample(given_curves, 0, 99, bins)
    for i in range(5):
        assert_holds(together.curve(i), given_curves.curve(i), bucket_of(x[:100], 0, 99, bins))


def test_a_mean_stays_within_its_bucket_where_sums_round() -> None:
    same = np.full(3, 0.1)  # their sum is 0.30000000000000004
    found = downsample(Curves(np.array([0, 3]), np.arange(3.0), same), 0, 2, 1)
    assert (found.mean[0], found.low, found.high) == (0.1, [0.1], [0.1])


def test_window_and_selection() -> None:
    both = Curves(np.array([0, 3, 5]), np.array([0.0, 1, 2, 1, 5]), np.arange(5.0))
    assert window(both, 1, 2).bounds.tolist() == [0, 2, 3]
    assert window(both, None, None) is both
    assert selected(both, both.x > 9).bounds.tolist() == [0, 0, 0]


def slow_ema(values: np.ndarray, weight: float) -> np.ndarray:
    state, out, n = 0.0, [], 0
    for value in values:
        if np.isfinite(value):
            n += 1
            state = weight * state + (1 - weight) * value
        out.append(state / (1 - weight**n) if np.isfinite(value) else np.nan)
    return np.array(out)


@given(arrays("f8", st.integers(1, 80), elements=VALUES), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_ema_is_the_recursion_with_bias_correction(values: np.ndarray, weight: float) -> None:
    np.testing.assert_allclose(smooth(values, Smoothing("ema", weight)), slow_ema(values, weight), rtol=1e-7, atol=1e-6)


@given(st.floats(0.05, 0.995), st.integers(0, 2000))
@settings(max_examples=25, deadline=None)
def test_zooming_does_not_change_an_ema(weight: float, start: int) -> None:
    values = np.random.default_rng(1).normal(size=3000).cumsum()
    whole = smooth(values, Smoothing("ema", weight))
    before, _ = context(Smoothing("ema", weight))
    first = max(0, start - before)
    part = smooth(values[first:], Smoothing("ema", weight), before=first)
    np.testing.assert_allclose(part[start - first :], whole[start:], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("how", [Smoothing("gaussian", 7.0), Smoothing("mean", 9)])
def test_zooming_does_not_change_a_window(how: Smoothing) -> None:
    values = np.random.default_rng(2).normal(size=500)
    whole = smooth(values, how)
    before, after = context(how)
    part = smooth(values[200 - before : 300 + after], how)
    np.testing.assert_allclose(part[before:-after], whole[200:300], rtol=1e-9)


def test_smoothing_keeps_constants_and_gaps() -> None:
    values = np.array([2.0, np.nan, 2.0, np.inf, 2.0])
    for how in (Smoothing("ema", 0.9), Smoothing("gaussian", 1.0), Smoothing("mean", 3)):
        np.testing.assert_allclose(smooth(values, how), [2.0, np.nan, 2.0, np.nan, 2.0])
    assert smooth(np.array([np.nan]), Smoothing("ema", 0.5)).tolist() != [0.0]


def test_long_gaussian_by_fft_is_the_same() -> None:
    values = np.random.default_rng(3).normal(size=40_000)
    long = smooth(values, Smoothing("gaussian", 100.0))
    np.testing.assert_allclose(long[20_000:20_010], smooth(values[19_000:21_100], Smoothing("gaussian", 100.0))[1000:1010], rtol=1e-6)


def test_alignment_interpolates_inside_and_leaves_out_beyond() -> None:
    both = Curves(np.array([0, 3, 5]), np.array([0.0, 2, 4, 1, 3]), np.array([0.0, 2, 4, 10, 30]))
    grid = grid_of(both, 10)
    x, values = matrix(both, grid, 0, 4, 10)
    assert x.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(values, [[0, 1, 2, 3, 4], [np.nan, 10, 20, 30, np.nan]])
    assert grid_of(both, 4) is None
    x, values = matrix(both, None, 0, 4, 2)
    np.testing.assert_allclose(x, [0.5, 3.0])
    np.testing.assert_array_equal(values, [[0, 3], [10, 30]])
