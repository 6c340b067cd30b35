"""A logger whose output is caught, and three runs to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_logger import ML_Logger, settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def logger(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ML_Logger]:
    for name in ("FORCE_COLOR", "ML_LOGGER_ROOT", "ML_LOGGER_PREFIX", settings.CHILD_RUN):
        monkeypatch.delenv(name, raising=False)
    made = ML_Logger(root=str(root), prefix="run")
    yield made
    made.close()


@pytest.fixture
def three(root: Path) -> Iterator[ML_Logger]:
    """Three runs of ten steps: loss is step × seed."""
    for seed in range(3):
        logger = ML_Logger(root=str(root), prefix=f"sweep/{seed}")
        logger.log_params(Args={"seed": seed, "opt": {"lr": 0.1}}, silent=True)
        for step in range(10):
            logger.log(step=step, loss=float(step * seed), silent=True)
            if step % 5 == 0:
                logger.log(acc=step / 10, silent=True)
        logger.close()
    made = ML_Logger(root=str(root), prefix="sweep")
    yield made
    made.close()
