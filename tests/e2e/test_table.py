"""The run table in depth: what it asks for, columns that are sized and moved, groups in groups, selections beyond what is in sight."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

MANY = """
import sys
from ml_logger import ML_Logger
for i in range(450):
    run = ML_Logger(root=sys.argv[1], prefix=f"many/run-{i:04}")
    run.log_params(**{f"p{j:03}": i * j for j in range(60)}, kind="ab"[i % 2], seed=i % 3, silent=True)
    run.log(step=0, loss=1 / (1 + i), silent=True)
    run.close()
"""
SEND = """order => fetch('/v1/command', {
  method: 'POST', headers: {'X-MLL': '1', 'Content-Type': 'application/json'}, body: JSON.stringify(order)
})"""


@pytest.fixture(scope="module")
def many(sweep: Any) -> Any:
    """The sweep's server with 450 runs of 62 parameters in many."""
    subprocess.run([sys.executable, "-c", MANY, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    return sweep


def rows(page: Page) -> Any:
    return page.get_by_role("grid", name="Runs").get_by_role("row").filter(has=page.get_by_role("checkbox"))


def header(page: Page, name: str) -> Any:
    return page.get_by_role("columnheader", name=name, exact=True)


def titles(page: Page) -> list[str]:
    return [one.get_attribute("aria-label") or "" for one in page.get_by_role("columnheader").all()][1:]


def open_many(many: Any, visit: Any, more: str = "", of: int = 450) -> Page:
    del many
    page: Page = visit(f"/r/many?q=sort%3Aname{more}")
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", str(of), timeout=30_000)
    return page


def test_rows_carry_the_columns_in_sight_and_no_others(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    asked: list[list[str]] = []
    page.on("request", lambda request: _note(request, asked))
    page.reload()
    expect(rows(page).first).to_contain_text("run-0000")
    grid = page.get_by_role("grid", name="Runs")
    expect(header(page, "p001")).to_be_visible()
    expect(rows(page).nth(3).get_by_role("gridcell").nth(1)).to_have_text("b")
    assert asked
    assert max(map(len, asked)) <= 36
    grid.evaluate("grid => grid.scrollTo(3000, 0)")
    expect(header(page, "p052")).to_be_attached()
    at = titles(page).index("p052") + 1
    expect(rows(page).nth(3).get_by_role("gridcell").nth(at)).to_have_text("156")
    assert max(map(len, asked)) <= 36


def _note(request: Any, asked: list[list[str]]) -> None:
    if "/v1/query" in request.url and (query := json.loads(request.post_data))["type"] == "search_runs" and query.get("columns"):
        asked.append(query["columns"])


def test_columns_are_sized_by_their_edge_and_by_keys(visit: Any) -> None:
    page = visit("/r/team/sweep")
    head = header(page, "Args.lr")
    before = head.bounding_box()["width"]
    edge = head.locator("span").last.bounding_box()
    page.mouse.move(edge["x"] + 4, edge["y"] + 8)
    page.mouse.down()
    page.mouse.move(edge["x"] + 64, edge["y"] + 8, steps=4)
    page.mouse.up()
    assert head.bounding_box()["width"] == pytest.approx(before + 60, abs=2)
    expect(page).to_have_url(re.compile("cols=.*widths"))
    assert head.get_attribute("aria-sort") == "none", "sizing is no click"
    page.reload()
    expect(head).to_be_visible()
    assert head.bounding_box()["width"] == pytest.approx(before + 60, abs=2)
    head.locator("span").last.dblclick()
    expect(head).to_have_css("width", f"{before:g}px")
    page.get_by_role("columnheader").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    wider = page.locator(":focus")
    expect(page).to_have_url(re.compile("cols=.*widths"))
    assert wider.get_attribute("role") == "columnheader"


def test_columns_are_moved_by_dragging_and_by_keys(visit: Any) -> None:
    page = visit("/r/team/sweep")
    expect(header(page, "train/loss")).to_be_visible()
    first = titles(page)
    header(page, first[2]).drag_to(header(page, first[0]))
    expect(page.get_by_role("columnheader").nth(1)).to_have_accessible_name(first[2])
    assert titles(page)[:3] == [first[2], first[0], first[1]]
    header(page, first[2]).drag_to(header(page, first[1]))
    expect(page.get_by_role("columnheader").nth(1)).to_have_accessible_name(first[0])
    assert titles(page)[:3] == first[:3], "dropped on one at its right, it stands there"
    header(page, first[0]).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("columnheader").nth(1)).to_have_accessible_name(first[1])
    expect(header(page, first[0])).to_be_focused()
    assert titles(page)[:2] == [first[1], first[0]]
    read = "() => JSON.parse(new URLSearchParams(location.search).get('cols')).order[0]"
    page.wait_for_function(f"id => ({read})() === id", arg=f"p:{first[1]}")
    page.reload()
    expect(page.get_by_role("columnheader").nth(1)).to_have_accessible_name(first[1])
    assert titles(page)[:2] == [first[1], first[0]]
    header(page, first[0]).focus()
    page.keyboard.press("Enter")
    expect(header(page, first[0])).to_have_attribute("aria-sort", "ascending")


def test_groups_stand_in_groups_with_mean_and_spread(visit: Any) -> None:
    page = visit("/r/team/sweep?rows=Args.lr,Args.optimizer")
    groups = page.get_by_role("grid").get_by_role("button")
    expect(groups).to_have_count(4)
    expect(header(page, "train/loss")).to_be_visible()
    at = titles(page).index("train/loss") + 1
    group = page.get_by_role("row").filter(has_text="lr: 1e-4")
    last = [(i + 1) / 50 for i in (0, 4, 8)]
    mean = sum(last) / 3
    spread = (sum((value - mean) ** 2 for value in last) / 3) ** 0.5
    expect(group.get_by_role("gridcell").nth(at)).to_have_text(f"{mean:.4f} ±{spread:.3g}")
    groups.filter(has_text="lr: 1e-4").click()
    expect(groups).to_have_count(5)
    groups.filter(has_text="optimizer: adam").click()
    expect(rows(page)).to_have_count(3)
    page.wait_for_function("() => JSON.parse(new URLSearchParams(location.search).get('unfold') ?? '[]').length === 2")
    page.reload()
    expect(rows(page)).to_have_count(3)
    grid = page.get_by_role("grid", name="Runs")
    expect(grid).to_have_attribute("aria-rowcount", "8")
    grid.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(grid).to_have_attribute("aria-rowcount", "4")


def test_a_group_of_hundreds_unfolds_whole(many: Any, visit: Any) -> None:
    page = open_many(many, visit, "&rows=kind", of=2)
    page.get_by_role("grid").get_by_role("button").filter(has_text="kind: a").click()
    grid = page.get_by_role("grid", name="Runs")
    expect(grid).to_have_attribute("aria-rowcount", "227")
    grid.evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(rows(page).filter(has_text="run-0448")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="kind: b")).to_be_visible()


def test_a_span_begins_at_the_row_that_was_clicked(visit: Any) -> None:
    page = visit("/r/team/sweep?q=sort%3Aname")
    rows(page).filter(has_text="run-02").click()
    expect(page.get_by_role("complementary")).to_be_visible()
    rows(page).filter(has_text="run-05").click(modifiers=["Shift"])
    expect(page.get_by_role("group", name="Selected runs")).to_contain_text("4 selected")
    assert page.evaluate("getSelection().toString()") == ""


def test_a_span_out_of_sight_is_selected_archived_and_brought_back(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    grid = page.get_by_role("grid", name="Runs")
    rows(page).filter(has_text="run-0002").click(modifiers=["Control"])
    grid.evaluate("grid => grid.scrollTo(0, 28 * 300)")
    expect(rows(page).filter(has_text="run-0305")).to_be_visible()
    bar = page.get_by_role("group", name="Selected runs")
    rows(page).filter(has_text="run-0305").click(modifiers=["Shift"])
    expect(bar).to_contain_text("304 selected")
    bar.get_by_role("button", name="Archive").click()
    expect(grid).to_have_attribute("aria-rowcount", "146")
    page.get_by_role("searchbox", name="Search runs").fill("archived = true sort:name")
    expect(grid).to_have_attribute("aria-rowcount", "304")
    grid.focus()
    page.keyboard.press("Control+a")
    expect(bar).to_contain_text("304 selected")
    bar.get_by_role("button", name="Unarchive").click()
    expect(grid).to_have_attribute("aria-rowcount", "0")
    page.get_by_role("searchbox", name="Search runs").fill("sort:name")
    expect(grid).to_have_attribute("aria-rowcount", "450")


def test_names_stay_at_the_left_edge_and_are_no_layers_while_nothing_is_scrolled(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    grid = page.get_by_role("grid", name="Runs")
    name = rows(page).nth(3).get_by_role("gridcell").first
    at = grid.bounding_box()
    assert at is not None
    position = "cell => getComputedStyle(cell).position"
    assert name.evaluate(position) == "relative"
    grid.hover()
    page.mouse.wheel(240, 0)
    expect(grid).to_have_attribute("data-aside", "true")
    page.wait_for_function("() => document.querySelector('#runs').scrollLeft > 100")
    assert name.evaluate(position) == "sticky"
    assert name.bounding_box()["x"] == pytest.approx(at["x"], abs=1)
    page.mouse.wheel(-2000, 0)
    expect(grid).to_have_attribute("data-aside", "false")


def test_a_run_in_the_trash_is_selected_by_a_click_and_the_list_begins_at_its_top(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    grid = page.get_by_role("grid", name="Runs")
    rows(page).filter(has_text="run-0002").click(modifiers=["Control"])
    grid.evaluate("grid => grid.scrollTo(0, 28 * 300)")
    expect(rows(page).filter(has_text="run-0305")).to_be_visible()
    bar = page.get_by_role("group", name="Selected runs")
    rows(page).filter(has_text="run-0305").click(modifiers=["Shift"])
    bar.get_by_role("button", name="Trash").click()
    expect(grid).to_have_attribute("aria-rowcount", "146", timeout=30_000)
    expect(bar).to_have_count(0, timeout=30_000)
    grid.evaluate("grid => grid.scrollTo(0, 28 * 100)")
    expect(rows(page).filter(has_text="run-0410")).to_be_visible()
    page.get_by_role("button", name="Trash").click()
    expect(grid).to_have_attribute("aria-rowcount", "304")
    first = grid.locator('[role="row"][aria-rowindex="1"]')
    expect(first).to_be_in_viewport()
    first.click()
    expect(bar).to_contain_text("1 selected")
    grid.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(bar).to_contain_text("2 selected")
    expect(page.get_by_role("complementary")).to_have_count(0)
    page.keyboard.press("Control+a")
    expect(bar).to_contain_text("304 selected")
    bar.get_by_role("button", name="Restore").click()
    expect(grid).to_have_attribute("aria-rowcount", "0", timeout=30_000)
    page.get_by_role("button", name="Back from the trash").click()
    expect(grid).to_have_attribute("aria-rowcount", "450")


def test_a_row_that_moves_away_while_the_button_is_down_is_clicked_all_the_same(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    grid = page.get_by_role("grid", name="Runs")
    grid.evaluate("grid => grid.scrollTo(0, 28 * 300)")
    box = rows(page).filter(has_text="run-0305").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 10)
    page.mouse.down()
    grid.evaluate("grid => grid.scrollTo(0, 28 * 250)")
    expect(rows(page).filter(has_text="run-0305")).to_have_count(0)
    page.mouse.up()
    expect(page.get_by_role("complementary")).to_contain_text("run-0305")
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)
    rows(page).filter(has_text="run-0303").dispatch_event("click")  # as an assistive technology does
    expect(page.get_by_role("complementary")).to_contain_text("run-0303")


def test_a_dot_that_moves_away_while_the_button_is_down_is_clicked_all_the_same(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    grid = page.get_by_role("grid", name="Runs")
    dot = page.get_by_role("checkbox", name="Show run-0003")
    expect(dot).to_be_checked()
    box = dot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    grid.evaluate("grid => grid.scrollTo(0, 28 * 300)")
    expect(dot).to_have_count(0)
    page.mouse.up()
    grid.evaluate("grid => grid.scrollTo(0, 0)")
    expect(dot).not_to_be_checked()
    expect(page.get_by_text("19 of 450 runs shown")).to_be_visible()
    expect(page.get_by_role("complementary")).to_have_count(0)
    dot.dispatch_event("click")  # as an assistive technology does
    expect(dot).to_be_checked()
    dot.click()
    expect(dot).not_to_be_checked()


def test_a_group_that_moves_away_while_the_button_is_down_unfolds_all_the_same(many: Any, visit: Any) -> None:
    page = open_many(many, visit, "&rows=p001", of=450)
    grid = page.get_by_role("grid", name="Runs")
    group = grid.get_by_role("button").filter(has_text=re.compile(r"^p001: 3 \("))
    expect(header(page, "p001")).to_have_count(0)  # the columns of groups are there: no row is drawn anew meanwhile
    expect(group).to_be_visible()
    box = group.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    grid.evaluate("grid => grid.scrollTo(0, 28 * 300)")
    expect(group).to_have_count(0)
    page.mouse.up()
    expect(grid).to_have_attribute("aria-rowcount", "451")
    grid.evaluate("grid => grid.scrollTo(0, 0)")
    group.dispatch_event("click")
    expect(grid).to_have_attribute("aria-rowcount", "450")


def test_what_is_not_well_is_marked_beside_the_name(sweep: Any, visit: Any) -> None:
    code = """
import sys
from ml_logger import ML_Logger
for name in ("well", "failed"):
    run = ML_Logger(root=sys.argv[1], prefix=f"states/{name}", silent=True)
    run.log(step=0, loss=1.0)
    if name == "failed":
        run.job_errored(error="RuntimeError: out of memory")
    else:
        run.job_completed()
    run.close()
"""
    subprocess.run([sys.executable, "-c", code, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    page = visit("/r/states?q=sort%3Aname")
    failed, well = rows(page).filter(has_text="failed"), rows(page).filter(has_text="well")
    expect(failed.get_by_title("errored")).to_be_visible(timeout=20_000)
    expect(well.locator("i")).to_have_count(0)
    failed.click()
    expect(page.get_by_role("complementary")).to_contain_text("RuntimeError: out of memory")


@pytest.mark.parametrize("says", ["open", "run"])
@pytest.mark.parametrize("name", ["run-0007", "run-0077", "run-0401"])
def test_an_address_puts_its_run_in_sight(many: Any, visit: Any, says: str, name: str) -> None:
    page = open_many(many, visit, f"&{says}=many%2F{name}")
    row = rows(page).filter(has_text=name)
    expect(row).to_be_in_viewport()
    expect(row).to_have_attribute("data-cursor", "true")
    page.get_by_role("searchbox", name="Search runs").fill("sort:-name")
    expect(rows(page).filter(has_text="run-0449")).to_be_in_viewport()  # another query begins at its top, and stays there
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("j")
    expect(page.locator("[data-cursor=true]")).to_be_in_viewport()


def test_a_name_and_a_value_of_any_length_are_cut_in_the_table(sweep: Any, visit: Any) -> None:
    """A name of a megabyte in the column of differences, once a row, stopped the page from painting for seconds."""
    code = """
import sys
from ml_logger import ML_Logger
for name in ("mega", "plain"):
    run = ML_Logger(root=sys.argv[1], prefix=f"wide/{name}", silent=True)
    run.log_params(**{"n" * 1_000_000: name, "note": name[0] * 5000}, silent=True)
    run.log(step=0, loss=1.0)
    run.close()
"""
    subprocess.run([sys.executable, "-c", code, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    page = visit("/r/wide?run=wide%2Fmega")
    plain = rows(page).filter(has_text="plain")
    at = plain.get_by_role("gridcell").nth(1)
    expect(at).to_have_text(re.compile(r"^n{2000}… \(\d[\d,]+ characters\)$"), timeout=20_000)
    assert len(at.get_attribute("title") or "") < 2100
    page.goto(visit.url + "/r/wide?rows=note")
    group = page.get_by_role("grid").get_by_role("button").filter(has_text="note: mmm")
    expect(group).to_contain_text("(1)")
    inside, name = group.locator("small").bounding_box(), group.locator("..").bounding_box()
    assert inside is not None
    assert name is not None
    assert inside["x"] + inside["width"] <= name["x"] + name["width"]  # how many they are is in sight


@pytest.mark.parametrize(("width", "pane"), [(1280, 380), (1600, 380), (2560, 512)])
def test_a_wide_screen_has_a_wider_table_until_it_is_sized(visit: Any, width: int, pane: int) -> None:
    page = visit("/r/team/sweep", size=(width, 900))
    divider = page.get_by_role("separator", name="Width of the run table")
    expect(divider).to_have_attribute("aria-valuenow", str(pane))
    divider.focus()
    page.keyboard.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuenow", str(pane + 16))
    page.reload()
    expect(divider).to_have_attribute("aria-valuenow", str(pane + 16))


def test_selected_runs_are_shown_alone(visit: Any) -> None:
    page = visit("/r/team/sweep?q=sort%3Aname")
    grid = page.get_by_role("grid", name="Runs")
    expect(rows(page)).to_have_count(12)
    grid.focus()
    for key in ("j", "j", " ", "j", " "):
        page.keyboard.press(key)
    bar = page.get_by_role("group", name="Selected runs")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Show only").click()
    expect(page.get_by_text("2 of 12 runs shown")).to_be_visible()
    for name, shown in (("run-00", False), ("run-01", True), ("run-02", True), ("run-11", False)):
        expect(page.get_by_role("checkbox", name=f"Show {name}")).to_be_checked(checked=shown)


def test_a_run_that_disappears_while_shown_goes_from_table_and_charts(many: Any, visit: Any) -> None:
    page = visit("/r/team/sweep?test&open=team%2Fsweep%2Frun-06")
    expect(rows(page)).to_have_count(12)
    command = {"type": "trash", "paths": ["team/sweep/run-06"]}
    other = visit("/r/many?q=name%3Arun-0001")
    other.evaluate(SEND, command)
    expect(rows(page)).to_have_count(11, timeout=10_000)
    expect(page.get_by_text("11 of 11 runs shown")).to_be_visible()
    page.wait_for_function("() => window.mlLogger.charts['train/loss']?.model().runs.length === 11")
    expect(page.get_by_role("complementary").get_by_role("alert")).to_contain_text("team/sweep/run-06 is gone")
    other.evaluate(SEND, {"type": "restore", "paths": ["team/sweep/run-06"]})
    expect(rows(page)).to_have_count(12, timeout=10_000)
    expect(page.get_by_role("complementary").get_by_role("alert")).to_have_count(0)
    del many


def test_the_palette_finds_a_run_that_is_on_no_loaded_page(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Command")).to_be_focused()
    page.keyboard.type("run-0444")
    expect(page.get_by_role("option").filter(has_text="many/run-0444")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/r/many/run-0444$"))


PLACES = """() => {
  const rows = [...document.querySelectorAll('#runs [role=row]')];
  return rows.map(row => [...row.children].map(cell => [Number(cell.ariaColIndex), cell.dataset.id ?? null]));
}"""


def test_headers_and_cells_say_which_column_they_are_while_others_are_out_of_sight(many: Any, visit: Any) -> None:
    page = open_many(many, visit)
    grid = page.get_by_role("grid", name="Runs")
    count = int(grid.get_attribute("aria-colcount") or 0)
    head, *below = page.evaluate(PLACES)
    order = dict(head)
    assert [at for at, _ in head] == list(range(1, len(head) + 1))
    assert len(head) < count
    assert below
    assert all([at for at, _ in row] == [at for at, _ in head] for row in below)
    grid.evaluate("grid => { grid.scrollLeft = grid.scrollWidth; }")
    page.wait_for_function("count => document.querySelector(`#runs [role=columnheader][aria-colindex='${count}']`)", arg=count)
    head, *below = page.evaluate(PLACES)
    numbers = [at for at, _ in head]
    assert numbers[0] == 1
    assert numbers[1:] == list(range(numbers[1], count + 1))
    assert numbers[1] > 2
    assert all([at for at, _ in row] == numbers for row in below)
    assert all(order.get(at, name) == name for at, name in head)


def test_the_first_cells_text_is_the_runs_name_where_the_folder_stands_beside_it(sweep: Any, visit: Any) -> None:
    code = "import sys; from ml_logger import ML_Logger"
    for folder in ("grid", "line"):
        code += f"; run = ML_Logger(root=sys.argv[1], prefix='twins/{folder}/seed-1'); run.log(step=0, loss=1.0, silent=True); run.close()"
    subprocess.run([sys.executable, "-c", code, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    page = visit("/r/twins")
    cells = rows(page).get_by_role("gridcell").and_(page.locator("[aria-colindex='1']"))
    expect(cells).to_have_text(["seed-1", "seed-1"])
    beside = cells.locator("span[data-folder]")
    expect(beside).to_have_count(2)
    assert {one.get_attribute("title") for one in beside.all()} == {"twins/grid/seed-1", "twins/line/seed-1"}
    shown = "span => getComputedStyle(span, '::after').content + getComputedStyle(span, '::before').content"
    assert sorted(next(word for word in ("grid", "line") if word in one.evaluate(shown)) for one in beside.all()) == ["grid", "line"]
