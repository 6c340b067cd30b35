"""Logs of many lines: what is in sight is fetched and no more, and neither the page nor its memory grows with the file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

LINES = """
import contextlib, io
from ml_logger import ML_Logger
run = ML_Logger(root={root!r}, prefix="logs/long", silent=True)
colours = [f"\\x1b[{{31 + k}}m" for k in range(6)]
for part in range({lines} // 10_000):
    numbers = range(part * 10_000, (part + 1) * 10_000)
    lines = "\\n".join(f"{{colours[k % 6]}}INFO\\x1b[0m step {{k}} loss {{1 / (k + 1):.6f}}" for k in numbers)
    with contextlib.redirect_stdout(io.StringIO()):
        run.print(lines)
run.flush()
"""
MORE = """
import time
from ml_logger import ML_Logger
run = ML_Logger(root={root!r}, prefix="logs/long", silent=True)
for k in range(20):
    run.print(f"late line {{k}}")
    run.flush()
    time.sleep(0.1)
"""
MOST_HEAP = 60e6


def metrics(page: Page) -> dict[str, float]:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return found


@pytest.mark.parametrize("lines", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_lines_are_fetched_where_they_are_looked_at(new_server: Any, new_program: Any, visit_any: Any, lines: int) -> None:
    server = new_server("root", "--no-auth")
    new_program(LINES.format(root=str(server.data_dir), lines=lines)).finish(timeout=120)
    page = visit_any(server)("/r/logs/long?tab=logs")
    log = page.get_by_role("log")
    expect(page.get_by_text(f"{lines:,} lines")).to_be_visible(timeout=30_000)
    expect(log.get_by_text(f"step {lines - 1} ")).to_be_in_viewport()
    asked: list[int] = []
    page.on("request", lambda request: "/v1/query" in request.url and _note(request, asked))
    for part in range(1, 40):
        log.evaluate("(element, part) => element.scrollTo(0, element.scrollHeight * part / 40)", part)
        page.wait_for_timeout(10)
    expect(log.get_by_text(re.compile(rf"step {lines * 39 // 40 + 20} "))).to_be_attached()
    assert log.locator("div").count() < 200
    log.evaluate("element => element.scrollTo(0, 0)")
    expect(log.get_by_text("step 0 ")).to_be_in_viewport()
    log.focus()
    page.keyboard.press("End")
    expect(log.get_by_text(f"step {lines - 1} ")).to_be_in_viewport()
    assert len(asked) < 100, "a page is asked for once, when it is looked at"
    page.get_by_role("searchbox", name="Filter logs").press_sequentially("step 1234[0-4] ", delay=30)
    expect(page.get_by_text("5 lines match")).to_be_visible(timeout=20_000)
    expect(log).to_contain_text("step 12343 ")
    expect(log.locator("mark")).to_have_text([f"step 1234{number} " for number in range(5)])
    page.wait_for_function("() => new URLSearchParams(location.search).get('match') === 'step 1234[0-4] '")
    found = metrics(page)
    assert found["JSHeapUsedSize"] < MOST_HEAP
    assert found["Nodes"] < 5000
    page.reload()
    expect(page.get_by_text("5 lines match")).to_be_visible(timeout=20_000)


def _note(request: Any, asked: list[int]) -> None:
    query = json.loads(request.post_data)
    if query["type"] == "read_log":
        asked.append(query["start"])


def test_a_growing_log_is_followed_and_a_bad_filter_is_said(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    new_program(LINES.format(root=str(server.data_dir), lines=10_000)).finish()
    visit = visit_any(server)
    visit.expected = ("400",)
    page = visit("/r/logs/long?tab=logs")
    log = page.get_by_role("log")
    count = page.get_by_text("10,000 lines")
    expect(count).to_be_visible(timeout=30_000)
    below, text = count.bounding_box(), page.get_by_role("log").bounding_box()
    assert below is not None
    assert text is not None
    assert below["y"] >= text["y"] + text["height"]  # on the last line it would hide what failed
    running = new_program(MORE.format(root=str(server.data_dir)))
    expect(log.get_by_text("late line 19")).to_be_in_viewport(timeout=15_000)
    running.finish()
    expect(page.get_by_text("10,020 lines")).to_be_visible()
    filter_box = page.get_by_role("searchbox", name="Filter logs")
    filter_box.fill("late (")
    expect(page.get_by_role("alert")).to_contain_text("regular expression")
    filter_box.fill("late line 1")
    expect(page.get_by_text("11 lines match")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


FIRST = """
import time
from pathlib import Path
from ml_logger import ML_Logger
run = ML_Logger(root={root!r}, prefix="logs/quiet")
run.log(step=0, loss=1.0, silent=True)
run.save_text("abc", "later.txt")
run.flush()
while not Path({go!r}).exists():
    time.sleep(0.02)
run.print("fresh line")
run.flush()
"""


def test_what_a_run_prints_first_is_shown_unless_another_file_was_chosen(
    new_server: Any, new_program: Any, visit_any: Any, tmp_path: Path
) -> None:
    server = new_server("root", "--no-auth")
    go = tmp_path / "go"
    running = new_program(FIRST.format(root=str(server.data_dir), go=str(go)))
    visit = visit_any(server)
    chosen, free = [visit(f"/r/logs/quiet?tab=logs{file}") for file in ("&logfile=logs%2Fquiet%2Flater.txt", "")]
    for page in (chosen, free):
        expect(page.get_by_role("log")).to_contain_text("abc", timeout=20_000)
        expect(page.get_by_role("status", name="live")).to_be_visible()
    go.touch()
    running.finish()
    expect(free.get_by_role("log")).to_contain_text("fresh line", timeout=15_000)
    expect(free.get_by_role("combobox", name="File")).to_have_value("logs/quiet/outputs.log")
    expect(chosen.get_by_role("combobox", name="File")).to_have_value("logs/quiet/later.txt")
    expect(chosen.get_by_role("log")).to_contain_text("abc")
