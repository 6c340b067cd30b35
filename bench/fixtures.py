"""Stress fixtures: roots large enough to hurt, made with progress. Measures nothing.

    python -m bench.fixtures wide DIR [--scale 0.01]     1,500 runs × 1,500 metrics × 20 steps, 150 parameters, 50 tags
    python -m bench.fixtures many DIR [--scale 0.01]     100,000 runs × 20 metrics × 20 steps, 50 parameters
    python -m bench.fixtures vast DIR [--scale 0.01]     one run × 10,000 metrics × 20 steps
    python -m bench.fixtures long DIR [--scale 0.01]     one series of 1e8 points: 5.5 GB, a quarter of an hour

All are logged through the public client: runs by as many processes as there are processors (`--jobs`), `long` by one; tags are
set as commands set them.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ml_logger import ML_Logger
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.state import State

STEPS = 20
AT_ONCE = 20
"""Runs that a process logs before it says so."""
BLOCK = 8192
POINTS = 100_000_000


class Kind(NamedTuple):
    """What a fixture of many runs consists of; `make` logs run number n below a root."""

    runs: int
    make: Callable[[Path, int, float], None]


def wide_run(root: Path, number: int, scale: float) -> None:
    """Log one run of an experiment with many metrics; `scale` makes them fewer, too."""
    rng = np.random.default_rng(number)
    names = [f"layer{i % 50}/stat{i // 50}" for i in range(scaled(1500, scale))]
    key = f"wide/run-{number:04d}"
    _log(root, key, {f"p{i}": float(v) for i, v in enumerate(rng.random(150).round(4))}, names, rng)
    State(SafeRoot(root)).put("runs", key, {"tags": [f"tag{number % 50}"]})


def many_run(root: Path, number: int, scale: float) -> None:
    """Log one of very many small runs, in folders of 1,000; one in a hundred has a tag and notes."""
    del scale
    rng = np.random.default_rng(number)
    algorithm = ("ppo", "sac", "td3", "dqn")[number % 4]
    key = f"many/{number // 1000:03d}/{algorithm}-{number:06d}"
    params = {
        "lr": 10.0 ** -(number % 5), "seed": number, "optimizer": ("adam", "sgd", "lion")[number % 3], "algorithm": algorithm,
        "env": f"Hopper-v{number % 7}", "nested": {"width": 1 << (number % 8), "bias": number % 2 == 0},
        **{f"p{i}": float(v) for i, v in enumerate(rng.random(43).round(4))},
    }  # fmt: skip
    _log(root, key, params, [f"m{i}" for i in range(20)], rng)
    if number % 100 == 0:
        State(SafeRoot(root)).put("runs", key, {"tags": [f"tag{number // 100 % 50}"], "notes": f"looked at number {number}"})


def vast_run(root: Path, number: int, scale: float) -> None:
    """Log a run of more metrics than anybody can read."""
    names = [f"block{i % 100}/part{i // 100 % 10}/stat{i // 1000}" for i in range(scaled(10_000, scale))]
    _log(root, f"vast/run-{number}", {"lr": 1e-3}, names, np.random.default_rng(number))


RUNS = {"wide": Kind(1500, wide_run), "many": Kind(100_000, many_run), "vast": Kind(1, vast_run)}


def logged(kind: str, root: Path, scale: float, jobs: int) -> Iterator[tuple[int, int]]:
    """Yield (runs so far, of) while `jobs` processes log them."""
    runs = scaled(RUNS[kind].runs, scale)
    root.mkdir(parents=True, exist_ok=True)
    parts = [(kind, root, range(start, min(start + AT_ONCE, runs)), scale) for start in range(0, runs, AT_ONCE)]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done in itertools.accumulate(pool.imap_unordered(_log_part, parts)):
            yield done, runs


def _log_part(part: tuple[str, Path, range, float]) -> int:
    kind, root, numbers, scale = part
    for number in numbers:
        RUNS[kind].make(root, number, scale)
    return len(numbers)


def _log(root: Path, key: str, params: dict[str, object], names: list[str], rng: np.random.Generator) -> None:
    logger = ML_Logger(key, root=str(root))
    logger.log_params(Args=params, silent=True)
    curves = rng.normal(size=(STEPS, len(names))).cumsum(axis=0).round(5).tolist()
    for step, values in enumerate(curves):
        logger.log(step=step, silent=True, **dict(zip(names, values, strict=True)))
    logger.close()


def long(root: Path, scale: float) -> Iterator[tuple[int, int]]:
    """Yield (points so far, of) while one process logs a random walk, a row at a time."""
    points, start = scaled(POINTS, scale), 0
    logger = ML_Logger("long/run", root=str(root))
    for walk in long_walk(points):
        for step, value in enumerate(walk.tolist(), start):
            logger.log(step=step, loss=value, silent=True)
        start += len(walk)
        yield start, points
    logger.close()


def long_walk(points: int) -> Iterator[np.ndarray]:
    """Yield the values of `long`, a block at a time."""
    rng, last = np.random.default_rng(2), 0.0
    for start in range(0, points, BLOCK):
        walk = (last + rng.normal(size=min(BLOCK, points - start)).cumsum()).round(3)
        last = float(walk[-1])
        yield walk


def scaled(count: int, scale: float) -> int:
    """Return a part of a number, at least 1."""
    return max(1, round(count * scale))


def main() -> None:
    """Make the fixture that was asked for, and say how far it is once a second."""
    parser = argparse.ArgumentParser("python -m bench.fixtures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=[*RUNS, "long"])
    parser.add_argument("root", type=Path, metavar="DIR")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of it, for a first look (default: 1, all of it)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that log (default: one a processor)")
    found = parser.parse_args()
    start = said = time.monotonic()
    steps = long(found.root, found.scale) if found.kind == "long" else logged(found.kind, found.root, found.scale, found.jobs)
    for done, total in steps:
        if time.monotonic() - said > 1 or done == total:
            said = time.monotonic()
            spent = said - start
            print(f"  {done:,} of {total:,}  {done / spent:,.0f}/s  {spent:.0f} s, {spent / done * (total - done):.0f} s to go", flush=True)


if __name__ == "__main__":
    main()
