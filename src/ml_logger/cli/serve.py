"""`ml-logger serve [DIR]`, and `ml-logger DIR`, which opens the server that a directory has already. Knows no HTTP."""

from __future__ import annotations

import argparse

from ml_logger.server import options
from ml_logger.server.claim import holder_of


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of a server."""
    del name
    parser.add_argument("--or-open", action="store_true", help=argparse.SUPPRESS)
    options.add_flags(parser)


def run(found: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from ml_logger.safe_fs import SafeRoot

    chosen = options.from_flags(found)
    place = chosen.data_dir
    url = holder_of(SafeRoot(place)) if found.or_open and place.is_dir() else None
    if url:
        from ml_logger.cli.enter import of_this_machine, open_server

        print(f"{place} is served already, at {url}")
        return open_server(of_this_machine(url), show=True)
    from ml_logger.server import launch

    return launch.run(chosen)
