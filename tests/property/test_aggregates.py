"""Aggregates over ragged runs with holes, against plain loops, NumPy and SciPy: alignment, centre, spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_logger.query.aggregate import aggregate, grid_of, matrix, t975
from ml_logger.query.downsample import Curves, bucket_of, joined

stats = pytest.importorskip("scipy.stats", reason="SciPy comes with the test extra")

VALUES = st.floats(-1e6, 1e6) | st.sampled_from([float("nan"), 0.0])
CLOSE = {"rel": 1e-9, "abs": 1e-6}


@st.composite
def ragged(draw: st.DrawFn) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (x, y) of some runs: of any length, with repeated x and NaNs, beginning and ending anywhere."""
    found = []
    for _ in range(draw(st.integers(1, 7))):
        x = np.sort(np.array(draw(st.lists(st.integers(0, 40), min_size=1, max_size=25)), "f8"))
        y = np.array(draw(st.lists(VALUES, min_size=len(x), max_size=len(x))))
        found.append((x, y))
    return found


def curves_of(runs: list[tuple[np.ndarray, np.ndarray]]) -> Curves:
    return joined([Curves(np.array([0, len(x)]), x, y) for x, y in runs])


def slow_matrix(runs: list[tuple[np.ndarray, np.ndarray]], places: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return each run's value at each x: the mean of its values there, else between its neighbours, NaN outside of it."""
    rows = []
    for (own, y), place in zip(runs, places, strict=True):
        row = []
        for at in range(len(x)):
            inside = place == at
            good = np.isfinite(y)
            if inside.any():
                row.append(y[inside & good].mean() if (inside & good).any() else np.nan)
            elif good.sum() > 1 and own[good][0] <= x[at] <= own[good][-1]:
                row.append(float(np.interp(x[at], own[good], y[good])))
            else:
                row.append(np.nan)
        rows.append(row)
    return np.array(rows)


@given(ragged())
@settings(deadline=None)
def test_runs_are_aligned_at_their_own_x(runs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    curves = curves_of(runs)
    grid = grid_of(curves, 1000)
    assert grid is not None
    x, values = matrix(curves, grid, 0, 40, 1000)
    assert x.tolist() == sorted({float(at) for own, _ in runs for at in own})
    expected = slow_matrix(runs, [np.searchsorted(x, own) for own, _ in runs], x)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-6)


@given(ragged(), st.integers(1, 12))
@settings(deadline=None)
def test_runs_are_aligned_in_buckets(runs: list[tuple[np.ndarray, np.ndarray]], bins: int) -> None:
    x, values = matrix(curves_of(runs), None, 0, 40, bins)
    places = [bucket_of(own, 0, 40, bins) for own, _ in runs]
    kept = sorted({int(place) for own in places for place in own})
    centres = [np.mean([at for (own, _), place in zip(runs, places, strict=True) for at in own[place == bucket]]) for bucket in kept]
    np.testing.assert_allclose(x, centres)
    expected = slow_matrix(runs, [np.searchsorted(kept, place) for place in places], x)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-6)


@given(st.lists(st.lists(VALUES, min_size=4, max_size=4), min_size=1, max_size=40))
@settings(deadline=None)
def test_centre_and_spread(rows: list[list[float]]) -> None:
    values = np.array(rows)
    for j in range(4):
        good = np.sort(values[np.isfinite(values[:, j]), j])
        found = {(c, s): [float(a[j]) for a in aggregate(values, c, s)] for c in ("mean", "median", "iqm") for s in SPREADS}
        if not len(good):
            assert all(np.isnan(item[0]) and item[3] == 0 for item in found.values())
            continue
        centre = {"mean": good.mean(), "median": np.median(good), "iqm": np.repeat(good, 4)[len(good) : 3 * len(good)].mean()}
        for (c, s), (middle, low, high, count) in found.items():
            assert count == len(good)
            assert middle == pytest.approx(centre[c], **CLOSE)
            assert (low, high) == pytest.approx(ends(good, middle, c, s), **CLOSE), (c, s)


SPREADS = ("std", "sem", "ci95", "minmax", "iqr")


def ends(good: np.ndarray, middle: float, center: str, spread: str) -> tuple[float, float]:
    if spread == "minmax":
        return good.min(), good.max()
    if spread == "iqr":
        return tuple(np.quantile(good, [0.25, 0.75]))
    if spread == "std":
        half = good.std()
    else:
        half, freedom = yuen(good.tolist()) if center == "iqm" else (stats.sem(good) if len(good) > 1 else 0.0, len(good) - 1)
        half *= float(t975(np.array([freedom]))[0]) if spread == "ci95" and freedom else 1.0
    return middle - half, middle + half


def yuen(values: list[float]) -> tuple[float, int]:
    """Return the standard error of a mean of which a quarter is trimmed on each side, and its degrees of freedom, as Yuen wrote them."""
    cut, n = len(values) // 4, len(values)
    inner = sorted(values)[cut : n - cut]
    winsorised = [inner[0]] * cut + inner + [inner[-1]] * cut
    squares = sum((value - np.mean(winsorised)) ** 2 for value in winsorised)
    return (squares / (len(inner) * (len(inner) - 1))) ** 0.5 if n > 1 else 0.0, len(inner) - 1


@pytest.mark.parametrize("n", [4, 5, 7, 10, 20])
def test_an_interval_of_an_iqm_covers_the_truth(n: int) -> None:
    """Of normal samples 95 % do; of samples with heavy tails too, for which the interval of the plain mean is wider."""
    rng = np.random.default_rng(n)
    for values in (rng.normal(size=(n, 20_000)), rng.standard_t(3, size=(n, 20_000))):
        _, low, high, _ = aggregate(values, "iqm", "ci95")
        assert 0.93 < ((low <= 0) & (high >= 0)).mean() < 0.96


def test_one_wild_run_does_not_widen_the_interval_of_an_iqm() -> None:
    calm = np.array([[0.9], [1.0], [1.1], [1.2], [1.3], [1.4], [1.5], [1.6]])
    wild = np.where(calm == 1.6, 1e9, calm)
    np.testing.assert_array_equal(aggregate(wild, "iqm", "ci95"), aggregate(calm, "iqm", "ci95"))


def test_students_t() -> None:
    freedom = np.concatenate([np.arange(1, 200), [1000, 10_000, 10**6]])
    np.testing.assert_allclose(t975(freedom), stats.t.ppf(0.975, freedom), rtol=1e-4)
