"""`ml-logger du`: how many bytes runs and folders take. Knows no journal."""

from __future__ import annotations

import argparse
from collections import Counter

from ml_logger import keys
from ml_logger.cli.roots import add_directory, directory_of, root_of
from ml_logger.errors import NotFoundError
from ml_logger.safe_fs import SafeRoot


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the place."""
    del name
    parser.add_argument("path", nargs="?", default="", metavar="PATH", help="below this key (default: the whole root)")
    parser.add_argument("--depth", type=int, default=2, metavar="N", help="show folders down to N levels (default: %(default)s)")
    parser.add_argument("--bytes", action="store_true", help="print plain numbers of bytes")
    add_directory(parser)


def run(found: argparse.Namespace) -> int:
    """Print folders, the largest first; what ml-logger keeps for itself is a line of its own."""
    base = keys.clean(found.path)
    root = SafeRoot(directory_of(found.root))
    sizes: Counter[str] = Counter()
    skip = len(base.split("/")) if base else 0
    for entry in root.walk(base, hidden=not base):
        if entry.is_dir:
            continue
        parts = entry.key.split("/")
        for depth in range(skip, min(len(parts) - 1, skip + max(0, found.depth)) + 1):
            sizes["/".join(parts[:depth])] += entry.size
            if parts[0] == keys.HOME and depth > 0:
                break
    if base and not sizes:
        raise NotFoundError(f"{base} in {root_of(found.root)}", "`ml-logger ls` shows what is there")
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        print(f"{size if found.bytes else human(size):>12}  {name or '.'}")
    return 0


def human(size: float) -> str:
    """Return a number of bytes as people read it: ``1.4 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
