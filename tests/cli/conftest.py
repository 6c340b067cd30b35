"""The command line as a user types it, in a directory of its own, and a root with two runs in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ML_LOGGER = str(Path(sys.executable).with_name("ml-logger"))


WRITE = """
from ml_logger import ML_Logger
for seed in (1, 2):
    logger = ML_Logger(root={root!r}, prefix=f"alice/mnist/{{seed}}")
    logger.log_params(Args=dict(seed=seed, lr=0.1))
    for step in range(10):
        logger.log(loss=1 / (step + seed), acc=float("nan") if step == 3 else -0.0, n=2**70, step=step)
    logger.print("hello")
    logger.flush()
"""


class Cli:
    """Runs the console command in one environment and directory."""

    def __init__(self, env: dict[str, str], cwd: Path) -> None:
        self.env, self.cwd, self.program, self.errors = env, cwd, ML_LOGGER, ""

    def __call__(self, *arguments: str, status: int | None = 0, **variables: str) -> str:
        done = subprocess.run(
            [ML_LOGGER, *arguments], env={**self.env, **variables}, cwd=self.cwd, capture_output=True, text=True, timeout=60, check=False
        )
        assert status is None or done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        self.errors = done.stderr
        return done.stdout


@pytest.fixture
def cli(env: dict[str, str], tmp_path: Path) -> Cli:
    (tmp_path / "here").mkdir()
    return Cli(env, tmp_path / "here")


@pytest.fixture
def root(cli: Cli, new_program: Any) -> Path:
    """Return ./runs of the working directory, with two runs in it."""
    place = cli.cwd / "runs"
    new_program(WRITE.format(root=str(place))).finish()
    return place
