"""A day without a server, and five hundred workers that meet it when it is back: all is delivered, in order, spread out (D8, D9)."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

DAY = """
import json, os, resource, time
from ml_logger import ML_Logger

def rss():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

logger = ML_Logger(os.environ["TEST_RUN"], root=os.environ["ML_LOGGER_ROOT"])
logger.log(step=0, loss=0.0, silent=True)
time.sleep(2)
before = rss()
for step in range(1, int(os.environ["TEST_RECORDS"])):
    logger.log(step=step, loss=step * 0.5, silent=True)
logged = logger.session.status()
print("logged", flush=True)
deadline = time.monotonic() + 200
while logger.session.status()["acked"] == 0 and time.monotonic() < deadline:
    time.sleep(0.1)
first = time.time()
logger.flush(timeout=200)
print(json.dumps({"waited": logged["spool_bytes"], "grown": rss() - before, "first": first, **logger.session.status()}))
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("records", [5_000, pytest.param(86_400, marks=pytest.mark.long)])
def test_a_day_without_a_server(records: int, new_server: Callable[..., Any], new_program: Callable[..., Any], tmp_path: Path) -> None:
    server = new_server()
    server.stop()
    more = {"ML_LOGGER_ROOT": server.url, "TEST_RECORDS": str(records)}
    programs = [new_program(DAY, TEST_RUN=f"lab/{i}", **more) for i in range(3)]
    for program in programs:
        assert program.process.stdout.readline() == "logged\n"
    back = time.time()
    server.start()
    for i, program in enumerate(programs):
        found = json.loads(program.finish(timeout=400))
        assert found["waited"] > records * 20, found
        assert found["first"] - back <= 75, found
        assert found["grown"] <= 64 << 20, found
        assert (found["accepted"], found["acked"], found["dropped"], found["spool_bytes"]) == (records, records, 0, 0), found
        run = RunDir(SafeRoot(tmp_path / "root"), f"lab/{i}").refresh()
        assert run.problems == []
        assert sum(log.reader.duplicates for log in run.writers) == 0
        assert [row["step"] for row in run.rows()] == list(range(records))


CROWD = """
import json, os, time
from ml_logger import ML_Logger

loggers = [ML_Logger(f"lab/{os.environ['TEST_NUMBER']}-{i}", root=os.environ["ML_LOGGER_ROOT"]) for i in range(50)]
for logger in loggers:
    logger.log(step=0, silent=True)
print("logged", flush=True)
first = {}
deadline = time.monotonic() + 250
while len(first) < len(loggers) and time.monotonic() < deadline:
    for n, logger in enumerate(loggers):
        if n not in first and logger.session.status()["acked"]:
            first[n] = time.time()
    time.sleep(0.02)
for logger in loggers:
    logger.flush(timeout=60)
print(json.dumps({"first": sorted(first.values()), "left": sum(logger.session.status()["spool_bytes"] for logger in loggers)}))
"""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_five_hundred_come_back(new_server: Callable[..., Any], new_program: Callable[..., Any]) -> None:
    server = new_server()
    server.stop()
    programs = [new_program(CROWD, TEST_NUMBER=str(i), ML_LOGGER_ROOT=server.url) for i in range(10)]
    for program in programs:
        assert program.process.stdout.readline() == "logged\n"
    time.sleep(40)
    server.start()
    found = [json.loads(program.finish(timeout=400)) for program in programs]
    firsts = [first for one in found for first in one["first"]]
    assert len(firsts) == 500
    assert sum(one["left"] for one in found) == 0
    buckets = Counter(int(first - min(firsts)) for first in firsts)
    assert max(buckets.values()) <= 50, buckets
    assert not re.search("Traceback|50[0-9] ", server.output)
