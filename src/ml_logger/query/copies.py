"""Tables of runs that are over, kept beside their journals as Parquet files on request. Knows no command line.

`metrics.pkl` becomes `metrics.parquet`, `eval/metrics.pkl` becomes `eval/metrics.parquet`. A copy says in its own metadata which
journals it was made from, and how long they were: it is written again when that has changed, and never read by ml-logger itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from ml_logger import keys
from ml_logger.beneath import take_lock
from ml_logger.errors import MissingExtraError, MlLoggerError, NotFoundError
from ml_logger.query.views import write_parquet
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir
from ml_logger.store.seal import SILENT_S

MARK = b"ml_logger.journals"
_MOST_FOOTER = 16 << 20


class Copied(NamedTuple):
    """A table's copy: its key, its bytes; with a `reason`, why there is none, or why it stays as it is."""

    key: str
    size: int
    reason: str = ""


def copy_below(root: SafeRoot, key: str = "") -> Iterator[Copied]:
    """Bring the copies of all runs at or below `key` up to date; raises `MissingExtraError`.

    Cost: the rows of one run in memory, as Python values.
    """
    runs = {entry.key.rpartition("/")[0] for entry in root.walk(key) if entry.name.endswith(keys.JOURNAL_SUFFIX) and not entry.is_dir}
    for run in sorted(runs):
        try:
            yield from _copy_run(root, run)
        except MissingExtraError:  # noqa: PERF203 - each run may be the damaged one
            raise
        except (MlLoggerError, OSError) as error:
            yield Copied(run, 0, str(error))


def _copy_run(root: SafeRoot, key: str) -> Iterator[Copied]:
    journals = {entry.name: entry.size for entry in root.scan(key) if entry.name.endswith(keys.JOURNAL_SUFFIX)}
    run = RunDir(root, key).refresh()
    if not all(_is_over(root, journal, ended=log.reader.ended) for journal, log in run.logs.items()):
        yield Copied(key, 0, "its writer may go on")
        return
    for table in run.tables():
        place = f"{key}/{table.removesuffix('.pkl')}.parquet".lstrip("/")
        before = _journals_of(root, place)
        if before is None and root.exists(place):
            yield Copied(place, 0, "another file has this name")
        elif before == journals:
            yield Copied(place, 0, "as it should be")
        elif rows := run.rows(table):
            yield Copied(place, _write(root, place, rows, journals))


def _is_over(root: SafeRoot, journal: str, *, ended: bool) -> bool:
    """Tell whether the writer of a journal is done, as sealing understands it."""
    if ended:
        return True
    with root.open_read(journal) as file:
        found = root.stat(journal)
        return found is not None and time.time() - found.st_mtime > SILENT_S and take_lock(file.fileno())


def _write(root: SafeRoot, place: str, rows: list[dict[str, Any]], journals: dict[str, int]) -> int:
    """Write a copy, old or new; return its size."""
    with root.create(place, durable=True) as file:
        write_parquet(rows, file, {MARK: json.dumps(journals, sort_keys=True)})
        return file.tell()


def is_kept(root: SafeRoot, path: str) -> bool:
    """Tell whether the file at `path` is a copy that was made here."""
    return path.endswith(".parquet") and _journals_of(root, path) is not None


def _journals_of(root: SafeRoot, path: str) -> dict[str, int] | None:
    """Return name → bytes of the journals that a copy was made from, read from the end of the file; None if it is none."""
    try:
        with root.open_read(path) as file:
            size = file.seek(0, 2)
            file.seek(max(size - 8, 0))
            end = file.read(8)
            length = int.from_bytes(end[:4], "little")
            if end[4:] != b"PAR1" or not 0 < length <= min(size, _MOST_FOOTER):
                return None
            file.seek(size - 8 - length)
            _, mark, rest = file.read(length).partition(MARK)
        start = rest.index(b"{") if mark else 0
        return dict(json.JSONDecoder().raw_decode(rest[start : rest.index(b"}", start) + 1].decode())[0]) if mark else None
    except (NotFoundError, ValueError):
        return None
