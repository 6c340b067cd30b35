"""A value that is logged again in the open row replaces the first one, wherever reading and folding happened in between."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_logger import ML_Logger
from ml_logger.answers import MetricSummary
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.base import RAW
from ml_logger.store.indexing import FOLD_ROWS
from ml_logger.store.sqlite import SqliteStore, open_store

ROWS = FOLD_ROWS + 7


def values(store: SqliteStore) -> list[float]:
    return np.concatenate([chunk.mean for chunk in store.read("loss", None, RAW)]).tolist()


def summary(store: SqliteStore) -> MetricSummary:
    return store.snapshot().rows([0], None)[0].metrics["loss"]


@pytest.mark.parametrize("fold_s", [None, 0.0, math.inf])
def test_across_a_fold(tmp_path: Path, fold_s: float | None) -> None:
    """A store that is closed and opened again has the same rows, whether it took the time to fold them or not."""
    logger = ML_Logger(root=str(tmp_path), prefix="run")
    for step in range(ROWS):
        logger.log(step=step, loss=float(step), silent=True)
    store = open_store(SafeRoot(tmp_path))
    store.refresh()
    assert store.database.query("SELECT count(*) FROM chunk").fetchall()[0][0], "nothing was folded"
    assert values(store) == [float(step) for step in range(ROWS)], "the open row is seen while it is open"
    if fold_s is not None:
        store.close(fold_s)
        store = open_store(SafeRoot(tmp_path))
        store.refresh()
        assert values(store)[-1] == ROWS - 1
    logger.log(step=ROWS - 1, loss=-5.0, silent=True)
    store.refresh()
    assert values(store) == [*map(float, range(ROWS - 1)), -5.0]
    logger.log(step=ROWS, loss=1.0, silent=True)
    logger.session.close()
    store.refresh()
    assert values(store) == [*map(float, range(ROWS - 1)), -5.0, 1.0]
    store.close()


def test_a_row_that_never_ends_does_not_grow(tmp_path: Path) -> None:
    logger = ML_Logger(root=str(tmp_path), prefix="run")
    store = open_store(SafeRoot(tmp_path))
    for number in range(3):
        for value in range(FOLD_ROWS):
            logger.log(step=0, loss=float(value + number), silent=True)
        store.refresh()
    assert values(store) == [FOLD_ROWS + 1.0]
    assert sum(writer.tail.count for writer in store.live["run"].writers.values()) == 1
    logger.session.close()
    store.close()


def test_a_summary_counts_a_row_once(tmp_path: Path) -> None:
    logger = ML_Logger(root=str(tmp_path), prefix="run")
    store = open_store(SafeRoot(tmp_path))
    for value in (9.0, 3.0, 4.0):
        logger.log(step=1, loss=value, silent=True)
        store.refresh()
    found = summary(store)
    assert (found.n, found.min, found.max, found.last, found.first) == (1, 4.0, 4.0, 4.0, 4.0)
    logger.log(step=2, loss=float("nan"), acc=1.0, silent=True)
    logger.log(step=2, loss=5.0, silent=True)
    store.refresh()
    found = summary(store)
    assert (found.n, found.min, found.max, found.last, found.first, found.bad) == (2, 4.0, 5.0, 5.0, 4.0, 0)
    logger.session.close()
    store.close()


def two_writers(root: Path) -> list[ML_Logger]:
    """Return two loggers that write one attempt of one run."""
    first = ML_Logger(root=str(root), prefix="run")
    first.log(step=0, other=0.0, silent=True)
    second = ML_Logger(root=str(root), prefix="run")
    second.log(step=0, other=0.0, silent=True)
    return [first, second]


ACTION = st.tuples(st.sampled_from("wwwwwrx"), st.integers(0, 1), st.booleans(), st.floats(-9, 9) | st.sampled_from([math.nan, math.inf]))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTION, min_size=1, max_size=25))
def test_a_summary_is_that_of_the_rows_whoever_writes_and_reads(tmp_path: Path, actions: list[tuple[str, int, bool, float]]) -> None:
    """Two writers log, and log again in their open rows, while the store reads, folds and starts anew; the model is a list of rows."""
    root = tmp_path / str(time.perf_counter_ns())
    loggers, steps, rows = two_writers(root), [0, 0], {}
    store = open_store(SafeRoot(root))
    for what, who, is_next, value in actions:
        if what == "w":
            steps[who] += is_next
            more = {} if value < 0 else {"other": 1.0}
            loggers[who].log(step=steps[who], loss=value, **more, silent=True)
            rows[who, steps[who]] = value
        elif what == "x":
            store.close()
            store = open_store(SafeRoot(root))
        store.refresh()
        if not rows:
            continue
        found, finite = summary(store), [v for v in rows.values() if math.isfinite(v)]
        assert (found.n, found.bad) == (len(rows), len(rows) - len(finite))
        assert (found.min, found.max) == (min(finite, default=None), max(finite, default=None))
        highest = max(step for _, step in rows)
        assert repr(found.last) in [repr(v) for (_, step), v in rows.items() if step == highest]
        assert sorted(map(repr, values(store))) == sorted(map(repr, rows.values()))
    for logger in loggers:
        logger.close()
    store.refresh()
    store.close()
    with open_store(SafeRoot(root)) as again:
        if rows:
            assert summary(again).n == len(rows)
            assert sorted(map(repr, values(again))) == sorted(map(repr, rows.values()))


def test_a_value_logged_again_with_other_names_replaces_the_first(tmp_path: Path) -> None:
    """The two lie in different columns; folded together or not, read at once or not, the later one counts."""
    logger = ML_Logger(root=str(tmp_path), prefix="run")
    for step in range(ROWS):
        logger.log(step=step, loss=100.0, acc=1.0, silent=True)
        logger.log(step=step, loss=float(step), silent=True)
    logger.close()
    with open_store(SafeRoot(tmp_path)) as store:
        assert values(store) == list(map(float, range(ROWS)))
        found = summary(store)
        assert (found.n, found.max, found.first, found.last) == (ROWS, ROWS - 1, 0.0, ROWS - 1)
