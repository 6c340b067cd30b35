"""From chunks of every level to answers: equal to NumPy on the raw points, whatever the order of steps, live tails included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ml_logger.formats import messages
from ml_logger.queries import GetSeries, Smoothing
from ml_logger.query.downsample import bucket_of
from ml_logger.query.loading import Asked, chosen_series, load, planned
from ml_logger.query.series import answer_series
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.base import MIP64, MIP4096, RAW, Store
from ml_logger.store.sqlite import open_store

Write = Callable[..., Any]
N = 20_000
RNG = np.random.default_rng(5)
VALUES = RNG.normal(size=N).cumsum()
VALUES[[7, 500, 15_000]] = [np.nan, np.inf, -np.inf]
ORDERS = {"in order": np.arange(N), "repeated": np.arange(N) // 3, "scattered": (np.arange(N) * 7919) % 5000}


@pytest.fixture(scope="module", params=sorted(ORDERS))
def stored(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, journal_writer: Write
) -> Iterator[tuple[Store, np.ndarray]]:
    """Return a store with one folded run of 20,000 points, and its steps."""
    steps = ORDERS[request.param]
    root = SafeRoot(tmp_path_factory.mktemp("root"))
    rows = [{"step": int(step), "v": float(value)} for step, value in zip(steps, VALUES, strict=True)]
    journal_writer(root, "run", rows=rows, extra=[messages.End(1.0)], status="completed")
    with open_store(root) as store:
        yield store, steps


def ask(store: Store, query: GetSeries, exact: int) -> tuple[Any, list[np.ndarray], int]:
    ids = store.snapshot().ids.tolist()
    series = chosen_series(store, query, Asked(frozenset(ids), most=True))
    plan = planned(query, series, exact)
    return *answer_series(query, ["run"], load(store, query, plan, {ids[0]: 0})), plan.level


@pytest.mark.parametrize(("lo", "hi"), [(None, None), (100, 104), (1000, 3777), (4990, None), (None, 77)])
@pytest.mark.parametrize("bins", [3, 50, 5000])
def test_raw_points_give_exact_buckets(stored: tuple[Store, np.ndarray], lo: int | None, hi: int | None, bins: int) -> None:
    store, steps = stored
    header, arrays, level = ask(store, GetSeries("v", lo=lo, hi=hi, bins=bins), 1_000_000)
    low, high = (steps.min() if lo is None else lo), (steps.max() if hi is None else hi)
    inside = (steps >= low) & (steps <= high)
    order = np.argsort(steps[inside], kind="stable")
    x, y = steps[inside][order], VALUES[inside][order]
    assert level == RAW
    assert (header.series[0].logged, header.series[0].bad) == (N, 3)
    if header.series[0].exact:
        np.testing.assert_array_equal(arrays[0], x)
        np.testing.assert_array_equal(arrays[1], np.where(np.isfinite(y), y, np.nan))
        return
    where = bucket_of(x.astype("f8"), float(low), float(high), bins)
    for k, bucket in enumerate(np.unique(where)):
        good = y[(where == bucket) & np.isfinite(y)]
        if not len(good):
            assert np.isnan(arrays[1][k])
            continue
        assert arrays[2][k] == good.min()
        assert arrays[3][k] == good.max()
        assert arrays[4][k] == len(good)
        assert arrays[1][k] == pytest.approx(good.mean(), rel=1e-9)


@pytest.mark.parametrize(("lo", "hi"), [(None, None), (100, 104), (1000, 3777), (4990, None), (None, 77)])
@pytest.mark.parametrize(("bins", "expected"), [(2, MIP4096), (20, MIP64)])
def test_buckets_of_the_store_lose_nothing(
    stored: tuple[Store, np.ndarray], lo: int | None, hi: int | None, bins: int, expected: int
) -> None:
    store, steps = stored
    _, arrays, level = ask(store, GetSeries("v", lo=lo, hi=hi, bins=bins), 0)
    assert level in (RAW, MIP64, expected)
    inside = (steps >= (-1 if lo is None else lo)) & (steps <= (N if hi is None else hi))
    good = VALUES[inside & np.isfinite(VALUES)]
    if len(arrays) == 2:
        np.testing.assert_array_equal(np.sort(arrays[1][np.isfinite(arrays[1])]), np.sort(good))
        return
    assert arrays[4].sum() == len(good)
    assert np.nanmin(arrays[2]) == good.min()
    assert np.nanmax(arrays[3]) == good.max()
    assert np.nansum(arrays[1] * arrays[4]) == pytest.approx(good.sum(), rel=1e-9)


@pytest.mark.parametrize("kind", ["ema", "gaussian", "mean"])
def test_a_smoothed_window_is_a_part_of_the_smoothed_whole(stored: tuple[Store, np.ndarray], kind: Any) -> None:
    store, _ = stored
    how = Smoothing(kind, 0.95 if kind == "ema" else 10)
    _, whole, _ = ask(store, GetSeries("v", bins=N, smoothing=how), 1_000_000)
    _, part, _ = ask(store, GetSeries("v", lo=2000, hi=2100, bins=N, smoothing=how), 1_000_000)
    inside = (whole[0] >= 2000) & (whole[0] <= 2100)
    np.testing.assert_array_equal(part[0], whole[0][inside])
    np.testing.assert_allclose(part[1], whole[1][inside], rtol=1e-6, atol=1e-6)


def test_marks_say_where_and_what(stored: tuple[Store, np.ndarray]) -> None:
    store, steps = stored
    header, _, _ = ask(store, GetSeries("v", bins=10), 1_000_000)
    assert sorted(map(tuple, header.series[0].marks)) == sorted(
        [(float(steps[7]), "nan"), (float(steps[500]), "inf"), (float(steps[15_000]), "-inf")]
    )


def test_what_is_new_is_seen_before_it_is_folded(root: SafeRoot, write_run: Write) -> None:
    path = write_run("live", rows=[{"step": s, "v": s / 2} for s in range(10)], created=4e9)
    with open_store(root) as store:
        assert ask_live(store)[1].tolist() == [s / 2 for s in range(10)]
        path.unlink()
        write_run("live", rows=[{"step": s, "v": s / 2} for s in range(15)], created=4e9)
        store.refresh()
        assert ask_live(store, since=9)[0].tolist() == [10, 11, 12, 13, 14]


def ask_live(store: Store, **how: Any) -> list[np.ndarray]:
    query = GetSeries("v", **how)
    ids = store.snapshot().ids.tolist()
    series = chosen_series(store, query, Asked(frozenset(ids), most=True))
    return answer_series(query, ["live"], load(store, query, planned(query, series), {ids[0]: 0}))[1]


@pytest.mark.parametrize("wrong", [False, True], ids=["finite", "a NaN"])
def test_runs_that_share_steps_which_go_back(root: SafeRoot, write_run: Write, wrong: bool) -> None:
    """Chunks of evenly spaced steps are the same arrays in both runs; the second chunk begins before the end of the first."""
    steps = np.concatenate((np.arange(8192), np.arange(4000, 9000)))
    values = np.random.default_rng(3).normal(size=(2, len(steps)))
    if wrong:
        values[1, 100] = np.nan
    for key, row in zip("ab", values, strict=True):
        rows = [{"step": int(step), "v": float(value)} for step, value in zip(steps, row, strict=True)]
        write_run(key, rows=rows, extra=[messages.End(1.0)], status="completed")
    with open_store(root) as store:
        ids, query = store.snapshot().ids.tolist(), GetSeries("v", bins=90)
        plan = planned(query, chosen_series(store, query, Asked(frozenset(ids), most=True)))
        header, arrays = answer_series(query, ["a", "b"], load(store, query, plan, {run: at for at, run in enumerate(ids)}))
    where = bucket_of(steps.astype("f8"), 0.0, 8999.0, 90)
    assert [info.shown for info in header.series] == [len(steps), len(steps) - wrong]
    for row, at in ((values[0], 0), (values[1], 5)):
        inside = [row[(where == bucket) & np.isfinite(row)] for bucket in range(90)]
        np.testing.assert_allclose(arrays[at + 1], [part.mean() for part in inside], rtol=1e-9)
        np.testing.assert_array_equal(arrays[at + 2], [part.min() for part in inside])
        np.testing.assert_array_equal(arrays[at + 3], [part.max() for part in inside])
        np.testing.assert_array_equal(arrays[at + 4], [len(part) for part in inside])


def test_an_infinity_that_came_after_the_counts_is_none_of_the_values(stored: tuple[Store, np.ndarray]) -> None:
    store, _ = stored
    ids, query = store.snapshot().ids.tolist(), GetSeries("v", bins=50)
    plan = planned(query, chosen_series(store, query, Asked(frozenset(ids), most=True)))
    assert [stats.bad for stats in plan.series] == [3]
    early = plan._replace(series=[stats._replace(bad=0) for stats in plan.series])
    found, wanted = (answer_series(query, ["run"], load(store, query, which, {ids[0]: 0}))[1] for which in (early, plan))
    for column, expected in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(column, expected)
    assert np.isfinite(found[3]).all()
