"""Run all measurements, or those named. Each runs in a process of its own; `catalog` and `long` only if they are named."""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NONE = {"__init__", "__main__", "report", "fixtures", "serving"}
ALONE = {"catalog", "long"}


def choices() -> list[str]:
    """Return the names of all measurements."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NONE)


def main(names: list[str]) -> int:
    """Return the number of measurements that could not be made."""
    found = [name for name in choices() if name not in ALONE]
    failed = 0
    for name in names or found:
        print(f"── {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=HERE.parent, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(choices()))
    sys.exit(main(parser.parse_args().names))
