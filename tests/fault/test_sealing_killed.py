"""Sealing is old or new: killed at any moment, no record is lost or doubled, and the next attempt goes through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.safe_fs import TEMP_PREFIX, SafeRoot
from ml_logger.store.rundir import RunDir
from ml_logger.store.seal import seal
from ml_logger.store.sqlite import open_store

VICTIM = """
import sys
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.seal import seal

def say(what):
    print(what, flush=True)
    sys.stdin.readline()

def swap(replace):
    say("written")
    replace()
    say("replaced")

seal(SafeRoot(sys.argv[1]), sys.argv[2], pause=lambda: say("pause"), swap=swap)
say("done")
"""
STEPS = 9000


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[dict[str, object]]]:
    """Return the bytes of a journal whose sealing takes several steps, and its rows."""
    root = tmp_path_factory.mktemp("root")
    logger = ML_Logger("run", root=root)
    for step in range(STEPS):
        logger.log(step=step, loss=1 / (step + 1), silent=True)
    logger.close()
    (path,) = (root / "run").glob("*.mlog")
    return path.read_bytes(), RunDir(SafeRoot(root), "run").refresh().rows()


def stages(root: Path, key: str, most: int) -> list[str]:
    """Run a victim up to its stage number `most`, kill it there, and return the stages that it came to."""
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(root), key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert victim.stdin is not None
    assert victim.stdout is not None
    found = []
    while len(found) < most:
        found.append(victim.stdout.readline().strip())
        if found[-1] == "done":
            break
        if len(found) < most:
            victim.stdin.write("\n")
            victim.stdin.flush()
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(20) == -signal.SIGKILL, "the kill came too late"
    victim.stdin.close()
    victim.stdout.close()
    return found


def test_killed_at_every_stage(tmp_path: Path, logged: tuple[bytes, list[dict[str, object]]]) -> None:
    data, rows = logged
    seen: set[str] = set()
    leftovers = 0
    for most in range(1, 100):
        root = tmp_path / str(most)
        (root / "run").mkdir(parents=True)
        place = root / "run" / "metrics.h-0-u.mlog"
        place.write_bytes(data)
        with open_store(root) as store:
            assert store.series("loss")[0].n == STEPS
        found = stages(root, "run/metrics.h-0-u.mlog", most)
        is_new = "replaced" in found
        assert (place.read_bytes() != data) == is_new, found
        left = [path for path in (root / "run").iterdir() if path.name.startswith(TEMP_PREFIX)]
        assert len(left) == (not is_new), "a kill before the swap leaves the new file, one after it nothing"
        leftovers += len(left)
        assert RunDir(SafeRoot(root), "run").refresh().rows() == rows
        with open_store(root) as store:
            assert [step for chunk in store.read("loss") for step in chunk.steps.tolist()] == list(range(STEPS))
            assert store.snapshot().rows([0])[0].metrics["loss"].n == STEPS
        for path in left:
            os.utime(path, (0, 0))
        assert SafeRoot(root).tidy() == len(left)
        assert seal(SafeRoot(root), "run/metrics.h-0-u.mlog").reason == ("as small as it gets" if is_new else "")
        assert RunDir(SafeRoot(root), "run").refresh().rows() == rows
        seen.update(found)
        if found[-1] == "done":
            break
    assert seen == {"pause", "written", "replaced", "done"}
    assert leftovers > 3
