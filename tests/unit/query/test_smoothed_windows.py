"""A smoothed curve is the same in every window: at its beginning, behind holes, and where steps lie unevenly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ml_logger
from ml_logger import ML_Logger
from ml_logger.queries import Smoothing
from ml_logger.reading import Runs

N = 240
RNG = np.random.default_rng(5)
STEPS = {
    "even": np.arange(N),
    "late": 10_000 + 3 * np.arange(N),
    "more and more seldom": np.unique((1.1 ** np.arange(N)).astype("i8")),
    "first one then dense": np.concatenate(([0], 10**6 + np.arange(N))),
    "out of order": RNG.permutation(N),
}
HOW = [Smoothing("ema", 0.9), Smoothing("ema", 0.5), Smoothing("gaussian", 3.5), Smoothing("mean", 9)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    root: Path = tmp_path_factory.mktemp("root")
    for name, steps in STEPS.items():
        logger = ML_Logger(name.replace(" ", "-"), root=root)
        for at, step in enumerate(steps.tolist()):
            holes = {"a": 5 + RNG.normal() if at % 40 < 12 else float("nan")}
            logger.log(step=step, silent=True, full=5 + RNG.normal(), **holes)
            if at == N // 2:
                with ml_logger.open(root):  # half of it is folded by itself
                    pass
        logger.close()
    with ml_logger.open(root) as found:
        yield found


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("metric", ["full", "a"])
def test_zooming_changes_no_smoothed_value(runs: Runs, name: str, metric: str) -> None:
    key = name.replace(" ", "-")
    for how in HOW:
        whole = runs.chart(metric, f"key:{key}", bins=5000, smoothing=how)[key]
        x = whole["x"]
        for lo, hi in ((x[0], None), (x[1], x[3]), (x[3], x[-5]), (x[len(x) // 2], None), (None, x[9]), (x[-3], x[-1])):
            part = runs.chart(metric, f"key:{key}", bins=5000, smoothing=how, lo=lo, hi=hi)[key]
            inside = (x >= (x[0] if lo is None else lo)) & (x <= (x[-1] if hi is None else hi))
            assert part["x"].tolist() == x[inside].tolist()
            np.testing.assert_allclose(part["mean"], whole["mean"][inside], rtol=1e-9, err_msg=f"{how} {lo} {hi}")
