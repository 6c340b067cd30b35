"""What a root's directories tell of changes: everything that happens to a run is noticed, and nothing is read for nothing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from ml_logger.safe_fs import SafeRoot
from ml_logger.store.tree import Tree


def run_at(root: Path, key: str, *, age: float = 60.0) -> Path:
    """Make a run directory that last changed `age` seconds ago."""
    place = root / key
    place.mkdir(parents=True, exist_ok=True)
    (place / "run.json").write_text("{}")
    (place / "metrics.h-0-1.mlog").write_bytes(b"12345")
    grow_old(root, age)
    return place


def grow_old(root: Path, age: float = 60.0) -> None:
    for place, _, _ in os.walk(root):
        os.utime(place, (time.time() - age,) * 2)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a tree that has seen three runs, one in another."""
    for key in ("a/1", "a/2", "a/2/eval/x"):
        run_at(tmp_path, key)
    found = Tree(SafeRoot(tmp_path))
    assert sorted(found.look(deep=True)) == ["a/1", "a/2", "a/2/eval/x"]
    return found


_listings: list[object] = []


@pytest.fixture
def listings() -> list[object]:
    """Return a list that gains an item for each directory that is listed from now on."""
    if not _hooked:
        sys.addaudithook(lambda event, args: _listings.append(args) if event == "os.scandir" else None)
        _hooked.append(True)
    _listings.clear()
    return _listings


_hooked: list[bool] = []


def test_a_root_at_rest_is_not_read(tree: Tree, listings: list[object]) -> None:
    assert list(tree.look(deep=True)) == []
    assert len(listings) == 1
    tree.forget()
    assert sorted(tree.look(deep=True)) == ["a/1", "a/2", "a/2/eval/x"]
    assert len(listings) == 1 + 6


def test_a_new_run_is_seen_by_the_shallow_look(tree: Tree, tmp_path: Path) -> None:
    run_at(tmp_path, "b/c/3")
    os.utime(tmp_path)
    assert list(tree.look(deep=False)) == ["b/c/3"]
    run_at(tmp_path, "a/4", age=50)
    assert "a/4" in list(tree.look(deep=False))


def test_a_new_journal_in_an_old_run_is_seen_by_the_deep_look(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "a/2/eval/x/metrics.h-1-2.mlog").write_bytes(b"1")
    assert list(tree.look(deep=False)) == []
    assert list(tree.look(deep=True)) == ["a/2/eval/x"]


def test_a_run_within_a_run_is_seen(tree: Tree, tmp_path: Path) -> None:
    run_at(tmp_path, "a/1/sub/7", age=40)
    assert "a/1/sub/7" in list(tree.look(deep=True))


def test_young_times_are_not_believed(tmp_path: Path) -> None:
    run_at(tmp_path, "a/1", age=0)
    tree = Tree(SafeRoot(tmp_path))
    for _ in range(2):
        assert list(tree.look(deep=True)) == ["a/1"]
    grow_old(tmp_path)
    assert list(tree.look(deep=True)) == ["a/1"]
    assert list(tree.look(deep=True)) == []


def test_watched_files_that_grow(tree: Tree, tmp_path: Path) -> None:
    tree.watch("a/1", [("metrics.h-0-1.mlog", 5)])
    assert list(tree.look(deep=True)) == []
    with (tmp_path / "a/1/metrics.h-0-1.mlog").open("ab") as file:
        file.write(b"6")
    assert list(tree.look(deep=True)) == ["a/1"]
    tree.watch("a/1", [("metrics.h-0-1.mlog", 6)])
    assert list(tree.look(deep=True)) == []


def test_what_is_gone(tree: Tree, tmp_path: Path) -> None:
    tree.has_lost = False
    shutil.rmtree(tmp_path / "a/2")
    os.utime(tmp_path / "a", (time.time() - 30,) * 2)
    assert list(tree.look(deep=False)) == []
    assert tree.has_lost
    assert [tree.has_run(key) for key in ("a/1", "a/2", "a/2/eval/x", "a")] == [True, False, False, False]


def test_a_directory_whose_run_was_deleted_is_no_run(tree: Tree, tmp_path: Path) -> None:
    tree.has_lost = False
    for name in ("run.json", "metrics.h-0-1.mlog"):
        (tmp_path / "a/2" / name).unlink()
    assert list(tree.look(deep=True)) == []
    assert tree.has_lost
    assert [tree.has_run(key) for key in ("a/2", "a/2/eval/x")] == [False, True]


def test_names_that_are_no_keys_and_links_are_passed_over(tree: Tree, tmp_path: Path) -> None:
    for name in ("ends with a dot.", "con", "back\\slash", "cafe\u0301", "x" * 250 + "."):
        run_at(tmp_path, name)
    (tmp_path / os.fsdecode(b"no text \xff")).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    deep = run_at(tmp_path, "/".join("d" * 40))
    assert deep.is_dir()
    tree.forget()
    assert sorted(tree.look(deep=True)) == ["a/1", "a/2", "a/2/eval/x"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_what_cannot_be_read_is_not_taken_for_gone(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "a").chmod(0)
    try:
        list(tree.look(deep=True))
        assert tree.has_run("a/1")
    finally:
        (tmp_path / "a").chmod(0o755)
