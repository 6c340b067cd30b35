"""One series of 1e8 points: indexed by a server, drawn, and windows of it read point for point, over loopback.

`python -m bench.long [--scale 0.01]`. Needs 2 GB of disk at full size. Times are a client's; `server CPU ms` is what the server spent.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.fixtures import BLOCK, long, long_walk
from bench.ingest import Server
from bench.report import report
from ml_logger import ML_Logger
from ml_logger.errors import NotFoundError
from ml_logger.queries import GetRun, GetSeries
from ml_logger.query.engine import MOST_BINS

RUN, WINDOW, ROUNDS = "long/run", 100_000, 25


def wait_until_indexed(logger: ML_Logger, points: int) -> float:
    """Return how many seconds it takes until the server has all points."""
    start = time.monotonic()
    while True:
        try:
            found = logger.session.ask(GetRun(RUN)).row.points
        except NotFoundError:
            found = 0
        if found == points:
            return time.monotonic() - start
        print(f"  {found:,} of {points:,} points indexed", flush=True)
        time.sleep(2)


def asked(server: Server, logger: ML_Logger, what: str, goal: float | None, queries: list[GetSeries]) -> dict[str, Any]:
    """Ask all queries, and return the median time of a client and the server's CPU time for one."""
    spent, begun = [], server.cpu_s()
    for query in queries:
        start = time.perf_counter()
        header, arrays = logger.session.ask(query)
        spent.append((time.perf_counter() - start) * 1e3)
        check(query, header, arrays)
    cpu = (server.cpu_s() - begun) * 1e3 / len(queries)
    return {"what": what, "ms": median(spent), "server CPU ms": cpu, "goal": f"≤ {goal:g}" if goal else "", "met": not goal or cpu <= goal}


def check(query: GetSeries, header: Any, arrays: list[np.ndarray]) -> None:
    """See that no point is missing."""
    if query.lo is None or query.hi is None:
        return
    (info,) = header.series
    expected = int(query.hi - query.lo) + 1
    assert (len(arrays[0]) if info.exact else int(arrays[4].sum())) == expected
    if info.exact:
        assert np.array_equal(arrays[0], np.arange(query.lo, query.hi + 1))


def windows(points: int, width: int, bins: int) -> list[GetSeries]:
    """Return questions for random windows."""
    starts = np.random.default_rng(0).integers(0, points - width, ROUNDS).tolist()
    return [GetSeries("loss", runs=[RUN], lo=lo, hi=lo + width - 1, bins=bins) for lo in starts]


def same_values(logger: ML_Logger, points: int) -> bool:
    """Tell whether the beginning of the series is what was written, bit for bit."""
    count = min(12 * BLOCK, points)
    written = np.concatenate(list(itertools.islice(long_walk(points), 12)))[:count]
    for lo in range(0, count, MOST_BINS):
        hi = min(lo + MOST_BINS, count)
        _, arrays = logger.session.ask(GetSeries("loss", runs=[RUN], lo=lo, hi=hi - 1, bins=MOST_BINS))
        if not np.array_equal(arrays[1], written[lo:hi]):
            return False
    return True


def main(scale: float) -> None:
    """Make the series, serve it, measure."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = Path(name) / "root"
        *_, (_, points) = long(root, scale)
        journals = sum(path.stat().st_size for path in root.rglob("*.mlog"))
        server = Server(Path(name))
        logger = ML_Logger("bench/reader", root=server.url)
        seconds = wait_until_indexed(logger, points)
        what = f"1 series of {points:,} points"
        rows = [
            asked(server, logger, f"{what}: whole, 1,000 buckets, first", None, [GetSeries("loss", runs=[RUN], bins=1000)]),
            asked(server, logger, "whole, any other width", None, [GetSeries("loss", runs=[RUN], bins=900 + at) for at in range(ROUNDS)]),
            asked(server, logger, "window of 2e4 steps, every point", 30, windows(points, min(MOST_BINS, points // 2), MOST_BINS)),
            asked(server, logger, "window of 1e5 steps, 20,000 buckets", 30, windows(points, min(WINDOW, points // 2), MOST_BINS)),
            asked(server, logger, "window of 1e5 steps, 1,000 buckets", 30, windows(points, min(WINDOW, points // 2), 1000)),
            asked(server, logger, "window of 1e6 steps, 1,000 buckets", None, windows(points, min(10 * WINDOW, points // 2), 1000)),
            asked(server, logger, "window of 1e7 steps, 1,000 buckets", None, windows(points, min(100 * WINDOW, points // 2), 1000)),
        ]
        same = same_values(logger, points)
        peak = server.peak_mib()
        logger.close()
        server.stop()
        index = sum(path.stat().st_size for path in (root / ".ml-logger/index").iterdir())
    sizes = f"bytes a point: journal {journals / points:.2f}, index {index / points:.2f}"
    values = "values as written" if same else "VALUES DIFFER"
    report("long", rows, note=f"indexed in {seconds:.0f} s; server's peak {peak:.0f} MiB; {sizes}; {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m bench.long")
    parser.add_argument("--scale", type=float, default=1.0)
    main(parser.parse_args().scale)
