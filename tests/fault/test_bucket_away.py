"""A bucket that is away, slow or gone, and writers that are killed: training goes on, and nothing that was logged is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.bucket.objects import Objects
from ml_logger.errors import DeliveryError, ServerUnreachableError

WRITER = """
import os
from ml_logger import ML_Logger
logger = ML_Logger("lab/run", root={bucket!r})
for step in range(10**9):
    logger.log(step=step, loss=float(step), silent=True)
    if step % 1000 == 0:
        logger.save_json([step], "saved/" + str(step) + ".json")
        print(step, flush=True)
"""


def sync(env: dict[str, str], object_store: Any) -> str:
    command = [str(Path(sys.executable).with_name("ml-logger")), "sync"]
    done = subprocess.run(command, env={**env, **object_store.env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_writer_loses_nothing(bucket: str, new_program: Any, object_store: Any, env: dict[str, str], seed: int) -> None:
    program = new_program(WRITER.format(bucket=bucket), **object_store.env)
    assert program.process.stdout.readline().strip() == "0"
    time.sleep(random.Random(seed).uniform(0.0, 0.5))
    program.process.kill()
    said, _ = program.process.communicate()
    assert program.process.returncode == -9
    last = int((said.split() or ["0"])[-1])
    before = {thing.key for thing in Objects(bucket).list()}
    told = sync(env, object_store)
    assert "1 delivered" in told, "the writer had delivered everything before it was killed"
    assert {thing.key for thing in Objects(bucket).list()} != before
    reader = ML_Logger("lab/run", root=bucket)
    steps = [row["step"] for row in reader.load_pkl("metrics.pkl")]
    assert steps == list(range(len(steps)))
    assert len(steps) > last
    assert {f"saved/{step}.json" for step in range(0, last + 1, 1000)} <= set(reader.glob("saved/*"))
    assert reader.load_json(f"saved/{last}.json") == [last]
    assert "nothing is left" in sync(env, object_store)


def test_a_store_that_hangs_does_not_stop_training(bucket: str, object_store: Any) -> None:
    logger = ML_Logger("lab/run", root=bucket)
    logger.log(step=0, loss=0.0, silent=True)
    logger.flush(timeout=20)
    slowest = 0.0
    object_store.stop()
    try:
        for step in range(1, 2000):
            started = time.monotonic()
            logger.log(step=step, loss=1.0, silent=True)
            slowest = max(slowest, time.monotonic() - started)
        started = time.monotonic()
        logger.save_json([1], "a.json")
        logger.log_params(Args={"a": 1}, silent=True)
        logger.log_text("text\n", "notes.txt")
        slowest = max(slowest, time.monotonic() - started)
        with pytest.raises(DeliveryError, match="nothing is lost"):
            logger.flush(timeout=1.0)
        assert logger.status()["acked"] < logger.status()["accepted"], "the fault did not fire"
    finally:
        object_store.go_on()
    assert slowest < 2.0, "a call waited for the bucket"
    logger.flush(timeout=60)
    assert logger.status()["acked"] == logger.status()["accepted"]
    reader = ML_Logger("lab/run", root=bucket)
    assert len(reader.load_pkl("metrics.pkl")) == 2000
    assert reader.load_json("a.json") == [1]
    logger.close()


def test_a_bucket_that_is_away_is_said_once_and_the_exit_says_what_waits(
    bucket: str, new_program: Any, object_store: Any, env: dict[str, str]
) -> None:
    code = f"""
import time
from ml_logger import ML_Logger
logger = ML_Logger("lab/run", root={bucket!r})
for step in range(1000):
    logger.log(step=step, loss=1.0, silent=True)
logger.save_json([1], "a.json")
try:
    logger.load_json("a.json")
except Exception as error:
    print(type(error).__name__)
started = time.monotonic()
logger.close()
print(time.monotonic() - started < 3.0)
"""
    program = new_program(code, **{**object_store.env, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert program.finish().split() == [ServerUnreachableError.__name__, "True"]
    told = program.errors.splitlines()
    assert len(told) == 2, told
    assert "training goes on" in told[0]
    assert "1 file waits" in told[1]
    assert Objects(bucket).list() == []
    sync(env, object_store)
    reader = ML_Logger("lab/run", root=bucket)
    assert len(reader.load_pkl("metrics.pkl")) == 1000
    assert reader.load_json("a.json") == [1]
