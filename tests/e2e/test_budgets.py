"""What the page may weigh: bytes and elements, not seconds. Knows the built files and a table of many runs."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FIRST_LOAD = 150_000
LAZY_CHUNK = 120_000


def weight(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def test_bytes_of_the_first_load_and_of_each_lazy_chunk(built: Path) -> None:
    page = (built / "index.html").read_text("utf-8")
    first = {built / name for name in re.findall(r'(?:src|href)="/(assets/[^"]+\.(?:js|css))"', page)}
    assert first
    first |= set((built / "assets").glob("paintWorker-*.js"))  # every chart needs it
    assert sum(map(weight, first)) <= FIRST_LOAD
    lazy = {path: weight(path) for path in (built / "assets").iterdir() if path.suffix in (".js", ".css") and path not in first}
    assert {path.name: size for path, size in lazy.items() if size > LAZY_CHUNK} == {}


def test_the_page_names_only_files_that_are_there_and_nothing_inline(built: Path) -> None:
    page = (built / "index.html").read_text("utf-8")
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert named
    assert all((built / name.lstrip("/")).is_file() for name in named)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


def test_no_asset_loads_from_elsewhere(built: Path) -> None:
    for path in (built / "assets").iterdir():
        if path.suffix == ".css":
            assert not re.search(r"url\(\s*[\"']?(?:https?:)?//|@import", path.read_text("utf-8")), path.name
        if path.suffix == ".js":
            text = path.read_text("utf-8")
            assert not re.search(r"(?:fetch|import|EventSource|importScripts)\(\s*[\"'`](?:https?:)?//", text), path.name


MANY = """
import sys
from ml_logger import ML_Logger
for i in range(600):
    run = ML_Logger(root=sys.argv[1], prefix=f"many/run-{i:04}")
    run.log_params(**{f"p{j:03}": i * j for j in range(60)}, silent=True)
    run.log(step=0, loss=1 / (1 + i), silent=True)
    run.flush()
"""


def test_only_rows_and_columns_in_sight_are_elements(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    new_program(f"import sys\nsys.argv.append({str(server.data_dir)!r})\n{MANY}").finish()
    page = visit_any(server)("/r/many?q=sort%3Aname")
    grid = page.get_by_role("grid", name="Runs")
    expect(grid).to_have_attribute("aria-rowcount", "600", timeout=30_000)
    assert grid.get_by_role("row").count() < 80
    assert grid.get_by_role("columnheader").count() < 30
    grid.evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(page.get_by_role("checkbox", name="Show run-0599")).to_be_attached()
    assert grid.get_by_role("row").count() < 80
    grid.evaluate("grid => grid.scrollTo(grid.scrollWidth, 0)")
    expect(grid.get_by_role("columnheader", name="points", exact=True)).to_be_attached()
