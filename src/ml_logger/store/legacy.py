"""Run directories of earlier releases, opened as if they held journals: each of their two files is one writer. Knows no index."""

from __future__ import annotations

import io
import time
from typing import BinaryIO

from ml_logger import keys
from ml_logger.formats import legacy, restricted_pickle
from ml_logger.records import METRICS_TABLE
from ml_logger.safe_fs import Entry, SafeRoot

FILES = (legacy.PARAMETERS, METRICS_TABLE)


def tells_a_run(name: str) -> bool:
    """Tell whether a file of this name makes its directory that of a run."""
    return name == keys.RUN_FILE or name.endswith(keys.JOURNAL_SUFFIX) or name in FILES


def journals_in(entries: list[Entry]) -> list[Entry]:
    """Return what holds the records of a run among the entries of its directory: its journals, else the files of an earlier release."""
    found = [entry for entry in entries if entry.name.endswith(keys.JOURNAL_SUFFIX)]
    if found or any(entry.name == keys.RUN_FILE for entry in entries):
        return found
    return [entry for entry in entries if entry.name in FILES and not entry.is_dir]


def open_journal(root: SafeRoot, key: str) -> BinaryIO:
    """Return a journal to read, at its start; the file of an earlier release is translated, in memory, without running anything in it."""
    file = root.open_read(key)
    if key.endswith(keys.JOURNAL_SUFFIX):
        return file
    with file:
        found = root.stat(key)
        run, _, name = key.rpartition("/")
        modified = found.st_mtime if found else 0.0
        return io.BytesIO(legacy.journal_of(name, run, restricted_pickle.iter_loads(file, key), modified, time.time()))
