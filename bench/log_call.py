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

from bench.report import report
from ml_logger import ML_Logger

CALLS, ROUNDS = 2_000, 15
GOALS = {10: 3.5, 100: 2.5}


def percentiles(call: Callable[[int], None], calls: int = CALLS) -> tuple[float, float]:
    """Return the median and the 99th percentile of single calls, in µs."""
    spans = []
    for i in range(calls):
        start = time.perf_counter_ns()
        call(i)
        spans.append(time.perf_counter_ns() - start)
    cuts = quantiles(spans, n=100)
    return cuts[49] / 1e3, cuts[98] / 1e3


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
    """Measure both in turns, and return the medians over all rounds."""
    values = {f"metric_{j}": 0.1 * j for j in range(width)}
    logger = ML_Logger(root=str(folder / "runs"), prefix=f"bench/{width}")
    calls = floor(folder / f"floor-{width}", values), ours(logger, values, as_dict=width > 10)
    percentiles(calls[0]), percentiles(calls[1])
    rounds = [[percentiles(call) for call in calls] for _ in range(ROUNDS)]
    best = [min(r[k][0] for r in rounds) for k in (0, 1)]
    slow = sorted(r[1][1] for r in rounds)[ROUNDS // 2]
    ratio = sorted(r[1][0] / r[0][0] for r in rounds)[ROUNDS // 2]
    return {
        "what": f"log() of {width} scalars",
        "floor p50 µs": best[0],
        "ours p50 µs": best[1],
        "ours p99 µs": slow,
        "ratio": ratio,
        "goal": GOALS[width],
        "met": ratio <= GOALS[width],
    }


def main() -> None:
    """Measure 10 scalars as keywords and 100 as a dict."""
    with tempfile.TemporaryDirectory(prefix="ml-logger-bench-") as folder:
        report("log_call", [measure(Path(folder), width) for width in GOALS], note="ratio: median over rounds of p50 / p50")


if __name__ == "__main__":
    main()
