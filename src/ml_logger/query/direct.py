"""Answers straight from run directories: rows, parameters, journals, files, logs. Needs no index and no server.

The client's directory destination and the server both answer with this, so that local and remote are the same by
construction. Every path goes through a `SafeRoot`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ml_logger import keys
from ml_logger.answers import FileList, Keys, LogPage, ParamsAnswer, RecordPage, Saved, Table, Tables
from ml_logger.errors import NotFoundError
from ml_logger.queries import GetSaved, Glob, ListFiles, ReadLog, ReadParams, ReadRecords, ReadRows
from ml_logger.query.copies import is_kept
from ml_logger.query.journal_entries import entries_of
from ml_logger.query.lines import LineIndexes
from ml_logger.query.listing import VIEW_SUFFIXES, Names, glob, list_files
from ml_logger.query.patterns import is_glob
from ml_logger.query.tables import names_of, params_at, rows_at, runs_above
from ml_logger.query.views import view_bytes
from ml_logger.records import METRICS_TABLE
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir
from ml_logger.store.state import saved

_BLOCK = 1 << 20
_line_indexes = LineIndexes()


def can_answer(query: Any) -> bool:
    """Tell whether `query` is one that needs no index."""
    return type(query) in _ANSWERS


def answer(root: SafeRoot, query: Any) -> Any:
    """Answer one of the queries above; raises `NotFoundError`, `InvalidKeyError` or `QuerySyntaxError`."""
    return _ANSWERS[type(query)](root, query)


def read(root: SafeRoot, path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Return the bytes [start, stop) of a file, or of a view such as `<run>/metrics.pkl`, in pieces of at most 1 MiB.

    Raises `NotFoundError` at once, not at the first piece.
    """
    if not _is_plain(root, path):
        pieces = view(root, path)
        if not _is_plain(root, path):  # else it was saved between the two looks
            return _clipped(pieces, start, stop)
    return _file_bytes(root, path, start, stop)


def _is_plain(root: SafeRoot, path: str) -> bool:
    return root.exists(path) and not root.is_dir(path) and not is_copy(root, path)


def copy(root: SafeRoot, source: str, target: str) -> None:
    """Copy a file, a directory or a view inside the root; raises `NotFoundError`."""
    if root.is_dir(source) or (root.exists(source) and not is_copy(root, source)):
        root.copy(source, target)
        return
    try:
        pieces = view(root, source)
    except NotFoundError:
        raise NotFoundError(source) from None
    with root.create(target) as file:
        file.writelines(pieces)


def is_copy(root: SafeRoot, path: str) -> bool:
    """Tell whether a file is only a copy of what the run's journals say.

    `configure(metrics_pkl=True)` keeps one, a little behind; `ml-logger seal --parquet` others, as the run was at that time.
    What somebody saved as `metrics.pkl` is none: it is read as it was saved, and the rows are in `read_metrics`.
    """
    if path.rpartition("/")[2] != METRICS_TABLE:
        return is_kept(root, path)
    found = next(runs_above(root, path), None)
    return found is not None and found[1] in found[0].tables() and not found[0].was_saved(found[1])


def view(root: SafeRoot, path: str) -> Iterator[bytes]:
    """Return the bytes of the view at `path`; raises `NotFoundError` if there is none.

    `dense.csv` is a table that was logged under this name, or the table or the parameters in `dense.pkl` as a CSV file.
    """
    if root.is_dir(path):
        raise NotFoundError(f"file {path}", "it is a directory")
    stem, dot, suffix = path.rpartition(".")
    if "." not in path.rpartition("/")[2]:  # `log(file="dense")`: rows of no format are pickles
        with contextlib.suppress(NotFoundError):
            return view_bytes(rows_at(root, path), ".pkl")
    if f".{suffix}" not in VIEW_SUFFIXES or not dot:
        raise NotFoundError(f"file {path}")
    own = () if is_kept(root, path) else (path,)
    for table in dict.fromkeys((*own, f"{stem}.pkl")):
        with contextlib.suppress(NotFoundError):
            return view_bytes(rows_at(root, table), f".{suffix}")
    try:
        return view_bytes([params_at(root, f"{stem}.pkl")[1]], f".{suffix}")
    except NotFoundError:
        raise NotFoundError(f"file {path}") from None


def _file_bytes(root: SafeRoot, path: str, start: int, stop: int | None) -> Iterator[bytes]:
    file = root.open_read(path)

    def pieces() -> Iterator[bytes]:
        with file:
            at = file.seek(max(start, 0))
            while stop is None or at < stop:
                piece = file.read(_BLOCK if stop is None else min(_BLOCK, stop - at))
                if not piece:
                    return
                at += len(piece)
                yield piece

    return pieces()


def _clipped(pieces: Iterator[bytes], start: int, stop: int | None) -> Iterator[bytes]:
    at = 0
    for piece in pieces:
        low, high = max(start - at, 0), len(piece) if stop is None else min(stop - at, len(piece))
        if low < high:
            yield piece[low:high]
        at += len(piece)
        if stop is not None and at >= stop:
            return


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _names(root: SafeRoot) -> Names:
    return lambda run: names_of(root, run)


def _matches(root: SafeRoot, path: str) -> list[str]:
    """Return the keys that the path or glob `path` names; a plain path names itself, and so does a directory with brackets in its name."""
    folder, _, name = path.strip("/").rpartition("/")
    if not is_glob(path) or (not is_glob(name) and root.exists(folder)):
        return [keys.clean(path)]
    if root.is_dir(folder):
        return [f"{folder}/{found}".lstrip("/") for found in glob(root, Glob(name, folder), _names(root)) or []]
    return glob(root, Glob(path.lstrip("/")), _names(root)) or []


def _read_rows(root: SafeRoot, query: ReadRows) -> Tables:
    tables: list[Table] = []
    for path in _matches(root, query.path):
        rows = rows_at(root, path, query.attempt, query.rank)
        if query.keys is not None:
            wanted = set(query.keys)
            rows = [kept for row in rows if (kept := {key: value for key, value in row.items() if key in wanted})]
        tables.append(Table(path, rows[query.start : query.stop], len(rows)))
    return Tables(tables)


def _read_params(root: SafeRoot, query: ReadParams) -> ParamsAnswer:
    found: dict[str, Any] = {}
    for path in _matches(root, query.path):
        with contextlib.suppress(*([NotFoundError] if is_glob(query.path) else [])):
            found.update([params_at(root, path)])
    return ParamsAnswer(found)


def _read_records(root: SafeRoot, query: ReadRecords) -> RecordPage:
    run = RunDir(root, keys.clean(query.run)).refresh()
    if not run.logs:
        raise NotFoundError(f"run {query.run}", "no journal lies there")
    return RecordPage(*entries_of(run, query.since, query.limit))


def _list_files(root: SafeRoot, query: ListFiles) -> FileList:
    page = (max(query.start, 0), max(query.limit, 0))
    return list_files(root, query.path, page, _names(root), recursive=query.recursive, journals=query.journals)


def _glob(root: SafeRoot, query: Glob) -> Keys:
    return Keys(glob(root, query, _names(root)))


def _read_log(root: SafeRoot, query: ReadLog) -> LogPage:
    with root.open_read(query.path) as file:
        size = file.seek(0, 2)
        return _line_indexes.page((str(root.path_), keys.clean(query.path)), file, size, query.start, query.limit, match=query.match)


def _get_saved(root: SafeRoot, query: GetSaved) -> Saved:
    return Saved(saved(root, query.kind, query.name, query.prefix))


_ANSWERS: dict[type, Callable[[SafeRoot, Any], Any]] = {
    ReadRows: _read_rows, ReadParams: _read_params, ReadRecords: _read_records, ListFiles: _list_files,
    Glob: _glob, ReadLog: _read_log, GetSaved: _get_saved,
}  # fmt: skip
