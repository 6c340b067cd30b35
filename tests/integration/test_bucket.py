"""A root that is a bucket, at a real object store: what lies there, what two machines see of each other, what waits where."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ml_logger
from ml_logger import ML_Logger
from ml_logger.bucket.objects import Objects
from ml_logger.client.bucket import BucketDestination
from ml_logger.errors import AuthenticationError, DeliveryError, InvalidKeyError, MissingExtraError, NotFoundError

Machine = Callable[..., ML_Logger]


@pytest.fixture
def machine(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Return a logger as on a machine of a given name: one spool, and so one mirror, for each."""
    made: list[ML_Logger] = []

    def start(name: str, prefix: str = "lab/run") -> ML_Logger:
        monkeypatch.setenv("ML_LOGGER_SPOOL", str(tmp_path / f"spool of {name}"))
        made.append(ML_Logger(prefix, root=bucket))
        return made[-1]

    yield start
    for logger in made:
        logger.close()


def names(bucket: str) -> list[str]:
    return sorted(thing.key for thing in Objects(bucket).list())


def local(logger: ML_Logger, key: str) -> Path:
    destination = logger.session.destination
    assert isinstance(destination, BucketDestination)
    return destination.mirror.files.path(key)


def test_what_lies_there_is_an_ordinary_root(bucket: str, machine: Machine, tmp_path: Path) -> None:
    logger = machine("a")
    logger.log_params(Args={"lr": 0.1}, silent=True)
    for step in range(10):
        logger.log(step=step, loss=step / 2, silent=True)
    logger.save_pkl({"a": 1}, "deep/a.pkl")
    logger.close()
    listed = names(bucket)
    journals = [name for name in listed if name.endswith(".mlog")]
    assert len(journals) == 1
    plain = {f"lab/run/{name}" for name in ("run.json", "parameters.pkl", "outputs.log", "deep/a.pkl")}
    assert set(listed) == {".ml-logger/format.json", *plain, *journals}
    store = Objects(bucket)
    for thing in store.list():
        place = tmp_path / "copy" / thing.key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(store.get(thing.key, 0, thing.size)[0])
    copied = ML_Logger("lab/run", root=tmp_path / "copy")
    assert [row["loss"] for row in copied.load_pkl("metrics.pkl")] == [step / 2 for step in range(10)]
    assert copied.get_parameters("Args.lr") == 0.1
    assert copied.load_pkl("deep/a.pkl") == [{"a": 1}]


def test_machines_see_what_others_wrote_and_removed(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    one.save_json([1], "a.json")
    one.save_json([2], "b.json")
    one.log(step=1, loss=1.0, silent=True)
    one.flush(timeout=20)
    assert two.load_json("a.json") == [1]
    assert two.read_metrics("loss", as_numpy=True).tolist() == [1.0]
    two.move("b.json", "c.json")
    two.remove("a.json")
    two.flush(timeout=20)
    assert one.glob("*.json") == ["c.json", "run.json"]
    assert one.load_json("a.json") is None
    assert one.load_json("c.json") == [2]
    one.save_json([3], "c.json")
    one.flush(timeout=20)
    assert two.load_json("c.json") == [3]
    with pytest.raises(InvalidKeyError, match="root"):
        one.remove("/")


def test_text_and_parameters_of_two_machines_are_merged(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    one.log_text("first\n", "notes.txt")
    one.log_params(Args={"lr": 1, "deep": {"a": 1}}, silent=True)
    one.flush(timeout=20)
    two.log_text("second\n", "notes.txt")
    two.log_params(Args={"wd": 2, "deep": {"b": 2}}, silent=True)
    two.flush(timeout=20)
    one.log_text("third\n", "notes.txt")
    one.flush(timeout=20)
    for logger in (one, two, machine("three", "lab/other")):
        assert logger.load_text("/lab/run/notes.txt") == "first\nsecond\nthird\n"
        (kept,) = logger.load_pkl("/lab/run/parameters.pkl")
        assert kept["Args"] == {"lr": 1, "wd": 2, "deep": {"a": 1, "b": 2}}


def test_a_journal_that_grows_lies_in_pieces_and_is_whole_at_the_end(bucket: str, machine: Machine) -> None:
    logger, reader = machine("writer"), machine("reader", "lab/other")
    seen = []
    for part in range(4):
        for step in range(3000):
            logger.log(step=part * 3000 + step, loss=float(step), acc=1.0, silent=True)
        logger.flush(timeout=30)
        rows = reader.load_pkl("/lab/run/metrics.pkl")
        assert [row["step"] for row in rows] == list(range((part + 1) * 3000))
        seen.append(sum(".mlog" in name for name in names(bucket)))
    assert seen[0] >= 1
    assert seen[-1] > seen[0], "no second piece was begun"
    puts = Objects(bucket).list("lab/run")
    assert all(thing.size < 1 << 20 for thing in puts)
    logger.close()
    assert sum(".mlog" in name for name in names(bucket)) == 1
    assert len(reader.load_pkl("/lab/run/metrics.pkl")) == 12000


def test_large_files_leave_the_disk_and_come_back(bucket: str, machine: Machine) -> None:
    logger, other = machine("one"), machine("two")
    data = os.urandom(9 << 20)
    logger.upload_buffer(data, "ck/big.bin")
    assert local(logger, "lab/run/ck/big.bin").stat().st_blocks > 0
    logger.flush(timeout=30)
    here, there = local(logger, "lab/run/ck/big.bin"), local(other, "lab/run/ck2/big.bin")
    assert (here.stat().st_size, here.stat().st_blocks) == (len(data), 0)
    logger.move("ck", "ck2")
    logger.flush(timeout=30)
    assert other.glob("**/*.bin") == ["ck2/big.bin"]
    assert (there.stat().st_size, there.stat().st_blocks) == (len(data), 0)
    assert b"".join(other.session.read("lab/run/ck2/big.bin", 5, 5000)) == data[5:5000]
    assert there.stat().st_blocks > 0
    other.duplicate("ck2", "ck3")
    other.remove("ck2")
    other.flush(timeout=30)
    assert b"".join(logger.session.read("lab/run/ck3/big.bin")) == data
    trash = [name for name in names(bucket) if name.startswith(".ml-logger/trash") and name.endswith("big.bin")]
    assert len(trash) == 1
    assert [thing.size for thing in Objects(bucket).list() if thing.key == trash[0]] == [len(data)]


def test_a_read_does_not_wait_for_a_large_file_on_its_way(machine: Machine) -> None:
    logger = machine("one")
    logger.save_json([1], "a.json")
    logger.flush(timeout=30)
    mirror = logger.session.destination.mirror  # type: ignore[attr-defined]
    with mirror.locked("lab/run/ck/big.bin"):  # as the carrier holds it while it puts the file
        logger.upload_buffer(os.urandom(9 << 20), "ck/big.bin")
        assert logger.load_json("a.json") == [1]
        assert logger.glob("ck/*") == ["ck/big.bin"]
        assert sum(map(len, logger.session.read("lab/run/ck/big.bin"))) == 9 << 20


def test_open_and_the_command_line(bucket: str, machine: Machine, env: dict[str, str], object_store: Any) -> None:
    logger = machine("one")
    logger.log(step=1, loss=0.5, silent=True)
    logger.close()
    with ml_logger.open(bucket) as runs:
        assert repr(runs) == f"<1 runs in {bucket}>"
        assert runs.series("lab/run", "loss")[1].tolist() == [0.5]
    with pytest.raises(NotFoundError, match="anything"):
        ml_logger.open(f"{bucket}/nothing")

    def command(*words: str, status: int = 0) -> str:
        program = str(Path(sys.executable).with_name("ml-logger"))
        done = subprocess.run(
            [program, *words], env={**env, **object_store.env, "ML_LOGGER_ROOT": bucket}, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    assert "lab/run" in command("ls")
    assert command("export", "lab/run", "--format", "csv").split() == ["step,loss", "1,0.5"]
    assert "is a bucket" in command("seal", status=2)
    assert command(bucket, status=2).count("\n") == 1


def test_a_forked_child_has_its_own_way_to_the_bucket(bucket: str, new_program: Any, object_store: Any) -> None:
    code = f"""
import os
import re
from ml_logger import ML_Logger
logger = ML_Logger("lab/run", root={bucket!r})
logger.log(step=0, parent=1, silent=True)
logger.flush(timeout=20)  # obstore has run in this process
child = os.fork()
logger.log(step=1, who="child" if child == 0 else "parent", silent=True)
logger.save_json([1], "child.json" if child == 0 else "parent.json")
logger.flush(timeout=20)
if child == 0:
    assert logger.load_json("child.json") == [1]
    os._exit(0)
print(os.waitpid(child, 0)[1], logger.glob("*t.json"), logger.glob("*d.json"), len(logger.load_pkl("metrics.pkl")))
"""
    assert new_program(code, **object_store.env).finish() == "0 ['parent.json'] ['child.json'] 3\n"


def test_wrong_keys_are_said_and_nothing_is_lost(bucket: str, new_program: Any, object_store: Any, env: dict[str, str]) -> None:
    code = f"""
from ml_logger import ML_Logger
logger = ML_Logger("lab/run", root={bucket!r})
for step in range(100):
    logger.log(step=step, loss=1.0, silent=True)
logger.save_json([1], "a.json")
for read in (lambda: logger.flush(timeout=2), lambda: logger.load_json("a.json")):
    try:
        read()
    except Exception as error:
        print(type(error).__name__)
"""
    program = new_program(code, **{**object_store.env, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert program.finish().split() == [DeliveryError.__name__, AuthenticationError.__name__]
    assert "refuses these credentials" in program.errors
    assert "1 file waits" in program.errors
    assert names(bucket) == []
    sync = [str(Path(sys.executable).with_name("ml-logger")), "sync"]
    done = subprocess.run(sync, env={**env, **object_store.env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(ML_Logger("lab/run", root=bucket).load_pkl("metrics.pkl")) == 100
    assert ML_Logger("lab/run", root=bucket).load_json("a.json") == [1]


def test_addresses_that_are_none_and_no_obstore(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidKeyError, match="names no bucket"):
        ML_Logger("run", root="s3://")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtraError, match=r"ml-logger\[s3\]"):
        ML_Logger("run", root="s3://bucket/path")


def test_the_guide(bucket: str, new_program: Any, object_store: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/guide/buckets.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    printed = [new_program(code.replace("s3://bucket/experiments", bucket), **object_store.env).finish() for code in blocks]
    assert printed[-1] == "100 {'best': 99} ['notes/best.json', 'run.json']\n"
