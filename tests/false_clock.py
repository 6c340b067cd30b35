"""Run `python -m MODULE …` with a wall clock that is wrong by as many seconds as a file says, which may change while it runs.

`python false_clock.py FILE PYTHON -m MODULE …`: what `ServerProcess(wrap=…)` needs. Monotonic clocks and times of files stay right, as on a
machine whose clock is set. Knows nothing of what it runs.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path

_right = time.time


def main(file: Path, module: str) -> None:
    """Change what `time.time` says, and become `module`."""

    def wrong() -> float:
        return _right() + float(file.read_text() or 0)

    time.time = wrong
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _, file, _python, _m, module, *rest = sys.argv
    sys.argv = [module, *rest]
    main(Path(file), module)
