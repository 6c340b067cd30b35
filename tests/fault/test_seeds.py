"""A logger draws nothing from the generators that training has seeded, not even while its server is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CODE = """
import random, time
import numpy as np
from ml_logger import ML_Logger

random.seed(1), np.random.seed(1)
before = random.getstate(), np.random.get_state()[1].tolist()
logger = ML_Logger(root="http://127.0.0.1:9", prefix="seeded")
logger.log(loss=1.0)
deadline = time.monotonic() + 10
while logger.session.destination.delivery().state != "unreachable" and time.monotonic() < deadline:
    time.sleep(0.02)
assert logger.session.destination.delivery().state == "unreachable"
time.sleep(0.5)  # several tries more
assert before == (random.getstate(), np.random.get_state()[1].tolist())
print("same")
"""


def test_the_global_generators_are_left_alone(new_program: Callable[..., Any]) -> None:
    assert "same" in new_program(CODE).finish()
