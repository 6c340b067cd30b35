"""Runs a block of the README as a script of its own, in a directory or over a server, and reads back what it logged.

Two words are replaced: `/tmp/` and `/mnt/` by a directory of the test. `scipy.misc.face`, which SciPy dropped, and TensorFlow 1 are
stand-ins. What the README abbreviates in its outputs is listed in docs/reference/claims.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ml_logger import ML_Logger


class Readers:
    """Runs a block in one of the ways and opens what it wrote."""

    def __init__(self, root: str, env: dict[str, str], folder: Path) -> None:
        self.root, self.env, self.folder = root, env, folder

    def run(self, code: str, before: str = "") -> str:
        script = self.folder / "example.py"
        script.write_text(before + code.replace('"/tmp/', f'"{self.folder}/').replace('"/mnt/', f'"{self.folder}/'), "utf-8")
        env = {**self.env, "ML_LOGGER_ROOT": self.root, "ML_LOGGER_USER": "alice", "MPLBACKEND": "Agg"}
        command = [sys.executable, "-W", "error", script.name]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def open(self, prefix: str, root: str | None = None) -> ML_Logger:
        return ML_Logger(prefix, root=root or self.root)


@pytest.fixture(params=["local", "http"])
def readme(request: pytest.FixtureRequest, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Readers:
    if request.param == "http":
        server = request.getfixturevalue("shared_server")
        env, root = server.env, server.url
    else:
        root = str(tmp_path / "root")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, env[name])
    return Readers(root, env, tmp_path)
