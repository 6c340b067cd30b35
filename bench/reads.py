"""What a question costs: charts, windows, groups, tables, searches and series, over an index that is already there.

Runs with points are logged through the public client; the catalog of 100,000 runs is written into the index directly, as
folding would leave it. Times are of the engine and the encoder, in this process; "first" is the first question after opening
the store, "warm" the median of repetitions of the same question, "changed" of one after the root has changed elsewhere.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import ml_logger
from bench.report import asked, report
from ml_logger import ML_Logger
from ml_logger.formats.series import encode
from ml_logger.queries import GetSeries, SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.database import Database, squeezed
from ml_logger.store.database import encode as encode_document
from ml_logger.store.sqlite import SqliteStore, open_store

RUNS, PARAMS, METRICS = 100_000, 50, 20
ROUNDS = 9


def log_runs(root: Path, runs: int, points: int) -> None:
    """Log runs of one metric through the public client, as a sweep of 10 learning rates does."""
    rng = np.random.default_rng(0)
    for number in range(runs):
        logger = ML_Logger(root=str(root), prefix=f"sweep/run-{number:04d}")
        logger.log_params(Args={"lr": 10.0 ** -(number % 10), "seed": number // 10}, silent=True)
        for step, value in enumerate(rng.normal(size=points).cumsum().tolist()):
            logger.log(step=step, loss=value, silent=True)
        logger.close()
        if number % 100 == 99:
            print(f"  {number + 1} of {runs} runs logged", flush=True)


def charts(folder: Path, runs: int, points: int, goals: dict[str, float]) -> list[dict[str, Any]]:
    """Measure one metric over all runs: first, warm, changed, groups, and the list of runs."""
    root = folder / f"charts-{runs}-{points}"
    log_runs(root, runs, points)
    open_store(root).close()
    store = open_store(root)
    engine = Engine(store, SafeRoot(root))

    def chart(**how: Any) -> bytes:
        return encode(*engine.answer(GetSeries("loss", bins=1000, **how)))

    def changed(**how: Any) -> Callable[[], bytes]:
        def call() -> bytes:
            store.state_put("runs", "sweep/run-0000", {"notes": str(time.perf_counter())})
            return chart(**how)

        return call

    what = f"1 metric × {runs:,} runs × {points:,} points → 1,000 buckets"
    found = [once(f"{what}, first", chart, goals["first"]), row(f"{what}, warm", chart, goals["warm"])]
    found.append(row(f"{what}, after a change elsewhere", changed(), None))
    if "group" in goals:
        grouped = {"group_by": ["lr"], "spread": "ci95"}
        found.append(once("mean ± CI of 10 groups of 100 runs × 1,000 buckets", lambda: chart(**grouped), goals["group"]))
        found.append(row("list 1,000 runs with parameters and last values", lambda: engine.answer(SearchRuns(limit=1000)), 20))
    store.close()
    return found


def long_series(folder: Path) -> list[dict[str, Any]]:
    """Measure one series of a million points."""
    root = folder / "long"
    log_runs(root, 1, 1_000_000)
    with ml_logger.open(root) as runs:
        key = runs.keys()[0]
        return [row("1 series of 1e6 points into NumPy", lambda: runs.series(key, "loss"), 20)]


def fill_catalog(folder: Path) -> None:
    """Write the catalog of 100,000 runs × 50 parameters × 20 metrics into an index."""
    rng = np.random.default_rng(1)
    database = Database(folder, write=True)
    names = [f"Args.p{i}" for i in range(PARAMS)]
    metrics = [f"m{i}" for i in range(METRICS)]
    values = rng.random((RUNS, PARAMS + METRICS)).round(6)
    with database.transaction():
        ids = {name: database.name_id(name, make=True) for name in [*names, *metrics]}
        for number in range(RUNS):
            line = values[number].tolist()
            put_run(database, number + 1, dict(zip(names, line[:PARAMS], strict=True)), dict(zip(metrics, line[PARAMS:], strict=True)))
        for at, name in enumerate(names):
            column = values[:, at].tolist()
            database.many(
                "INSERT INTO param VALUES (?,?,?,?,?)", ((ids[name], n + 1, v, None, encode_document(v)) for n, v in enumerate(column))
            )
        for at, name in enumerate(metrics):
            column = values[:, PARAMS + at].tolist()
            rows = ((ids[name], n + 1, 20, 0, v, None, v, v, v, 19, 0, 0) for n, v in enumerate(column))
            database.many("INSERT INTO summary VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
    database.close()


def put_run(database: Database, number: int, params: dict[str, float], metrics: dict[str, float]) -> None:
    """Write one run's fields, document and words."""
    key = f"project-{number % 50}/ppo-{number % 1000}/run-{number:06d}"
    head = {
        "uuid": f"{number:032x}",
        "status": "completed",
        "created": 1e9 + number,
        "updated": 1e9 + number + 60,
        "host": f"h{number % 64}",
        "points": 400,
    }
    summaries = {name: [v, v, v, v, 20, 0, 19, 0, 0] for name, v in metrics.items()}
    rest = {"nested": {"Args": params}, "attempt": 0, "status": "completed", "status_time": 0.0, "files": 0, "summaries": {},
            "settled": {}, "attempts": {}}  # fmt: skip
    shape = database.shape_id([("param", name, True) for name in params] + [("metric", name, True) for name in metrics])
    database.query("INSERT INTO run VALUES (?,?,?,?)", (number, key, encode_document(head), shape))
    blobs = [squeezed(encode_document(document)) for document in ({"params": params, "summaries": summaries}, rest)]
    database.query("INSERT INTO document VALUES (?,?,?)", (number, *blobs))
    database.query(
        "INSERT INTO words(rowid, text) VALUES (?,?)", (number, key.replace("/", " ").replace("-", " ") + f" adam word{number % 1000}")
    )


def catalog(folder: Path) -> list[dict[str, Any]]:
    """Measure searches over 100,000 runs."""
    fill_catalog(folder / "catalog")
    root = SafeRoot(folder / "empty", create=True)
    store = SqliteStore(root, folder / "catalog")
    engine = Engine(store, root)

    def search(q: str, limit: int = 100, **more: Any) -> Callable[[], Any]:
        return lambda: engine.answer(SearchRuns(q, limit=limit, **more))

    questions = [
        ("100,000 runs: a page of 200", search("", 200, offset=50_000), 30),
        ("100,000 runs: filter of 2 + sort + top 100", search("p1 < 0.5 m3 > 0.25 sort:-m7"), 20),
        ("100,000 runs: regex on name", search("name:/run-0[0-9]*77$/"), 50),
        ("100,000 runs: full text", search("word77 adam"), 20),
        ("100,000 runs: group by a text, mean and std of 20 metrics", search("", 0, group_by=["host"]), None),
    ]
    assert all(call().total for _, call, _ in questions), "a search that finds nothing measures nothing"
    found = [row(what, call, goal) for what, call, goal in questions]
    store.close()
    return found


def once(what: str, call: Callable[[], Any], goal: float | None) -> dict[str, Any]:
    """Measure a single call."""
    return _row(what, [_spent(call)], goal)


def row(what: str, call: Callable[[], Any], goal: float | None) -> dict[str, Any]:
    """Measure several calls, after one that is not counted."""
    call()
    return _row(what, [_spent(call) for _ in range(ROUNDS)], goal)


def _spent(call: Callable[[], Any]) -> tuple[float, float]:
    """Return wall and CPU time in ms: on a busy machine only the second tells what the code costs."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


def _row(what: str, spent: list[tuple[float, float]], goal: float | None) -> dict[str, Any]:
    wall, cpu = median(w for w, _ in spent), median(c for _, c in spent)
    return {"what": what, "ms": wall, "CPU ms": cpu, "goal": "" if goal is None else f"≤ {goal:g}", "met": goal is None or wall <= goal}


def main(long: bool) -> None:
    """Measure all, smallest first."""
    with tempfile.TemporaryDirectory(prefix="ml-logger-bench-") as name:
        folder = Path(name)
        rows = charts(folder, 1000, 1000, {"first": 150, "warm": 30, "group": 100})
        if long:
            rows += charts(folder, 1000, 10_000, {"first": 300, "warm": 60})
        rows += long_series(folder)
        rows += catalog(folder)
        report("reads", rows, note="engine and encoder in one process; first: caches of this process empty, the system's warm")


if __name__ == "__main__":
    main(asked("reads", __doc__, long="also 1,000 runs × 10,000 points").long)
