"""Charts in number, hostile names, and a server that restarts under them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.charts import drawn, figure

pytestmark = pytest.mark.browser

MANY = """
import sys
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="wide/run", silent=True)
for step in range(3):
    run.log({f"layer{i:04d}/norm" if i % 2 else f"many/m{i:04d}": float(i) for i in range(5000)}, step=step, silent=True)
run.flush()
"""


def test_of_5000_charts_at_most_60_are_mounted(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    new_program(f"import sys\nsys.argv.append({str(server.data_dir)!r})\n{MANY}").finish()
    page: Page = visit_any(server)("/r/wide?test", size=(2560, 1440))
    expect(page.get_by_text("5,000 charts")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("figure").first).to_be_visible()
    assert 0 < page.get_by_role("figure").count() <= 60
    page.locator("#panel").evaluate("panel => panel.scrollTo(0, panel.scrollHeight)")
    expect(figure(page, "many/m4998")).to_be_visible()
    found = drawn(page, "many/m4998")
    assert found["runs"][0]["mean"] == [4998.0] * 3
    assert page.get_by_role("figure").count() <= 60


HOSTILE = """
import sys
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="hostile/run", silent=True)
names = ["<img src=x onerror=alert(1)>", "__proto__", "constructor", "a" * 5000, "\\u202e<b>\\u0000x", "no number"]
for step in range(5):
    run.log({**{name: float(step) for name in names[:5]}, "only nan": float("nan")}, step=step, silent=True)
run.log({"no number": "text"}, step=9, silent=True)
run.flush()
"""


def test_hostile_names_are_only_names(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    new_program(f"import sys\nsys.argv.append({str(server.data_dir)!r})\n{HOSTILE}").finish()
    page: Page = visit_any(server)("/r/hostile?test")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for name in ("<img src=x onerror=alert(1)>", "constructor", "__proto__"):
        assert drawn(page, name, timeout=30)["runs"][0]["mean"] == [0, 1, 2, 3, 4]
    assert page.get_by_role("figure").count() == 6
    assert page.locator("figure img").count() == 0
    only_nan = drawn(page, "only nan")
    assert only_nan["runs"][0]["mean"] == [None] * 5
    box = figure(page, "a" * 5000).bounding_box()
    assert box is not None
    assert box["width"] < 700
    expect(page.get_by_role("alert")).to_have_count(0)


SHORT = """
import sys
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="again/run", silent=True)
for step in range(int(sys.argv[2]), int(sys.argv[2]) + 10):
    run.log(step=step, loss=float(step), silent=True)
run.flush()
"""


def test_a_server_that_restarts_is_followed_without_a_reload(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    new_program(f"import sys\nsys.argv += [{str(server.data_dir)!r}, '0']\n{SHORT}").finish()
    visit = visit_any(server)
    visit.expected = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
    page: Page = visit("/r/again?test")
    drawn(page, "loss", lambda found: found["runs"] and len(found["runs"][0]["x"]) == 10, timeout=30)
    server.kill()
    expect(page.get_by_role("status", name="offline")).to_be_visible(timeout=15_000)
    page.get_by_role("combobox", name="X axis").select_option("relative")  # asked in vain
    page.get_by_role("combobox", name="X axis").select_option("step")
    new_program(f"import sys\nsys.argv += [{str(server.data_dir)!r}, '10']\n{SHORT}").finish()
    server.start()
    expect(page.get_by_role("status", name="live")).to_be_visible(timeout=20_000)
    found = drawn(page, "loss", lambda found: found["runs"] and found["xRange"] == [0, 19], timeout=20)
    assert found["runs"][0]["mean"] == [float(step) for step in range(20)]
