"""Points in the index: its process is killed while long journals grow and are sealed, and all levels are as if it had not been."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.base import MIP64, MIP4096, RAW
from ml_logger.store.rundir import RunDir
from ml_logger.store.seal import seal_below
from ml_logger.store.sqlite import SqliteStore, open_store

KILLS = int(os.environ.get("ML_LOGGER_TEST_KILLS", "12"))

WRITER = """
import math, random, sys
from ml_logger import ML_Logger
logger = ML_Logger("lab/" + sys.argv[2], root=sys.argv[1])
rng, step = random.Random(sys.argv[2]), 0
print("logging", flush=True)
while step < 100_000:
    for _ in range(200):
        step += 1
        value = rng.choice([step / 8, math.sin(step), math.nan, math.inf, round(rng.random(), 4)])
        logger.log(step=step if step % 7 else step - 5000, loss=value, silent=True)
        if step % 3 == 0:
            logger.log(acc=rng.random(), silent=True)
        if step % 50 == 0:
            logger.log(step=step if step % 7 else step - 5000, loss=-1.0, other=step, silent=True)
    if sys.stdin in __import__("select").select([sys.stdin], [], [], 0.02)[0]:
        break
logger.close()
"""
INDEXER = """
import sys
from ml_logger.store.sqlite import open_store
store = open_store(sys.argv[1])
print("ready", flush=True)
while True:
    store.refresh()
"""


def points(store: SqliteStore, metric: str) -> dict[str, list[tuple[int, str]]]:
    key_of = dict(zip(store.snapshot().ids.tolist(), store.snapshot().keys, strict=True))
    found: dict[str, list[tuple[int, str]]] = {}
    for chunk in store.read(metric):
        assert (np.diff(chunk.steps) >= 0).all()
        found.setdefault(key_of[chunk.run], []).extend((int(s), repr(float(v))) for s, v in zip(chunk.steps, chunk.mean, strict=True))
    return {key: sorted(listed) for key, listed in found.items()}


def totals(store: SqliteStore, metric: str, level: int) -> list[float]:
    """Return what all buckets of a level hold together: points, those not finite, least, greatest, sum."""
    chunks = list(store.read(metric, level=level))
    count = sum(len(c.mean) if c.count is None else c.count.sum() for c in chunks)
    good = [np.isfinite(c.mean).astype(float) if c.count is None else c.count - c.bad for c in chunks]
    means = [np.where(np.isfinite(c.mean), c.mean, 0.0) for c in chunks]
    lows = [np.where(np.isfinite(c.mean), c.mean, np.nan) if c.low is None else c.low for c in chunks]
    highs = [np.where(np.isfinite(c.mean), c.mean, np.nan) if c.high is None else c.high for c in chunks]
    total = sum(float((m * g).sum()) for m, g in zip(means, good, strict=True))
    low, high = float(np.nanmin(np.concatenate(lows))), float(np.nanmax(np.concatenate(highs)))
    return [float(count), float(count - sum(g.sum() for g in good)), low, high, total]


def written(root: Path) -> float:
    """Return what tells that the index was written to."""
    found = 0.0
    for path in (root / ".ml-logger/index").glob("index.sqlite*"):
        with contextlib.suppress(FileNotFoundError):
            found += path.stat().st_mtime + path.stat().st_size
    return found


@pytest.mark.timeout(600)
def test_all_levels_after_many_kills(tmp_path: Path) -> None:
    root, rng = tmp_path / "root", random.Random(3)
    root.mkdir()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(root), str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for seed in range(2)
    ]
    states: set[float] = set()
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"logging\n"
    for number in range(KILLS):
        indexer = subprocess.Popen([sys.executable, "-c", INDEXER, str(root)], stdout=subprocess.PIPE)
        assert indexer.stdout is not None
        before, until = written(root), time.monotonic() + 20
        while written(root) == before and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.2)
        indexer.send_signal(signal.SIGKILL)
        assert indexer.wait(30) == -signal.SIGKILL
        indexer.stdout.close()
        states.add(written(root))
        if number == KILLS // 2:  # the first writer is done, and its journal sealed between two kills
            writers[0].communicate(b"\n", timeout=60)
            assert [item.reason for item in seal_below(SafeRoot(root), "lab/0")] == [""]
    writers[1].communicate(b"\n", timeout=60)
    assert len(states) > KILLS // 2, "it was not written to between the kills"
    with open_store(root) as store, open_store(root, tmp_path / "fresh") as other:
        assert store.metrics() == other.metrics()
        for metric in ("loss", "acc", "other"):
            assert points(store, metric) == points(other, metric)
            for level in (RAW, MIP64, MIP4096):
                found = totals(store, metric, level)
                np.testing.assert_allclose(found, totals(other, metric, RAW), rtol=1e-9)
            assert sorted(s[2:] for s in store.series(metric)) == sorted(s[2:] for s in other.series(metric))
        for seed in range(2):
            rows = RunDir(SafeRoot(root), f"lab/{seed}").refresh().rows()
            logged = sorted((row["step"], repr(float(row["loss"]))) for row in rows if "loss" in row)
            assert logged == points(store, "loss")[f"lab/{seed}"]
            assert len(logged) > 9000
        levels = store.database.query("SELECT level, count(*) FROM chunk WHERE metric=? GROUP BY level", (store.database.name_id("loss"),))
        assert {level for level, _ in levels} == {RAW, MIP64, MIP4096}
