"""A value that is logged again in the open row replaces the first one, wherever reading and folding happened in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.parametrize("restarted", [False, True])
def test_across_a_fold(tmp_path: Path, *, restarted: bool) -> None:
    logger = ML_Logger(root=str(tmp_path), prefix="run")
    for step in range(ROWS):
        logger.log(step=step, loss=float(step), silent=True)
    store = open_store(SafeRoot(tmp_path))
    store.refresh()
    assert store.database.query("SELECT count(*) FROM chunk").fetchall()[0][0], "nothing was folded"
    assert values(store) == [float(step) for step in range(ROWS)], "the open row is seen while it is open"
    if restarted:
        store.close()
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
