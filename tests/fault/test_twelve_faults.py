"""Twelve things that go wrong under a training loop: `log()` raises nothing, and every record is written or counted (C1, C4, C5).

Each fault proves that it happened. How quick `log()` stays is measured by `bench/log_call.py`; here it must only never wait for a fault.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger.formats.messages import Gap
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

CALLS = 3_000
FULL_CALLS = 100_000
PROGRAM = """
import errno, json, os, resource, shutil, threading, time
from ml_logger import ML_Logger

calls, fired = int(os.environ["TEST_CALLS"]), False
logger = ML_Logger("lab/run", root=os.environ["TEST_ROOT"])
raised, took = [], []
for step in range(calls):
    if step == {at}:
        {fault}
    begun = time.perf_counter()
    try:
        logger.log(step=step, silent=True, **{{f"m{{n}}": step + n * 0.5 for n in range(10)}})
    except BaseException as error:
        raised.append(repr(error))
    took.append(time.perf_counter() - begun)
    if step % 100 == 0:
        time.sleep(float(os.environ["TEST_SECONDS"]) * 100 / calls)
status, took = logger.session.status(), sorted(took)
{repair}
lively = [thread.name for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
begun = time.perf_counter()
logger.session.close()
print(json.dumps({{**status, "raised": raised[:3], "p50": took[len(took) // 2], "max": took[-1], "lively": lively,
    "closed": time.perf_counter() - begun, "fired": fired}}))
"""
NO_DESCRIPTORS = """
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, 4096))
        try:
            open("/dev/null")
        except OSError as error:
            fired = error.errno == errno.EMFILE
"""
DELETED = """
        shutil.rmtree(os.environ["TEST_ROOT"] + "/lab")
        fired = not os.path.exists(os.environ["TEST_ROOT"] + "/lab/run")
        time.sleep(1.1)
"""
"""A live writer looks each second whether its file is still there (docs/formats/run-directory.md)."""


USED_UP = """
null, until = os.open("/dev/null", os.O_WRONLY), time.monotonic() + 20
while logger.session.status()["state"] == "stalled" and time.monotonic() < until:
    time.sleep(0.05)
status = logger.session.status()
for _ in range(600):
    try:
        os.write(null, b"x")
    except OSError:
        pass
"""
"""On a busy machine the program comes to its end before all failures that are to be: they are not meant for what it prints."""


class Run:
    """Runs the program and asserts what holds under every fault."""

    def __init__(self, env: dict[str, str], calls: int) -> None:
        self.env, self.calls, self.errors = env, calls, ""

    def __call__(
        self, root: str, fault: str = "pass", *, at_start: bool = False, repair: str = "", wrap: tuple[str, ...] = (), **variables: str
    ) -> dict[str, Any]:
        code = PROGRAM.format(at=0 if at_start else self.calls // 3, fault=fault.strip(), repair=repair)
        env = {**self.env, "TEST_ROOT": root, "TEST_CALLS": str(self.calls), "TEST_SECONDS": "0.03", **variables}
        done = subprocess.run([*wrap, sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        self.errors = done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert found["raised"] == [], found
        assert found["accepted"] == self.calls == found["journaled"] + found["dropped"], found
        assert found["lively"] == [], found
        assert found["p50"] <= 0.001, found
        assert found["max"] <= 2, found
        assert found["closed"] <= 2, found
        assert done.stderr.count("\n") <= 4, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return found


@pytest.fixture(params=[CALLS, pytest.param(FULL_CALLS, marks=[pytest.mark.long, pytest.mark.timeout(600)])], ids=["3000", "100000"])
def run(request: pytest.FixtureRequest, env: dict[str, str]) -> Run:
    return Run(env, request.param)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system in memory, with these options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False, capture_output=True)
        if done.returncode:
            pytest.skip("mounting needs root")
        return place

    yield mount
    subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


# ── the disk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_full_disk(run: Run, disk: Callable[[str], Path]) -> None:
    found = run(str(disk("size=128k") / "root"))
    assert found["state"] == "fallback"
    assert found["dropped"] == 0
    assert "No space left" in run.errors


def test_read_only_disk(run: Run, disk: Callable[[str], Path]) -> None:
    found = run(str(disk("ro") / "root"))
    assert found["state"] == "fallback"
    assert found["dropped"] == 0
    assert "Read-only" in run.errors


def test_failing_disk(run: Run, tmp_path: Path) -> None:
    """Writes fail wherever they go, for two tries a second apart: what no place took is counted and said, and a gap names it."""
    trace = tmp_path / "trace"
    wrap = ("strace", "-f", "-qq", "-o", str(trace), "-e", "trace=write", "-e", "inject=write:error=EIO:when=500..512")
    found = run(str(tmp_path / "root"), wrap=wrap, repair=USED_UP, TEST_SECONDS="4")
    assert trace.read_text().count("(INJECTED)") == 13
    assert found["dropped"] > 0
    assert f"{found['dropped']} records are lost so far" in run.errors
    seen = RunDir(SafeRoot(tmp_path / "root"), "lab/run").refresh()
    gaps = [message for log in seen.writers for _, message in log.messages if isinstance(message, Gap)]
    assert sum(gap.last - gap.first + 1 for gap in gaps) >= found["dropped"]


@pytest.mark.parametrize("at_start", [True, False])
def test_no_descriptors_left(run: Run, tmp_path: Path, at_start: bool) -> None:
    found = run(str(tmp_path / "root"), NO_DESCRIPTORS, at_start=at_start)
    assert found["fired"]
    assert found["dropped"] == (run.calls if at_start else 0), "an open journal needs no other"
    assert ("records are lost" in run.errors) == at_start


def test_directory_deleted(run: Run, tmp_path: Path) -> None:
    found = run(str(tmp_path / "root"), DELETED)
    assert found["fired"]
    assert found["dropped"] == 0
    rows = RunDir(SafeRoot(tmp_path / "root"), "lab/run").refresh().rows()
    assert [row["step"] for row in rows] == list(range(run.calls // 3, run.calls))


# ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────────

ANSWERS = {
    "server error": b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
    "garbage": b"\x16\x03\x01\x00garbage\r\n\r\n",
    "redirect": b"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:9/v1/ingest\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("fault", [*ANSWERS, "silent", "refuse"])
def test_server_out_of_order(fault: str, run: Run, new_server: Any, new_proxy: Any) -> None:
    proxy = new_proxy(new_server())
    proxy.answer, proxy.silent, proxy.refuse = ANSWERS.get(fault, b""), fault == "silent", fault == "refuse"
    found = run(proxy.url, ML_LOGGER_TOKEN="t" * 20)
    assert proxy.fired.get("answer" if fault in ANSWERS else fault), proxy.fired
    assert (found["dropped"], found["acked"]) == (0, 0)
    assert run.errors.count("\n") == 1, run.errors


def test_no_server(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = run(f"http://127.0.0.1:{port}", ML_LOGGER_TOKEN="t" * 20)
    assert (found["dropped"], found["acked"]) == (0, 0)
    assert run.errors.count("\n") == 1, run.errors


def test_no_tls(run: Run, new_server: Any) -> None:
    found = run(new_server().url.replace("http://", "https://"), ML_LOGGER_TOKEN="t" * 20)
    assert (found["dropped"], found["acked"]) == (0, 0)
    assert run.errors.count("\n") == 1, run.errors


def test_no_such_name(run: Run) -> None:
    found = run("http://no-such-host.invalid:8081", ML_LOGGER_TOKEN="t" * 20, ML_LOGGER_ALLOW_PLAINTEXT="1")
    assert (found["dropped"], found["acked"]) == (0, 0)
    assert run.errors.count("\n") == 1, run.errors
