"""Many names, huge names, many runs: nothing breaks, and a page of runs stays quick (S9)."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

NAMES = """
import json, os
from ml_logger import ML_Logger

logger = ML_Logger("lab/wide", root=os.environ["ML_LOGGER_ROOT"])
for first in range(0, 20_000, 500):
    logger.log(step=0, silent=True, **{f"metric/{n}": n * 0.5 for n in range(first, first + 500)})
logger.log({"x" * (1 << 20): 1.0}, step=1, silent=True)
logger.log({"ü" * (1 << 19): 2.0}, step=1, silent=True)
logger.log(step=2, last=1.0, silent=True)
logger.flush(timeout=60)
print(json.dumps(logger.session.status()))
"""

RUNS = """
import os
from ml_logger import ML_Logger

for number in range(int(os.environ["TEST_FIRST"]), int(os.environ["TEST_LAST"])):
    with ML_Logger(f"lab/{number % 50}/run-{number}", root=os.environ["TEST_ROOT"]) as logger:
        logger.log_params(args={"lr": number * 0.001, "seed": number}, silent=True)
        logger.log(step=0, loss=1 / (number + 1), silent=True)
"""


class Asker:
    """Asks a server questions, with the token its user has."""

    def __init__(self, server: Any) -> None:
        self.port = server.port
        found = next(Path(server.env["XDG_CONFIG_HOME"], "ml_logger/servers").glob("*.json"))
        self.token = json.loads(found.read_text())["token"]

    def __call__(self, **query: Any) -> tuple[int, Any, float]:
        """Return status, answer and seconds."""
        body = json.dumps(query)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        begun = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", "/v1/query", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), time.perf_counter() - begun


def test_twenty_thousand_names_and_one_of_a_mebibyte(new_server: Callable[..., Any], new_program: Callable[..., Any]) -> None:
    server = new_server()
    done = new_program(NAMES, ML_LOGGER_ROOT=server.url)
    status = json.loads(done.finish(timeout=120))
    assert (status["spool_bytes"], status["dropped"], status["rejected"]) == (0, 0, 0), (status, done.errors)
    ask = Asker(server)
    code, metrics, _ = ask(type="list_metrics")
    assert code == 200, metrics
    names = {metric["name"] for metric in metrics["metrics"]}
    assert {"metric/0", "metric/19999", "last"} <= names
    assert {"x" * (1 << 20), "ü" * (1 << 19)} <= names, "an accepted name comes back as it is"
    for _ in range(2):
        code, page, seconds = ask(type="search_runs")
    assert code == 200
    assert [run["key"] for run in page["rows"]] == ["lab/wide"]
    assert seconds <= 1


@pytest.mark.parametrize("runs", [500, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_a_page_of_many_runs(runs: int, new_server: Callable[..., Any], new_program: Callable[..., Any], tmp_path: Path) -> None:
    half, where = runs // 2, str(tmp_path / "root")
    parts = [(0, half), (half, runs)]
    for done in [new_program(RUNS, TEST_ROOT=where, TEST_FIRST=str(first), TEST_LAST=str(last)) for first, last in parts]:
        done.finish(timeout=400)
    ask, deadline = Asker(new_server()), time.monotonic() + 300
    while (page := ask(type="search_runs"))[1]["total"] != runs:
        assert page[1]["unread"] != 0, "it knows that there are more"
        assert time.monotonic() < deadline, page[1]["total"]
        time.sleep(0.05)
    while ask(type="search_runs")[1]["unread"]:
        assert time.monotonic() < deadline
    pages = [ask(type="search_runs", q="sort:-args.lr", offset=offset, limit=200) for offset in range(0, 1000, 200)]
    assert {code for code, _, _ in pages} == {200}
    assert sorted(seconds for _, _, seconds in pages)[2] <= 1
    assert pages[0][1]["rows"][0]["key"].endswith(f"run-{runs - 1}")
