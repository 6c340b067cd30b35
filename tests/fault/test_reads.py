"""Reads while no server answers: the first waits, later ones fail at once, and the first after its return works."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.client import http
from ml_logger.errors import DeliveryError, ServerUnreachableError


def waited(call: Callable[[], Any], *errors: type[Exception]) -> float:
    started = time.monotonic()
    with pytest.raises(errors):
        call()
    return time.monotonic() - started


@pytest.fixture
def logger(new_server: Callable[..., Any], env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, env[name])
    server = new_server()
    logger = ML_Logger("run", root=server.url, asynchronous=True)
    logger.log(step=0, loss=1.0, silent=True)
    logger.save_text("here", "note.txt")
    assert logger.load_text("note.txt") == "here"
    yield logger, server
    logger.session.close()


def test_a_dead_server_costs_one_wait(logger: Any) -> None:
    logger, server = logger
    server.kill()
    logger.log(step=1, loss=0.5, silent=True)
    first = waited(lambda: logger.load_text("note.txt"), ServerUnreachableError, DeliveryError)
    assert first >= http.READ_DRAIN_S * 0.9, "the fault fired: records waited, and so did the read"
    for read in (lambda: logger.load_text("note.txt"), lambda: logger.glob("*"), lambda: logger.read_params("lr")):
        assert waited(read, ServerUnreachableError) < 1.0
    server.start()
    assert logger.load_text("note.txt") == "here", "the first read after its return works"
    assert [row["loss"] for row in logger.load_pkl("metrics.pkl")] == [1.0, 0.5], "and sees what was logged meanwhile"


def test_a_server_that_hangs_costs_one_wait(logger: Any) -> None:
    logger, server = logger
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        logger.log(step=1, loss=0.5, silent=True)
        assert waited(lambda: logger.load_text("note.txt"), ServerUnreachableError, DeliveryError) > 1.0
        assert waited(lambda: logger.load_text("note.txt"), ServerUnreachableError) < 1.5
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert logger.load_text("note.txt") == "here"
