"""`ml-logger sync` as a command; `sync.py` does the work."""

from __future__ import annotations

import argparse

from ml_logger import settings
from ml_logger.cli.sync import sync
from ml_logger.logger import expand_root


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the root."""
    del name
    parser.add_argument("--root", metavar="ROOT", help="only what waits for this root (default: $ML_LOGGER_ROOT, else everything)")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="S", help="give up after so many seconds (default: %(default)g)")


def run(found: argparse.Namespace) -> int:
    """Deliver; 0 if nothing is left, 1 otherwise."""
    chosen = found.root or settings.read().root
    left = sync(expand_root(chosen) if chosen else None, found.timeout)
    if left:
        what = "1 journal is" if left == 1 else f"{left} journals are"
        print(f"{what} left; the next process that logs tries again, and so does `ml-logger sync`")
    return 1 if left else 0
