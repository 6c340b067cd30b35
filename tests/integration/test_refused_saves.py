"""A save that the server could not carry out, because another process had taken the name meanwhile, is told to the program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.errors import InvalidKeyError


@pytest.fixture
def connect(shared_server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ML_Logger]:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, shared_server.env[name])
    return lambda name: ML_Logger(f"lab/{name}", root=shared_server.url, asynchronous=True)


def race(connect: Callable[[str], ML_Logger], name: str) -> ML_Logger:
    """Return a logger that saved a file called `name`, which another logger made a directory of."""
    first, second = connect(name), connect(name)
    first.save_text("theirs", name, "inside.txt")
    first.flush(timeout=10)
    second.save_text("mine", name)  # second knows nothing of it, and does not ask
    return second


def test_flush_raises_it_once(connect: Callable[[str], ML_Logger], capfd: pytest.CaptureFixture[str]) -> None:
    logger = race(connect, "flushed")
    with pytest.raises(InvalidKeyError, match=r"lab/flushed/flushed.*exists already"):
        logger.flush(timeout=10)
    logger.flush(timeout=10)
    assert logger.status()["rejected"] == 1
    assert logger.load_text("flushed/inside.txt") == "theirs"
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "was not written" in line]
    assert "lab/flushed/flushed was not written" in line
    (kept,) = Path(line.rpartition(" kept in ")[2]).glob("*-flushed")
    assert kept.read_text() == "mine"
    logger.session.close()
    assert "not written" not in capfd.readouterr().err, "it was raised: nothing is left to say at exit"


def test_exit_names_what_nobody_was_told_of(connect: Callable[[str], ML_Logger], capfd: pytest.CaptureFixture[str]) -> None:
    race(connect, "at-exit").session.close()
    said = capfd.readouterr().err.splitlines()
    assert sum("was not written: invalid name" in line for line in said) == 1
    assert said[-1] == "ml-logger: not written, because the server refused: lab/at-exit/at-exit"
