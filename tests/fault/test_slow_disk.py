"""A server whose disk takes a megabyte a second is offered ten: it says "later", stays within 300 MiB, and loses nothing (S6)."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ml_logger.client.packing import Packer, body_of
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import Header, Text

WRITERS, BATCH = 140, 900_000
CGROUPS = Path("/sys/fs/cgroup")
LOG = """
import json, os, time
from ml_logger import ML_Logger

logger = ML_Logger(os.environ["TEST_RUN"], root=os.environ["ML_LOGGER_ROOT"])
begun, lines = time.monotonic(), 0
while time.monotonic() - begun < 8:
    logger.log_text(os.urandom(32768).hex() + "\\n", "noise.txt", silent=True)
    lines += 1
    time.sleep(max(0, lines * 0.05 - (time.monotonic() - begun)))
print("logged", flush=True)
logger.flush(timeout=500)
print(json.dumps({"lines": lines, **logger.session.status()}))
"""


class SlowDisk:
    """A disk of 1 GiB in a file, and groups that bound what a process may write to it and keep in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, folder / "disk"
        self.groups = [CGROUPS / kind / f"ml-logger-test-{os.getpid()}" for kind in ("blkio", "memory")]
        self.place.mkdir()
        with (folder / "image").open("wb") as image:
            image.truncate(1 << 30)
        self._run("mkfs.ext4", "-q", str(folder / "image"))
        self._run("mount", "-o", "loop", str(folder / "image"), str(self.place))
        device = self._run("findmnt", "-n", "-o", "MAJ:MIN", str(self.place)).strip()
        for group, file, value in zip(
            self.groups, ("blkio.throttle.write_bps_device", "memory.limit_in_bytes"), (f"{device} {1 << 20}", f"{512 << 20}"), strict=True
        ):
            group.mkdir()
            (group / file).write_text(value)

    @staticmethod
    def _run(*command: str) -> str:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{command[0]}: {done.stderr.strip()[:200]}")
        return done.stdout

    @property
    def wrap(self) -> tuple[str, ...]:
        """What starts a program within the groups."""
        joins = "; ".join(f"echo $$ > {group}/cgroup.procs" for group in self.groups)
        return ("sh", "-c", f'{joins}; exec "$@"', "sh")

    def memory_failures(self) -> int:
        """Return how many processes the kernel killed for want of memory."""
        found = re.search(r"oom_kill (\d+)", (self.groups[1] / "memory.oom_control").read_text())
        return int(found[1]) if found else 0

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], check=False)
        for group in self.groups:
            for _ in range(50):
                try:
                    group.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)


@pytest.fixture
def slow_disk(tmp_path: Path) -> Iterator[SlowDisk]:
    if os.getuid() or not (CGROUPS / "memory/memory.limit_in_bytes").exists():
        pytest.skip("needs root and control groups of the first kind")
    disk = SlowDisk(tmp_path)
    yield disk
    disk.close()


def check(server: Any, slow_disk: SlowDisk) -> None:
    """Assert that the server stayed small and well."""
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1])
    assert peak <= 300 << 10
    assert slow_disk.memory_failures() == 0
    with urllib.request.urlopen(f"{server.url}/readyz", timeout=10) as answer:
        assert answer.status == 200
    assert "Traceback" not in server.output


@pytest.mark.long
@pytest.mark.timeout(900)
def test_programs_wait_and_lose_nothing(slow_disk: SlowDisk, new_server: Callable[..., Any], new_program: Callable[..., Any]) -> None:
    server = new_server("disk/root", wrap=slow_disk.wrap)
    programs = [new_program(LOG, TEST_RUN=f"lab/{i}", ML_LOGGER_ROOT=server.url) for i in range(8)]
    for program in programs:
        assert program.process.stdout.readline() == "logged\n"
    found = [json.loads(program.finish(timeout=600)) for program in programs]
    assert sum(one["spool_bytes"] for one in found) == 0
    check(server, slow_disk)
    for i, one in enumerate(found):
        assert one["acked"] == one["lines"] == one["accepted"]
        assert (slow_disk.place / f"root/lab/{i}/noise.txt").read_text().count("\n") == one["lines"]


def batch_of(number: int) -> bytes:
    """Return the body of a writer's first batch: one text that does not get smaller."""
    header = Header(f"{number:032x}", f"lab/{number}", 0, "h", 0, 1, time.time())
    text = Text(base64.b64encode(os.urandom(BATCH * 3 // 4)).decode() + "\n", f"lab/{number}/noise.txt", False, 0.0)
    journal = frames.MAGIC + b"".join(frames.encode(n, messages.encode(one)) for n, one in enumerate((header, text), 1))
    packer = Packer()
    batch = packer.pack(journal, 0, final=False)
    assert batch is not None
    return body_of(batch, 0, header)


def send_until_taken(server: Any, token: str, number: int) -> list[int]:
    """Send a batch as often as it takes; return how many seconds to wait each refusal asked for."""
    body, waits = batch_of(number), []
    while True:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)) as connection:
            connection.request("POST", "/v1/ingest", body, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
        if answer.status == 200:
            return waits
        assert answer.status in (429, 503), answer.status
        waits.append(int(answer.headers["Retry-After"]))
        time.sleep(min(waits[-1], 5))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_more_than_fits_is_put_off(slow_disk: SlowDisk, new_server: Callable[..., Any]) -> None:
    """Many writers send at once what would take two minutes to write, more than the server is ready to hold."""
    server = new_server("disk/root", wrap=slow_disk.wrap)
    token = json.loads(next(Path(server.env["XDG_CONFIG_HOME"], "ml_logger/servers").glob("*.json")).read_text())["token"]
    with ThreadPoolExecutor(WRITERS) as pool:
        waits = list(pool.map(lambda number: send_until_taken(server, token, number), range(WRITERS)))
    assert sum(map(len, waits)) > 0, "it never had to say that it is busy"
    assert min(wait for one in waits for wait in one) >= 1
    check(server, slow_disk)
    for number in range(WRITERS):
        assert (slow_disk.place / f"root/lab/{number}/noise.txt").stat().st_size > BATCH * 0.99
