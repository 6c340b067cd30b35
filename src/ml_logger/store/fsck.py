"""Checking a root, a run or a journal for damage, and mending it: damaged bytes are kept aside, whole frames stay. Knows no server.

What is damaged is named by file and offset. `mend` moves the damaged bytes into `.ml-logger/quarantine` and writes the journal
anew without them; nothing is ever deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from ml_logger import keys
from ml_logger.beneath import is_locked
from ml_logger.errors import NotFoundError
from ml_logger.formats import frames, messages
from ml_logger.safe_fs import SafeRoot

QUARANTINE = f"{keys.HOME}/quarantine"
_NO_JOURNAL = "not the beginning of a journal"
_TORN = "incomplete at the end"
_UNREADABLE, _NO_FILE = "cannot be read", "no file: a pipe, a socket or a link"
_NEWER = "written by a newer version; left untouched"


class Fault(Struct):
    """Bytes [offset, end) of a file that are not what they should be; `kept` is where they lie now, if they were moved."""

    file: str
    offset: int
    end: int
    reason: str
    kept: str | None = None


class Report(Struct):
    """What was looked at and found; `busy` lists journals that a process is writing: their last bytes were not judged."""

    path: str
    files: int = 0
    frames: int = 0
    damaged: list[Fault] = []
    busy: list[str] = []
    repaired: bool = False


def check(root: SafeRoot, key: str = "") -> Report:
    """Look at all journals and JSON files at or below `key`; changes nothing. Cost: reads every byte of them once."""
    report = Report(str(root.path(key)), damaged=[], busy=[])
    for name in _files(root, key):
        report.files += 1
        try:
            report.damaged += _check_journal(root, name, report) if name.endswith(keys.JOURNAL_SUFFIX) else _check_json(root, name)
        except (OSError, NotFoundError) as error:  # a socket, a pipe, a disk that fails: the others are still looked at
            report.damaged.append(Fault(name, 0, 0, _NO_FILE if isinstance(error, NotFoundError) else f"{_UNREADABLE}: {error}"))
    return report


def mend(root: SafeRoot, report: Report) -> None:
    """Take the damage that `report` names out of its files; journals that are being written and newer formats are left alone."""
    by_file: dict[str, list[Fault]] = {}
    for fault in report.damaged:
        if not fault.reason.startswith((_NEWER, _UNREADABLE)) and fault.file not in report.busy:
            by_file.setdefault(fault.file, []).append(fault)
    for name, faults in by_file.items():
        if name.endswith(keys.JOURNAL_SUFFIX) and faults[0].reason != _NO_FILE:
            _mend_journal(root, name, faults)
        else:
            faults[0].kept = _free_name(root, f"{QUARANTINE}/{_plain(name)}")
            root.move(name, faults[0].kept)
        report.repaired = True


def _files(root: SafeRoot, key: str) -> Iterator[str]:
    """Yield journals, run.json files, and what users keep; the trash, the index and the quarantine are no concern."""
    if key and root.exists(key) and not root.is_dir(key):
        yield key
        return
    skipped = tuple(f"{keys.HOME}/{name}" for name in ("trash", "index", "quarantine", "uploads", "wal"))
    for entry in root.walk(key, hidden=True):
        if entry.is_dir or entry.key.startswith(skipped):
            continue
        is_state = entry.key.startswith(f"{keys.HOME}/state/") and entry.name.endswith(".json")
        if entry.name.endswith(keys.JOURNAL_SUFFIX) or entry.name == keys.RUN_FILE or is_state:
            yield entry.key


def _check_json(root: SafeRoot, name: str) -> list[Fault]:
    data = root.read_bytes(name)
    try:
        json.loads(data)
    except (ValueError, RecursionError) as error:
        return [Fault(name, 0, len(data), f"no JSON: {error}")]
    return []


def _check_journal(root: SafeRoot, name: str, report: Report) -> list[Fault]:
    with root.open_read(name) as file:
        is_busy = is_locked(file.fileno()) is not False
        data = file.read()
    if is_busy:
        report.busy.append(name)
    if not data:
        return []
    magic = frames.MAGIC
    if data[: len(magic) - 1] == magic[:-1] and data[len(magic) - 1 : len(magic)] > magic[-1:]:
        return [Fault(name, 0, len(data), _NEWER)]
    faults = [] if data.startswith(magic) else [Fault(name, 0, len(magic), _NO_JOURNAL)]
    scanner = frames.Scanner(data, len(magic))
    for item in scanner:
        if isinstance(item, frames.Damage):
            faults.append(Fault(name, item.offset, item.end, item.reason))
        elif (reason := _unreadable(item)) is not None:
            faults.append(Fault(name, item.offset, item.offset + frames.HEAD_SIZE + len(item.payload), reason))
        else:
            report.frames += 1
    if scanner.end < len(data) and not is_busy:
        faults.append(Fault(name, scanner.end, len(data), _TORN))
    return faults


def _unreadable(frame: frames.Frame) -> str | None:
    """Return why a frame with a good checksum is none of ours, or None."""
    try:
        messages.decode(frame.payload)
    except ValueError as error:
        return f"no message: {error}"
    return None


def _mend_journal(root: SafeRoot, name: str, faults: list[Fault]) -> None:
    """Keep the damaged bytes aside, then put a journal without them in place; its time of change stays."""
    with root.open_read(name) as file:
        times = os.fstat(file.fileno())
        data = file.read()
    kept, at = [frames.MAGIC], len(frames.MAGIC)
    for fault in sorted(faults, key=lambda fault: fault.offset):
        fault.kept = _free_name(root, f"{QUARANTINE}/{_plain(name)}.{fault.offset}")
        root.write_bytes(fault.kept, data[fault.offset : fault.end], durable=True)
        kept.append(data[at : max(at, fault.offset)])
        at = max(at, fault.end)
    with root.create(name, durable=True) as file:
        file.writelines([*kept, data[at:]])
    os.utime(root.path(name), ns=(times.st_atime_ns, times.st_mtime_ns), follow_symlinks=False)


def _plain(name: str) -> str:
    """Return a name in the quarantine: a reserved ending would make it a journal again."""
    return name.replace("/", "!")[-180:] + ".damaged"


def _free_name(root: SafeRoot, name: str) -> str:
    number = 0
    while root.exists(found := f"{name}-{number}" if number else name):
        number += 1
    return found


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as `ml-logger fsck` prints it."""
    faults = [{name: getattr(fault, name) for name in fault.__struct_fields__} for fault in report.damaged]
    clean = not report.damaged
    return {
        "path": report.path, "clean": clean, "repaired": report.repaired, "files": report.files, "frames": report.frames,
        "damaged": faults, "busy": report.busy,
    }  # fmt: skip


def find(path: str) -> tuple[SafeRoot, str]:
    """Return (root, key) of a path: a file is looked at below its directory. Raises `NotFoundError`."""
    place = Path(path)
    if place.is_file():
        return SafeRoot(place.parent), place.name
    if not place.is_dir():
        raise NotFoundError(path)
    return SafeRoot(place), ""
