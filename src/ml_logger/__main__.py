"""`python -m ml_logger`: the command line."""

from __future__ import annotations

from ml_logger.cli.__main__ import main

if __name__ == "__main__":
    main()
