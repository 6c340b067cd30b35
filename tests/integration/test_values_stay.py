"""Values of any kind are the same at every stage of their life: in a live journal, folded, after restarts, sealed, indexed anew."""

from __future__ import annotations

import math
import shutil
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

import ml_logger
from ml_logger import ML_Logger
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.indexing import FOLD_ROWS
from ml_logger.store.seal import seal_below
from ml_logger.store.sqlite import open_store

NUMBERS = [
    math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1, 1e-5, 0.1234, 2**53 + 1, -(2**53) - 1, 2**63 - 1,
    -(2**63), 2**64 - 1, 2**200, True, False, np.float32(0.1), np.float16(0.1), np.int8(-3), np.uint64(2**64 - 1), Decimal("1.10"),
]  # fmt: skip
OTHERS = [
    None, "text", "", "ü\u0000\U0001f642", b"\x00\xff", [1, 2.5, "x", None], {"a": {"b": [1, math.inf]}}, (1, 2),
    np.arange(6).reshape(2, 3), np.array([0.5, math.nan], "f4"), np.array([True, False]), datetime(2026, 1, 2, tzinfo=timezone.utc),
]  # fmt: skip


def log(root: Path) -> ML_Logger:
    """Log every value alone, then all of them in one column that changes its type, then enough to be folded."""
    logger = ML_Logger("run", root=root)
    for at, value in enumerate(NUMBERS + OTHERS):
        logger.log(step=at, **{f"v{at}": value}, silent=True)
        logger.log(step=at, mixed=value, silent=True)
    for step in range(100, 100 + FOLD_ROWS):
        logger.log(step=step, loss=math.sin(step), count=2**60 + step, good=step % 2 == 0, silent=True)
    return logger


def seen(root: Path) -> tuple[str, str, dict[str, list[str]]]:
    """Return all that can be read: rows, summaries, and the points of every metric."""
    with ml_logger.open(root) as runs:
        run = runs["run"]
        points = {name: [repr(item) for item in zip(*map(np.ndarray.tolist, run.series(name)), strict=True)] for name in numeric(runs)}
        return repr(list(run.rows())), repr(summaries(runs)), points


def numeric(runs: Any) -> list[str]:
    found = runs._store.metrics(None)
    return [name for name, (_, _, is_number) in found.items() if is_number]


def summaries(runs: Any) -> list[tuple[str, Any]]:
    return sorted(runs._store.snapshot().rows([0])[0].metrics.items())


def test_from_live_to_sealed(tmp_path: Path) -> None:
    logger = log(tmp_path)
    live = seen(tmp_path)
    logger.close()
    assert seen(tmp_path) == live, "closed"
    (done,) = seal_below(SafeRoot(tmp_path))
    assert done.reason == ""
    assert seen(tmp_path) == live, "sealed"
    shutil.rmtree(tmp_path / ".ml-logger")
    assert seen(tmp_path) == live, "indexed anew"

    rows, _, points = live
    with ml_logger.open(tmp_path) as runs:
        found = list(runs["run"].rows())
    for at, value in enumerate(NUMBERS + OTHERS):
        expected = value.item() if isinstance(value, np.generic) else value
        for got in (found[at][f"v{at}"], found[at]["mixed"]):
            if isinstance(value, np.ndarray):
                assert got.dtype == value.dtype
                assert got.shape == value.shape
                assert got.tobytes() == value.tobytes()
            else:
                assert repr(got) == repr(list(expected) if isinstance(expected, tuple) else expected) or repr(got) == repr(expected)
                assert type(got) is type(expected) or isinstance(expected, tuple) or isinstance(value, np.generic)
    assert "nan" in rows
    assert len(points["loss"]) == FOLD_ROWS
    assert points["loss"][7] == repr((107, math.sin(107)))
    for at, value in enumerate(NUMBERS):
        assert points[f"v{at}"] == [repr((at, float(value)))]


def test_live_tails_and_folded_chunks_tell_the_same(tmp_path: Path) -> None:
    """A store that saw every row at once, and one that followed the writer, answer alike."""
    followed = open_store(tmp_path)
    logger = log(tmp_path)
    followed.refresh()
    logger.log(step=10_000, loss=0.5, silent=True)
    followed.refresh()
    for name in ("loss", "count", "good", "mixed", "v0", "v1", "v3"):
        at_once = seen(tmp_path)[2].get(name, [])
        chunks = list(followed.read(name))
        points = sorted((int(s), repr(float(v))) for chunk in chunks for s, v in zip(chunk.steps, chunk.mean, strict=True))
        assert [repr(pair) for pair in points] == [repr((s, repr(v))) for s, v in map(as_pair, at_once)], name
    logger.close()
    followed.close()


def as_pair(text: str) -> tuple[int, float]:
    step, value = text.strip("()").split(", ")
    return int(step), float(value)
