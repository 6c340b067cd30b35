"""The four ways to the same answers: a directory, a server, a server with every call waited for, and a bucket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.errors import MlLoggerError

WAYS = ("local", "http", "http-sync", "bucket")


@pytest.fixture(params=WAYS)
def logger(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ML_Logger]:
    """A logger of its own run in each of the ways; a server is started only where one is needed and none was given."""
    given = request.config.getoption("--data-dir")
    if request.param == "bucket":
        root = request.getfixturevalue("bucket")
    elif given and request.param != "local":
        root = given
    elif request.param == "local":
        root = str(tmp_path / "root")
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
            monkeypatch.setenv(name, str(tmp_path / name.lower()))
    else:
        server = request.getfixturevalue("shared_server")
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
            monkeypatch.setenv(name, server.env[name])
        root = server.url
    stamp = f"{time.time():.0f}/" if given else ""
    name = stamp + "".join(letter if letter.isalnum() else "-" for letter in request.node.name).strip("-")
    made = ML_Logger(f"lab/{name}", root=root, asynchronous=request.param in ("http", "bucket"))
    yield made
    made.session.close()


@pytest.fixture
def fails() -> Callable[..., MlLoggerError]:
    """Return the error of ours that a call raises."""

    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> MlLoggerError:
        with pytest.raises(MlLoggerError) as caught:
            function(*args, **kwargs)
        return caught.value

    return call
