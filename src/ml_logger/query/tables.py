"""Which run and table a path names, and the rows there; read straight from run directories. Knows no index.

`a/b/eval/metrics.pkl` is the table `eval/metrics.pkl` of the run `a/b`, or `metrics.pkl` of the run `a/b/eval`: the nearest
directory that has it counts. Files that earlier versions left behind are read where no journal has the table.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from ml_logger import keys
from ml_logger.errors import CorruptFrameError, NotFoundError
from ml_logger.formats import restricted_pickle, values
from ml_logger.formats.messages import Clear
from ml_logger.query.listing import RunNames
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir, merge


def runs_above(root: SafeRoot, path: str) -> Iterator[tuple[RunDir, str]]:
    """Yield each run directory that `path` lies in, the nearest first, with the path relative to it."""
    parts = keys.parse(path)
    for depth in range(len(parts), -1, -1):
        key = "/".join(parts[:depth])
        run = RunDir(root, key).refresh()
        if run.logs:
            yield run, "/".join(parts[depth:])


def names_of(root: SafeRoot, run: str) -> RunNames:
    """Return the views that the run `run` has – its tables, and its parameters if they were logged – and its FILE records."""
    found = RunDir(root, run).refresh()
    cleared = bool(found.messages(Clear))
    views = [table for table in found.tables() if not cleared or found.rows(table)]
    return RunNames([*views, *(["parameters.pkl"] if found.has_params() else [])], found.files())


def rows_at(root: SafeRoot, path: str, attempt: int | None = None, rank: int | None = None) -> list[dict[str, Any]]:
    """Return the rows of the table at `path`; raises `NotFoundError` if no run has it and no file of an earlier version is there."""
    for run, table in runs_above(root, path):
        if table in run.tables() and (rows := run.rows(table, attempt=attempt, rank=rank)):
            return rows
    if root.exists(path) and not root.is_dir(path):
        return legacy_rows(root, path)
    raise NotFoundError(f"table {path}", "nothing was logged there")


def params_at(root: SafeRoot, path: str) -> tuple[str, dict[str, Any]]:
    """Return (the directory, nested parameters) of a `parameters.pkl`; raises `NotFoundError`.

    The directory is the run, or the part of it that a `Prefix` named.
    """
    for run, relative in runs_above(root, path):
        if run.has_params(relative):
            return keys.clean(path).rpartition("/")[0], run.params(relative)
    if root.exists(path) and not root.is_dir(path):
        merged: dict[str, Any] = {}
        for row in legacy_rows(root, path):
            merge(merged, row)
        return path.rpartition("/")[0], merged
    raise NotFoundError(f"parameters {path}", "no parameters were logged there")


def legacy_rows(root: SafeRoot, path: str) -> list[dict[str, Any]]:
    """Return the rows of a file that an earlier version or a user wrote (`.pkl`, `.jsonl`, `.csv`), read without running any code in it.

    A file that is cut off gives the rows before the damage.
    """
    rows: list[dict[str, Any]] = []
    with root.open_read(path) as file:
        readers = {".jsonl": _json_lines, ".csv": _csv_lines}
        reader = readers.get(path[path.rfind(".") :])
        objects = reader(file) if reader else restricted_pickle.iter_loads(file, path)
        with contextlib.suppress(CorruptFrameError):
            for found in objects:
                rows += [
                    values.revive(values.plain(row)) for row in (found if isinstance(found, list) else [found]) if isinstance(row, dict)
                ]
    return rows


def _json_lines(file: BinaryIO) -> Iterator[Any]:
    for line in file:
        if line.strip() and not line.startswith(b"//"):
            try:
                yield msgspec.json.decode(line)
            except msgspec.DecodeError:
                return


def _csv_lines(file: BinaryIO) -> Iterator[Any]:
    """Yield rows by the names of the first line; an empty cell is no value."""
    text = io.TextIOWrapper(file, "utf-8", "replace", newline="")
    for row in csv.DictReader(text):
        yield {name: _cell(cell) for name, cell in row.items() if name is not None and cell}
    text.detach()


def _cell(text: str) -> Any:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return {"True": True, "False": False}.get(text, text)
