"""What one call of `logger.log` costs, against the floor "msgspec encode + one write of the same dict" in the same run.

Printing is silenced; both write to a file below the same temporary directory. Knows no server.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import msgspec

from bench.report import asked, report
from ml_logger import ML_Logger

CALLS, WARM = 50_000, 1_000
GOALS = {10: 3.5, 100: 2.5}


def spans_of(calls: list[Callable[[int], None]], rounds: int) -> list[list[int]]:
    """Return the times of single calls in ns, the calls taking turns, so that all see the same machine."""
    spans: list[list[int]] = [[] for _ in calls]
    for i in range(rounds):
        for call, kept in zip(calls, spans, strict=True):
            start = time.perf_counter_ns()
            call(i)
            kept.append(time.perf_counter_ns() - start)
    return spans


def floor(path: Path, values: dict[str, float]) -> Callable[[int], None]:
    """Return a call that encodes `values` with the step and writes them at once."""
    encode = msgspec.msgpack.Encoder().encode
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def call(i: int) -> None:
        os.write(fd, encode({**values, "step": i}))

    return call


def ours(logger: ML_Logger, values: dict[str, float], *, as_dict: bool) -> Callable[[int], None]:
    """Return a call of `log` with `values` as a dict or as keywords."""
    if as_dict:
        return lambda i: logger.log(values, step=i, silent=True)
    words = ", ".join(f"{name}={value!r}" for name, value in values.items())  # as a training loop has them: written out
    return eval(f"lambda i: logger.log(step=i, {words}, silent=True)", {"logger": logger})


def measure(folder: Path, width: int) -> dict[str, object]:
    """Measure both in turns."""
    values = {f"metric_{j}": 0.1 * j for j in range(width)}
    logger = ML_Logger(root=str(folder / "runs"), prefix=f"bench/{width}")
    calls = [floor(folder / f"floor-{width}", values), ours(logger, values, as_dict=width > 10)]
    spans_of(calls, WARM)
    low, high = (quantiles(spans, n=100) for spans in spans_of(calls, CALLS))
    ratio = high[49] / low[49]
    return {
        "what": f"log() of {width} scalars",
        "floor p50 µs": low[49] / 1e3,
        "ours p50 µs": high[49] / 1e3,
        "ours p99 µs": high[98] / 1e3,
        "ratio": ratio,
        "goal": GOALS[width],
        "met": ratio <= GOALS[width],
    }


def main() -> None:
    """Measure 10 scalars as keywords and 100 as a dict."""
    with tempfile.TemporaryDirectory(prefix="ml-logger-bench-") as folder:
        report("log_call", [measure(Path(folder), width) for width in GOALS], note="ratio: p50 / p50, calls taking turns")


if __name__ == "__main__":
    asked("log_call", __doc__)
    main()
