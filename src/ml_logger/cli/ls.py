"""`ml-logger ls`: runs as a table, the newest first, or as JSON lines. Knows no index."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import msgspec

from ml_logger.answers import RunRow, RunsPage
from ml_logger.cli.roots import add_root, destination, root_of
from ml_logger.cli.token import count
from ml_logger.errors import QuerySyntaxError
from ml_logger.formats.values import jsonable
from ml_logger.queries import SearchRuns

_MOST_PARAMS, _MOST_METRICS = 4, 4
_STATUS = {"running": "green", "completed": "", "errored": "red", "lost": "yellow", "paused": "yellow"}


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the query."""
    del name
    parser.add_argument("query", nargs="*", metavar="QUERY", help="which runs: words, `lr < 0.1`, `tag:best`, `sort:loss` …; else all")
    parser.add_argument("--prefix", default="", metavar="KEY", help="only runs below this key")
    parser.add_argument("--limit", type=count, default=50, metavar="N", help="at most N runs (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, with everything")
    add_root(parser)


def run(found: argparse.Namespace) -> int:
    """Print the runs."""
    query = " ".join(found.query)
    place = destination(found.root)
    try:
        page: RunsPage = place.ask(SearchRuns(query, found.prefix, limit=found.limit))
    except QuerySyntaxError as error:
        pointer = f"\n  {error.text}\n  {' ' * error.position}^"
        raise QuerySyntaxError(error.text, error.position, error.reason + pointer, error.suggestion) from None
    if found.json:
        for row in page.rows:
            sys.stdout.buffer.write(msgspec.json.encode(jsonable(row)) + b"\n")
        return 0
    if not page.rows:
        print(_nothing(page, query, found))
        return 0 if not page.all else 1
    _print_table(page)
    return 0


def _nothing(page: RunsPage, query: str, found: argparse.Namespace) -> str:
    where = root_of(found.root)
    if not page.all:
        return f"no runs yet in {where}{'/' + found.prefix if found.prefix else ''}"
    nearest = f"; nearest query with a match: {page.nearest}" if page.nearest else ""
    return f"none of {page.all} runs in {where} matches {query!r}{nearest}"


def _print_table(page: RunsPage) -> None:
    """Draw the table as wide as the terminal; in a pipe as wide as it is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    console = Console(width=None if is_terminal else 1000, markup=False, emoji=False)  # names may look like either
    params, metrics = _columns(page)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold" if is_terminal else "")
    table.add_column("run", no_wrap=True, overflow="ellipsis", min_width=12)
    table.add_column("status", no_wrap=True)
    for name in ("age", *params, *metrics):
        table.add_column(name, justify="right", no_wrap=True, overflow="ellipsis")
    for row in page.rows:
        cells = [*(_cell(row.params.get(name)) for name in params), *(_last(row, name) for name in metrics)]
        table.add_row(row.key or ".", Text(row.status, _STATUS.get(row.status, "")), _age(row.updated), *cells)
    console.print(table)
    if page.total > len(page.rows):
        console.print(f"{len(page.rows)} of {page.total} runs; --limit shows more", style="dim")


def _columns(page: RunsPage) -> tuple[list[str], list[str]]:
    """Return the parameters that differ between runs, and the metrics that most runs have."""
    names: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for row in page.rows:
        for name, value in row.params.items():
            names.setdefault(name, set()).add(_cell(value))
        for name in row.metrics:
            counts[name] = counts.get(name, 0) + 1
    differing = [name for name, values in names.items() if len(values) > 1 or len(page.rows) == 1]
    common = sorted(counts, key=lambda name: -counts[name])
    return differing[:_MOST_PARAMS], common[:_MOST_METRICS]


def _last(row: RunRow, name: str) -> str:
    return _cell(row.metrics[name].last) if name in row.metrics else ""


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = "" if value is None else str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def _age(updated: float) -> str:
    if not updated:  # no journal was found in it
        return ""
    seconds = max(0.0, time.time() - updated)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"
