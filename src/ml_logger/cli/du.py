"""`ml-logger du`: how many bytes runs and folders take. Knows no journal."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

from ml_logger import keys
from ml_logger.cli.missing import key_of
from ml_logger.cli.roots import add_root, destination, directory_of, has_files, root_of
from ml_logger.errors import NotFoundError
from ml_logger.queries import ListFiles
from ml_logger.safe_fs import SafeRoot

_PAGE = 10_000


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the place."""
    del name
    parser.add_argument("path", nargs="?", default="", metavar="PATH", help="below this key (default: the whole root)")
    parser.add_argument("--depth", type=int, default=2, metavar="N", help="show folders down to N levels (default: %(default)s)")
    parser.add_argument("--bytes", action="store_true", help="print plain numbers of bytes")
    add_root(parser)


def run(found: argparse.Namespace) -> int:
    """Print folders, the largest first; what ml-logger keeps for itself is a line of its own."""
    base = key_of(found.root, "" if found.path == "." else found.path)
    sizes: Counter[str] = Counter()
    skip = len(base.split("/")) if base else 0
    for key, size in _here(found.root, base) if has_files(found.root) else _there(found.root, base):
        parts = key.split("/")
        for depth in range(skip, min(len(parts) - 1, skip + max(0, found.depth)) + 1):
            sizes["/".join(parts[:depth])] += size
            if parts[0] == keys.HOME and depth > 0:
                break
    if not has_files(found.root):
        print("runs with their journals and files; what ml-logger keeps for itself is not told from afar", file=sys.stderr)
    if base and not sizes:
        raise NotFoundError(f"{base} in {root_of(found.root)}", "`ml-logger ls` shows what is there")
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        print(f"{size if found.bytes else human(size):>12}  {name or '.'}")
    return 0


def _here(given: str | None, base: str) -> Iterator[tuple[str, int]]:
    """Yield the key and the size of each file of a directory."""
    for entry in SafeRoot(directory_of(given)).walk(base, hidden=not base):
        if not entry.is_dir:
            yield entry.key, entry.size


def _there(given: str | None, base: str) -> Iterator[tuple[str, int]]:
    """Yield the key and the size of each file that a server or a bucket tells of."""
    place, start, more = destination(given), 0, True
    while more:
        page = place.ask(ListFiles(base, recursive=True, start=start, limit=_PAGE, journals=True))
        yield from ((entry.path, entry.size) for entry in page.entries)
        start, more = start + len(page.entries), page.more


def human(size: float) -> str:
    """Return a number of bytes as people read it: ``1.4 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
