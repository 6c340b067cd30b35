"""Any window at any width equals plain NumPy on what was logged: from points, from buckets of the store, from live tails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_logger import ML_Logger
from ml_logger.queries import GetSeries
from ml_logger.query.downsample import bucket_of
from ml_logger.query.loading import Asked, chosen_series, load, planned
from ml_logger.query.series import answer_series
from ml_logger.store.base import MIP4096, RAW
from ml_logger.store.sqlite import SqliteStore, open_store

N = 24_000
RNG = np.random.default_rng(11)
ORDERS = {
    "even": np.arange(N),
    "every tenth": 10 * np.arange(N) - 5000,
    "uneven": np.cumsum(RNG.integers(1, 9, N)),
    "three at a step": np.arange(N) // 3,
    "in jumps": np.sort(RNG.choice(10**9, N)),
    "scattered": (np.arange(N) * 7919) % 5003,
}
IN_ORDER = [name for name in ORDERS if name != "scattered"]


class Stored:
    """One run as it was logged, and the store that has it: most of it folded in pieces, the end in the tail."""

    def __init__(self, folder: Any, name: str) -> None:
        values = RNG.normal(size=N).cumsum()
        values[RNG.integers(0, N, 40)] = np.nan
        values[RNG.integers(0, N, 9)] = np.inf
        values[RNG.integers(0, N, 9)] = -np.inf
        steps = ORDERS[name]
        logger = ML_Logger("run", root=folder)
        self.store: SqliteStore = open_store(folder)
        for row, (step, value) in enumerate(zip(steps.tolist(), values.tolist(), strict=True)):
            logger.log(step=step, v=value, silent=True)
            logger.flush()
            if row in (5000, 14_000, 23_500):
                self.store.refresh()
        self.store.refresh()
        assert self.store.live["run"].rows > 1, "the end is not in the index"
        assert len(list(self.store.read("v"))) > 3
        self.logger = logger
        order = np.argsort(steps, kind="stable")
        self.steps, self.values = steps[order], values[order]


@pytest.fixture(scope="module")
def all_stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stored]]:
    made = {name: Stored(tmp_path_factory.mktemp("root"), name) for name in ORDERS}
    yield made
    for stored in made.values():
        stored.logger.close()
        stored.store.close()


def ask(stored: Stored, query: GetSeries, exact: int) -> tuple[Any, list[np.ndarray], int]:
    ids = stored.store.snapshot().ids.tolist()
    series = chosen_series(stored.store, query, Asked(frozenset(ids), most=True))
    plan = planned(query, series, exact)
    return *answer_series(query, ["run"], load(stored.store, query, plan, {ids[0]: 0})), plan.level


def close(a: Any, b: Any) -> bool:
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True))


WINDOWS = st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1)).map(sorted)


@given(st.sampled_from(sorted(ORDERS)), WINDOWS, st.integers(1, 3000))
@settings(deadline=None, max_examples=150)
def test_up_to_a_million_points(all_stored: dict[str, Stored], name: str, ends: list[float], bins: int) -> None:
    """Every bucket holds what its part of the window holds."""
    stored = all_stored[name]
    first, last = float(stored.steps[0]), float(stored.steps[-1])
    lo, hi = (np.floor(first + (last - first) * end) for end in ends)
    header, arrays, level = ask(stored, GetSeries("v", lo=lo, hi=hi, bins=bins), 1_000_000)
    assert level == RAW
    inside = (stored.steps >= lo) & (stored.steps <= hi)
    x, y = stored.steps[inside].astype("f8"), stored.values[inside]
    y = np.where(np.isfinite(y), y, np.nan)
    if header.series[0].exact:
        assert np.array_equal(arrays[0], x)
        assert np.array_equal(arrays[1], y, equal_nan=True)
        return
    where = bucket_of(x, lo, hi, bins)
    starts = np.flatnonzero(np.diff(where, prepend=-1))
    assert len(arrays[0]) == len(starts)
    finite = np.isfinite(y)
    assert np.array_equal(arrays[2], np.fmin.reduceat(y, starts), equal_nan=True)
    assert np.array_equal(arrays[3], np.fmax.reduceat(y, starts), equal_nan=True)
    assert np.array_equal(arrays[4], np.add.reduceat(finite.astype("f8"), starts))
    with np.errstate(invalid="ignore"):
        assert close(arrays[1], np.add.reduceat(np.where(finite, y, 0.0), starts) / arrays[4])


@given(st.sampled_from(IN_ORDER), WINDOWS, st.integers(1, 120))
@settings(deadline=None, max_examples=150)
def test_beyond_a_million_points(all_stored: dict[str, Stored], name: str, ends: list[float], bins: int) -> None:
    """Buckets of the store are merged: every one holds consecutive points, all of them, each once; borders move by less than a pixel."""
    stored = all_stored[name]
    first, last = float(stored.steps[0]), float(stored.steps[-1])
    lo, hi = (np.floor(first + (last - first) * end) for end in ends)
    header, arrays, level = ask(stored, GetSeries("v", lo=lo, hi=hi, bins=bins), 0)
    inside = (stored.steps >= lo) & (stored.steps <= hi) & np.isfinite(stored.values)
    x, y = stored.steps[inside].astype("f8"), stored.values[inside]
    if header.series[0].exact:
        assert np.array_equal(arrays[1][np.isfinite(arrays[1])], y)
        return
    assert arrays[4].sum() == len(y)
    held = arrays[4] > 0
    starts = np.concatenate(([0], np.cumsum(arrays[4][held])))[:-1].astype(int)
    if not len(starts):
        return
    assert np.array_equal(arrays[2][held], np.minimum.reduceat(y, starts))
    assert np.array_equal(arrays[3][held], np.maximum.reduceat(y, starts))
    assert close(arrays[1][held], np.add.reduceat(y, starts) / arrays[4][held])
    if level == MIP4096 and name == "even":
        pixel = (hi - lo) / bins
        assert (np.abs(bucket_of(x[starts], lo, hi, bins) - bucket_of(arrays[0][held], lo, hi, bins)) <= 1).all()
        assert pixel >= 4096


@given(WINDOWS, st.integers(1, 120))
@settings(deadline=None, max_examples=60)
def test_beyond_a_million_points_in_any_order(all_stored: dict[str, Stored], ends: list[float], bins: int) -> None:
    """Where steps come in no order the buckets overlap; still no point is lost or doubled, and no extreme is missed."""
    stored = all_stored["scattered"]
    lo, hi = (np.floor(5003 * end) for end in ends)
    header, arrays, _ = ask(stored, GetSeries("v", lo=lo, hi=hi, bins=bins), 0)
    y = stored.values[(stored.steps >= lo) & (stored.steps <= hi) & np.isfinite(stored.values)]
    if header.series[0].exact:
        assert np.array_equal(np.sort(arrays[1][np.isfinite(arrays[1])]), np.sort(y))
        return
    assert arrays[4].sum() == len(y)
    if len(y):
        assert (np.nanmin(arrays[2]), np.nanmax(arrays[3])) == (y.min(), y.max())
        assert close(np.nansum(arrays[1] * arrays[4]), y.sum())
