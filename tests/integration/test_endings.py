"""What a run says of how its program ended, when the program itself does not say it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import ml_logger
from ml_logger.formats.messages import Status
from ml_logger.queries import SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store import live
from ml_logger.store.rundir import RunDir
from ml_logger.store.sqlite import open_store

SCRIPT = """
import sys
from ml_logger import logger
logger.configure("run", root=sys.argv[1])
logger.log(loss=1.0, silent=True)
{}
"""
TELLING = """
class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no word")
raise Silent
"""
ENDINGS = {
    "raise ValueError('bad loss')": ("errored", "ValueError: bad loss"),
    "raise KeyboardInterrupt": ("errored", "KeyboardInterrupt: "),
    TELLING: ("errored", "Silent"),
    "logger.job_completed(); raise ValueError": ("completed", None),
    "with logger.capture_error(): raise ValueError('kept')": ("errored", "ValueError: kept"),
    "try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass": ("completed", None),
    "": ("completed", None),
}


@pytest.mark.parametrize("ending", ENDINGS, ids=[f"{n} {status}" for n, (status, _) in enumerate(ENDINGS.values())])
def test_how_a_run_ended(ending: str, tmp_path: Path) -> None:
    status, error = ENDINGS[ending]
    subprocess.run([sys.executable, "-c", SCRIPT.format(ending), str(tmp_path)], capture_output=True, check=False, timeout=60)
    with ml_logger.open(tmp_path) as runs:
        (row,) = runs.table()
        assert row["status"] == status
    told = [message for _, _, message in RunDir(SafeRoot(tmp_path), "run").refresh().messages(Status)]
    assert ([message.details.get("error") for message in told if message.status == "errored"] or [None]) == [error]


def test_an_error_at_a_prompt_is_not_the_end(tmp_path: Path) -> None:
    script = SCRIPT.format("raise ValueError").replace("sys.argv[1]", repr(str(tmp_path)))
    subprocess.run(
        [sys.executable, "-i"], input=script + "\nlogger.log(loss=2.0, silent=True)\n", text=True, capture_output=True, check=False
    )
    with ml_logger.open(tmp_path) as runs:
        assert [(row["status"], row["loss"]) for row in runs.table()] == [("completed", 2.0)]


def test_a_program_that_was_killed_is_known_to_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that says nothing for an hour is known to be there: both by the lock of its journal."""
    script = SCRIPT.format("print(flush=True); sys.stdin.read()")
    program = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert program.stdout is not None
    program.stdout.readline()
    monkeypatch.setattr(live, "ASK_S", 0.0)
    store = open_store(tmp_path)
    run = store.live["run"]
    store.refresh()
    assert run.state(time.time() + 3600) == "running"
    program.kill()
    program.communicate()
    store.refresh()
    assert [row.status for row in Engine(store, store.root).answer(SearchRuns()).rows] == ["lost"]
    store.close()


LOOP = """
import gc, os, sys, time
from ml_logger import ML_Logger
for number in range(20):
    run = ML_Logger(f"sweep/{number}", root=sys.argv[1])
    run.log_params(Args={"n": number}, silent=True)
    run.log(step=1, loss=0.5, silent=True)
    if number == 2:
        before = len(os.listdir("/proc/self/fd"))
del run
gc.collect()
print(len(os.listdir("/proc/self/fd")) - before)
"""


@pytest.mark.parametrize("where", ["directory", "server"])
def test_loggers_made_in_a_loop_all_come_to_their_end(where: str, tmp_path: Path, new_server: Any) -> None:
    """Before, most of them were never closed: their runs were taken for lost."""
    server = new_server("root") if where == "server" else None
    env = server.env if server else {**os.environ, "ML_LOGGER_SPOOL": str(tmp_path / "spool")}
    target = server.url if server else str(tmp_path / "root")
    done = subprocess.run([sys.executable, "-c", LOOP, target], env=env, capture_output=True, text=True, check=True, timeout=60)
    if server:
        subprocess.run([sys.executable, "-m", "ml_logger", "sync", "--root", target], env=env, check=True, capture_output=True, timeout=60)
    else:
        assert int(done.stdout) <= 1  # descriptors do not pile up
    with ml_logger.open(server.data_dir if server else tmp_path / "root") as runs:
        assert {(row["key"], row["status"], row["loss"]) for row in runs.table()} == {
            (f"sweep/{number}", "completed", 0.5) for number in range(20)
        }
