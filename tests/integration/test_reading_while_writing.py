"""Questions from several threads while runs are written, found and folded: no error, and nothing that goes backwards."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.queries import CompleteQuery, GetSeries, ListMetrics, SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.sqlite import open_store

RUNS, STEPS = 12, 1500


def write(root: Path) -> None:
    """Write runs one after the other, each with a metric of its own besides."""
    for number in range(RUNS):
        logger = ML_Logger(root=str(root), prefix=f"sweep/{number:02d}")
        logger.log_params(Args={"lr": 10.0**-number, "kind": "ab"[number % 2]}, silent=True)
        for step in range(STEPS):
            logger.log(step=step, loss=1.0 / (step + 1), silent=True)
        logger.log({f"own{number}": 1.0}, step=STEPS, silent=True)
        logger.close()


def test_no_question_fails_while_others_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "root"
    root.mkdir()
    done = threading.Event()
    failures: list[BaseException] = []
    with open_store(root, follow=True) as store:
        engine = Engine(store, SafeRoot(root))

        def ask() -> None:
            most = points = 0
            while not done.is_set():
                try:
                    total = engine.answer(SearchRuns("lr < 1 sort:-loss", group_by=["kind"])).total
                    engine.answer(SearchRuns("kind = a loss.min < 2 not name:/9$/"))
                    engine.answer(CompleteQuery("l", 1))
                    engine.answer(ListMetrics())
                    engine.answer(GetSeries("loss", q="lr <= 1", group_by=["kind"], bins=100))
                    header, _ = engine.answer(GetSeries("loss", bins=100))
                    shown = sum(series.logged for series in header.series)
                    assert total >= most
                    assert shown >= points
                    most, points = total, shown
                except BaseException as error:
                    failures.append(error)
                    return

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        write(root)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not failures and engine.answer(GetSeries("loss"))[0].missing + RUNS > len(store.snapshot()):
            time.sleep(0.1)
        done.set()
        for thread in threads:
            thread.join()
        assert not failures, failures
        store.refresh()
        header, _ = engine.answer(GetSeries("loss", bins=10))
        assert [series.logged for series in header.series] == [STEPS] * RUNS
