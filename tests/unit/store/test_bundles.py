"""Short series share rows of the index, and come back each as it was; a run of many metrics goes on with the summaries it had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.formats import numbers
from ml_logger.store.bundles import LONGEST, BundleTable, Short
from ml_logger.store.chunk_table import ChunkRow
from ml_logger.store.database import Database
from ml_logger.store.documents import FRONT, load_run
from ml_logger.store.sqlite import open_store


def columns(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    """Return curves of every form: rounded, noise, constant, counting, with values that are not finite."""
    broken = rng.normal(size=n)
    broken[:: max(n // 3, 1)] = (np.nan, np.inf, -np.inf)[n % 3]
    return [
        rng.normal(size=n).cumsum().round(5), rng.normal(size=n), np.full(n, -0.0), np.arange(n) * 1.0, broken, rng.normal(size=n) * 1e300,
    ]  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 3, 20, 40, LONGEST])
def test_each_series_comes_back(tmp_path: Path, n: int) -> None:
    rng = np.random.default_rng(n)
    database = Database(tmp_path, write=True)
    table = BundleTable(database)
    logged = {metric: columns(rng, n)[metric % 6] for metric in rng.choice(np.arange(1, 200), 70, replace=False).tolist()}
    for run in (1, 2):
        shorts = [
            Short(metric, n - int(np.isfinite(values).sum()), blob)
            for (metric, values), blob in zip(logged.items(), numbers.pack_all(np.stack([*logged.values()])), strict=True)
        ]
        table.put(ChunkRow(run, run + 7, 3, n, 0, 10, 9 + n, 1, 5, None, b""), shorts)
    for metric, values in logged.items():
        for runs, expected in ((None, [1, 2]), ([2], [2])):
            found = list(table.read(metric, runs, None, None))
            assert [row.run for row in found] == expected
            for row in found:
                assert row[1:4] + row[5:10] == (row.run + 7, 3, n, 10, 9 + n, 1, 5, None)
                assert numbers.unpack(row.blob, n).tobytes() == values.tobytes()
                assert row.bad == n - int(np.isfinite(values).sum())
        assert [item.bad for item in table.stats(metric, None)] == [row.bad for row in table.read(metric, None, None, None)]
        assert not list(table.read(metric, None, 10 + n, None)) + list(table.read(metric, None, None, 9))
    assert not list(table.read(next(m for m in range(1, 200) if m not in logged), None, None, None))
    rows = database.query("SELECT count(*) FROM bundle")[0][0]
    assert 2 * 70 / 32 < rows < 2 * 70 / (2 if n == LONGEST else 4), "several share a row"
    database.close()


def test_a_run_of_many_metrics_goes_on_with_its_summaries(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path)
    for step in range(5):
        kinds = {"zero": -0.0, "count": step, "text": f"t{step}", "flag": step > 2, "odd": float("nan"), "big": 2**70}
        logger.log(step=step, silent=True, **{f"m{i}": step + i / 7 for i in range(230)}, **kinds)
    logger.close()
    with open_store(tmp_path) as store, open_store(tmp_path, tmp_path / "unwritten", write=False) as read:
        loaded = load_run(store.database, int(store.snapshot().ids[0]), "run")
        (known,) = read.live.values()
        assert loaded.summaries.keys() == known.summaries.keys()
        assert len(loaded.summaries) > FRONT
        for name, summary in known.summaries.items():
            assert repr(loaded.summaries[name].answer()) == repr(summary.answer()), name
