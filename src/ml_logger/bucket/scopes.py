"""Which part of a bucket a question is about, so that no more of it is listed. Knows no answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ml_logger import keys
from ml_logger.bucket.mirror import Mirror
from ml_logger.bucket.pull import pull
from ml_logger.queries import GetSaved, Glob, ListFiles, ReadFile, ReadLog, ReadParams, ReadRecords, ReadRows
from ml_logger.store.state import PLACE

_MAGIC = "*?[{"


def pull_for(mirror: Mirror, query: Any) -> None:
    """Bring what `query` looks at up to date; questions about many runs look at all. Raises `TransportError`."""
    if isinstance(query, GetSaved):
        pull(mirror, PLACE)
    elif isinstance(query, (ReadRows, ReadParams, ReadLog, ReadFile, ListFiles)):
        around(mirror, [query.path])
        _fill(mirror, query.path)
    elif isinstance(query, ReadRecords):
        around(mirror, [f"{query.run}/x"])
    elif isinstance(query, Glob):
        around(mirror, [f"{query.wd}/{query.pattern}" if not query.pattern.startswith("/") else query.pattern])
    else:
        pull(mirror)


def _fill(mirror: Mirror, path: str) -> None:
    """Fetch what a question reads itself: the file it names, or all below the fixed part of a pattern that are not large."""
    if not path.startswith("//") and keys.is_key(path) and not any(letter in path for letter in _MAGIC):
        mirror.fetch(keys.clean(path))


def around(mirror: Mirror, paths: Iterable[str]) -> None:
    """Bring up to date the folders that `paths` (or patterns) lie in, and the runs above them."""
    folders = sorted({_folder(path) for path in paths if not path.startswith("//")}, key=len)
    done: list[str] = []
    for folder in folders:
        if any(keys.in_scope(folder, f"{other}/**" if other else "**") for other in done):
            continue
        run = _run_above(mirror, folder)
        pull(mirror, folder if run is None else run)
        done.append(folder if run is None else run)
        if run is None:
            for above in _above(folder):
                pull(mirror, above, deep=False)


def _folder(path: str) -> str:
    """Return the folder of the fixed part of `path`; of a path without a pattern, what it lies in."""
    fixed = []
    for part in path.split("/"):
        if any(letter in part for letter in _MAGIC):
            break
        fixed.append(part)
    else:
        fixed = fixed[:-1]
    text = "/".join(part for part in fixed if part)
    return keys.clean(text) if keys.is_key(text) else ""


def _run_above(mirror: Mirror, folder: str) -> str | None:
    """Return the nearest folder at or above `folder` that the mirror knows as a run."""
    for name in (folder, *_above(folder)):
        if mirror.files.exists(f"{name}/{keys.RUN_FILE}" if name else keys.RUN_FILE):
            return name
    return None


def _above(folder: str) -> list[str]:
    parts = folder.split("/")
    return ["/".join(parts[:depth]) for depth in reversed(range(len(parts)))] if folder else []
