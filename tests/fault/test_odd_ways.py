"""Journals that take odd ways to the server: forked, moved, refused in part, half forgotten by the server, led astray."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.formats import messages
from ml_logger.formats.messages import Gap
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir


@pytest.fixture
def here(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let this process log with the test's environment."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL", "ML_LOGGER_USER", "TMPDIR"):
        monkeypatch.setenv(name, env[name])
    return env


@pytest.fixture
def new_logger(here: dict[str, str]) -> Iterator[Callable[[str, str], ML_Logger]]:
    made: list[ML_Logger] = []

    def make(run: str, root: str) -> ML_Logger:
        made.append(ML_Logger(run, root=root))
        return made[-1]

    yield make
    for logger in made:
        logger.session.close()


def read(root: Path, run: str) -> RunDir:
    found = RunDir(SafeRoot(root), run).refresh()
    assert not found.problems
    return found


def journal_of(logger: ML_Logger) -> Any:
    (writer,) = logger.session._writers.values()
    return writer.journal


def log(logger: ML_Logger, steps: range) -> None:
    for step in steps:
        logger.log(step=step, loss=step * 0.5, silent=True)


def test_forked_and_spawned_children(new_server: Any, new_program: Any, tmp_path: Path) -> None:
    server = new_server()
    code = f"""
import multiprocessing as mp, os, sys
from ml_logger import logger
def work(i):
    for step in range(50):
        logger.log(step=step, child=i, silent=True)
    logger.flush(timeout=20)
if __name__ == "__main__":
    logger.configure("lab/run", root={server.url!r}, silent=True)
    work(0)
    children = [mp.get_context("fork").Process(target=work, args=(i,)) for i in range(1, 5)]
    [child.start() for child in children]
    work(5)
    pid = os.fork()
    if not pid:
        work(6)
        os._exit(0)
    os.waitpid(pid, 0)
    [child.join() for child in children]
    assert [child.exitcode for child in children] == [0] * 4
"""
    new_program(code).finish()
    run = read(tmp_path / "root", "lab/run")
    rows = run.rows()
    assert len(run.writers) == 6
    assert sorted(row["child"] for row in rows) == sorted([*range(1, 5)] * 50 + [0, 5, 6] * 50)


def test_a_journal_that_goes_on_in_another_directory(new_server: Any, new_logger: Any, here: dict[str, str], tmp_path: Path) -> None:
    logger = new_logger("lab/run", new_server().url)
    log(logger, range(100))
    logger.flush(timeout=10)
    log(logger, range(100, 150))
    journal = journal_of(logger)
    first = journal.file.path
    journal._leave(journal.file, OSError(28, "No space left on device"))
    log(logger, range(150, 200))
    assert journal.file.path.parent != first.parent
    logger.flush(timeout=10)
    status = logger.session.status()
    assert (status["acked"], status["spool_bytes"]) == (200, 0)
    assert [row["step"] for row in read(tmp_path / "root", "lab/run").rows()] == list(range(200))


def test_records_after_the_end(new_server: Any, new_logger: Any, tmp_path: Path) -> None:
    """A writer that is closed, delivered and removed may still get a record: late in the life of a program."""
    logger = new_logger("lab/run", new_server().url)
    log(logger, range(10))
    journal = journal_of(logger)
    path = journal.file.path
    journal.close()
    deadline = time.monotonic() + 10
    while path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    log(logger, range(10, 20))
    logger.flush(timeout=10)
    assert [row["step"] for row in read(tmp_path / "root", "lab/run").rows()] == list(range(20))


def test_a_frame_that_the_server_refuses(new_server: Any, new_logger: Any, here: dict[str, str], tmp_path: Path) -> None:
    logger = new_logger("lab/run", new_server().url)
    log(logger, range(40))
    journal_of(logger)._write(b"\x93\x02\x01")
    log(logger, range(40, 80))
    logger.flush(timeout=20)
    status = logger.session.status()
    assert (status["rejected"], status["spool_bytes"]) == (1, 0)
    run = read(tmp_path / "root", "lab/run")
    assert [row["step"] for row in run.rows()] == list(range(80))
    ((_, _, gap),) = run.messages(Gap)
    assert gap.first == gap.last
    assert "rejected" in gap.reason
    (kept,) = Path(here["ML_LOGGER_SPOOL"]).glob("*/rejected/*/frames")
    assert kept.read_bytes().endswith(b"\x93\x02\x01")
    assert "lab/run" in kept.with_name("reason.txt").read_text()


def test_a_server_that_lost_what_is_not_held_any_more(new_server: Any, new_logger: Any, tmp_path: Path) -> None:
    server = new_server()
    logger = new_logger("lab/run", server.url)
    log(logger, range(10))
    for _ in range(20):
        logger.log_text("x" * (1 << 20), "big.log")
    log(logger, range(10, 20))
    logger.flush(timeout=30)
    assert logger.session.destination.carrier.tails[0].base > 0, "delivered bytes were given back to the disk"
    server.kill()
    shutil.rmtree(tmp_path / "root/lab")
    for path in (tmp_path / "root/.ml-logger/wal").glob("*.wal"):
        path.unlink()
    server.start()
    log(logger, range(20, 30))
    logger.flush(timeout=30)
    run = read(tmp_path / "root", "lab/run")
    assert [row["step"] for row in run.rows()][-10:] == list(range(20, 30))
    gaps = [gap for _, _, gap in run.messages(Gap)]
    assert gaps
    assert gaps[0].first == 1


def test_a_redirect_takes_no_token_along(new_server: Any, new_proxy: Any, new_logger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = new_proxy(new_server())
    thief = socket.create_server(("127.0.0.1", 0))
    stolen: list[bytes] = []

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = thief.accept()
                stolen.append(connection.recv(65536))

    threading.Thread(target=listen, daemon=True).start()
    place = f"http://localhost:{thief.getsockname()[1]}/v1/ingest".encode()
    proxy.answer = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n"
    monkeypatch.setenv("ML_LOGGER_TOKEN", "secret")
    logger = new_logger("lab/run", proxy.url)
    log(logger, range(5))
    deadline = time.monotonic() + 10
    while proxy.fired.get("answer", 0) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    thief.close()
    assert not stolen
    assert logger.session.status()["state"] == "unreachable"


def test_no_token_in_the_clear_to_another_machine(here: dict[str, str]) -> None:
    from ml_logger import settings
    from ml_logger.client.wire import Wire

    env = settings.read({"ML_LOGGER_TOKEN": "secret", "USER": "u"})
    assert Wire("http://example.org:8081", env).token() is None
    assert Wire("https://example.org", env).token() == "secret"
    assert Wire("http://127.0.0.1:8081", env).token() == "secret"
    assert Wire("http://0.0.0.0:8081", env).url == "http://127.0.0.1:8081"
    assert Wire("http://example.org", env._replace(allow_plaintext=True)).token() == "secret"


def test_one_text_too_long_for_any_batch(new_server: Any, new_logger: Any, tmp_path: Path) -> None:
    """What no batch can hold is put aside, and everything else arrives."""
    logger = new_logger("lab/run", new_server().url)
    log(logger, range(5))
    journal_of(logger).append(messages.Params({"a": [i * 0.1 for i in range(5 << 20)]}, "lab/run/parameters.pkl", 0.0))
    log(logger, range(5, 10))
    logger.flush(timeout=40)
    assert [row["step"] for row in read(tmp_path / "root", "lab/run").rows()] == list(range(10))
    assert logger.session.status()["rejected"] == 1


def test_a_connection_that_the_server_closed_while_idle(
    new_server: Any, new_proxy: Any, new_logger: Any, tmp_path: Path, capfd: Any
) -> None:
    import json

    proxy = new_proxy(new_server())
    token = json.loads(next((tmp_path / "config/ml_logger/servers").glob("*.json")).read_text())["token"]
    logger = new_logger("lab/run", proxy.url)
    logger.session.destination.wire.env = logger.session.env._replace(token=token)
    for step in range(4):
        log(logger, range(step, step + 1))
        logger.flush(timeout=10)
        proxy.cut()
    assert "training goes on" not in capfd.readouterr().err
    assert [row["step"] for row in read(tmp_path / "root", "lab/run").rows()] == list(range(4))
