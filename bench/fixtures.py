"""Stress fixtures: roots large enough to hurt, made with progress. Measures nothing.

    python -m bench.fixtures wide DIR [--scale 0.01]     1,500 runs × 1,500 metrics × 20 steps, 150 parameters, 50 tags
    python -m bench.fixtures many DIR [--scale 0.01]     100,000 runs × 20 metrics × 20 steps
    python -m bench.fixtures long DIR [--scale 0.01]     one series of 1e8 points, written as BLOCK frames

`wide` and `many` are logged through the public client, tags set by commands. `long` is what sealing makes of such a journal: the
client would take a quarter of an hour for it.
"""

from __future__ import annotations

import argparse
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import zstandard

from ml_logger import ML_Logger, keys
from ml_logger.formats import frames, messages
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.state import State

STEPS = 20
BLOCK = 8192


def wide(root: Path, scale: float) -> Iterator[tuple[int, int]]:
    """Yield (runs so far, of): one experiment with many metrics; `scale` shortens runs and metrics alike."""
    runs, metrics = _scaled(1500, scale), _scaled(1500, scale)
    rng = np.random.default_rng(0)
    names = [f"layer{i % 50}/stat{i // 50}" for i in range(metrics)]
    state = State(SafeRoot(root, create=True))
    for number in range(runs):
        params = {f"p{i}": float(v) for i, v in enumerate(rng.random(150).round(4))}
        key = f"wide/run-{number:04d}"
        _log(root, key, params, names, rng)
        state.put("runs", key, {"tags": [f"tag{number % 50}"]})
        yield number + 1, runs


def many(root: Path, scale: float) -> Iterator[tuple[int, int]]:
    """Yield (runs so far, of): many small runs in folders of 1,000."""
    runs = _scaled(100_000, scale)
    rng = np.random.default_rng(1)
    names = [f"m{i}" for i in range(20)]
    for number in range(runs):
        params = {"lr": 10.0 ** -(number % 5), "seed": number, "optimizer": ("adam", "sgd", "lion")[number % 3]}
        _log(root, f"many/{number // 1000:03d}/run-{number:06d}", params, names, rng)
        yield number + 1, runs


def _log(root: Path, key: str, params: dict[str, object], names: list[str], rng: np.random.Generator) -> None:
    logger = ML_Logger(key, root=str(root))
    logger.log_params(Args=params, silent=True)
    curves = rng.normal(size=(STEPS, len(names))).cumsum(axis=0).round(5).tolist()
    for step, values in enumerate(curves):
        logger.log(step=step, silent=True, **dict(zip(names, values, strict=True)))
    logger.close()


def long(root: Path, scale: float) -> Iterator[tuple[int, int]]:
    """Yield (points so far, of): a random walk."""
    points = _scaled(100_000_000, scale)
    files, writer, run = SafeRoot(root, create=True), uuid.uuid4().hex, "long/run"
    files.link_once(f"{run}/{keys.RUN_FILE}", msgspec.json.encode({"uuid": writer, "key": run, "created": time.time()}))
    rng, last = np.random.default_rng(2), 0.0
    head: list[messages.Message] = [messages.Header(writer, run, 0, "fixture", 0, 1, 1e9), messages.Keys(1, ["step", "loss"])]
    with files.create(f"{run}/metrics.fixture-0-{writer}{keys.JOURNAL_SUFFIX}") as file:
        file.write(frames.MAGIC + b"".join(frames.encode(at, messages.encode(message)) for at, message in enumerate(head, 1)))
        for start in range(0, points, BLOCK):
            n = min(BLOCK, points - start)
            walk = last + rng.normal(size=n).cumsum().round(3)
            last = float(walk[-1])
            file.write(frames.encode(3 + start, messages.encode(_block(start, walk))))
            yield start + n, points
        file.write(frames.encode(3 + points, messages.encode(messages.End(1e9 + points / 1e3))))


def _block(start: int, values: np.ndarray) -> messages.Block:
    """Return rows as `formats.columns.encode_block` would, without an object for each."""
    steps = np.arange(start, start + len(values), dtype="<i8")
    columns = [["i", _shuffled(steps)], ["f", _shuffled(values)]]
    times = (1e9 + steps / 1e3).astype("<f8").view("<i8")
    fields = [["i", _shuffled(steps + 3)], ["i", _shuffled(steps)], ["i", _shuffled(steps)], ["t", _shuffled(times)], columns]
    return messages.Block(1, len(values), zstandard.compress(msgspec.msgpack.encode(fields), 1))


def _shuffled(values: np.ndarray) -> bytes:
    words = np.diff(values, prepend=np.zeros(1, "<i8")) if values.dtype.kind == "i" else values
    return np.ascontiguousarray(words.view("u1").reshape(-1, 8).T).tobytes()


def _scaled(count: int, scale: float) -> int:
    return max(1, round(count * scale))


KINDS: dict[str, Callable[[Path, float], Iterator[tuple[int, int]]]] = {"wide": wide, "many": many, "long": long}


def main() -> None:
    """Make the fixture that was asked for, and say how far it is once a second."""
    parser = argparse.ArgumentParser("python -m bench.fixtures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("root", type=Path, metavar="DIR")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of it, for a first look (default: 1, all of it)")
    found = parser.parse_args()
    start = said = time.monotonic()
    for done, total in KINDS[found.kind](found.root, found.scale):
        if time.monotonic() - said > 1 or done == total:
            said = time.monotonic()
            rest = (said - start) / done * (total - done)
            print(f"  {done:,} of {total:,}  {said - start:.0f} s, {rest:.0f} s to go", flush=True)


if __name__ == "__main__":
    main()
