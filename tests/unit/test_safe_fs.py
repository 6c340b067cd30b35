"""The sandbox: what is below the root can be read, written, moved and thrown away; nothing else can, not even through links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ml_logger import keys
from ml_logger.errors import InvalidKeyError, NotFoundError
from ml_logger.safe_fs import TEMP_PREFIX, TRASH, SafeRoot


@pytest.fixture
def root(tmp_path: Path) -> SafeRoot:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    return SafeRoot(tmp_path / "root", create=True)


def test_files_are_written_read_and_listed(root: SafeRoot) -> None:
    root.write_bytes("a/b/c.bin", b"one")
    root.append("a/b/c.bin", b"+two")
    root.append("a/log", b"new")
    assert root.read_bytes("/a/b/c.bin") == b"one+two"
    assert [(entry.key, entry.is_dir, entry.size) for entry in root.walk() if not entry.is_dir] == [
        ("a/log", False, 3),
        ("a/b/c.bin", False, 7),
    ]
    assert root.is_dir("a")
    assert root.is_dir("")
    assert not root.exists("a/x")
    assert root.stat("a/x") is None
    assert root.scan("a/log") == []
    assert len(list(root.walk("", 1))) == 1


@pytest.mark.parametrize("key", ["../outside/secret", "a/../../outside/secret", "..", "a/./b", "a\0b"])
def test_names_that_lead_elsewhere_are_refused_or_missing(root: SafeRoot, key: str) -> None:
    for call in (root.read_bytes, root.open_read, root.remove, root.delete, lambda k: root.write_bytes(k, b"x")):
        with pytest.raises((InvalidKeyError, NotFoundError)):
            call(key)
    assert (root.path().parent / "outside" / "secret").read_bytes() == b"secret"
    assert [entry.name for entry in root.path().iterdir()] == []


@pytest.mark.parametrize("target", ["../outside", "/", ".", "loop"])
def test_links_are_never_followed(root: SafeRoot, target: str) -> None:
    os.symlink(target, root.path() / "loop")
    os.symlink("../outside/secret", root.path() / "file")
    for key in ("loop/secret", "loop/x", "file"):
        with pytest.raises((NotFoundError, InvalidKeyError)):
            root.read_bytes(key)
        assert root.stat(key) is None
    assert root.scan() == []
    with pytest.raises((NotFoundError, OSError)):
        root.append("file", b"x")
    with pytest.raises((NotFoundError, OSError)):
        root.append("loop/new", b"x")
    root.write_bytes("file", b"mine")  # a rename replaces the link itself
    assert root.read_bytes("file") == b"mine"
    assert (root.path().parent / "outside" / "secret").read_bytes() == b"secret"


def test_a_pipe_is_no_file(root: SafeRoot) -> None:
    os.mkfifo(root.path() / "pipe")
    with pytest.raises(NotFoundError):
        root.open_read("pipe")


def test_a_file_is_old_or_new(root: SafeRoot) -> None:
    root.write_bytes("f", b"old")
    with pytest.raises(TypeError), root.create("f") as file:
        file.writelines([b"half", None])  # type: ignore[list-item]
    assert root.read_bytes("f") == b"old"
    with root.create("f", durable=True) as file:
        file.write(b"new")
        assert root.read_bytes("f") == b"old"
        assert [entry.name for entry in root.scan()] == ["f"]
    assert root.read_bytes("f") == b"new"
    assert [name for name in os.listdir(root.path()) if name.startswith(TEMP_PREFIX)] == []


def test_only_the_first_link_wins(root: SafeRoot) -> None:
    assert root.link_once("r/run.json", b"first")
    assert not root.link_once("r/run.json", b"second")
    assert root.read_bytes("r/run.json") == b"first"
    assert os.listdir(root.path("r")) == ["run.json"]


def test_what_is_removed_can_be_brought_back(root: SafeRoot) -> None:
    root.write_bytes("run/a", b"1")
    place = root.remove("run")
    assert place.startswith(TRASH)
    assert not root.exists("run")
    assert root.read_bytes(f"{place}/path") == b"run"
    root.move(f"{place}/content", "run")
    assert root.read_bytes("run/a") == b"1"


@pytest.mark.parametrize("key", ["", "/", keys.HOME, f"{keys.HOME}/state"])
def test_the_root_and_what_is_ours_cannot_be_removed(root: SafeRoot, key: str) -> None:
    root.write_bytes(f"{keys.HOME}/state/x", b"1")
    with pytest.raises(InvalidKeyError):
        root.remove(key)
    assert root.read_bytes(f"{keys.HOME}/state/x") == b"1"


def test_moving_and_copying(root: SafeRoot) -> None:
    root.write_bytes("a/b/f", b"1")
    root.copy("a", "copy")
    root.move("a", "c/moved")
    assert root.read_bytes("copy/b/f") == root.read_bytes("c/moved/b/f") == b"1"
    for call, source, target in ((root.move, "c", "c/x"), (root.copy, "c", "c/x"), (root.move, "copy", "c")):
        with pytest.raises(InvalidKeyError):
            call(source, target)
    with pytest.raises(NotFoundError):
        root.move("nothing", "x")


def test_deleting_takes_links_and_not_what_they_point_to(root: SafeRoot) -> None:
    root.write_bytes("d/e/f", b"1")
    os.symlink("../../outside", root.path("d") / "link")
    root.delete("d")
    root.delete("d")
    assert os.listdir(root.path()) == []
    assert (root.path().parent / "outside" / "secret").exists()
