"""Disks that are slow, or all dead: `log()` does not wait, memory stays bounded, what is lost is counted (C2, C3)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_logger.formats.messages import Gap
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

SLOW = """
import json, os, sys, time
from ml_logger import ML_Logger

logger = ML_Logger("lab/run", root=os.environ["TEST_ROOT"])
took, calls = [], 4000
for step in range(calls):
    begun = time.perf_counter()
    logger.log(step=step, loss=0.5, silent=True)
    took.append(time.perf_counter() - begun)
    if step == 100:
        os.write(1, b"started\\n")  # what print would do, in one call
    time.sleep(0.001)
logger.flush(timeout=60)
print(json.dumps({**logger.session.status(), "slow": [n for n, s in enumerate(took) if s > 0.1], "p50": sorted(took)[calls // 2]}))
"""


def test_a_disk_that_stalls_stops_one_call(new_program: Callable[..., Any], tmp_path: Path) -> None:
    """For some seconds each write of any thread takes one: the call that met the first waits for it, the others do not."""
    trace = tmp_path / "trace"
    done = new_program(SLOW, TEST_ROOT=str(tmp_path / "root"))
    assert done.process.stdout.readline() == "started\n"
    fault = ("strace", "-f", "-qq", "-o", str(trace), "-e", "trace=write", "-e", "inject=write:delay_enter=1000000")
    slow_disk = subprocess.Popen([*fault, "-p", str(done.process.pid)])
    time.sleep(2.5)
    slow_disk.send_signal(signal.SIGINT)
    slow_disk.wait(20)
    found = json.loads(done.finish(timeout=120))
    assert trace.read_text().count("(DELAYED)") >= 2
    assert len(found["slow"]) <= 2, "the first, and the one that says so on stderr, which the fault delays as well"
    assert found["p50"] <= 0.001, found
    assert (found["accepted"], found["journaled"], found["dropped"]) == (4000, 4000, 0)
    assert "answers slowly" in done.errors
    assert [row["step"] for row in RunDir(SafeRoot(tmp_path / "root"), "lab/run").refresh().rows()] == list(range(4000))


DEAD = """
import json, os, resource, signal
from ml_logger import ML_Logger

def rss():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
logger = ML_Logger("lab/run", root=os.environ["TEST_ROOT"])
logger.log(step=0, loss=0.5, silent=True)
before = rss()
for step in range(1, int(os.environ["TEST_CALLS"])):
    logger.log(step=step, loss=step * 0.5, note="text", silent=True)
grown = rss() - before
dead = logger.session.status()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
import time
time.sleep(1.2)
logger.log(step=-1, silent=True)
print(json.dumps({"grown": grown, "dead": dead, "status": logger.session.status()}))
"""


@pytest.mark.parametrize("calls", [100_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("root", ["directory", "server"])
def test_no_disk_and_no_server(root: str, calls: int, env: dict[str, str], tmp_path: Path) -> None:
    """No file can grow anywhere and no server answers: memory does not grow; later a gap tells what is missing."""
    where = str(tmp_path / "root") if root == "directory" else "http://127.0.0.1:9"
    more = {"TEST_ROOT": where, "TEST_CALLS": str(calls), "ML_LOGGER_TOKEN": "t" * 20}
    done = subprocess.run([sys.executable, "-c", DEAD], env={**env, **more}, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["grown"] <= 96 << 20, found
    assert found["dead"]["dropped"] == calls == found["dead"]["accepted"], found
    assert found["status"]["journaled"] == 1, found
    assert "records are lost so far" in done.stderr
    places = [tmp_path / "root/lab/run"] if root == "directory" else list(Path(env["ML_LOGGER_SPOOL"]).glob("*/*/"))
    (run,) = [place for place in places if list(place.glob("*.mlog"))]
    seen = RunDir(SafeRoot(run.parent), run.name).refresh()
    (gap,) = [message for log in seen.writers for _, message in log.messages if isinstance(message, Gap)]
    assert gap.last - gap.first + 1 >= calls
    assert os.path.getsize(next(run.glob("*.mlog"))) < 4096
