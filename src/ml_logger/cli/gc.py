"""`ml-logger gc`: deletes for good what nobody will miss. Knows no run; nothing else in ml-logger deletes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from ml_logger import keys
from ml_logger.cli.du import human
from ml_logger.cli.roots import add_root, directory_of
from ml_logger.cli.token import seconds
from ml_logger.safe_fs import OLDER, TRASH, Entry, SafeRoot
from ml_logger.server.tokens import DAY_S

UPLOADS = f"{keys.HOME}/uploads"


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the age."""
    del name
    parser.add_argument("--older", type=seconds, default=7 * DAY_S, metavar="TIME", help="what is older than this (default: 7d)")
    parser.add_argument("--dry-run", action="store_true", help="only show what would go")
    add_root(parser)


def run(found: argparse.Namespace) -> int:
    """Delete old things in the trash, older versions of files, and uploads that nobody went on with."""
    root = SafeRoot(directory_of(found.root))
    total = 0
    for entry in list(_old(root, time.time() - found.older)):
        size = sum(inner.size for inner in root.walk(entry.key, hidden=True)) if entry.is_dir else entry.size
        older = root.stat(entry.key.removesuffix(".path")) if entry.key.startswith(OLDER) else None
        size += older.st_size if older else 0
        total += size
        print(f"{human(size):>10}  {_name(root, entry)}")
        if not found.dry_run:
            root.delete(entry.key.removesuffix(".path") if entry.key.startswith(OLDER) else entry.key)
            root.delete(entry.key)
    left = 0 if found.dry_run else root.tidy() + root.tidy(OLDER)
    if left:
        print(f"{left:>10}  temporary files of writers that died")
    print(f"{human(total):>10}  {'would be freed' if found.dry_run else 'freed'}")
    return 0


def _old(root: SafeRoot, before: float) -> Iterator[Entry]:
    for place in (TRASH, UPLOADS, OLDER):
        yield from (entry for entry in root.scan(place) if _when(entry) < before and (place != OLDER or entry.name.endswith(".path")))


def _when(entry: Entry) -> float:
    """Return when an entry came here: things in the trash keep their own times, so their place tells it."""
    stamp = entry.name.partition("-")[0]
    if entry.key.startswith(TRASH):
        try:
            return int(stamp, 16) / 1e6
        except ValueError:
            return entry.modified
    return entry.modified


def _name(root: SafeRoot, entry: Entry) -> str:
    if entry.key.startswith(OLDER):
        return f"{root.read_bytes(entry.key).decode('utf-8', 'replace')} (older version)"
    if entry.key.startswith(TRASH) and root.exists(f"{entry.key}/path"):
        return f"{root.read_bytes(f'{entry.key}/path').decode('utf-8', 'replace')} (trash)"
    return entry.key
