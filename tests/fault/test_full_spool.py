"""A spool on a small disk, and no server: rows over the bound are counted and said, the disk does not fill, and afterwards all adds up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SIZE = 16 << 20

PROGRAM = """
import json, os, sys, time
from ml_logger import ML_Logger
logger = ML_Logger("run", root=ROOT)
slowest = 0.0
for step in range(4000):
    start = time.perf_counter()
    logger.log(step=step, text="x" * 1000, silent=True)
    slowest = max(slowest, time.perf_counter() - start)
logger.log_params(A={"lr": 0.1}, silent=True)
free = os.statvfs(SPOOL).f_bavail * os.statvfs(SPOOL).f_frsize
print(json.dumps({**logger.status(), "free": free, "slowest": slowest}), flush=True)
sys.stdin.readline()
logger.flush(timeout=30)
time.sleep(1.2)  # a second later the journal looks for room again
for step in range(4000, 4100):
    logger.log(step=step, text="y", silent=True)
logger.flush(timeout=30)
print(json.dumps({**logger.status(), "params": logger.get_parameters("A.lr"), "rows": len(logger.load_pkl("metrics.pkl"))}), flush=True)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], check=False, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_rows_are_dropped_and_counted(new_server: Callable[..., Any], env: dict[str, str], small_disk: Path) -> None:
    server = new_server()
    server.kill()
    env["ML_LOGGER_SPOOL"] = str(small_disk / "spool")
    code = PROGRAM.replace("ROOT", repr(server.url)).replace("SPOOL", repr(str(small_disk)))
    command = [sys.executable, "-c", code]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, text=True, **pipes) as program:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        server.start()
        out, err = program.communicate("go\n", timeout=90)
    assert told["dropped"] > 1500, "the fault fired: 4 MB were logged where 1.6 MB have room"
    assert told["accepted"] == told["journaled"] + told["dropped"] == 4002  # rows, parameters, and their table in the log
    assert told["free"] > SIZE * 0.85, "the disk is not filled"
    assert told["slowest"] < 0.5
    after = json.loads(out)
    assert "the spool is full: 1 record is lost so far" in err
    assert after["dropped"] == told["dropped"], "what came after the delivery had room again"
    assert after["rows"] == 4100 - after["dropped"]
    assert after["accepted"] == after["journaled"] + after["dropped"]
    assert after["spool_bytes"] == 0
    assert after["params"] == 0.1
