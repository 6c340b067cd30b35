"""A run directory on a file system that hangs: training keeps its pace, and after the thaw everything is there (D10)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

pytest.importorskip("mfusepy")

TRAIN = """
import json, os, sys, time
from ml_logger import ML_Logger

logger = ML_Logger("lab/run", root=os.environ["ML_LOGGER_ROOT"])
logger.log_params(lr=0.1, silent=True)
logger.flush(timeout=20)
step, paces = 0, []
for phase in ("before", "hanging", "after"):
    print(phase, flush=True)
    sys.stdin.readline()
    begun, first, slowest = time.perf_counter(), step, 0.0
    while time.perf_counter() - begun < float(os.environ["TEST_SECONDS"]):
        start = time.perf_counter()
        logger.log(step=step, loss=step * 0.5, silent=True)
        slowest = max(slowest, time.perf_counter() - start)
        time.sleep(0.002)
        step += 1
    paces.append(((step - first) / (time.perf_counter() - begun), slowest))
logger.flush(timeout=60)
print(json.dumps({"steps": step, "paces": paces, **logger.session.status()}))
"""


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Path]:
    """A mounted file system that passes on to `below` beside it, and hangs while a file `hang` exists there."""
    place = tmp_path / "mnt"
    place.mkdir()
    (tmp_path / "below").mkdir()
    program = [sys.executable, str(Path(__file__).with_name("hanging_fs.py")), str(tmp_path / "below"), str(place)]
    served = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = time.monotonic()
    while not place.is_mount():
        if served.poll() is not None or time.monotonic() - begun > 10:
            pytest.skip("mounting FUSE needs libfuse and root")
        time.sleep(0.05)
    yield place
    (tmp_path / "hang").unlink(missing_ok=True)
    subprocess.run(["umount", "-l", str(place)], check=False)
    served.wait(10)


@pytest.mark.parametrize("seconds", [4, pytest.param(20, marks=pytest.mark.long)])
def test_training_keeps_its_pace(seconds: int, hanging: Path, tmp_path: Path, env: dict[str, str]) -> None:
    more = {"ML_LOGGER_ROOT": str(hanging / "root"), "TEST_SECONDS": str(seconds)}
    run = subprocess.Popen(
        [sys.executable, "-c", TRAIN], env={**env, **more}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    hang = tmp_path / "hang"
    for phase, change in (("before", None), ("hanging", hang.touch), ("after", hang.unlink)):
        assert run.stdout.readline() == f"{phase}\n"
        if change:
            change()
        run.stdin.write("\n")
        run.stdin.flush()
    out, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert (tmp_path / "hung").exists(), "nothing was asked of it while it hung"
    found: dict[str, Any] = json.loads(out)
    (before, _), (hung, slowest), _ = found["paces"]
    assert hung >= 0.6 * before, "a busy machine alone makes a tenth; waiting for the directory would leave nothing"
    assert slowest < 0.5, found
    assert found["accepted"] == found["acked"] > found["steps"], found
    rows = RunDir(SafeRoot(tmp_path / "below/root"), "lab/run").refresh().rows()
    assert [row["step"] for row in rows] == list(range(found["steps"]))
