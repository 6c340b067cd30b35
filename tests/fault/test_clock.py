"""A wall clock that jumps, runs backwards or stands still: order, rows and delivery do not depend on it (D11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

HOUR, YEAR = 3600.0, 365.25 * 86400
CLOCKS = {
    "an hour ahead and back": f"real() + ({HOUR} if calls % 200 < 100 else 0)",
    "an hour behind and back": f"real() - ({HOUR} if calls % 200 < 100 else 0)",
    "ten years ahead": f"real() + ({10 * YEAR} if calls > 300 else 0)",
    "ten years behind": f"real() - ({10 * YEAR} if calls > 300 else 0)",
    "backwards": "begun - (real() - begun)",
    "frozen": "begun",
}
PROGRAM = """
import json, os, time

real = time.time
begun, calls = real(), 0

def clock():
    global calls
    calls += 1
    return CLOCK

time.time = clock
from ml_logger import ML_Logger

logger = ML_Logger("lab/run", root=os.environ["ML_LOGGER_ROOT"])
took = []
for step in range(1000):
    start = time.perf_counter()
    logger.log(step=step, loss=step * 0.5, silent=True)
    took.append(time.perf_counter() - start)
    time.sleep(0.001)
start = time.perf_counter()
logger.flush(timeout=30)
print(json.dumps({**logger.session.status(), "calls": calls, "p99": sorted(took)[990], "flush": time.perf_counter() - start}))
"""


@pytest.mark.parametrize("clock", list(CLOCKS))
@pytest.mark.parametrize("way", ["directory", "server"])
def test_the_order_does_not_depend_on_the_clock(
    way: str, clock: str, new_server: Callable[..., Any], new_program: Callable[..., Any], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    done = new_program(PROGRAM.replace("CLOCK", CLOCKS[clock]), ML_LOGGER_ROOT=new_server().url if way == "server" else str(root))
    found = json.loads(done.finish())
    assert found["calls"] >= 1000, "the logger asks this clock"
    assert (found["accepted"], found["journaled"], found["acked"], found["dropped"]) == (1000, 1000, 1000, 0)
    assert found["p99"] < 0.05, found
    assert found["flush"] < 5, found
    assert done.errors == ""
    run = RunDir(SafeRoot(root), "lab/run").refresh()
    assert run.problems == []
    assert [row["step"] for row in run.rows()] == list(range(1000))
