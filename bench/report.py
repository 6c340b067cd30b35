"""How a measurement is printed and kept: a table for a person, a JSON file with machine and commit. Measures nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


def asked(name: str, about: str | None, **flags: str) -> argparse.Namespace:
    """Return what the command line of `bench.<name>` chose: `flags` are names and helps of switches. `--help` shows `about`."""
    parser = argparse.ArgumentParser(f"python -m bench.{name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, text in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=text)
    return parser.parse_args()


def timed(call: Callable[[], Any], rounds: int = 7) -> float:
    """Return the median wall time of `call` in seconds, after one round that is not counted."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


def report(name: str, rows: list[dict[str, Any]], note: str = "") -> None:
    """Print `rows` (what, measured, goal, met, …) as a table with `note` below, and write both to results/<name>.json."""
    table = Table(title=name, title_justify="left")
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    Console().print(table)
    Console().print(note, style="dim")
    RESULTS.mkdir(exist_ok=True)
    content = {"bench": name, "machine": machine(), "commit": commit(), "date": time.strftime("%Y-%m-%d"), "note": note, "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> str:
    """Say in a line what this was measured on."""
    return f"{os.cpu_count()} × {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def commit() -> str:
    """Return the short hash of the commit, with a plus if the tree has changes."""
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
