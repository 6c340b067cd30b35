"""Charts, panels, Compare and reports for everybody: axe finds nothing at all in both themes, and the keyboard reaches everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.charts import drawn, figure
from tests.e2e.test_shell import AXE

pytestmark = pytest.mark.browser

PANELS = json.dumps(
    [
        {"kind": "line", "y": ["train/loss", "eval/acc"], "x": "relative"},
        {"kind": "bar", "y": ["eval/acc"], "stat": "max"},
        {"kind": "histogram", "y": ["nowhere"]},
        {"kind": "image", "glob": "*.png"},
    ]
)


def nothing(_page: Page) -> None:
    pass


def as_table(page: Page) -> None:
    figure(page, "train/loss").get_by_role("button", name="View as table").press("Enter")
    expect(page.get_by_role("table", name="train/loss")).to_be_visible()


def with_menu(page: Page) -> None:
    page.get_by_role("button", name="More for train/loss").press("Enter")
    expect(page.get_by_role("button", name="PNG")).to_be_visible()


def with_pinned_tooltip(page: Page) -> None:
    figure(page, "train/loss").get_by_role("img").press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Unpin the tooltip")).to_be_visible()


def editing_a_panel(page: Page) -> None:
    page.get_by_role("button", name="New panel").press("Enter")
    expect(page.get_by_role("dialog", name="Panel")).to_be_visible()


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "charts": ("", nothing),
    "groups": ("&group=Args.lr&smooth=0.6&log=y", nothing),
    "no match": ("&charts=nothing-at-all", nothing),
    "table": ("", as_table),
    "menu": ("", with_menu),
    "tooltip": ("", with_pinned_tooltip),
    "panels": (f"&panels={PANELS}", nothing),
    "editor": ("", editing_a_panel),
    "compare": ("&tab=compare", nothing),
    "report": ("&tab=report", nothing),
}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(visit: Any, state: str, theme: str) -> None:
    more, act = STATES[state]
    page: Page = visit(f"/r/team/sweep?test{more}", theme=theme, bypass_csp=True)
    expect(page.get_by_text("12 of 12 runs shown")).to_be_visible()
    if "tab=" not in more and state != "no match":
        drawn(page, "train/loss")
    elif state == "compare":
        expect(page.get_by_role("figure", name="Scatter")).to_be_visible()
    act(page)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [f"{one['id']} ({one['impact']}): {node['html'][:200]}" for one in found for node in one["nodes"]] == []


def test_every_control_of_a_card_is_reached_and_left_by_the_keyboard(visit: Any) -> None:
    page: Page = visit("/r/team/sweep?test")
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)
    card = figure(page, "eval/acc")
    first = card.get_by_role("button", name="View as table")
    first.focus()
    reached = []
    for _ in range(4):
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))
        page.keyboard.press("Tab")
    assert reached[:3] == ["View as table", "Pin chart", "More for eval/acc"]
    assert reached[3].startswith("eval/acc: n=600 min=0.5 max=")
    first.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(first).to_be_focused()
