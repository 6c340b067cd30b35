"""Parquet copies beside sealed journals: made once, made again when the run has gone on, and never taken for the run itself."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.query import direct
from ml_logger.query.copies import copy_below, is_kept
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.seal import seal_below

pq = pytest.importorskip("pyarrow.parquet")


def log(root: Path, key: str, steps: range) -> ML_Logger:
    logger = ML_Logger(key, root=root)
    for step in steps:
        logger.log(
            step=step, loss=1 / (step + 1), big=2**60 + step, note=f"n{step}", silent=True, **{"odd.one": math.nan if step % 3 else -0.0}
        )
        logger.log_metrics(step=step, acc=step, silent=True, file="eval/metrics.pkl")
    return logger


def said(root: SafeRoot, key: str = "") -> dict[str, str]:
    return {item.key: item.reason for item in copy_below(root, key)}


def test_a_copy_keeps_step_with_its_run(tmp_path: Path) -> None:
    root = SafeRoot(tmp_path)
    log(tmp_path, "a/run", range(20)).close()
    list(seal_below(root))
    assert said(root) == {"a/run/metrics.parquet": "", "a/run/eval/metrics.parquet": ""}
    assert set(said(root).values()) == {"as it should be"}
    found = pq.read_table(tmp_path / "a/run/metrics.parquet").to_pydict()
    assert found["loss"] == [1 / (step + 1) for step in range(20)]
    assert found["big"] == [2**60 + step for step in range(20)]
    assert found["note"][7] == "n7" and math.isnan(found["odd.one"][1]) and math.copysign(1, found["odd.one"][3]) < 0  # noqa: PT018
    assert pq.read_table(tmp_path / "a/run/eval/metrics.parquet").to_pydict()["acc"] == list(range(20))
    logger = log(tmp_path, "a/run", range(20, 25))
    assert said(root) == {"a/run": "its writer may go on"}
    logger.close()
    assert set(said(root, "a").values()) == {""}
    assert pq.read_table(tmp_path / "a/run/metrics.parquet").to_pydict()["step"] == list(range(20, 25))


def test_a_copy_is_not_the_run(tmp_path: Path) -> None:
    root = SafeRoot(tmp_path)
    log(tmp_path, "run", range(5)).close()
    before = b"".join(direct.read(root, "run/metrics.parquet"))
    list(copy_below(root))
    assert is_kept(root, "run/metrics.parquet")
    log(tmp_path, "run", range(9)).close()
    (tmp_path / "now.parquet").write_bytes(b"".join(direct.read(root, "run/metrics.parquet")))
    assert len(pq.read_table(tmp_path / "now.parquet")) == 9, "what is downloaded is what the journals say"
    (tmp_path / "then.parquet").write_bytes(before)
    assert not is_kept(root, "then.parquet")
    assert len(pq.read_table(tmp_path / "run/metrics.parquet")) == len(pq.read_table(tmp_path / "then.parquet")) == 5


def test_a_file_of_the_users_own_stays(tmp_path: Path) -> None:
    root = SafeRoot(tmp_path)
    log(tmp_path, "run", range(5)).close()
    for content in (b"", b"PAR1", b"mine ml_logger.journals {\xff} " + (20).to_bytes(4, "little") + b"PAR1"):
        (tmp_path / "run/metrics.parquet").write_bytes(content)
        assert said(root)["run/metrics.parquet"] == "another file has this name"
        assert b"".join(direct.read(root, "run/metrics.parquet")) == content
