"""The documentation is true: its Python blocks run, its links lead somewhere, its tables name tests that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent
PAGES = [HERE / "README.md", *sorted((HERE / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(<!-- (?:not run|run with)[^>]*-->\n)?```python\n(.*?)```", re.DOTALL)


def blocks(page: Path) -> list[str]:
    """Return the Python blocks of a page that stand for themselves."""
    return [code for mark, code in BLOCK.findall(page.read_text("utf-8")) if "not run" not in mark]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: str(p.relative_to(HERE)))
def test_python_blocks_run(page: Path, tmp_path: Path) -> None:
    """The blocks of a page run one after the other, in one directory, as a reader would type them."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("ML_LOGGER")}
    env.update(XDG_CONFIG_HOME=str(tmp_path / "config"), XDG_CACHE_HOME=str(tmp_path / "cache"), MPLBACKEND="Agg", ML_LOGGER_USER="alice")
    for number, code in enumerate(blocks(page)):
        script = tmp_path / f"block_{number}.py"
        script.write_text(code, "utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", script.name], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, f"{page.name}, block {number}:\n{code}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(HERE)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def named_tests(text: str) -> set[str]:
    """Return the test ids (`tests/…/test_x.py::test_y`) in a text."""
    return set(re.findall(r"tests/[\w/]+\.py(?:::\w+)+|tests/[\w/]+\.(?:py|ts)(?!:)", text))


@pytest.mark.parametrize("page", ["PROMISES.md", "docs/reference/claims.md"])
def test_named_tests_exist(page: str) -> None:
    for name in named_tests((HERE / page).read_text("utf-8")):
        path, *parts = name.split("::")
        assert (HERE / path).is_file(), f"{page} names {name}"
        text = (HERE / path).read_text("utf-8")
        assert all(re.search(rf"(def|class) {part}\b", text) for part in parts), f"{page} names {name}"


def test_all_claims_are_listed() -> None:
    text = (HERE / "docs/reference/claims.md").read_text("utf-8")
    assert {int(n) for n in re.findall(r"^\| S(\d+) ", text, re.MULTILINE)} == set(range(1, 67))


def test_all_promises_are_listed() -> None:
    counts = {"C": 11, "D": 16, "E": 5, "S": 14, "V": 3, "X": 21, "O": 5}
    listed = set(re.findall(r"^\| ([CDESVXO]\d+) ", (HERE / "PROMISES.md").read_text("utf-8"), re.MULTILINE))
    assert listed == {f"{letter}{n}" for letter, count in counts.items() for n in range(1, count + 1)}
