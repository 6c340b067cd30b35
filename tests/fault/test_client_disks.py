"""A client whose disk is full, closed or emptied under it: what it logged waits elsewhere, or is counted and said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger.formats.messages import Gap
from tests.fault.programs import HEAD, all_rows, program, run_of


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


FILL = """
for i in range(3000):
    logger.log(step=i, text="x" * 100, silent=True)
status = logger.status()
print(status["accepted"], status["journaled"], status["dropped"], status["state"], status["spool_bytes"] > 0)
"""


def test_a_full_disk_sends_the_rest_to_the_spool_and_sync_brings_it_back(
    tmp_path: Path, small_disk: Path, env: dict[str, str], new_program: Callable[..., Any]
) -> None:
    started = new_program(program(small_disk / "root", FILL + "os._exit(0)\n"))
    assert started.finish() == "3000 3000 0 fallback True\n"
    assert started.errors.count("No space left") == 1
    assert str(small_disk) in started.errors
    at_home = all_rows(small_disk / "root")
    assert 0 < len(at_home) < 3000
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    command = [sys.executable, "-m", "ml_logger", "sync", "--root", str(small_disk / "root")]
    subprocess.run(command, env=env, check=True, capture_output=True)
    assert [row["step"] for row in all_rows(small_disk / "root")] == list(range(3000))
    assert not list((tmp_path / "spool").rglob("*.mlog"))


def test_a_file_that_no_disk_takes_is_named(small_disk: Path, new_program: Callable[..., Any]) -> None:
    """A save raises one error of ours, and what is logged goes on."""
    body = """
from ml_logger.errors import NotWrittenError
logger.save_text("old", "a.txt")
try:
    logger.save_text("x" * 1_000_000, "a.txt")
except NotWrittenError as error:
    print(isinstance(error, OSError), error)
logger.log(a=1, silent=True, flush=True)
print(logger.load_text("a.txt"), logger.load_pkl("metrics.pkl"))
"""
    out = new_program(program(small_disk / "root", body)).finish()
    assert out == f"True cannot write run/a.txt in {small_disk}/root: No space left on device\nold [{{'a': 1}}]\n"
    assert not list((small_disk / "root").rglob(".mlt-*"))


def test_a_file_goes_to_the_server_where_the_spool_has_no_room(
    small_disk: Path, tmp_path: Path, new_program: Callable[..., Any], new_server: Callable[..., Any]
) -> None:
    server = new_server()
    home = str(small_disk)
    body = """
logger.log(a=1, silent=True)
logger.save_text("x" * 1_000_000, "a.txt")
print(len(logger.load_text("a.txt")))
"""
    program_ = new_program(HEAD.replace("ROOT", repr(server.url)) + body, ML_LOGGER_SPOOL=home, XDG_CACHE_HOME=home, TMPDIR=home)
    assert program_.finish() == "1000000\n"
    assert (tmp_path / "root/run/a.txt").stat().st_size == 1_000_000


def test_when_every_disk_is_full_the_loss_is_counted_said_and_told_by_a_gap(
    small_disk: Path, env: dict[str, str], new_program: Callable[..., Any]
) -> None:
    home = str(small_disk / "home")
    nowhere = {"ML_LOGGER_SPOOL": home, "XDG_CACHE_HOME": home, "TMPDIR": home}
    body = """
from ml_logger import session
session.spool.fallbacks = lambda root, run, env: iter(())
for i in range(3000):
    logger.log(step=i, text="x" * 100, silent=True)
status = logger.status()
print(status["accepted"] - status["journaled"] - status["dropped"], status["dropped"] > 0, flush=True)
input()
time.sleep(1.1)
logger.log(step=3000, text="back", silent=True)
print(logger.status()["dropped"])
"""
    command = [sys.executable, "-c", program(small_disk / "root", body)]
    process = subprocess.Popen(
        command, env={**env, **nowhere}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "0 True\n"
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    out, errors = process.communicate("go\n", timeout=30)
    run = run_of(small_disk / "root")
    rows = run.rows()
    assert rows[-1]["text"] == "back"
    assert len(rows) + int(out) == 3001
    assert len(run.messages(Gap)) == 1
    assert "No space left" in errors


def test_an_unwritable_root_keeps_the_data_in_the_spool(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    root = tmp_path / "root"
    root.write_text("a file is in the way")
    started = new_program(program(root, "for i in range(5): logger.log(step=i, silent=True)\nlogger.print('text')\nos._exit(0)\n"))
    started.finish()
    assert started.errors.count(f"cannot write {root}") == 1
    assert len(list((tmp_path / "spool").rglob("*.mlog"))) == 1


def test_a_run_deleted_while_it_is_written_comes_back(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    body = """
import shutil
logger.log(step=0, a=0, silent=True)
shutil.rmtree(logger.root)
time.sleep(1.1)
logger.log(step=1, a=1, silent=True)
"""
    new_program(program(tmp_path / "root", body)).finish()
    assert all_rows(tmp_path / "root") == [{"step": 1, "a": 1}]
    assert (tmp_path / "root/run/run.json").exists()
