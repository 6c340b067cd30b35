"""A process that logs to a server loads what that needs, and no more: no numpy, nothing of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAM = """
import os, sys
from ml_logger import ML_Logger

logger = ML_Logger("lean/run", root=os.environ["ML_LOGGER_ROOT"])
logger.log_params(args={"lr": 0.1}, silent=True)
for step in range(50):
    logger.log(loss=step * 0.5, note="text", count=step, silent=True)
logger.flush(timeout=30)
assert logger.session.status()["acked"] >= 51, logger.session.status()
heavy = {"numpy", "pandas", "torch", "apsw", "granian", "starlette", "rich", "ml_logger.server", "ml_logger.query"}
print(sorted(heavy & set(sys.modules)))
"""


def test_a_client_of_a_server_loads_no_numpy(new_server: Callable[..., Any], new_program: Callable[..., Any]) -> None:
    assert new_program(PROGRAM, ML_LOGGER_ROOT=new_server().url).finish().strip() == "[]"
