"""Infinity is a value: it is found, compared and sorted, and comes before runs that have none; from the index as from a live run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.queries import SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.sqlite import open_store

LAST = {"inf": math.inf, "low": -math.inf, "one": 1.0, "two": 2, "nan": math.nan, "other": None}


@pytest.mark.parametrize("write", [True, False])
def test_infinity_is_found_and_sorted(tmp_path: Path, write: bool) -> None:
    for name, value in LAST.items():
        logger = ML_Logger(name, root=tmp_path)
        logger.log_params(Args={"p": value}, silent=True)
        if value is not None:
            logger.log(step=0, loss=value, silent=True)
            logger.log(step=1, loss=value, back=0.0, silent=True)
        logger.close()
    with open_store(tmp_path, tmp_path / "index", write=write) as store:
        engine = Engine(store, SafeRoot(tmp_path))

        def found(q: str) -> list[str]:
            return [row.key for row in engine.answer(SearchRuns(q)).rows]

        for name in ("loss", "loss.first", "Args.p"):
            assert found(f"sort:{name}")[:4] == ["low", "one", "two", "inf"]
            assert found(f"sort:-{name}")[:4] == ["inf", "two", "one", "low"]
            assert sorted(found(f"{name} > 1.5")) == ["inf", "two"]
            assert found(f"{name} = inf") == ["inf"]
            assert found(f"{name} < -1e9") == ["low"]
        assert found("loss.bad = 2 sort:loss") == ["low", "inf", "nan"]
