"""Questions are answered while the follower changes runs, names and words in place: none fails, whatever the threads interleave."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.queries import CompleteQuery, GetRun, GetSeries, ListMetrics, SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.sqlite import open_store

RUNS = 30
QUESTIONS: list[Any] = [
    SearchRuns("sort:name host:x or lr > 0"), SearchRuns(limit=50), ListMetrics(), CompleteQuery("l", 1), GetRun("lab/run-0"),
    GetSeries("loss"), GetSeries("loss", group_by=["lr"]),
]  # fmt: skip


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_no_question_fails(tmp_path: Path) -> None:
    with open_store(SafeRoot(tmp_path)) as store:
        engine, done, failures = Engine(store, SafeRoot(tmp_path)), threading.Event(), []

        def ask() -> None:
            while not done.is_set():
                for question in QUESTIONS:
                    try:
                        engine.answer(question)
                    except Exception as error:
                        if type(error).__name__ != "NotFoundError":
                            failures.append(repr(error))

        asking = [threading.Thread(target=ask) for _ in range(2)]
        for thread in asking:
            thread.start()
        for number in range(RUNS):
            with ML_Logger(root=str(tmp_path), prefix=f"lab/run-{number}") as logger:
                logger.log_params(lr=0.1 * number, note=f"word {number}", silent=True)
                logger.log(step=0, loss=1.0 / (number + 1), silent=True)
                store.refresh()
                logger.log_params(**{f"p{k}": f"{number} {k}" for k in range(60)}, silent=True)
                logger.log(step=1, silent=True, **{f"metric {number} {k}": 1.0 for k in range(60)})
                store.refresh()
        done.set()
        for thread in asking:
            thread.join()
        assert failures == []
        assert engine.answer(SearchRuns()).total == RUNS
