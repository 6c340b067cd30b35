"""Which root a command works on, and what it asks there. Knows no command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ml_logger import settings
from ml_logger.elsewhere import is_bucket
from ml_logger.errors import NotFoundError, SettingsError, UsageError
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.root_format import refuse_newer, usual_root


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add `--root` to a command."""
    parser.add_argument("--root", metavar="ROOT", help="a directory, a server or a bucket (default: $ML_LOGGER_ROOT, else ./runs)")


def add_directory(parser: argparse.ArgumentParser) -> None:
    """Add `--root` to a command that works on the files themselves."""
    parser.add_argument("--root", metavar="DIR", help="the directory of runs (default: $ML_LOGGER_ROOT, else ./runs)")


def root_of(given: str | None) -> str:
    """Return the root: the flag's, the environment's, this directory if it is a root, else ./runs."""
    return settings.checked_root(given or "", "--root") or settings.read().root or usual_root()


def is_remote(root: str) -> bool:
    """Tell whether a root is a server."""
    return root.startswith(("http://", "https://"))


def has_files(given: str | None) -> bool:
    """Tell whether the root is a directory."""
    root = root_of(given)
    return not is_remote(root) and not is_bucket(root)


def local(root: str) -> Path:
    """Return the path of a root that has to be a directory; raises `UsageError` for a server and a bucket."""
    if is_remote(root):
        raise UsageError(f"this command works on a directory; run it on the server's machine ({root} is the address of a server)")
    if is_bucket(root):
        raise UsageError(
            f"{root} is a bucket; this command works on a directory (make one: `ml-logger download . --target DIR --root {root}`)"
        )
    if "://" in root.removeprefix("file://"):
        raise SettingsError("--root", root, "must be a path, or an address of http, https, s3 or gs")
    return Path(settings.checked_root(root).removeprefix("file://")).expanduser()


def directory_of(given: str | None) -> Path:
    """Return the root as a directory; raises `UsageError` for a server, `NotFoundError`, or `IncompatibleFormatError` for a newer one."""
    path = local(root_of(given))
    if not path.is_dir():
        raise NotFoundError(f"directory {path}", "--root or ML_LOGGER_ROOT says where runs are")
    refuse_newer(SafeRoot(path))
    return path


def destination(given: str | None) -> Any:
    """Return what answers for the root: a directory, a server or a bucket, the same questions for all."""
    from ml_logger.client.destinations import make_destination

    root = str(directory_of(given)) if has_files(given) else root_of(given)
    return make_destination(root, settings.read())
