"""What to say of a name that is not there: what it is instead, or what may have been meant. Knows no command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_logger import keys
from ml_logger.cli.roots import destination, is_remote
from ml_logger.elsewhere import is_bucket
from ml_logger.errors import InvalidKeyError, MlLoggerError, NotFoundError
from ml_logger.queries import GetRun, ListFiles, SearchRuns

_SHOWN = 3


@contextlib.contextmanager
def explained(place: Any, key: str) -> Iterator[None]:
    """Let a `NotFoundError` of the block tell what `key` is, or which name was meant; costs nothing unless there is one."""
    try:
        yield
    except NotFoundError as error:
        if found := _folder(place, key):
            raise NotFoundError(f"run {key}", found) from error
        raise NotFoundError(error.what, _below_the_root(place, key) or error.hint) from error


def key_of(given_root: str | None, text: str) -> str:
    """Return the key that `text` spells; raises `InvalidKeyError` with the name that was meant for a path as a shell completes it."""
    try:
        return keys.clean(text)
    except InvalidKeyError as error:
        place = destination(given_root)
        if hint := _below_the_root(place, os.path.normpath(text), text):
            raise InvalidKeyError(text, hint) from error
        raise


def tables_of(place: Any, run: str) -> list[str]:
    """Return the names of the tables of a run; none if there is no such run."""
    try:
        entries = place.ask(ListFiles(run, recursive=True)).entries if place.ask(GetRun(run)).row else []
    except MlLoggerError:
        return []
    names = [entry.path[len(run) :].lstrip("/") for entry in entries if entry.kind == "view" and entry.name != "parameters.pkl"]
    return sorted(names, key=lambda name: (name.count("/"), name))


def _folder(place: Any, key: str) -> str:
    page = place.ask(SearchRuns("", key, limit=_SHOWN))
    if not key or not page.rows or any(row.key == key for row in page.rows):
        return ""
    more = ", …" if page.total > _SHOWN else ""
    return f"it is a folder of {page.total} {'run' if page.total == 1 else 'runs'}: {', '.join(row.key for row in page.rows)}{more}"


def _below_the_root(place: Any, key: str, said: str = "") -> str:
    """Return a hint for a path of the file system: with the root in it, or with a `./` before a name."""
    if is_remote(place.root) or is_bucket(place.root):
        return ""
    root = Path(place.root)
    hint = f"names are relative to the root {root if root.is_absolute() else f'./{root}'}"
    first, _, rest = key.partition("/")
    below = [rest] if rest and first == root.resolve().name else []
    paths = (Path.cwd() / key, Path("/") / key)
    below += [path.relative_to(root.resolve()).as_posix() for path in paths if root.resolve() in path.parents]
    plain = [key] if said and key != said else []
    for name in filter(keys.is_key, plain + below):
        if any(entry.path == name for entry in place.ask(ListFiles(name.rpartition("/")[0])).entries):
            return f"{hint}; did you mean {name}?"
    return hint if below else ""
