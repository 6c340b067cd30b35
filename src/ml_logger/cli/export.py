"""`ml-logger cat` and `ml-logger export`: what a run holds, as bytes on stdout or in a file. Knows no journal."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ml_logger.answers import RecordEntry
from ml_logger.cli.missing import explained, key_of, tables_of
from ml_logger.cli.roots import add_root, destination
from ml_logger.cli.token import count
from ml_logger.errors import NotFoundError, UsageError
from ml_logger.formats.values import jsonable
from ml_logger.queries import GetRun, ListFiles, ReadRecords, ReadRows
from ml_logger.query.views import view_bytes

FORMATS = ("jsonl", "csv", "pkl", "parquet")
_PAGE = 20_000
_BINARY = ("pkl", "parquet")


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of one of the two."""
    parser.set_defaults(command=name)
    parser.add_argument("run", metavar="RUN", help="the run's prefix, e.g. alice/mnist/1" + (", or a file in it" if name == "cat" else ""))
    if name == "cat":
        parser.add_argument("--table", default="metrics.pkl", help="which table of the run (default: %(default)s)")
        parser.add_argument("--last", type=count, metavar="N", help="only the last N rows")
    else:
        parser.add_argument("--format", choices=FORMATS, default="jsonl", help="jsonl: all records; others: the rows (default: jsonl)")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write a file instead of stdout")
    add_root(parser)


def run(found: argparse.Namespace) -> int:
    """Print or write."""
    place = destination(found.root)
    key = key_of(found.root, "" if found.run == "." else found.run)  # `ls` calls the run in the root itself "."
    with explained(place, key):
        _show(place, key, found)
    _warn(place, key)
    return 0


def _show(place: Any, key: str, found: argparse.Namespace) -> None:
    if found.command == "cat":
        _to_stdout(_cat(place, key, found.table, found.last))
        return
    if found.out is None and found.format in _BINARY and sys.stdout.isatty():
        raise UsageError(f"{found.format} is no text; use --out FILE, or redirect the output")
    pieces = _records(place, key) if found.format == "jsonl" else _view(place, key, found.format)
    _to_stdout(pieces) if found.out is None else _to_file(pieces, found.out)


def _warn(place: Any, key: str) -> None:
    """Say on stderr which parts of the run could not be read."""
    with contextlib.suppress(NotFoundError):  # a file, or a table of an earlier version
        for warning in place.ask(GetRun(key)).warnings:
            print(f"ml-logger: {warning}; `ml-logger fsck` tells more", file=sys.stderr)


def _cat(place: Any, key: str, table: str, last: int | None) -> Iterator[bytes]:
    """Return the rows of a run as JSON lines; of a path that is no run, the bytes of the file."""
    try:
        found = place.ask(ReadRows(f"{key}/{table}"))
    except NotFoundError:
        found = None
    if found is not None and found.tables:
        return (_line(row) for row in found.tables[0].rows[-last if last else 0 :])
    if tables := tables_of(place, key):
        raise NotFoundError(f"table {table} of run {key or '.'}", f"it has {', '.join(tables)}")
    return place.read(key)


def _records(place: Any, key: str) -> Iterator[bytes]:
    """Return each record of a run as a line, in the order of each writer; raises `NotFoundError` before the first one."""
    first = place.ask(ReadRecords(key, 0, _PAGE))

    def lines() -> Iterator[bytes]:
        page = first
        while page.records:
            yield from (_line(_entry(record)) for record in page.records)
            if not page.more:
                return
            page = place.ask(ReadRecords(key, page.records[-1].seq + 1, _PAGE))

    return lines()


def _entry(record: RecordEntry) -> dict[str, Any]:
    """Return a record without the fields that it has not."""
    return {name: value for name, value in msgspec.structs.asdict(record).items() if value is not None}


def _view(place: Any, key: str, suffix: str) -> Iterator[bytes]:
    """Return the rows of a run as a file; also where a user saved another file under that name."""
    path = f"{key}/metrics.{suffix}".lstrip("/")
    if any(entry.path == path and entry.kind != "view" for entry in place.ask(ListFiles(key)).entries):
        return view_bytes(place.ask(ReadRows(f"{key}/metrics.pkl")).tables[0].rows, f".{suffix}")
    return place.read(path)


def _line(value: Any) -> bytes:
    return msgspec.json.encode(jsonable(value)) + b"\n"


def _to_stdout(pieces: Iterable[bytes]) -> None:
    out = sys.stdout.buffer
    for piece in pieces:
        out.write(piece)
    out.flush()


def _to_file(pieces: Iterable[bytes], path: Path) -> None:
    """Write the file whole, or not at all."""
    if not path.parent.is_dir():
        raise NotFoundError(f"directory {path.parent}")
    temp = path.with_name(f".{path.name}.part")
    try:
        with temp.open("wb") as out:
            for piece in pieces:
                out.write(piece)
        temp.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temp.unlink()
