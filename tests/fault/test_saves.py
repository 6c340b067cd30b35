"""A save is old or new: writers are killed while they save whole files, and no half file and no leftover is ever seen."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.safe_fs import TEMP_PREFIX, SafeRoot

KILLS = int(os.environ.get("ML_LOGGER_TEST_KILLS", "12"))
SIZE = 6 << 20

VICTIM = """
from ml_logger import ML_Logger
logger = ML_Logger("run", root=ROOT)
with open(FOLDER + "/source.bin", "wb") as file:
    file.write(b"S" * SIZE)
logger.upload_buffer(b"a" * SIZE, "checkpoint.bin")
print("ready", flush=True)
while True:
    for letter in b"bcd":
        logger.upload_buffer(bytes([letter]) * SIZE, "checkpoint.bin")
        logger.upload_file(FOLDER + "/source.bin", "copied.bin")
"""


def temporary_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(TEMP_PREFIX)]


@pytest.mark.timeout(120 + 3 * KILLS)
def test_killed_while_saving(tmp_path: Path, new_program: Callable[..., Any]) -> None:
    root, left = tmp_path / "root", 0
    code = VICTIM.replace("ROOT", repr(str(root))).replace("FOLDER", repr(str(tmp_path))).replace("SIZE", str(SIZE))
    for seed in range(KILLS):
        program = new_program(code)
        assert program.process.stdout.readline() == "ready\n"
        time.sleep(random.Random(seed).uniform(0, 0.08))
        program.kill()
        data = (root / "run" / "checkpoint.bin").read_bytes()
        assert len(data) == SIZE
        assert data == data[:1] * SIZE
        copied = root / "run" / "copied.bin"
        assert not copied.exists() or copied.read_bytes() == b"S" * SIZE
        left += len(temporary_files(root))
        for path in temporary_files(root):
            os.utime(path, (0, 0))
    assert left, "no kill came in the middle of a save: the test shows nothing"
    whole = {"checkpoint.bin", "copied.bin"} if copied.exists() else {"checkpoint.bin"}  # a slow machine gets no copy done before a kill
    assert set(ML_Logger("run", root=root).glob("*.bin")) == whole
    resumed = ML_Logger("run", root=root)
    resumed.log(step=0, a=1, silent=True)
    resumed.close()
    assert temporary_files(root) == []


def test_a_file_that_is_being_written_is_no_leftover(tmp_path: Path, env: dict[str, str]) -> None:
    files = SafeRoot(tmp_path)
    with files.create("run/a.bin") as target:
        target.write(b"half")
        target.flush()
        (temporary,) = temporary_files(tmp_path)
        os.utime(temporary, (0, 0))
        code = f"from ml_logger.safe_fs import SafeRoot; print(SafeRoot({str(tmp_path)!r}).tidy())"
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert done.stdout == "0\n"
        target.write(b" and half")
    assert (tmp_path / "run" / "a.bin").read_bytes() == b"half and half"
    (tmp_path / "run" / f"{TEMP_PREFIX}old").write_bytes(b"left")
    assert files.tidy() == 0  # too young
    os.utime(tmp_path / "run" / f"{TEMP_PREFIX}old", (0, 0))
    assert files.tidy() == 1
