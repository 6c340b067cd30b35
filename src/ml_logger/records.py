"""What can be written: one closed union of records, the contract between the methods and every destination.

Knows nothing of files, frames or servers. A method makes one of these and calls `session.emit(record)`; the
journal gives it a sequence number and a place (`formats/messages.py` is how it looks on the disk and the wire).
"""

from __future__ import annotations

from typing import Any, Union

from msgspec import Struct

METRICS_TABLE = "metrics.pkl"
"""The default table of rows. Another table has a path relative to the run, e.g. ``eval/metrics.pkl``."""

STEP_KEYS = ("step", "timestep", "global_step", "epoch")
"""The first of these present in a call, if its value is an integer, is the step of the row."""


class Row(Struct):
    """Values logged together; `values` keep the caller's order and include the step under its own name.

    `shown` is what the printed table shows of them (with colours), None to print nothing.
    """

    values: dict[str, Any]
    table: str = METRICS_TABLE
    shown: dict[str, Any] | None = None


class EndRow(Struct):
    """End of the open row of `table` (all tables if None): the next values start a new one."""

    table: str | None = None


class Params(Struct):
    """Nested parameters, merged deeply into those of the run; later values win. `path` is the key of the plain file."""

    values: dict[str, Any]
    path: str


class Text(Struct):
    """Text appended to the file `path` (a key under the root), or replacing it."""

    text: str
    path: str
    overwrite: bool = False


class File(Struct):
    """A whole file put at `path` (a key under the root); exactly one of `data` and `source` is given.

    `source` is a local path that is copied, streamed, before `emit` returns. `append` adds `data` at the end instead.
    `key`, `step` and `kind` say what the file shows (a picture of a metric at a step); `meta` is JSON-ready.
    """

    path: str
    data: bytes | None = None
    source: str | None = None
    append: bool = False
    step: int | None = None
    kind: str = "file"
    meta: dict[str, Any] = {}


class Remove(Struct):
    """Removal of a file, a directory, or a view such as ``metrics.pkl``; goes to the trash."""

    path: str


class Move(Struct):
    """Rename of `path` to `to`; both are keys under the root."""

    path: str
    to: str


class Copy(Struct):
    """Copy of `path` to `to`; both are keys under the root."""

    path: str
    to: str
    exists_ok: bool = True


class Archive(Struct):
    """An archive made at the destination of what lies below `path`, put at `to`; `format` is tar, gztar, … or zip."""

    path: str
    to: str
    format: str = "tar"
    excludes: list[str] = []


class Status(Struct):
    """A step in the life of the run: running, completed, errored, paused … with JSON-ready details."""

    status: str
    details: dict[str, Any] = {}


class Signal(Struct):
    """A command to the run (stop, checkpoint, set) or, with `seen`, the run's answer to one."""

    name: str
    value: Any = None
    seen: str | None = None


Record = Union[Row, EndRow, Params, Text, File, Remove, Move, Copy, Archive, Status, Signal]  # noqa: UP007 - read at run time
