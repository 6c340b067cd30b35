"""`ml-logger sync` as a command; `sync.py` does the work."""

from __future__ import annotations

import argparse

from ml_logger import settings
from ml_logger.cli.sync import sync


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the root."""
    del name
    parser.add_argument("--root", metavar="ROOT", help="only what waits for this root (default: $ML_LOGGER_ROOT, else everything)")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="S", help="give up after so many seconds (default: %(default)g)")


def run(found: argparse.Namespace) -> int:
    """Deliver; 0 if nothing is left, 1 otherwise."""
    left = sync(found.root or settings.read().root, found.timeout)
    if left:
        print(f"{left} journals are left; they are tried again by the next process that logs, or by `ml-logger sync`")
    return 1 if left else 0
