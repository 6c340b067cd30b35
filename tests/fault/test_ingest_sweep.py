"""The server is killed, or its disk fails, at each of its writes: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ml_logger.client.packing import Packer, body_of
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import Clear, End, Header, Keys, Op, Params, RowPart, Text
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.ingest import Ingest
from ml_logger.store.rundir import RunDir

VICTIM = Path(__file__).with_name("ingest_victim.py")
LOG = "lab/run/outputs.log"

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def messages_of() -> list[list[messages.Message]]:
    """Return what a journal holds, cut into batches: rows, text, parameters, a removal, a move."""
    batches: list[list[messages.Message]] = [[Header("a" * 32, "lab/run", 0, "h", 0, 1, 0.0, run_uuid="u"), Keys(1, ["step"])]]
    for n in range(8):
        rows: list[messages.Message] = [RowPart(1, n * 5 + i, n * 5 + i, 0.0, [n * 5 + i]) for i in range(5)]
        batches.append([*rows, Text(f"line {n}\n", LOG, False, 0.0), Text(f"more {n}\n", LOG, False, 0.0)])
    batches[2].append(Params({"a": {"b": 1}}, "lab/run/parameters.pkl", 0.0))
    batches[4].append(Clear(LOG, 0, 0.0))
    batches[6].append(Op("copy", {"path": LOG, "to": "lab/run/copy.log"}, 0.0))
    batches.append([End(0.0)])
    return batches


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batches")
    packer, at, data, sequence = Packer(), 0, frames.MAGIC, 0
    for number, batch in enumerate(messages_of()):
        for message in batch:
            sequence += 1
            data += frames.encode(sequence, messages.encode(message))
        packed = packer.pack(data[at:], at, final=False)
        assert packed is not None
        assert packer.header is not None
        (folder / f"{number:02d}").write_bytes(body_of(packed, 0, packer.header))
        at = packed.hi
    return folder


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body


def run_victim(root: Path, bodies: Path, inject: str, checkpoint_s: str = "0") -> tuple[list[tuple[int, int]], bool]:
    """Return (status, offset) of the batches that were acknowledged, and whether the process was killed."""
    calls = inject.split(":", maxsplit=1)[0]
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={inject}"]
    done = subprocess.run(
        [*command, sys.executable, str(VICTIM), str(root), str(bodies), checkpoint_s], capture_output=True, text=True, check=False
    )
    whole = done.stdout.rpartition("\n")[0].splitlines()  # a kill may come in the middle of a line
    acks = [(int(line.split()[1]), int(line.split()[2])) for line in whole]
    assert done.returncode in (0, -9, 137), done.stderr
    return acks, done.returncode != 0


def check_recovery(root: Path, bodies: Path, acked: list[tuple[int, int]]) -> None:
    """Start again, send everything once more as a carrier would after a lost answer, and compare with a run without faults."""
    ingest = Ingest(SafeRoot(root), lambda run: None)
    ingest.start()
    committed = ingest.offsets([f"lab/run/{'a' * 32}"]).popitem()[1]
    assert committed >= max([offset for status, offset in acked if status == 200], default=0)
    for path in sorted(bodies.iterdir()):
        status, answer = asyncio.run(ingest.ingest(chunks(path.read_bytes()), lambda key: None))
        assert status == 200, answer
    ingest.stop()
    run = RunDir(SafeRoot(root), "lab/run").refresh()
    assert not run.problems
    assert [row["step"] for row in run.rows()] == list(range(40))
    assert sum(log.reader.duplicates for log in run.writers) == 0
    assert run.params() == {"a": {"b": 1}}
    expected = "".join(f"line {n}\nmore {n}\n" for n in range(4, 8))
    assert (root / LOG).read_text() == expected
    assert (root / "lab/run/copy.log").read_text() == "".join(f"line {n}\nmore {n}\n" for n in range(4, 6))
    assert not list((root / ".ml-logger/wal").glob("*.wal"))


KILLS = [("pwrite64", range(1, 25, 2)), ("fdatasync", range(1, 13, 2)), ("renameat", range(1, 5)), ("unlink", range(1, 4))]
EVERY = [
    ("pwrite64", range(1, 60)),
    ("fdatasync", range(1, 40)),
    ("renameat", range(1, 20)),
    ("unlink", range(1, 20)),
    ("openat", range(200, 320)),
]


@pytest.mark.parametrize(("call", "points"), KILLS, ids=[call for call, _ in KILLS])
def test_killed_at_each_write(call: str, points: range, bodies: Path, tmp_path: Path) -> None:
    fired = 0
    for point in points:
        root = tmp_path / str(point)
        root.mkdir()
        acked, was_killed = run_victim(root, bodies, f"{call}:signal=SIGKILL:when={point}")
        fired += was_killed
        check_recovery(root, bodies, acked)
        if not was_killed:
            break
    assert fired >= (1 if call == "unlink" else 3), f"only {fired} kills"


@pytest.mark.parametrize(
    ("call", "error", "points"), [("fdatasync", "EIO", (1, 2, 5, 6)), ("pwrite64", "ENOSPC", (1, 2, 3, 8)), ("fsync", "EIO", (1, 2))]
)
def test_disk_fails_once(call: str, error: str, points: tuple[int, ...], bodies: Path, tmp_path: Path) -> None:
    for point in points:
        root = tmp_path / str(point)
        root.mkdir()
        acked, _ = run_victim(root, bodies, f"{call}:error={error}:when={point}", "1000")
        assert [status for status, _ in acked] == [200] * 10, (call, error, point)
        check_recovery(root, bodies, acked)


@pytest.mark.parametrize("loss", ["whole files", "the end of each file"])
def test_power_fails(loss: str, bodies: Path, tmp_path: Path) -> None:
    """Without a checkpoint no journal, text or parameter file is durable yet: the log gives it all back. A copy was synced at once."""
    for point in (4, 9, 12, 17, 20):
        root = tmp_path / str(point)
        root.mkdir()
        acked, was_killed = run_victim(root, bodies, f"pwrite64:signal=SIGKILL:when={point}", "1000")
        assert was_killed
        for path in (root / "lab/run").glob("*.*"):
            if loss == "whole files" and path.name != "copy.log":
                path.unlink()
            elif path.name not in ("copy.log", "run.json"):
                os.truncate(path, path.stat().st_size // 2)
        check_recovery(root, bodies, acked)
