"""Directories of earlier releases are read in place: rows, parameters, text; nothing in them is run, and nothing in them is changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

import ml_logger
from ml_logger import ML_Logger
from ml_logger.formats.values import Unsupported

GOLDEN = Path(__file__).parent.parent / "golden" / "legacy"
RUN = "alice/toys/run-0.10"


@pytest.fixture(params=["local", "http"])
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ML_Logger:
    """A logger at a copy of the golden directory; no journal is ever made there."""
    root = tmp_path / "root"
    shutil.copytree(GOLDEN, root)
    if request.param == "local":
        return ML_Logger(RUN, root=root)
    server = request.getfixturevalue("new_server")("root")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, server.env[name])
    return ML_Logger(RUN, root=server.url)


def test_rows(old: ML_Logger) -> None:
    first, empty, arrays, colours, nested, last, functions = old.load_pkl("metrics.pkl")
    assert first == {"step": 0, "loss": 1.0, "name": "first", "__timestamp": dt.datetime(2020, 5, 17, 12, 30, 1, 250)}  # noqa: DTZ001 - as it was written
    assert empty == {}
    assert (arrays["loss"], arrays["count"], arrays["vector"].tolist()) == (np.float32(0.5), 7, [0, 1, 2])
    assert (arrays["matrix"].dtype, arrays["matrix"].tolist()) == (np.float32, [[1, 0], [0, 1]])
    assert (colours["loss"], colours["accuracy"]) == (0.25, 0.85)
    assert nested["nested"] == {"a": [1, (2, 3), {"b": None}]}
    assert (nested["big"], nested["flag"], nested["set"], math.isnan(nested["nan"])) == (2**70, True, {1, 2}, True)
    assert functions["loss"] == 0.125  # the row whose formatter no earlier release could read back
    assert isinstance(functions["model"], Unsupported)
    assert "SimpleNamespace" in functions["model"]
    assert last == {"step": 5, "loss": 0.0625}


def test_metrics_parameters_and_text(old: ML_Logger) -> None:
    loss, step = old.read_metrics("loss", x_key="step", as_numpy=True, dropna=True)
    assert loss.tolist() == [1.0, 0.5, 0.25, 0.0625, 0.125]
    assert step.tolist() == [0, 1, 2, 5, 4]
    assert old.get_parameters() == {"Args.lr": 0.2, "Args.sizes": [64, 64], "Args.seed": 3, "env.name": "pong"}
    assert "coloured" in old.load_text("outputs.log")
    assert [row["score"] for row in old.load_jsonl("eval/metrics.jsonl")] == [0.0, 0.5, 1.0]
    assert old.get_parameters("Args.lr", path=f"/{RUN}/../run-0.4/parameters.pkl") == 0.3


def test_they_are_runs(tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(GOLDEN, root)
    with ml_logger.open(root) as runs:
        assert sorted(run.key for run in runs) == ["alice/toys/run-0.10", "alice/toys/run-0.4"]
        run = runs[RUN]
        assert run.params == {"Args": {"lr": 0.2, "sizes": [64, 64], "seed": 3}, "env": {"name": "pong"}}
        assert {"accuracy", "count", "loss"} <= set(run.metrics())
        steps, losses = run.series("loss")
        assert (steps.tolist(), losses.tolist()) == ([0, 1, 2, 4, 5], [1.0, 0.5, 0.25, 0.125, 0.0625])


def test_reading_changes_nothing(tmp_path: Path) -> None:
    def state(root: Path) -> dict[str, str]:
        files = [path for path in root.rglob("*") if path.is_file() and ".ml-logger" not in path.parts]
        return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    root = tmp_path / "root"
    shutil.copytree(GOLDEN, root)
    before = state(root)
    logger = ML_Logger(RUN, root=root)
    logger.load_pkl("metrics.pkl")
    logger.read_metrics("loss", as_numpy=True)
    with ml_logger.open(root) as runs:
        list(runs)
    assert state(root) == before
