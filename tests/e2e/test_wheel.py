"""The wheel and the source archive hold the built page. Knows the archives, not the page."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_sdist, build_wheel

ROOT = Path(__file__).resolve().parents[2]
ASSETS = "ml_logger/server/assets/"


@pytest.mark.usefixtures("built")
def test_wheel_and_source_archive_hold_every_file_that_the_page_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    wheel = zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path)))
    with wheel, tarfile.open(tmp_path / build_sdist(str(tmp_path))) as source:
        page = wheel.read(f"{ASSETS}index.html").decode()
        named = re.findall(r'(?:src|href)="/([^"]+)"', page)
        assert named
        assert {ASSETS + name for name in named} <= set(wheel.namelist())
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
        inside = {name.partition("/")[2] for name in source.getnames()}
        assert {f"src/{ASSETS}{name}" for name in ["index.html", *named]} <= inside
        assert not [name for name in inside if "node_modules" in name]


def test_the_dashboard_can_be_left_out(tmp_path: Path) -> None:
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"ML_LOGGER_SKIP_DASHBOARD": "1"}, check=True, capture_output=True, text=True
    )
    with zipfile.ZipFile(tmp_path / made.stdout.split()[-1]) as wheel:
        assert not [name for name in wheel.namelist() if name.startswith(ASSETS)]
