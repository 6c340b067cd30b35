"""`ml-logger seal [RUN]`: makes the journals of writers that are done small, and copies them as Parquet. Knows no frames."""

from __future__ import annotations

import argparse

from ml_logger import keys
from ml_logger.cli.du import human
from ml_logger.cli.missing import key_of
from ml_logger.cli.roots import add_directory, directory_of
from ml_logger.errors import NotFoundError, StoreLockedError
from ml_logger.query.copies import copy_below
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.claim import Claim
from ml_logger.store.seal import seal_below


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the run."""
    del name
    parser.add_argument("run", nargs="?", default="", metavar="RUN", help="a run or a folder of runs (default: the whole root)")
    parser.add_argument("--verbose", action="store_true", help="name the journals that stay as they are, and why")
    parser.add_argument(
        "--parquet", action="store_true", help="also keep metrics.parquet beside the journals of each such run, for pandas, polars, duckdb"
    )
    add_directory(parser)


def run(found: argparse.Namespace) -> int:
    """Seal, and say what it brought."""
    root, key = SafeRoot(directory_of(found.root)), key_of(found.root, "" if found.run == "." else found.run)
    if key and not root.is_dir(key):
        raise NotFoundError(f"run {key}", "`ml-logger ls` shows what is there")
    before = after = 0
    for item in seal_below(root, key, served=_is_free(root)):
        before, after = before + item.before, after + item.after
        if not item.reason:
            print(f"{human(item.before):>10} → {human(item.after):>8}  {item.key}")
        elif found.verbose:
            print(f"{human(item.before):>10}   {'':8}  {item.key}: {item.reason}")
    print(f"{human(before - after):>10} saved, {human(after)} left")
    if found.parquet:
        _copy(root, key, found.verbose)
    return 0


def _copy(root: SafeRoot, key: str, verbose: bool) -> None:
    """Bring the Parquet copies up to date, and say which were written."""
    for item in copy_below(root, key):
        if not item.reason:
            print(f"{human(item.size):>10}  {item.key}")
        elif verbose:
            print(f"{'':>10}  {item.key}: {item.reason}")


def _is_free(root: SafeRoot) -> bool:
    """Tell whether no server writes here or left a log to be replayed, and keep it so until this process ends."""
    if root.scan(f"{keys.HOME}/wal"):
        return False
    try:
        Claim(root)
    except StoreLockedError:
        return False
    return True
