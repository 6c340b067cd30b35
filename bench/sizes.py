"""Bytes a point: a server's root as it is written, the same sealed, and the index on top. Reads everything back.

`python -m bench.sizes`. What a point takes depends on what is logged: losses as frameworks give them (32 bits), values rounded to five
digits, and 64 bits of noise, which no lossless form makes shorter than about 6.5 bytes. Rows have ten metrics.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.ingest import METRICS, Server
from bench.report import asked, report
from ml_logger import ML_Logger
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.seal import seal_below
from ml_logger.store.sqlite import open_store

RUNS, STEPS = 20, 5000
POINTS = RUNS * STEPS * len(METRICS)
GOALS = {"live": 12.0, "sealed": 4.0, "index": 7.0}


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return curves that fall and level off, with noise: steps × metrics."""
    steps = np.arange(STEPS)[:, None]
    return np.exp(-steps / 1500) * rng.uniform(1, 5, len(METRICS)) + 0.1 * rng.normal(size=(STEPS, len(METRICS)))


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "32-bit losses": lambda curves: curves.astype("f4").astype("f8"),
    "rounded to 5 digits": lambda curves: curves.round(5),
    "64 bits of noise": lambda curves: curves,
}


def log_runs(url: str, kind: str) -> None:
    """Log all runs through the public client."""
    rng = np.random.default_rng(0)
    for number in range(RUNS):
        logger = ML_Logger(f"sizes/run-{number}", root=url)
        for step, values in enumerate(KINDS[kind](noise(rng)).tolist()):
            logger.log(step=step, silent=True, **dict(zip(METRICS, values, strict=True)))
        logger.flush(timeout=120)
        logger.session.close()


def check(root: Path, kind: str) -> int:
    """Return how many points are wrong when they are read back from the index."""
    rng, wrong = np.random.default_rng(0), 0
    with open_store(root) as store:
        for number in range(RUNS):
            curves = KINDS[kind](noise(rng))
            at = store.snapshot().position(f"sizes/run-{number}")
            assert at is not None
            for column, name in enumerate(METRICS):
                found = np.concatenate([chunk.mean for chunk in store.read(name, [int(store.snapshot().ids[at])])])
                wrong += STEPS - int((found == curves[:, column]).sum())
    return wrong


def size_of(folder: Path, pattern: str) -> float:
    """Return bytes a point of the files that match."""
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file()) / POINTS


def measure(kind: str) -> dict[str, Any]:
    """Measure one kind of values on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        server = Server(Path(name))
        log_runs(server.url, kind)
        server.stop()
        live = size_of(server.root, "*.mlog")
        wrong = check(server.root, kind)
        index = size_of(server.root / ".ml-logger/index", "*")
        list(seal_below(SafeRoot(server.root)))
        sealed = size_of(server.root, "*.mlog")
        for path in (server.root / ".ml-logger/index").iterdir():
            path.unlink()
        wrong += check(server.root, kind)
    found = {"live": live, "sealed": sealed, "index": index}
    is_met = wrong == 0 and all(found[key] <= goal for key, goal in GOALS.items())
    return {"what": kind, **found, "goal": "≤ 12, 4, 7", "wrong": wrong, "met": is_met}


def main() -> None:
    """Measure all kinds."""
    report(
        "sizes", [measure(kind) for kind in KINDS], note=f"bytes a point, {POINTS:,} points in rows of ten metrics; read back bit for bit"
    )


if __name__ == "__main__":
    asked("sizes", __doc__)
    main()
