"""The roles and names that people with a screen reader, and suites from outside, rely on. One page of each kind; journeys are elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

MORE = """
import sys
import numpy as np
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="contract/pictures", silent=True)
run.save_image(np.zeros((8, 8), "uint8"), "samples/000100.png")
run.print("one line")
run.flush()
"""


@pytest.fixture(scope="module")
def more(sweep: Any) -> Any:
    """The sweep, and a run that has a picture and a log."""
    subprocess.run([sys.executable, "-c", MORE, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    return sweep


def opened(more: Any, visit: Any, address: str) -> Page:
    del more
    page: Page = visit(address)
    expect(page.get_by_role("status", name="live")).to_be_visible()
    expect(page.get_by_role("grid", name="Runs").get_by_role("gridcell").first).to_be_attached(timeout=20_000)
    return page


def test_the_frame(more: Any, visit: Any) -> None:
    page = opened(more, visit, "/r/team/sweep?test")
    expect(page.get_by_role("searchbox", name="Search runs")).to_be_visible()
    grid = page.get_by_role("grid", name="Runs")
    expect(grid).to_have_attribute("aria-rowcount", "12")
    row = grid.get_by_role("row").filter(has_text="run-03")
    assert int(row.get_attribute("aria-rowindex") or 0) >= 1
    assert row.get_by_role("gridcell").first.inner_text() == "run-03"
    expect(row.get_by_role("checkbox", name="Show run-03")).to_be_checked()
    header = grid.get_by_role("columnheader", name="eval/acc", exact=True)
    header.click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    for name in ("Charts", "Compare", "Media", "Files", "Logs", "Report"):
        expect(page.get_by_role("tab", name=name)).to_be_visible()
    expect(page.get_by_role("switch", name="Dark mode")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Command palette")).to_be_visible()


def test_charts(more: Any, visit: Any) -> None:
    page = opened(more, visit, "/r/team/sweep?test")
    figure = page.get_by_role("figure", name="train/loss", exact=True)
    expect(figure).to_have_accessible_description(re.compile(r"n=\d+ min=\S+ max=\S+ last=\S+"))
    figure.get_by_role("button", name="View as table").click()
    expect(page.get_by_role("table")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("figure", name="rare", exact=True)).to_contain_text("4 of 12")
    group = page.get_by_role("combobox", name="Group by")
    assert {"all but seed", "lr"} <= set(group.locator("option").all_inner_texts())
    expect(group.locator("option[value='Args.lr']")).to_have_text("lr")
    expect(page.get_by_role("slider", name="Smoothing")).to_have_attribute("max", "0.99")


def test_compare(more: Any, visit: Any) -> None:
    page = opened(more, visit, "/r/team/sweep?tab=compare")
    axes = page.get_by_role("figure", name="Parallel coordinates").get_by_role("application")
    expect(axes.get_by_role("group", name=re.compile("^Args.lr"))).to_be_visible()
    expect(page.get_by_role("figure", name="Scatter")).to_be_visible()
    expect(page.get_by_role("table", name="Importance")).to_be_visible()
    expect(page.get_by_text("0 of 12 brushed")).to_be_visible()
    expect(page.get_by_role("button", name="Filter", exact=True)).to_be_attached()
    expect(page.get_by_text("n = 12")).to_be_visible()
    expect(page.get_by_text("not enough runs")).to_be_visible()


def test_media_files_and_logs_of_one_run(more: Any, visit: Any) -> None:
    page = opened(more, visit, "/r/contract/pictures?tab=media")
    expect(page.get_by_role("slider", name="Step")).to_have_value("100")
    expect(page.get_by_role("img", name=re.compile("samples"))).to_be_visible()
    page.get_by_role("tab", name="Files").click()
    folder = page.get_by_role("tree").get_by_role("treeitem", name="samples", exact=True)
    folder.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("treeitem", name="000100.png").click()
    expect(page.get_by_role("link", name="Download").or_(page.get_by_role("button", name="Download"))).to_be_visible()
    page.get_by_role("tab", name="Logs").click()
    expect(page.get_by_role("searchbox", name="Filter logs")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("one line")
    page.get_by_role("grid", name="Runs").get_by_role("gridcell").first.click()
    expect(page.get_by_role("complementary")).to_contain_text("pictures")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("lr == 0.001", 3), ("lr = 0.001", 3), ("lr != 0.001", 9), ("seed <= 1 and not (lr > 1e-3)", 6), ("name:/run-0[12]/", 2),
        ('key ~ "run-1"', 2), ('optimizer == "adam"', 6), ("hidden = 64", 4), ("model.hidden = 64 or seed = 2", 7),
    ],
)  # fmt: skip
def test_queries(more: Any, visit: Any, query: str, found: int) -> None:
    page = opened(more, visit, "/r/team/sweep")
    page.get_by_role("searchbox", name="Search runs").fill(query)
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", str(found))
    expect(page).to_have_url(re.compile("[?&]q="))
