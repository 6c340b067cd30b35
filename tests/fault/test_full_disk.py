"""A server whose disk is full: it says so, goes on answering, and takes records again when there is room. Nothing is lost."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

LOG = """
import time
from ml_logger import ML_Logger
logger = ML_Logger("lab/run", root=ROOT)
for step in range(1500):
    logger.log(step=step, loss=step * 0.5, silent=True)
    time.sleep(0.002)
logger.session.destination.carrier.outage.retry_at = 0.0  # do not wait for the 30 s that the server asked for
logger.flush(timeout=60)
print(logger.session.status())
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def get(server: Any, path: str) -> int:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def fill(place: Path) -> Path:
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass
        try:
            while True:
                file.write(b"\0")
        except OSError:
            pass
    return filler


def wait_for(server: Any, path: str, status: int, timeout: float = 5.0) -> None:
    started = time.monotonic()
    while get(server, path) != status:
        assert time.monotonic() - started < timeout, f"{path} is not {status}"
        time.sleep(0.1)


def test_full_and_empty_again(disk: Path, new_server: Any, new_program: Any, tmp_path: Path) -> None:
    server = new_server("disk/root")
    client = new_program(LOG.replace("ROOT", repr(server.url)))
    journals = disk / "root/lab/run"
    started = time.monotonic()
    while not list(journals.glob("*.mlog")):
        assert time.monotonic() - started < 15
        time.sleep(0.05)
    wait_for(server, "/readyz", 200)
    filler = fill(disk)
    wait_for(server, "/readyz", 503)
    assert get(server, "/healthz") == 200
    os.unlink(filler)
    wait_for(server, "/readyz", 200)
    out = client.finish(90)
    assert "'spool_bytes': 0" in out
    run = RunDir(SafeRoot(disk / "root"), "lab/run").refresh()
    assert not run.problems
    assert [row["step"] for row in run.rows()] == list(range(1500))
