"""`ml-logger serve [DIR]`, and `ml-logger DIR`, which opens the server that a directory has already. Knows no HTTP."""

from __future__ import annotations

import argparse
from pathlib import Path

from ml_logger.cli.roots import is_remote, root_of
from ml_logger.elsewhere import is_bucket
from ml_logger.errors import UsageError
from ml_logger.server import options
from ml_logger.server.claim import holder_of


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of a server."""
    del name
    parser.add_argument("dir", nargs="?", metavar="DIR", help="the root (default: $ML_LOGGER_ROOT if it is a directory, else ./runs)")
    parser.add_argument("--data-dir", "--logdir", dest="data_dir", metavar="DIR", help="the same")
    parser.add_argument("--or-open", action="store_true", help=argparse.SUPPRESS)
    options.add_flags(parser)


def run(found: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from ml_logger.safe_fs import SafeRoot

    root = root_of(None)
    place = found.dir or found.data_dir or (root if not is_remote(root) else "./runs")
    if is_bucket(place):
        raise UsageError(f"{place} is a bucket, and the dashboard shows directories; `ml-logger ls --root {place}` lists its runs")
    chosen = options.from_flags(found, place)
    url = holder_of(SafeRoot(place)) if found.or_open and Path(place).is_dir() else None
    if url:
        from ml_logger.cli.enter import of_this_machine, open_server

        print(f"{place} is served already, at {url}")
        return open_server(of_this_machine(url), show=True)
    from ml_logger.server import launch

    return launch.run(chosen)
