"""A client that is killed, forked, interrupted and ended in every way loses nothing that `log()` returned from."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fault.programs import HEAD, all_rows, program, run_of

KILLS = 100


# A parent forks many children, each of which tells through a pipe what `log` returned from, and is killed at a random instant.
VICTIMS = """
import random, signal
random.seed(SEED)
logger.log(n=-1, silent=True)
for kill in range(KILLS):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        n = 0
        while True:
            logger.log(step=n, n=kill * 1_000_000 + n, silent=True)
            os.write(write, n.to_bytes(4, 'little'))
            n += 1
    os.close(write)
    first = os.read(read, 4)
    time.sleep(random.random() * 0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    told = first
    while piece := os.read(read, 65536):
        told += piece
    os.close(read)
    print(kill, len(told) // 4, flush=True)
"""


def test_a_hundred_kills_lose_nothing_that_log_returned_from(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    root = tmp_path / "root"
    seed = random.randrange(1 << 30)
    out = new_program(program(root, VICTIMS.replace("SEED", str(seed)).replace("KILLS", str(KILLS)))).finish()
    told = {int(kill): int(count) for kill, count in (line.split() for line in out.splitlines())}
    assert len(told) == KILLS
    assert min(told.values()) > 0
    run = run_of(root)
    kept: dict[int, set[int]] = {}
    for row in run.rows(attempt=-1):
        kept.setdefault(row["n"] // 1_000_000, set()).add(row["n"] % 1_000_000)
    for kill, count in told.items():
        assert set(range(count)) <= kept[kill], f"seed {seed}, kill {kill}"
        assert len(kept[kill]) <= count + 1
    assert len(run.logs) == KILLS + 1


def test_fork_makes_a_writer_of_each_child(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    """While other threads of the parent log all the time: no deadlock, nothing lost, nothing twice."""
    root = tmp_path / "root"
    body = """
import threading
stop = False
def work(number):
    i = 0
    while not stop:
        logger.log({f"busy{number}": i}, silent=True)
        i += 1
        time.sleep(0.0002)
threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(2)]
[t.start() for t in threads]
pids = []
for child in range(15):
    pid = os.fork()
    if pid == 0:
        for i in range(10):
            logger.log(step=i, child=child, silent=True)
        if os.fork() == 0:
            logger.log(step=0, grandchild=child, silent=True)
            os._exit(0)
        os.wait()
        os._exit(0)
    pids.append(pid)
print([os.waitpid(pid, 0)[1] for pid in pids] == [0] * 15)
stop = True
[t.join() for t in threads]
print(logger.status()["accepted"] == logger.status()["journaled"])
"""
    assert new_program(program(root, body)).finish() == "True\nTrue\n"
    found = all_rows(root)
    for child in range(15):
        assert sorted(row["step"] for row in found if row.get("child") == child) == list(range(10))
        assert sum(row.get("grandchild") == child for row in found) == 1
    run = run_of(root)
    assert len(run.logs) == 31
    assert {log.header.epoch for log in run.writers} == {0, 1, 2}
    assert {log.attempt for log in run.writers} == {0}


@pytest.mark.parametrize("where", ["directory", "server"])
def test_children_of_a_parent_that_logs_nothing_are_one_attempt(
    where: str, tmp_path: Path, new_server: Callable[..., Any], new_program: Callable[..., Any]
) -> None:
    """One ends before the next begins, so none finds the other alive."""
    root = tmp_path / "root"
    body = """
for child in range(4):
    if os.fork() == 0:
        logger.log(step=child, silent=True)
        logger.flush(timeout=20)
        os._exit(0)
    os.wait()
"""
    code = program(root, body) if where == "directory" else HEAD.replace("ROOT", repr(new_server().url)) + body
    new_program(code).finish()
    run = run_of(root)
    assert sorted(row["step"] for row in run.rows()) == [0, 1, 2, 3]
    assert {log.attempt for log in run.writers} == {0}


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing_children_log_into_the_run_of_their_parent(tmp_path: Path, env: dict[str, str], method: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import multiprocessing, sys
from ml_logger import logger

def work(n):
    logger.log(step=n, n=n, silent=True)

if __name__ == "__main__":
    logger.configure(root={str(tmp_path / "root")!r}, prefix="a/run", silent=True)
    logger.log(step=-1, n=-1, silent=True)
    context = multiprocessing.get_context({method!r})
    children = [context.Process(target=work, args=(n,)) for n in range(3)]
    [child.start() for child in children]
    [child.join() for child in children]
    assert [child.exitcode for child in children] == [0, 0, 0]
"""
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a socket's path has 107 bytes at most
        subprocess.run([*python(), str(script)], env={**env, "TMPDIR": short}, check=True, cwd=tmp_path, timeout=60)
    assert sorted(row["n"] for row in all_rows(tmp_path / "root", "a/run")) == [-1, 0, 1, 2]
    assert len(run_of(tmp_path / "root", "a/run").logs) == 4
    assert not (tmp_path / "runs").exists()


def python() -> list[str]:
    import sys

    return [sys.executable]


def test_a_plain_subprocess_starts_a_run_of_its_own(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    body = """
import subprocess
logger.log(a=1, silent=True)
code = "from ml_logger import logger; logger.log(b=2, silent=True); print(logger.prefix)"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
named = {**os.environ, "ML_LOGGER_PREFIX": "named"}
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=named).stdout)
"""
    out = new_program(program(tmp_path / "root", body), ML_LOGGER_ROOT=str(tmp_path / "root")).finish()
    first, second = out.split()
    assert re.fullmatch(r"tester/.*/\d{4}/\d\d-\d\d/\d\d\.\d\d\.\d\d-\w+-\w+-\d{3}", first)
    assert second == "named"
    assert all_rows(tmp_path / "root", first) == [{"b": 2}]
    assert all_rows(tmp_path / "root", "named") == [{"b": 2}]
    assert all_rows(tmp_path / "root") == [{"a": 1}]


def test_signal_handlers_may_log(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    body = """
import signal
fired = 0
def handler(*_):
    global fired
    fired += 1
    logger.log({"from_handler": fired}, file="signals.pkl", flush=False, silent=True)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005)
n = 0
while fired < 200:
    logger.log(step=n, n=n, silent=True)
    n += 1
signal.setitimer(signal.ITIMER_REAL, 0)
status = logger.status()
print(n, fired, status["accepted"] - status["journaled"])
"""
    n, fired, missing = map(int, new_program(program(tmp_path / "root", body)).finish().split())
    assert fired >= 200
    assert missing == 0
    assert [row["n"] for row in all_rows(tmp_path / "root")] == list(range(n))
    names = [
        message
        for log in run_of(tmp_path / "root").writers
        for parts in log.parts
        if parts.table == "signals.pkl"
        for message in parts.rows
    ]
    assert len(names) == fired


def test_the_end_of_the_interpreter(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    """Functions of atexit and the excepthook may log, before and after the logger's own exit handler."""
    root = tmp_path / "root"
    body = """
import atexit
def hook(kind, error, trace):
    logger.log(hooked=str(error), silent=True)
sys.excepthook = hook
atexit.register(lambda: logger.log(at_exit=1, silent=True))
logger.log(step=1, a=1)
raise RuntimeError("the end")
"""
    early = "import atexit\natexit.register(lambda: logger.log(after_close=1, silent=True))\n"
    started = new_program(early + program(root, body))
    out = started.finish(status=1)
    assert started.errors == ""
    assert "│         a          │         1          │" in out
    merged = {name: value for row in all_rows(root) for name, value in row.items()}
    assert merged == {"step": 1, "a": 1, "hooked": "the end", "at_exit": 1, "after_close": 1}


@pytest.mark.parametrize("served", [False, True])
def test_a_finalizer_at_the_very_end_may_log(
    tmp_path: Path, new_program: Callable[..., Any], new_server: Callable[..., Any], served: bool
) -> None:
    """What lies in `builtins` is taken down last, when Python can start no thread any more: to wait for one would be for ever."""
    root = new_server().url if served else str(tmp_path / "root")
    body = """
class Last:
    def __del__(self, logger=logger):
        logger.log(deleted=1, silent=True)
import builtins
builtins.last = Last()
logger.log(step=1, a=1, silent=True)
"""
    started = new_program(HEAD.replace("ROOT", repr(root)) + body)
    started.finish(timeout=20)
    assert started.errors == ""
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*.mlog"))
    assert b"deleted" in left
    assert len(all_rows(tmp_path / "root")) >= 1


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 15)", "sys.exit(0)"])
def test_every_end_keeps_what_was_logged(tmp_path: Path, new_program: Callable[..., Any], end: str) -> None:
    new_program(program(tmp_path / "root", f"logger.log(a=1, silent=True)\n{end}\n")).finish(status=None)
    assert all_rows(tmp_path / "root") == [{"a": 1}]


def test_many_processes_in_one_run(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    """Ranks that start at the same moment create one run, and each keeps its order."""
    body = """
for rank in range(16):
    if os.fork() == 0:
        other = ML_Logger(root=logger.root, prefix="run")
        for i in range(50):
            other.log({f"r{rank}": i}, step=i, silent=True)
        os._exit(0)
print([os.wait()[1] for _ in range(16)] == [0] * 16)
"""
    assert new_program(program(tmp_path / "root", body)).finish() == "True\n"
    run = run_of(tmp_path / "root")
    assert run.problems == []
    assert len(run.logs) == 16
    assert len({log.header.run_uuid for log in run.writers}) == 1
    series: dict[str, list[int]] = {}
    for row in run.rows(attempt=-1):
        for name, value in row.items():
            series.setdefault(name, []).append(value)
    assert {name: values for name, values in series.items() if name != "step"} == {f"r{rank}": list(range(50)) for rank in range(16)}


def test_sigint_in_flush_leaves_a_sound_journal(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    body = """
import signal
signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.signal(signal.SIGALRM, signal.default_int_handler)
n = 0
try:
    while True:
        logger.log(step=n, a=n, silent=True)
        logger.flush()
        n += 1
except KeyboardInterrupt:
    print(n)
"""
    n = int(new_program(program(tmp_path / "root", body)).finish())
    assert n > 10
    assert len(all_rows(tmp_path / "root")) in (n, n + 1)


def test_configuring_again_and_again_leaks_nothing(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    body = """
import threading
logger.log(a=1, silent=True)
before = len(os.listdir("/proc/self/fd"))
for i in range(50):
    logger.configure(prefix=f"run{i}", silent=True)
    logger.log(a=1, silent=True)
print(len(os.listdir("/proc/self/fd")) - before, threading.active_count())
"""
    fds, threads = map(int, new_program(program(tmp_path / "root", body)).finish().split())
    assert fds <= 5
    assert threads <= 3


def test_no_connection_is_left_open(new_program: Callable[..., Any], new_server: Callable[..., Any]) -> None:
    """Python's development mode (`-X dev`) names what was never closed."""
    body = "logger.log(a=1, silent=True)\nlogger.flush(timeout=10)\nprint(logger.load_text('missing'))\n"
    started = new_program(HEAD.replace("ROOT", repr(new_server().url)) + body, PYTHONDEVMODE="1", PYTHONWARNINGS="error")
    assert started.finish() == "None\n"
    assert started.errors == ""


def test_a_process_ends_at_once(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    started = time.monotonic()
    new_program(program(tmp_path / "root", "logger.log(a=1, silent=True)\nprint(time.time(), flush=True)")).finish()
    assert time.monotonic() - started < 10
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert os.getpid() > 0
