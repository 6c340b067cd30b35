"""What `ml-logger gc` takes, and what it leaves: runs that are written, things that are young, whatever lies behind a link."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.commands import Restore
from ml_logger.errors import NotFoundError
from ml_logger.safe_fs import OLDER, TEMP_PREFIX, TRASH, SafeRoot
from ml_logger.store.commands import carry_out
from ml_logger.store.retention import GONE, UPLOADS, Leftover, drop, leftovers

LATER = 3600.0


def found(root: SafeRoot, older_s: float = 60.0, *, versions: bool = True) -> dict[str, Leftover]:
    """Return by name what goes an hour from now."""
    return {item.name: item for item in leftovers(root, older_s, versions=versions, now=time.time() + LATER)}


def logged(root: Path, key: str) -> ML_Logger:
    logger = ML_Logger(key, root=root)
    logger.log(step=1, loss=0.5, silent=True)
    return logger


def test_what_goes_and_what_is_young(tmp_path: Path) -> None:
    root = SafeRoot(tmp_path)
    logged(tmp_path, "run").close()
    root.remove("run")
    for text in (b"one", b"two"):
        with root.create("a/file.txt", older=True) as file:
            file.write(text)
    root.write_bytes(f"{UPLOADS}/{'0' * 64}", b"half")
    (tmp_path / "a" / f"{TEMP_PREFIX}left").write_bytes(b"tmp")
    os.utime(tmp_path / "a" / f"{TEMP_PREFIX}left", (0, 0))
    kinds = {name: (item.kind, item.reason) for name, item in found(root).items()}
    left = f"a/{TEMP_PREFIX}left"
    assert kinds == {
        "run": ("trash", ""), "a/file.txt": ("older version", ""), "0" * 12: ("unfinished upload", ""), left: ("temporary file", ""),
    }  # fmt: skip
    assert [item.name for item in leftovers(root, 60.0)] == [left]
    assert [item.name for item in leftovers(root, 60.0, versions=False)] == ["a/file.txt", left]
    assert sum(item.size for item in found(root).values()) > 3 + 3 + 4
    assert all(drop(root, item) for item in found(root).values())
    assert not any(map(root.scan, (TRASH, OLDER, UPLOADS, GONE)))
    assert root.read_bytes("a/file.txt") == b"two"
    assert not any(drop(root, item) for item in found(root).values())


def test_a_run_whose_writer_did_not_notice_stays(tmp_path: Path) -> None:
    root, logger = SafeRoot(tmp_path), logged(tmp_path, "run")
    place = root.remove("run")
    (journal,) = (tmp_path / place / "content").glob("*.mlog")
    assert found(root, 2 * LATER) == {}
    assert found(root)["run"].reason == "its writer is alive"
    assert not drop(root, found(root)["run"])
    assert journal.exists()
    logger.close()
    assert found(root)["run"].reason == ""
    os.utime(journal, (time.time() + LATER, time.time() + LATER))
    assert found(root)["run"].reason == "it was written to after that"


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    logged(outside, "run").close()
    root = SafeRoot(tmp_path / "root", create=True)
    (root.path_ / ".ml-logger").mkdir()
    (root.path_ / TRASH).symlink_to(outside)
    (root.path_ / UPLOADS).mkdir()
    (root.path_ / UPLOADS / "link").symlink_to(outside / "run")
    (root.path_ / "inside").symlink_to(outside)
    (root.path_ / f"{TEMP_PREFIX}link").symlink_to(outside / "run/run.json")
    os.mkfifo(root.path_ / f"{TEMP_PREFIX}pipe")
    for item in found(root).values():
        drop(root, item)
    logged(root.path_, "gone").close()
    root.path(TRASH).unlink()
    place = root.remove("gone")
    (root.path_ / place / "content" / "link").symlink_to(outside / "run")
    assert drop(root, found(root)["gone"])
    assert (outside / "run/run.json").exists()


VICTIM = """
import sys, time
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.retention import drop, leftovers

class Root(SafeRoot):
    def delete(self, key):
        super().delete(key + "/content/run.json")  # half of it
        print("half", flush=True)
        sys.stdin.readline()

root = Root(sys.argv[1])
for item in leftovers(root, 60, now=time.time() + 3600):
    drop(root, item)
"""


def test_killed_in_the_middle_nothing_half_deleted_can_be_restored(tmp_path: Path) -> None:
    root = SafeRoot(tmp_path)
    logged(tmp_path, "run").close()
    root.remove("run")
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert victim.stdin and victim.stdout  # noqa: PT018
    assert victim.stdout.readline() == "half\n"
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(20) == -signal.SIGKILL
    victim.stdin.close()
    victim.stdout.close()
    (half,) = root.scan(GONE)
    assert not root.exists(f"{half.key}/content/run.json") and root.scan(f"{half.key}/content")  # noqa: PT018
    with pytest.raises(NotFoundError):
        carry_out(root, Restore(["run"]))
    (again,) = leftovers(root, 1e9)
    assert drop(root, again)
    assert root.scan(GONE) == []


def test_a_version_without_its_name_goes(tmp_path: Path) -> None:
    root = SafeRoot(tmp_path)
    root.write_bytes(f"{OLDER}/{'a' * 32}", b"content of a version whose name a killed process took")
    (item,) = leftovers(root, 1e9)
    assert drop(root, item)
    assert root.scan(OLDER) == []
