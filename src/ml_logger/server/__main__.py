"""`python -m ml_logger.server`: the server without the rest of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from ml_logger.errors import MlLoggerError
from ml_logger.server import launch, options
from ml_logger.server.serving import leave


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"ml-logger: {message} ({self.prog} --help shows the flags)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse flags and serve; returns the exit status: 0 after a signal, 2 for a mistake of the user."""
    parser = _Parser("python -m ml_logger.server", description="Serve a directory of runs.", allow_abbrev=False)
    options.add_flags(parser)
    found = parser.parse_args(argv)
    try:
        return launch.run(options.from_flags(found))
    except MlLoggerError as error:
        print(f"ml-logger: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before it served; later a signal ends it politely
        return 130


if __name__ == "__main__":
    leave(main())
