"""The frame: keys, palette, theme, addresses, empty and offline states, accessibility, and what the page may not do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.charts import copied

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "<img src=x onerror=alert(1)>\u202e ${7*7} \"'` 🦦"


def wrong(page: Page) -> list[str]:
    """Return all that axe finds; it is run as a script of the tests, which the page's policy does not cover."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for violation in found for node in violation["nodes"]]


def test_tabs_by_click_by_number_and_by_arrow(visit: Any) -> None:
    page = visit("/r/team/sweep")
    expect(page.get_by_role("tab")).to_have_text(["Charts", "Compare", "Media", "Files", "Logs", "Report"])
    page.get_by_role("tab", name="Compare").click()
    expect(page).to_have_url(re.compile("tab=compare"))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Media")).to_have_attribute("aria-selected", "true")
    page.locator("body").press("1")
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_role("tab", name="Media")).to_have_attribute("aria-selected", "true")


def test_keys_reach_search_grouping_smoothing_log_and_help(visit: Any) -> None:
    page = visit("/r/team/sweep")
    expect(page.get_by_role("status", name="live")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search runs")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    group = page.get_by_role("combobox", name="Group by")
    expect(group).to_be_focused()
    group.select_option("Args.lr")
    expect(page).to_have_url(re.compile(r"group=Args\.lr"))
    page.get_by_role("tab", name="Charts").focus()
    page.keyboard.press("s")
    expect(page.get_by_role("slider", name="Smoothing")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"smooth=0\.01"))
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("log=y"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_palette_finds_commands_charts_and_runs(visit: Any) -> None:
    page = visit("/r/team/sweep")
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached()
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Command palette")
    expect(palette).to_be_visible()
    page.keyboard.type("run-05")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/r/team/sweep/run-05$"))
    expect(palette).to_have_count(0)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_theme_is_the_systems_until_switched_and_is_kept(visit: Any, theme: str) -> None:
    page = visit("/r/team/sweep", theme=theme)
    switch = page.get_by_role("switch", name="Dark mode")
    expect(switch).to_have_attribute("aria-checked", str(theme == "dark").lower())
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    switch.click()
    page.reload()
    expect(switch).to_have_attribute("aria-checked", str(theme != "dark").lower())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


ADDRESSES = [
    "/r/team/sweep",
    "/r/team/sweep?folders=1&rows=Args.lr&unfold=%5B%22%7B%5C%22Args.lr%5C%22%3A0.001%7D%22%5D",
    "/r/team/sweep?open=team%2Fsweep%2Frun-01&run=team%2Fsweep%2Frun-00",
    *[f"/r/team/sweep?tab={tab}" for tab in ("compare", "media", "files", "logs", "report")],
    "/r/team/sweep/run-02?tab=files&file=team%2Fsweep%2Frun-02%2Frun.json",
    "/r/nothing/here",
]


@pytest.mark.parametrize(("theme", "size"), [("dark", (1600, 1000)), ("light", (1600, 1000)), ("dark", (390, 844))])
def test_axe_finds_nothing_in_any_view(visit: Any, theme: str, size: tuple[int, int]) -> None:
    page = visit("/", theme=theme, size=size)
    found = {}
    for address in ADDRESSES:
        page.goto(visit.url + address)
        expect(page.get_by_role("status", name="live")).to_be_visible()
        page.wait_for_timeout(300) if "here" in address else expect(page.get_by_role("gridcell").first).to_be_attached()
        expect(page.get_by_role("tabpanel")).not_to_be_empty()
        found[address] = wrong(page)
    assert {address: what for address, what in found.items() if what} == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_dialogs(visit: Any, theme: str) -> None:
    page = visit("/r/team/sweep", theme=theme)
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_role("dialog", name="Columns")).to_be_visible()
    assert wrong(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    assert wrong(page) == []


def test_what_is_chosen_is_seen_where_the_system_chooses_the_colours(visit: Any) -> None:
    page = visit("/r/team/sweep?q=sort%3Aname", forced_colors="active")
    framed = "element => getComputedStyle(element).outlineStyle"
    assert page.get_by_role("tab", name="Charts").evaluate(framed) == "solid"
    assert page.get_by_role("tab", name="Media").evaluate(framed) == "none"
    rows = page.get_by_role("grid", name="Runs").get_by_role("row").filter(has=page.get_by_role("checkbox"))
    expect(rows).to_have_count(12)
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("j")
    expect(rows.first).to_have_css("outline-style", "dashed")
    page.keyboard.press(" ")
    page.keyboard.press("j")
    expect(rows.first).to_have_css("outline-style", "solid")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_have_css("outline-style", "solid")
    expect(page.get_by_role("dialog").get_by_role("option").nth(1)).to_have_css("outline-style", "none")


def test_a_long_view_is_shared_by_a_short_link(visit: Any) -> None:
    query = " or ".join(f"seed = {number}" for number in range(140))
    page = visit("/r/team/sweep", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("searchbox", name="Search runs").fill(query)
    expect(page).to_have_url(re.compile("q=seed"))
    page.evaluate("navigator.clipboard.writeText('')")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_label("Share", exact=True)).to_be_visible()
    link = copied(page, "http")
    assert len(link) < 200
    page.goto(link)
    expect(page.get_by_role("searchbox", name="Search runs")).to_have_value(query)


def test_an_empty_root_shows_how_to_log_and_turns_live(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    page = visit_any(server)("/")
    snippet = page.get_by_role("tabpanel")
    for part in ("ml_logger", ".log(", f":{server.port}"):
        expect(snippet).to_contain_text(part)
    new_program(page.locator("pre").inner_text().replace("localhost", "127.0.0.1")).finish()
    expect(page.get_by_role("checkbox", name="Show first-run")).to_be_checked(timeout=15_000)


def test_a_server_that_restarts_is_found_again(new_server: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    visit = visit_any(server)
    visit.expected = ("ERR_", "Unable to preload", "dynamically imported")
    page = visit("/")
    expect(page.get_by_role("status", name="live")).to_be_visible()
    server.kill()
    expect(page.get_by_role("status", name="offline")).to_be_visible()
    page.get_by_role("searchbox", name="Search runs").fill("lr > 0")
    expect(page.get_by_role("note").filter(has_text="The server does not answer")).to_be_visible()
    page.get_by_role("tab", name="Files").click()
    expect(page.get_by_role("alert")).to_contain_text("This view is not there yet")
    server.start()
    expect(page.get_by_role("status", name="live")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("tree")).to_be_visible(timeout=20_000)


def test_what_the_server_fails_to_answer_is_told_in_any_view_and_asked_again(visit: Any) -> None:
    visit.expected += ("500 (Internal",)
    page = visit()
    failed = []

    def fail(route: Any) -> None:
        failed.append(route.request.post_data)
        route.fulfill(status=500, json={"error": "StoreError", "message": "the disk is gone"})

    asks = re.compile(r"/v1/query$")
    page.route(asks, lambda route: fail(route) if "list_metrics" in (route.request.post_data or "") else route.continue_())
    page.goto(f"{visit.url}/r/team/sweep")
    expect(page.get_by_role("contentinfo").get_by_role("alert")).to_contain_text("the server failed: the disk is gone")
    assert failed
    with page.expect_request(lambda request: "list_metrics" in (request.post_data or "")):
        page.get_by_role("button", name="ask again").click()
    page.unroute(asks)  # from here on the page may get well by itself, too, when a run changes
    page.evaluate("[...document.querySelectorAll('footer button')].find(button => button.textContent === 'ask again')?.click()")
    expect(page.get_by_role("figure", name="eval/acc")).to_be_visible()
    expect(page.get_by_role("contentinfo").get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(("question", "words"), [("search_runs", "Loading…"), ("list_metrics", "Loading…"), ("get_series", "Loading…")])
def test_what_is_on_its_way_says_so(visit: Any, question: str, words: str) -> None:
    page = visit("/healthz")
    held: list[Any] = []
    released: list[bool] = []

    def hold(route: Any) -> None:
        if question in (route.request.post_data or "") and not released:
            held.append(route)
        else:
            route.continue_()

    page.route(re.compile(r"/v1/query$"), hold)
    with page.expect_request(lambda request: question in (request.post_data or "")):
        page.goto(f"{visit.url}/r/team/sweep")
    expect(page.get_by_text(words, exact=True).first).to_be_visible()
    expect(page.get_by_text("0 of 0 runs shown")).to_have_count(0)
    assert held
    if question == "get_series":  # a chart that has no points yet claims nothing of them
        waiting = page.get_by_role("figure", name="eval/acc")
        expect(waiting).to_have_accessible_description("loading")
        expect(waiting.get_by_role("img")).to_have_accessible_name("eval/acc: loading")
    released.append(True)
    for route in held:
        route.continue_()
    expect(page.get_by_role("figure", name="eval/acc")).to_be_visible()
    expect(page.locator(".waiting")).to_have_count(0)
    expect(page.get_by_role("figure", name="eval/acc")).to_have_accessible_description(re.compile("^n=600 min=0.5 .*logged 600"))
    expect(page.get_by_text("12 of 12 runs shown")).to_be_visible()


def test_an_address_with_a_bad_query_says_so(visit: Any) -> None:
    visit.expected = ("400",)
    page = visit("/r/team/sweep?q=lr%20%3C")
    expect(page.get_by_role("alert")).to_contain_text("at character 4")
    expect(page.get_by_role("searchbox", name="Search runs")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("tabpanel").get_by_role("button", name="Clear the search").click()
    expect(page.get_by_text("12 of 12 runs shown")).to_be_visible()


def test_a_run_that_is_taken_away_while_it_is_looked_at(sweep: Any, visit: Any) -> None:
    source, doomed = sweep.data_dir / "team" / "sweep" / "run-00", sweep.data_dir / "doomed" / "run"
    shutil.copytree(source, doomed)
    visit.expected = ("404",)  # of a question that was on its way
    page = visit("/r/doomed?open=doomed%2Frun")
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("Parameters", timeout=20_000)
    shutil.rmtree(doomed)
    expect(drawer.get_by_role("alert")).to_contain_text("doomed/run is gone", timeout=20_000)
    expect(page.get_by_role("tabpanel")).to_contain_text("No runs in doomed")


def test_hostile_names_are_only_text(new_server: Any, new_program: Any, visit_any: Any) -> None:
    server = new_server("root", "--no-auth")
    new_program(f"""
from ml_logger import ML_Logger
run = ML_Logger(root={str(server.data_dir)!r}, prefix="odd/constructor")
run.log_params(**{{"__proto__": {HOSTILE!r}, "deep": {{{HOSTILE!r}: [1, None, float("nan")]}}, "P" * (1 << 20): 1}}, silent=True)
run.log(step=0, silent=True, **{{{HOSTILE!r}: float("nan"), "toString": 1.0, "x" * 2000: 2.0}})
run.flush()
""").finish()
    page = visit_any(server)("/r/odd?open=odd%2Fconstructor")
    expect(page.get_by_role("checkbox", name="Show constructor")).to_be_attached(timeout=15_000)
    expect(page.get_by_role("complementary")).to_contain_text("7*7")
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("tab", name="Compare").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("No parameter differs")


def test_without_a_session_the_page_says_how_to_get_one(chromium: Any, sweep: Any) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(sweep.url)
    expect(page.get_by_role("alert")).to_contain_text("ml-logger open")
    expect(page.get_by_role("contentinfo")).to_contain_text("this browser has no session")
    command = [sys.executable, "-m", "ml_logger", "open", "--print", sweep.url]
    address = subprocess.run(command, env=sweep.env, capture_output=True, text=True, check=True).stdout.split()[-1]
    page.goto(address)  # into the same tab: the browser sees only another fragment, and loads nothing
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached(timeout=15_000)
    assert "code=" not in page.url
    context.close()


def test_the_drawer_stands_beside_the_charts_where_there_is_room(visit: Any) -> None:
    page = visit("/r/team/sweep", size=(1400, 900))
    page.get_by_role("row").filter(has_text="run-03").click(position={"x": 60, "y": 14})
    drawer = page.get_by_role("complementary")
    drawer.wait_for()
    beside = "aside => document.querySelector('main').getBoundingClientRect().right <= aside.getBoundingClientRect().left + 0.5"
    assert drawer.evaluate(beside)
    page.set_viewport_size({"width": 900, "height": 900})
    assert not drawer.evaluate(beside)
    expect(page.get_by_role("complementary")).to_be_in_viewport()


def test_a_part_that_fails_leaves_the_rest_of_the_page(visit: Any) -> None:
    """As when the server was updated under an open page: what it answers is not what the page knows."""
    visit.expected = ("Cannot read properties of undefined", "Failed to load resource")
    page = visit("/r/team/sweep?tab=files")
    expect(page.get_by_role("tree")).to_be_visible()
    page.route("**/v1/query", _without_rows)
    page.reload()
    pane = page.get_by_role("alert").filter(has_text="This part of the page failed")
    expect(pane).to_contain_text("Cannot read properties of undefined")
    expect(page.get_by_role("tree")).to_be_visible()
    page.get_by_role("tab", name="Charts").click()
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")
    page.unroute("**/v1/query")
    page.reload()
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", "12")
    expect(pane).to_have_count(0)


def _without_rows(route: Any) -> None:
    if '"search_runs"' not in (route.request.post_data or ""):
        return route.continue_()
    response = route.fetch()
    return route.fulfill(response=response, json={name: value for name, value in response.json().items() if name != "rows"})


def test_a_phone_shows_all_tabs(visit: Any) -> None:
    page = visit("/r/team/sweep", size=(390, 844))
    for tab in page.get_by_role("tab").all():
        box = tab.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
        assert box["height"] >= 24


def test_a_phone_shows_runs_and_charts_one_above_the_other(visit: Any) -> None:
    page = visit("/r/team/sweep", size=(390, 844))
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    table = page.get_by_role("grid", name="Runs").bounding_box()
    panel = page.get_by_role("tabpanel").bounding_box()
    assert table
    assert panel
    assert panel["y"] >= table["y"] + table["height"]


def test_two_tabs_share_one_stream(chromium: Any, sweep: Any, signed_in: Any) -> None:
    context = chromium.new_context(storage_state=signed_in)
    streams: list[str] = []
    context.on("request", lambda request: streams.append(request.url) if "/v1/live" in request.url else None)
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(f"{sweep.url}/r/team/sweep")
        expect(page.get_by_role("status", name="live")).to_be_visible()
    assert len(streams) == 1
    first.close()
    expect(second.get_by_role("status", name="live")).to_be_visible()
    context.wait_for_event("request", lambda request: "/v1/live" in request.url) if len(streams) == 1 else None
    assert len(streams) == 2
    context.close()


def test_a_view_is_saved_and_opened_by_name(visit: Any) -> None:
    page = visit("/r/team/sweep?smooth=0.5&log=y")
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Command palette")).to_be_visible()
    page.keyboard.type("save smooth curves")
    with page.expect_response("**/v1/command"):
        page.keyboard.press("Enter")
    page.goto(page.url.partition("?")[0])
    expect(page.get_by_role("slider", name="Smoothing")).to_have_value("0")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Command palette")).to_be_visible()
    page.keyboard.type("smooth curves")
    expect(page.get_by_role("option").filter(has_text="saved view")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("slider", name="Smoothing")).to_have_value("0.5")


def _with_dialogs_held(visit: Any) -> tuple[Page, list[Any]]:
    """Open the sweep; the code of its dialogs, which an idle page asks for, does not come until it is let go on."""
    page = visit("/")
    held: list[Any] = []
    code = re.compile(r"/assets/(Palette|HelpDialog)-.*\.js")
    page.route(code, lambda route: held.append(route))  # noqa: PLW0108 – playwright marks what it calls
    with page.expect_request(code):
        page.goto(f"{visit.url}/r/team/sweep")
    return page, held


@pytest.mark.parametrize("late", [True, False])
def test_keys_typed_before_a_dialog_is_there_are_the_dialogs(visit: Any, late: bool) -> None:
    """The palette's code comes when it is released, or as fast as it does; in neither case does a key act on the page."""
    page, held = _with_dialogs_held(visit) if late else (visit("/r/team/sweep"), [])
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached()
    address = page.url
    page.keyboard.press("Control+k")
    page.keyboard.type("total complx")  # t, o, l, p and x are keys of the page
    page.keyboard.press("Backspace")
    for route in held:
        route.continue_()
    field = page.get_by_role("dialog", name="Command palette").get_by_role("combobox")
    expect(field).to_have_value("total compl")
    expect(field).to_be_focused()
    assert page.url == address
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("compare")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("tab=compare"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_is_typed_after_the_key_of_the_help_is_kept_from_the_page(visit: Any) -> None:
    page, held = _with_dialogs_held(visit)
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached()
    address = page.url
    page.keyboard.press("?")
    page.keyboard.type("l2")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    for route in held:
        route.continue_()
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    assert page.url == address
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("log=y"))


@pytest.mark.parametrize("tab", ["charts", "files"])
def test_where_nothing_is_the_page_says_so_and_how_to_log_there(visit: Any, tab: str) -> None:
    page = visit(f"/r/nope/none?tab={tab}")
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_role("heading", name="Nothing is at nope/none")).to_be_visible()
    port = visit.url.rsplit(":", 1)[1].strip("/")
    for part in ("no run has this name", "ml_logger", ".log(", f":{port}", 'prefix="nope/none/first-run"'):
        expect(panel).to_contain_text(part)
    panel.get_by_role("link", name="To all runs").click()
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached()


def test_a_pinned_run_that_is_not_there_is_told_and_let_go(visit: Any) -> None:
    page = visit("/r/team/sweep?run=team%2Fsweep%2Fnope&test")
    told = page.get_by_role("alert").filter(has_text="The pinned run team/sweep/nope is not there")
    expect(told).to_be_visible()
    expect(page.get_by_role("columnheader", name="differs from pinned")).to_have_count(0)
    for tab, shows in (("Files", "run-05"), ("Logs", "Run:"), ("Report", "Write a report")):
        page.get_by_role("tab", name=tab).click()  # none of them asks for it
        expect(page.get_by_role("tabpanel", name=tab)).to_contain_text(shows)
    told.get_by_role("button", name="Unpin").click()
    expect(told).to_have_count(0)
    expect(page).not_to_have_url(re.compile("run="))


def test_an_opened_run_that_is_not_there_is_told_in_its_drawer(visit: Any) -> None:
    page = visit("/r/team/sweep?open=team%2Fsweep%2Fnope")
    expect(page.get_by_role("complementary").get_by_role("alert")).to_contain_text("team/sweep/nope is not there")
    expect(page.get_by_role("checkbox", name="Show run-05")).to_be_attached()


def test_a_pinned_run_that_is_taken_away_is_told(sweep: Any, visit: Any) -> None:
    source, doomed = sweep.data_dir / "team" / "sweep" / "run-00", sweep.data_dir / "doomed" / "pinned"
    shutil.copytree(source, doomed)
    visit.expected = ("404",)  # of a question that was on its way
    page = visit("/r/team/sweep?run=doomed%2Fpinned")  # it is not in the table
    expect(page.get_by_role("columnheader", name="differs from pinned")).to_be_attached(timeout=20_000)
    expect(page.get_by_role("status", name="live")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0, timeout=20_000)
    shutil.rmtree(doomed)
    expect(page.get_by_role("alert")).to_contain_text("The pinned run doomed/pinned is not there", timeout=20_000)
