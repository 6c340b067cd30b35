"""A server whose clock is set while runs are live, and a browser whose clock is wrong: the page goes on and says nothing that is not so."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

FALSE_CLOCK = Path(__file__).resolve().parents[1] / "false_clock.py"
HOUR = 3600
TRAIN = """
import os, time
from ml_logger import ML_Logger
run = ML_Logger(root=os.environ["AT"], prefix="a/live", silent=True)
run.job_started()
step = 0
while True:
    run.log(step=step, loss=1 / (1 + step), silent=True)
    step += 1
    time.sleep(0.05)
"""


class Clock:
    """The wall clock of a server: `set` puts it so many seconds before or after the right one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, offset: float) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(str(offset))
        os.replace(new, self.file)


def points(page: Page) -> int:
    return int(page.evaluate("() => window.mlLogger?.charts.loss?.model().logged ?? 0"))


def goes_on(page: Page) -> None:
    """Wait until more points are drawn than now, twice: what a restart brings, and what comes after."""
    for _ in range(2):
        page.wait_for_function("before => (window.mlLogger?.charts.loss?.model().logged ?? 0) > before", arg=points(page), timeout=20_000)
    expect(page.get_by_role("complementary").locator("[data-status=running]").first).to_be_visible(timeout=10_000)
    expect(page.get_by_role("status", name="live")).to_be_visible()


@pytest.mark.parametrize("jump", [3 * HOUR, -5 * HOUR], ids=["ahead", "back"])
def test_a_server_whose_clock_is_set_shows_live_runs_as_they_are(
    new_server: Any, new_program: Any, visit_any: Any, tmp_path: Path, jump: int
) -> None:
    clock = Clock(tmp_path / "clock")
    server = new_server("root", "--no-auth", wrap=(sys.executable, str(FALSE_CLOCK), str(clock.file)))
    new_program(TRAIN, AT=server.url)
    visit = visit_any(server)
    visit.expected = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")
    page = visit("/r/a?test&x=relative")
    page.get_by_role("gridcell", name="live", exact=True).click(timeout=20_000)
    goes_on(page)
    clock.set(jump)
    goes_on(page)
    server.stop()
    server.start()  # a version of the store begins with the time: now it may be lower than what the page has seen
    goes_on(page)
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text(re.compile(r"started\s*(just now|\d+ s ago|1 min ago)"))
    expect(drawer).to_contain_text(re.compile(r"took\s*(\d+\.?\d* s|1 min \d+ s)"))
    start, end = page.evaluate("() => window.mlLogger.charts.loss.model().xRange")
    assert 0 <= start < end < 120
