"""What `import ml_logger` costs, and the logger's first use, against `import msgspec` alone; each in fresh interpreters, in turns."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from statistics import median

from bench.report import asked, report

ROUNDS = 15
HEAVY = ["numpy", "pandas", "torch", "matplotlib", "PIL", "starlette", "granian", "uvicorn", "urllib3", "apsw"]

CODE = """
import sys, time
start = time.perf_counter()
{body}
print((time.perf_counter() - start) * 1e3, *[name for name in {heavy!r} if name in sys.modules])
"""

BODIES = {
    "import msgspec": "import msgspec",
    "import ml_logger": "import ml_logger",
    "from ml_logger import logger": "from ml_logger import logger",
    "first record in a directory": "from ml_logger import ML_Logger; ML_Logger(root={folder!r}, prefix='a').log(a=1, silent=True)",
}


def once(body: str) -> tuple[float, list[str]]:
    """Return the time of `body` in ms in an interpreter of its own, and the heavy modules it loaded."""
    done = subprocess.run([sys.executable, "-c", CODE.format(body=body, heavy=HEAVY)], capture_output=True, text=True, check=True)
    words = done.stdout.split()
    return float(words[0]), words[1:]


def main() -> None:
    """Measure all bodies in turns, and compare each with the first."""
    with tempfile.TemporaryDirectory(prefix="ml-logger-bench-") as folder:
        bodies = {name: body.format(folder=folder) for name, body in BODIES.items()}
        spans: dict[str, list[float]] = {name: [] for name in bodies}
        loaded: set[str] = set()
        for _ in range(ROUNDS):
            for name, body in bodies.items():
                span, heavy = once(body)
                spans[name].append(span)
                loaded.update(heavy)
    base = median(spans["import msgspec"])
    rows = [
        {"what": name, "ms": median(kept), "ratio": median(kept) / base, "goal": goal(name), "met": met(name, kept, base)}
        for name, kept in spans.items()
    ]
    report("import_time", rows, note=f"heavy modules loaded: {', '.join(sorted(loaded)) or 'none'}")


def goal(name: str) -> str:
    """Return the goal of a row."""
    return "≤ 2" if name == "import ml_logger" else ""


def met(name: str, spans: list[float], base: float) -> bool:
    """Tell whether a row meets its goal."""
    return not goal(name) or median(spans) <= 2 * base


if __name__ == "__main__":
    asked("import_time", __doc__)
    main()
