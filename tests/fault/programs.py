"""Programs that log, as processes of their own, and what they left. Knows no fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

HEAD = """
import functools, os, signal, sys, time
os.register_at_fork(after_in_child=functools.partial(signal.alarm, 20))  # a child that hangs must not hang the tests
from ml_logger import ML_Logger
logger = ML_Logger(root=ROOT, prefix="run")
"""


def program(root: Path, body: str) -> str:
    return HEAD.replace("ROOT", repr(str(root))) + body


def run_of(root: Path, key: str = "run") -> RunDir:
    return RunDir(SafeRoot(root), key).refresh()


def all_rows(root: Path, key: str = "run") -> list[dict[str, Any]]:
    run = run_of(root, key)
    assert run.problems == []
    return run.rows(attempt=-1)
