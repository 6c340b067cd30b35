"""A logger that logs to a directory, to a server, or to a server waiting for each call: one test, three ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_logger import ML_Logger

WAYS = ("local", "http", "http waiting for each call")


@pytest.fixture(params=WAYS)
def logger(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ML_Logger]:
    """A logger of its own run in each of the ways; the server is started only where it is needed."""
    if request.param == "local":
        root = str(tmp_path / "root")
    else:
        server = request.getfixturevalue("shared_server")
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
            monkeypatch.setenv(name, server.env[name])
        root = server.url
    prefix = f"lab/{request.node.name.replace(' ', '-').replace('[', '-').replace(']', '')}"
    made = ML_Logger(prefix, root=root, asynchronous=request.param == "http")
    yield made
    made.session.close()
