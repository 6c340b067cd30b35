"""The thread that follows a root outlives whatever goes wrong in it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.store import follow
from ml_logger.store.sqlite import open_store


def test_following_goes_on_after_a_fault_that_nobody_thought_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(follow, "AFTER_FAULT_S", 0.05)
    sleep, broken = time.sleep, iter([True])

    def fail_once(seconds: float) -> None:
        if next(broken, False):
            raise OSError(22, "Invalid argument")  # seen where a library stood between Python and the clock
        sleep(seconds)

    with open_store(tmp_path, follow=True) as store:
        follower: Any = store.follower
        assert follower.swept.wait(10)
        monkeypatch.setattr(follow.time, "sleep", fail_once)
        ML_Logger("late", root=tmp_path).log(step=0, v=1.0, silent=True)
        deadline = time.monotonic() + 10
        while store.snapshot().position("late") is None:
            follower.poke("late")
            assert time.monotonic() < deadline
            sleep(0.02)
    assert next(broken, False) is False
    assert "following the root failed: OSError: [Errno 22] Invalid argument; it goes on in 0.05 s" in capsys.readouterr().err
