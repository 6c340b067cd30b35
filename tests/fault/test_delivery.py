"""The way from a journal to a server while something is broken: nothing is lost, nothing comes twice, training goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

USUAL_S = 0.001
"""The median of log() takes some 10 µs; a server that is down must not show in it, a busy machine may."""
EXIT_S = 2.0
"""Half a second is allowed for a server that is down, the rest is for a busy machine; waiting for it would take ten."""

LOG = """
import sys, time
from ml_logger import ML_Logger
root, prefix, n = sys.argv[1:4] if len(sys.argv) > 3 else (ROOT, PREFIX, N)
logger = ML_Logger(prefix, root=root)
calls = []
for step in range(int(n)):
    begun = time.perf_counter()
    logger.log(step=step, loss=step * 0.5, silent=True)
    calls.append(time.perf_counter() - begun)
    PAUSE and time.sleep(PAUSE)
print("logged", sorted(calls)[len(calls) // 2], flush=True)
AFTER
begun = time.perf_counter()
logger.session.close()
print("closed", time.perf_counter() - begun, flush=True)
"""


def program(root: str, prefix: str, n: int, pause: float = 0.0, after: str = "") -> str:
    code = LOG.replace("ROOT", repr(root)).replace("PREFIX", repr(prefix)).replace(", N)", f", {n})")
    return code.replace("PAUSE", str(pause)).replace("AFTER", after)


def steps_of(root: Path, run: str) -> list[int]:
    """Return the steps in the run's journals, and assert that readers met no frame twice and no damage."""
    found = RunDir(SafeRoot(root), run).refresh()
    assert not found.problems
    assert sum(log.reader.duplicates for log in found.writers) == 0
    return [row["step"] for row in found.rows()]


def seconds(output: str, what: str) -> float:
    return next(float(line.split()[1]) for line in output.splitlines() if line.startswith(f"{what} "))


def journals_waiting(env: dict[str, str]) -> list[Path]:
    return list(Path(env["ML_LOGGER_SPOOL"]).glob("*/*/*.mlog"))


def eventually(check: Callable[[], bool], timeout: float = 15.0) -> None:
    started = time.monotonic()
    while not check():
        assert time.monotonic() - started < timeout
        time.sleep(0.05)


def test_every_second_answer_is_lost(new_server: Any, new_proxy: Any, new_program: Any, tmp_path: Path) -> None:
    server = new_server()
    proxy = new_proxy(server)
    proxy.lose = 2
    token = json.loads(next((tmp_path / "config/ml_logger/servers").glob("*.json")).read_text())["token"]
    code = program(proxy.url, "lab/run", 3000, 0.001, "logger.flush(timeout=40); print(logger.session.status())")
    done = new_program(code, ML_LOGGER_TOKEN=token)
    output = done.finish()
    assert proxy.fired["lose"] >= 4, proxy.fired
    assert steps_of(tmp_path / "root", "lab/run") == list(range(3000))
    status = eval(next(line for line in output.splitlines() if line.startswith("{")))
    assert (status["acked"], status["accepted"], status["spool_bytes"]) == (3000, 3000, 0)
    assert status["duplicates"] >= 4


def test_server_killed_while_eight_writers_log(new_server: Any, new_program: Any, env: dict[str, str], tmp_path: Path) -> None:
    server = new_server()
    programs = [new_program(program(server.url, f"lab/{i}", 400, 0.01, "logger.flush(timeout=40)")) for i in range(8)]
    for _ in range(2):
        time.sleep(1.5)
        server.kill()
        time.sleep(0.3)
        server.start()
    for done in programs:
        done.finish()
    for i in range(8):
        assert steps_of(tmp_path / "root", f"lab/{i}") == list(range(400))
    assert not journals_waiting(env)


def test_server_down_from_the_start(new_server: Any, new_program: Any, env: dict[str, str], tmp_path: Path) -> None:
    server = new_server()
    server.stop()
    first = new_program(program(server.url, "lab/run", 500, 0.002))
    output = first.finish()
    assert seconds(output, "closed") <= EXIT_S
    assert first.errors.count("\n") == 1, first.errors
    assert "training goes on" in first.errors
    assert journals_waiting(env)
    server.start()
    new_program(program(server.url, "lab/other", 10, 0.0, "import time; time.sleep(3)")).finish()
    assert steps_of(tmp_path / "root", "lab/run") == list(range(500))
    assert not journals_waiting(env)


def test_training_began_before_the_first_server(new_server: Any, new_program: Any, tmp_path: Path) -> None:
    server = new_server()
    server.stop()
    for known in (tmp_path / "config/ml_logger/servers").glob("*.json"):
        known.unlink()
    done = new_program(program(server.url, "lab/run", 600, 0.005, "logger.flush(timeout=30)"))
    time.sleep(1.5)
    server.start()
    done.finish()
    assert "token" not in done.errors
    assert steps_of(tmp_path / "root", "lab/run") == list(range(600))


def test_server_down_in_the_middle_and_back(new_server: Any, new_program: Any, tmp_path: Path) -> None:
    server = new_server()
    done = new_program(program(server.url, "lab/run", 600, 0.005, "logger.flush(timeout=30)"))
    time.sleep(1.2)
    server.stop()
    time.sleep(1.0)
    server.start()
    output = done.finish()
    assert seconds(output, "logged") < USUAL_S
    assert steps_of(tmp_path / "root", "lab/run") == list(range(600))
    assert "answers again" in done.errors


def test_server_down_at_the_end_then_sync(new_server: Any, new_program: Any, env: dict[str, str], tmp_path: Path) -> None:
    server = new_server()
    ready = tmp_path / "ready"
    after = f"""
logger.flush(timeout=10)
open({str(ready)!r}, "w").close()
time.sleep(1.5)
for step in range(300, 310):
    logger.log(step=step, loss=1.0, silent=True)
"""
    done = new_program(program(server.url, "lab/run", 300, 0.0, after))
    eventually(ready.exists)
    server.kill()
    output = done.finish()
    assert seconds(output, "closed") <= EXIT_S
    assert journals_waiting(env)
    server.start()
    code = f"from ml_logger.cli.sync import sync; raise SystemExit(sync({server.url!r}))"
    new_program(code).finish()
    assert steps_of(tmp_path / "root", "lab/run") == list(range(310))
    assert not journals_waiting(env)


@pytest.mark.parametrize("fault", ["silent", "refuse", "garbage", "server error"])
def test_training_goes_on(fault: str, new_server: Any, new_proxy: Any, new_program: Any, env: dict[str, str]) -> None:
    proxy = new_proxy(new_server())
    if fault in ("silent", "refuse"):
        setattr(proxy, fault, True)
    else:
        body = b"<html>" if fault == "garbage" else b"oh"
        status = b"200 OK" if fault == "garbage" else b"500 Internal Server Error"
        proxy.answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    done = new_program(program(proxy.url, "lab/run", 300, 0.001), ML_LOGGER_TOKEN="x")
    output = done.finish()
    assert sum(proxy.fired.values()) >= 1
    assert seconds(output, "logged") < USUAL_S
    assert seconds(output, "closed") <= EXIT_S
    assert journals_waiting(env)


def test_client_killed_then_the_next_process_delivers(new_server: Any, new_program: Any, env: dict[str, str], tmp_path: Path) -> None:
    server = new_server()
    server.stop()
    victim = new_program(program(server.url, "lab/victim", 100_000, 0.001))
    assert victim.process.stdout is not None
    eventually(lambda: bool(journals_waiting(env)) and journals_waiting(env)[0].stat().st_size > 20_000)
    victim.kill()
    server.start()
    new_program(program(server.url, "lab/next", 10, 0.0, "time.sleep(2)")).finish()
    steps = steps_of(tmp_path / "root", "lab/victim")
    assert len(steps) > 100
    assert steps == list(range(len(steps)))
    assert not journals_waiting(env)


def test_a_file_whose_upload_is_cut_arrives_whole(new_server: Any, new_proxy: Any, new_program: Any, tmp_path: Path) -> None:
    server = new_server()
    proxy = new_proxy(server)
    token = json.loads(next((tmp_path / "config/ml_logger/servers").glob("*.json")).read_text())["token"]
    code = f"""
import os, random, time
from ml_logger import ML_Logger
from ml_logger.records import File
logger = ML_Logger("lab/run", root={proxy.url!r})
data = random.Random(0).randbytes(20 << 20)
logger.log(step=0, loss=1.0, silent=True)
logger.session.emit(File("lab/run/files/big.bin", data=data))
logger.session.emit(File("lab/run/files/big.bin", data=b"new"))
logger.session.emit(File("lab/run/files/log.bin", data=b"one ", append=True))
logger.session.emit(File("lab/run/files/log.bin", data=b"two ", append=True))
logger.session.emit(File("lab/run/files/log.bin", data=b"two ", append=True))
logger.session.emit(File("lab/run/files/same.bin", data=data))
logger.flush(timeout=40)
"""
    proxy.reset_after = 4 << 20
    done = new_program(code, ML_LOGGER_TOKEN=token)
    eventually(lambda: proxy.fired.get("reset_after", 0) >= 2, 20)
    proxy.reset_after = -1
    done.finish()
    files = tmp_path / "root/lab/run/files"
    import random

    assert (files / "same.bin").read_bytes() == random.Random(0).randbytes(20 << 20)
    assert (files / "big.bin").read_bytes() == b"new"
    assert (files / "log.bin").read_bytes() == b"one two two "


def test_wrong_token_waits_and_says_so_once(new_server: Any, new_program: Any, env: dict[str, str]) -> None:
    server = new_server()
    done = new_program(program(server.url, "lab/run", 100, 0.002), ML_LOGGER_TOKEN="wrong")
    done.finish()
    assert done.errors.count("ml-logger login") == 1, done.errors
    assert journals_waiting(env)
