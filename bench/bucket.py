"""What a root in a bucket costs: a call of `log()` against a directory in turns, requests and bytes of a run, its end.

The run logs 10 metrics at 10 Hz, in hundredfold time: 1,000 calls a second, and a piece of the journal is put each 0.1 s instead of
10 s. The store is SeaweedFS on this machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.log_call import ours, spans_of
from bench.report import asked, report
from ml_logger import ML_Logger
from ml_logger.bucket.objects import Objects
from ml_logger.client.bucket_road import BucketRoad
from tests.object_store import ObjectStore

CALLS, WARM = 20_000, 1_000
FASTER, HERTZ, SECONDS = 100, 10, 40.0
VALUES = {f"metric_{j}": 0.1 * j for j in range(10)}


def calls(folder: Path) -> dict[str, Any]:
    """Measure `log()` into a bucket and into a directory in turns."""
    roots = [str(folder / "runs"), "s3://bucket/calls"]
    loggers = [ML_Logger("bench/run", root=root) for root in roots]
    both = [ours(logger, VALUES, as_dict=False) for logger in loggers]
    spans_of(both, WARM)
    low, high = (quantiles(spans, n=100) for spans in spans_of(both, CALLS))
    for logger in loggers:
        logger.close()
    return {
        "what": "log() of 10 scalars",
        "directory p50 µs": low[49] / 1e3,
        "bucket p50 µs": high[49] / 1e3,
        "directory p99 µs": low[98] / 1e3,
        "bucket p99 µs": high[98] / 1e3,
        "ratio": high[49] / low[49],
        "goal": 1.15,
        "met": high[49] <= 1.15 * low[49],
    }


class Counted:
    """Counts the requests of this process, and their bytes."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.sent = 0
        call = Objects._call  # noqa: SLF001

        def counted(objects: Objects, name: str, *args: Any) -> Any:
            self.requests[name] += 1
            if name == "put":
                self.sent += len(args[2])
            elif name == "put_file":
                self.sent += os.path.getsize(args[2])
            return call(objects, name, *args)

        Objects._call = counted  # type: ignore[method-assign]  # noqa: SLF001


def run(counted: Counted) -> dict[str, Any]:
    """Log for a while as a training does, and count."""
    BucketRoad.interval = (10.0 / FASTER, 10.0 / FASTER)
    logger = ML_Logger("bench/run", root="s3://bucket/run")
    started = time.monotonic()
    for step in range(int(SECONDS * HERTZ * FASTER)):
        logger.log(VALUES, step=step, silent=True)
        pause = started + step / (HERTZ * FASTER) - time.monotonic()
        if pause > 0:
            time.sleep(pause)
    minutes = (time.monotonic() - started) * FASTER / 60
    requests, sent, written = sum(counted.requests.values()), counted.sent, logger.session.status()["journaled"]
    size = sum(thing.size for thing in Objects("s3://bucket/run").list() if ".mlog" in thing.key)
    ending = time.monotonic()
    logger.close()
    ended = time.monotonic() - ending
    return {
        "what": f"{written:,} calls in {minutes:.0f} min",
        "requests a minute": requests / minutes,
        "journal KiB a minute": size / minutes / 1024,
        "sent KiB a minute": sent / minutes / 1024,
        "sent / journal": sent / size,
        "exit s": ended,
    }


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory(prefix="ml-logger-bench-") as folder:
        store = ObjectStore(Path(folder) / "store")
        os.environ.update(store.env, ML_LOGGER_SPOOL=f"{folder}/spool", XDG_CACHE_HOME=f"{folder}/cache")
        try:
            store.start()
            row = calls(Path(folder))
            report("bucket_log", [row], note="p50 / p50, calls taking turns")
            report("bucket", [run(Counted())], note=f"10 metrics at {HERTZ} Hz in {FASTER}-fold time; a store on the same machine")
        finally:
            store.kill()


if __name__ == "__main__":
    asked("bucket", __doc__)
    main()
