"""An address is the whole view: what was chosen in each tab is there after a reload; one too long is kept by the server."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def said(page: Page) -> dict[str, str]:
    """Return what the address says, by name."""
    return {name: values[-1] for name, values in parse_qs(page.evaluate("location.search.slice(1)")).items()}


def test_compare_is_restored(visit: Any) -> None:
    page = visit("/r/team/sweep?tab=compare")
    page.get_by_role("combobox", name="Objective", exact=True).select_option("train/loss")
    page.get_by_role("combobox", name="Of the objective").select_option("min")
    page.get_by_role("combobox", name="Scatter x").select_option("Args.model.hidden")
    page.get_by_role("combobox", name="Scatter colour").select_option("Args.seed")
    axes = page.get_by_role("application").get_by_role("group")
    name = axes.first.get_attribute("aria-label") or ""
    axes.first.focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 12 brushed"))).to_be_visible()
    count = page.get_by_text(re.compile("of 12 brushed")).inner_text()
    axes.nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => /order/.test(new URLSearchParams(location.search).get('compare') ?? '')")
    order = [axis.get_attribute("aria-label") for axis in axes.all()]
    assert json.loads(said(page)["compare"])["aspect"] == "min"
    page.reload()
    expect(page.get_by_text(count)).to_be_visible()
    expect(page.get_by_role("combobox", name="Objective", exact=True)).to_have_value("train/loss")
    expect(page.get_by_role("combobox", name="Of the objective")).to_have_value("min")
    expect(page.get_by_role("combobox", name="Scatter x")).to_have_value("Args.model.hidden")
    expect(page.get_by_role("combobox", name="Scatter colour")).to_have_value("Args.seed")
    assert [axis.get_attribute("aria-label") for axis in axes.all()] == order
    assert any(label and label.startswith(f"{name}, turned over, brushed") for label in order)


def test_the_tree_of_folders_and_the_theme_of_a_tab_are_restored(visit: Any) -> None:
    page = visit("/")
    page.get_by_role("button", name="Folders").click()
    expect(page).to_have_url(re.compile("folders=1"))
    page.reload()
    tree = page.get_by_role("navigation", name="Folders")
    expect(tree.get_by_role("link", name="team", exact=True)).to_be_visible()
    expect(tree.get_by_role("link", name="run-05")).to_have_count(0)


def test_whatever_is_done_is_in_the_address_at_once(visit: Any) -> None:
    page = visit("/r/team/sweep?q=seed = 0 and eval/acc > 7")
    nearest = page.get_by_text("No run matches.").locator("..").get_by_role("button")
    offered = nearest.inner_text()
    nearest.click()
    assert said(page)["q"] == offered, "a reload right after a click restores it"
    page.get_by_role("searchbox", name="Search runs").fill("")
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", "12")
    page.get_by_role("combobox", name="X axis").select_option("time")
    assert said(page)["x"] == "time"
    page.get_by_role("slider", name="Smoothing").fill("0.5")
    page.get_by_role("checkbox", name="Show run-03").uncheck()
    assert (said(page)["smooth"], json.loads(said(page)["show"])) == ("0.5", {"team/sweep/run-03": False})
    page.reload()
    expect(page.get_by_role("checkbox", name="Show run-03")).not_to_be_checked()
    expect(page.get_by_role("combobox", name="X axis")).to_have_value("time")
    expect(page.get_by_role("slider", name="Smoothing")).to_have_value("0.5")


def test_a_view_too_long_for_an_address_is_restored_by_a_short_one(visit: Any) -> None:
    charts = "train|" + "|".join(f"eval/metric-{number}" for number in range(500))
    page = visit(f"/r/team/sweep?smooth=0.5&charts={quote(charts)}")
    page.get_by_role("searchbox", name="Search runs").fill("seed = 0")
    page.wait_for_function("() => /^\\?s=\\w+$/.test(location.search)")
    page.reload()
    expect(page.get_by_role("searchbox", name="Search runs")).to_have_value("seed = 0")
    expect(page.get_by_role("slider", name="Smoothing")).to_have_value("0.5")
    expect(page.get_by_role("figure")).to_have_count(1)
    before = page.url
    page.get_by_role("tab", name="Logs").click()
    page.wait_for_function("address => location.href !== address && /^\\?s=/.test(location.search)", arg=before)
    page.go_back()
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("searchbox", name="Search runs")).to_have_value("seed = 0")
    page.get_by_role("searchbox", name="Filter charts").fill("")
    page.wait_for_function("() => location.search === '?q=seed+%3D+0&smooth=0.5'")


def test_a_badly_said_address_is_as_at_the_start(visit: Any) -> None:
    page = visit("/r/team/sweep?tab=nonsense&smooth=9&cols=%7B&compare=%5B1%5D&show=3&zoom=a,b&step=x&unfold=7&s=there-is-none")
    expect(page.get_by_text("12 of 12 runs shown")).to_be_visible()
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")


HUGE = """
from ml_logger import ML_Logger
run = ML_Logger(root={root!r}, prefix="big/names", silent=True)
run.log_params(**{{"p" * (1 << 20): 1, "value": "v" * (1 << 20)}}, silent=True)
run.log(step=0, silent=True, **{{"m" * (1 << 20): 1.0, "loss": 0.5, "nan": float("nan")}})
run.flush()
run = ML_Logger(root={root!r}, prefix="big/wide", silent=True)
for step in range(2):
    run.log(step=step, silent=True, **{{f"layer{{k // 10}}/m{{k % 10}}": step + k for k in range(10_000)}})
run.flush()
"""


def test_names_of_a_mebibyte_and_ten_thousand_metrics(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    new_program(HUGE.format(root=str(server.data_dir))).finish()
    visit = visit_any(server)
    visit.expected = ("413",)  # a question about the metric with the long name
    page = visit("/r/big/names?test&open=big%2Fnames")
    expect(page.get_by_role("checkbox", name="Show names")).to_be_attached(timeout=30_000)
    expect(page.get_by_role("figure", name="loss")).to_be_visible()
    expect(page.get_by_role("figure", name="nan", exact=True)).to_contain_text(
        "n=1 min=NaN max=NaN last=NaN; 1 run; logged 1, stored 1, shown 1; 1 not finite"
    )
    expect(page.get_by_role("complementary")).to_contain_text("pppp")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_role("dialog", name="Columns").get_by_role("checkbox", name="loss", exact=True)).to_be_checked()
    page.goto(f"{server.url}/r/big/wide?test")
    expect(page.get_by_text("10,000 charts")).to_be_visible()
    assert page.get_by_role("figure").count() <= 60
    assert page.get_by_role("columnheader").count() < 40
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Command")).to_be_focused()
    page.keyboard.type("layer999/m9")
    expect(page.get_by_role("option").filter(has_text="layer999/m9")).to_be_visible()
