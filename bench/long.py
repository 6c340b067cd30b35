"""One series of 1e8 points: indexed by a server, drawn, and windows of it read point for point, over loopback.

`python -m bench.long [--scale 0.01] [--root DIR]`. Needs 8 GB of disk at full size, and a quarter of an hour unless DIR holds what
`python -m bench.fixtures long DIR` wrote. Times are a client's; `server CPU ms` is what the server spent.

    bash -c 'ulimit -v 4194304; python -m bench.long'     server and client in 4 GiB of address space each
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.fixtures import BLOCK, POINTS, long, long_walk, scaled
from bench.report import report
from bench.serving import Server
from ml_logger import ML_Logger
from ml_logger.errors import NotFoundError
from ml_logger.queries import GetRun, GetSeries
from ml_logger.query.engine import MOST_BINS
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.seal import seal_below

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
    """Tell whether random stretches, the first, the last and the extremes of the whole series are what was logged, bit for bit."""
    size = min(MOST_BINS, points)
    starts = sorted({0, points - size, *np.random.default_rng(1).integers(0, points - size + 1, 20).tolist()})
    logged: dict[int, list[np.ndarray]] = {start: [] for start in starts}
    at, low, high = 0, np.inf, -np.inf
    for walk in long_walk(points):
        low, high = min(low, float(walk.min())), max(high, float(walk.max()))
        for start, pieces in logged.items():
            if at < start + size and start < at + len(walk):
                pieces.append(walk[max(start - at, 0) : start + size - at])
        at += len(walk)
    for start, pieces in logged.items():
        header, arrays = logger.session.ask(GetSeries("loss", runs=[RUN], lo=start, hi=start + size - 1, bins=MOST_BINS))
        if not (header.series[0].exact and np.array_equal(arrays[1], np.concatenate(pieces))):
            return False
    _, (_, _, lows, highs, counts) = logger.session.ask(GetSeries("loss", runs=[RUN], bins=1000))
    return (np.nanmin(lows), np.nanmax(highs), counts.sum()) == (low, high, points)


def main(scale: float, given: Path | None) -> None:
    """Make the series unless it is given, serve it, measure; then the same file sealed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = given or Path(name) / "root"
        if given is None:
            for done, total in long(root, scale):
                if done % (100 * BLOCK) == 0:
                    print(f"  {done:,} of {total:,} points logged", flush=True)
        points = scaled(POINTS, scale)
        journals = size_of(root)
        server = Server(Path(name), root, "--index-dir", f"{name}/index")
        logger = ML_Logger("bench/reader", root=server.url)
        seconds = wait_until_indexed(logger, points)
        cpu = server.cpu_s()
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
        logger.session.close()
        server.stop()
        index = sum(path.stat().st_size for path in Path(name, "index").iterdir())
        list(seal_below(SafeRoot(root)))
        sealed = size_of(root)
    sizes = f"bytes a point: journal {journals / points:.2f}, sealed {sealed / points:.2f}, index {index / points:.2f}"
    values = "values as logged" if same else "VALUES DIFFER"
    report("long", rows, note=f"indexed in {seconds:.0f} s, {cpu:.0f} s of CPU; server's peak {peak:.0f} MiB; {sizes}; {values}")


def size_of(root: Path) -> int:
    """Return the bytes of all journals."""
    return sum(path.stat().st_size for path in root.rglob("*.mlog"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m bench.long", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of it (default: 1, all of it)")
    parser.add_argument("--root", type=Path, metavar="DIR", help="where it was logged already; its journal is sealed at the end")
    found = parser.parse_args()
    main(found.scale, found.root)
