"""Run all tests of the project, TypeScript first, then Python and the browser; knows nothing of what they check.

`python tests/run.py [--long] [pytest arguments …]`. Ends with pytest's summary, and with its status.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
FULL = {"ML_LOGGER_TEST_LARGE_MIB": "1024", "ML_LOGGER_TEST_KILLS": "200"}


def main(arguments: list[str]) -> int:
    """Return the exit status of the first part that failed, or 0."""
    long = "--long" in arguments
    rest = [argument for argument in arguments if argument != "--long"]
    if not rest:
        status = subprocess.run([sys.executable, "dashboard/run.py", "test"], cwd=HERE, check=False).returncode
        if status:
            return status
    marks = [] if long else ["-m", "not long"]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(FULL if long else {})}
    # "load" keeps the order of collection in each worker, which conftest.py relies on; "worksteal" does not
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "load", *marks, *rest]
    return subprocess.run(command, cwd=HERE, check=False, env=env).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
