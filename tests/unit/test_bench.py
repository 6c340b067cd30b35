"""The measurements say what they are before they measure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name", ["", ".bucket", ".catalog", ".fixtures", ".import_time", ".ingest", ".log_call", ".long", ".reads", ".sizes"]
)
def test_help_measures_nothing(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"bench{name}", "--help"], cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.startswith(f"usage: python -m bench{name} ")
    assert "│" not in done.stdout
