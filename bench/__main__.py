"""Run all measurements, or those named: `python -m bench [name …]`. Each runs in a process of its own; `long` only if it is named."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SKIP = {"__init__", "__main__", "report", "fixtures", "serving", "catalog", "long"}


def main(names: list[str]) -> int:
    """Return the number of measurements that could not be made."""
    found = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in SKIP)
    failed = 0
    for name in names or found:
        print(f"── {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=HERE.parent, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
