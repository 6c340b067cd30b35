"""Where journals and blobs wait: order, locality, locks, caps."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_logger import local_places
from ml_logger.client import spool
from ml_logger.client.tails import punch

ROOT = "http://127.0.0.1:8081"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}


def test_order_of_places(tmp_path: Path, environ: dict[str, str]) -> None:
    named = str(tmp_path / "named")
    uid = os.getuid()
    assert local_places.bases(named, environ) == [
        tmp_path / "named",
        tmp_path / "cache/ml_logger/spool",
        tmp_path / f"tmp/ml-logger-{uid}",
        Path(f"/var/tmp/ml-logger-{uid}"),
        Path(f"/dev/shm/ml-logger-{uid}"),
    ]
    slot = next(spool.slots_for(ROOT, "lab/run", named, environ))
    assert slot.path.parent.parent == tmp_path / "named"
    assert oct((tmp_path / "named").stat().st_mode)[-3:] == "700"


def test_a_place_that_cannot_be_written_is_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "file").write_text("")
    slot = next(spool.slots_for(ROOT, "lab/run", str(tmp_path / "file/below"), environ))
    assert slot.path.is_relative_to(tmp_path / "cache")


def test_a_place_of_somebody_else_is_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert tmp_path / "link" not in local_places.bases(str(tmp_path / "link"), environ)


@pytest.mark.parametrize(
    ("kind", "local"), [("ext4", True), ("tmpfs", True), ("nfs4", False), ("fuse.sshfs", False), ("lustre", False), ("fuseblk", True)]
)
def test_local_by_mountinfo(tmp_path: Path, kind: str, local: bool) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
        f"40 22 0:35 / /mnt/a\\040b rw shared:2 master:1 - {kind} server:/x rw\n"
        "41 40 0:36 / /mnt/a\\040b/inner rw - tmpfs none rw\n"
    )
    assert local_places.is_local(Path("/mnt/a b/deep/er"), table) is local
    assert local_places.is_local(Path("/mnt/a b/inner/x"), table)
    assert local_places.is_local(Path("/mnt/a bc"), table)


def test_one_process_delivers_a_slot(tmp_path: Path, environ: dict[str, str]) -> None:
    slot = next(spool.slots_for(ROOT, "lab/run", str(tmp_path), environ))
    assert slot.lock()
    code = f"from ml_logger.client import spool; print([s.lock() for s in spool.leftovers({ROOT!r}, {str(tmp_path)!r}, {environ!r})])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[False]\n"
    slot.unlock()
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[True]\n"


def test_state_is_a_hint(tmp_path: Path, environ: dict[str, str]) -> None:
    slot = next(spool.slots_for(ROOT, "lab/run", str(tmp_path), environ))
    assert slot.state() == (0, 0, 0)
    slot.save_state(5, 10, 1 << 40)
    assert slot.state() == (5, 10, 1 << 40)
    for content in (b"", b"x" * 36, (slot.path / "offset").read_bytes()[:-1]):
        (slot.path / "offset").write_bytes(content)
        assert slot.state() == (0, 0, 0)


def test_blobs(tmp_path: Path, environ: dict[str, str]) -> None:
    sha256, size = spool.put_blob(ROOT, iter([b"ab", b"c"]), str(tmp_path), environ)
    assert (sha256[:8], size) == ("ba7816bf", 3)
    spool.put_blob(ROOT, iter([b"abc"]), str(tmp_path), environ)
    first = spool.find_blob(ROOT, sha256, str(tmp_path), environ)
    assert first is not None
    assert first.read_bytes() == b"abc"
    first.unlink()
    second = spool.find_blob(ROOT, sha256, str(tmp_path), environ)
    assert second not in (None, first)
    assert spool.find_blob(ROOT, "0" * 64, str(tmp_path), environ) is None


def test_a_blob_that_does_not_fit(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "room", lambda path, used: 10 - used)
    with pytest.raises(OSError, match="no room") as caught:
        spool.put_blob(ROOT, iter([b"x" * 11]), str(tmp_path), environ)
    assert caught.value.errno == errno.EFBIG
    assert not list(tmp_path.rglob("blobs/*"))


def test_caps(tmp_path: Path) -> None:
    assert spool.room(tmp_path, 0) <= spool.RUN_CAP_BYTES
    assert spool.room(tmp_path, spool.RUN_CAP_BYTES) == 0


def test_a_removed_slot_is_made_again(tmp_path: Path, environ: dict[str, str]) -> None:
    slot = next(spool.slots_for(ROOT, "lab/run", str(tmp_path), environ))
    slot.lock()
    slot.remove()
    assert not slot.path.exists()
    assert slot.restore()
    assert [found.about.run for found in spool.leftovers(ROOT, str(tmp_path), environ)] == ["lab/run"]


def test_delivered_bytes_are_given_back_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"x" * (4 << 20))
    before = path.stat()
    if not punch(path, 1 << 20, 2 << 20):
        pytest.skip("this file system cannot punch holes")
    assert path.stat().st_size == before.st_size
    assert path.stat().st_blocks < before.st_blocks
    assert path.read_bytes()[: 1 << 20] == b"x" * (1 << 20)
