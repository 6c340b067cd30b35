"""`configure(metrics_pkl=True)` keeps a real file that the standard library reads; what is read through ml-logger is never behind."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from ml_logger import ML_Logger


def plainly(path: Path) -> list[Any]:
    rows = []
    with path.open("rb") as file:
        while file.peek(1):
            rows.append(pickle.load(file))
    return rows


def test_a_real_file_is_kept(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path, metrics_pkl=True)
    for step in range(3):
        logger.log(step=step, loss=0.5 * step, silent=True)
        logger.flush()
    with logger.Prefix("eval"):
        logger.log(step=0, score=1, silent=True)
    file = tmp_path / "run" / "metrics.pkl"
    assert plainly(file)[0] == {"step": 0, "loss": 0.0}  # there since the first flush, and not written at each one
    assert logger.load_pkl("metrics.pkl") == [{"step": step, "loss": 0.5 * step} for step in range(3)]
    assert logger.glob("*.pkl") == ["metrics.pkl"]
    logger.close()
    assert plainly(file) == [{"step": step, "loss": 0.5 * step} for step in range(3)]
    assert plainly(tmp_path / "run" / "eval" / "metrics.pkl") == [{"step": 0, "score": 1}]


def test_without_it_there_is_none(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path)
    logger.log(step=0, loss=1.0, silent=True)
    logger.close()
    assert not (tmp_path / "run" / "metrics.pkl").exists()
    assert ML_Logger("run", root=tmp_path).load_pkl("metrics.pkl") == [{"step": 0, "loss": 1.0}]


def test_removing_it_removes_the_rows(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path, metrics_pkl=True)
    logger.log(step=0, loss=1.0, silent=True)
    logger.flush()
    logger.remove("metrics.pkl")
    assert logger.load_pkl("metrics.pkl") in (None, [])
    logger.log(step=1, loss=2.0, silent=True)
    logger.close()
    assert plainly(tmp_path / "run" / "metrics.pkl") == [{"step": 1, "loss": 2.0}]
