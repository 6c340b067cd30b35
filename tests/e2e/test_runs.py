"""The run table and the search: what is listed, sorted, found, shown and changed. Each journey is a person's."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def rows(page: Page) -> Any:
    return page.get_by_role("grid", name="Runs").get_by_role("row").filter(has=page.get_by_role("checkbox"))


def names(page: Page) -> list[str]:
    return [row.get_by_role("gridcell").first.inner_text() for row in rows(page).all()]


def cells(page: Page, column: str) -> list[str]:
    """Return the texts of one column, top to bottom."""
    headers = page.get_by_role("columnheader").all()
    index = [header.get_attribute("aria-label") for header in headers].index(column)
    return [row.get_by_role("gridcell").nth(index).inner_text() for row in rows(page).all()]


def test_all_runs_with_parameters_and_metrics_without_configuration(visit: Any) -> None:
    page = visit("/r/team/sweep")
    expect(rows(page)).to_have_count(12)
    grid = page.get_by_role("grid", name="Runs")
    assert grid.get_attribute("aria-rowcount") == "12"
    for column in ("Args.lr", "Args.seed", "Args.model.hidden", "train/loss", "eval/acc", "rare"):
        expect(grid.get_by_role("columnheader", name=column, exact=True)).to_be_attached()
    row = rows(page).filter(has_text="run-05")
    assert row.get_by_role("gridcell").first.inner_text() == "run-05"
    expect(row.get_by_role("checkbox", name="Show run-05")).to_be_checked()


def test_a_click_on_a_header_sorts_and_the_address_keeps_it(visit: Any) -> None:
    page = visit("/r/team/sweep")
    header = page.get_by_role("columnheader", name="train/loss", exact=True)
    header.click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(rows(page).first).to_contain_text("run-00")
    header.click()
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(rows(page).first).to_contain_text("run-11")
    values = [float(text) for text in cells(page, "train/loss")]
    assert values == sorted(values, reverse=True)
    expect(page).to_have_url(re.compile(r"q=sort%3A-train%2Floss"))
    page.reload()
    expect(rows(page).first).to_contain_text("run-11")
    expect(page.get_by_role("searchbox", name="Search runs")).to_have_value("sort:-train/loss")


def test_search_is_tried_on_every_key_and_keeps_the_last_good_result(visit: Any) -> None:
    visit.expected = ("400",)
    page = visit("/r/team/sweep")
    search = page.get_by_role("searchbox", name="Search runs")
    search.fill("lr < 1e-3 and seed = 0")
    expect(rows(page)).to_have_count(2)
    assert set(names(page)) == {"run-00", "run-01"}
    search.fill("lr < 1e-3 and seed = 0 and (")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile(r"at character \d+"))
    expect(search).to_have_attribute("aria-invalid", "true")
    expect(rows(page)).to_have_count(2)
    search.fill("lr < 1e-3")
    expect(rows(page)).to_have_count(6)
    expect(alert).to_have_count(0)
    expect(search).not_to_have_attribute("aria-invalid", "true")


def test_no_match_offers_the_nearest_looser_query(visit: Any) -> None:
    page = visit("/r/team/sweep")
    page.get_by_role("searchbox", name="Search runs").fill("lr < 1e-3 and seed > 100")
    expect(rows(page)).to_have_count(0)
    button = page.get_by_label("Runs and folders").get_by_role("button").filter(has_text=re.compile("lr|seed"))
    text = button.inner_text()
    button.click()
    expect(page.get_by_role("searchbox", name="Search runs")).to_have_value(text)
    expect(rows(page).first).to_be_visible()


def test_an_order_by_a_name_that_no_run_has_is_told_and_put_right(visit: Any) -> None:
    page = visit("/r/team/sweep?q=sort%3A-train%2Flos+seed+%3E+0")
    note = page.get_by_role("note").filter(has_text="no run here has “train/los”; the nearest name is “train/loss”")
    expect(note).to_be_visible()
    note.get_by_role("button", name="sort:-train/loss seed > 0").click()
    expect(note).to_be_hidden()
    expect(page.get_by_role("columnheader", name="train/loss", exact=True)).to_have_attribute("aria-sort", "descending")
    search = page.get_by_role("searchbox", name="Search runs")
    expect(search).to_have_value("sort:-train/loss seed > 0")
    search.fill("zzzz > 1")
    expect(page.get_by_role("note").filter(has_text="no run here has “zzzz”")).to_be_visible()


def test_completion_knows_names_and_is_taken_by_keys(visit: Any) -> None:
    visit.expected = ("400",)
    page = visit("/r/team/sweep")
    search = page.get_by_role("searchbox", name="Search runs")
    search.press_sequentially("train/l")
    expect(page.get_by_role("option").filter(has_text="train/loss").first).to_be_visible()
    search.press("ArrowDown")
    search.press("Enter")
    expect(search).to_have_value(re.compile("train/loss"))


def test_hiding_a_run_is_in_the_address(visit: Any) -> None:
    page = visit("/r/team/sweep")
    page.get_by_role("checkbox", name="Show run-03").uncheck()
    expect(page.get_by_text("11 of 12 runs shown")).to_be_visible()
    page.wait_for_url(re.compile("show="))
    page.reload()
    expect(page.get_by_role("checkbox", name="Show run-03")).not_to_be_checked()


def test_a_pinned_run_shows_what_differs(visit: Any) -> None:
    page = visit("/r/team/sweep?run=team%2Fsweep%2Frun-00&q=sort%3Aname")
    expect(page.get_by_role("columnheader", name="differs from pinned")).to_be_visible()
    expect(rows(page).filter(has_text="run-04")).to_contain_text("seed 0 → 1")
    expect(rows(page).first).not_to_contain_text("→")


def test_keys_move_hide_and_open_the_drawer(visit: Any) -> None:
    page = visit("/r/team/sweep?q=sort%3Aname")
    expect(rows(page)).to_have_count(12)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("checkbox", name="Show run-01")).not_to_be_checked()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("run-01")
    expect(drawer).to_contain_text("sgd")
    drawer.get_by_label("Filter parameters").fill("hidden")
    expect(drawer).to_contain_text("128")
    expect(drawer.get_by_text("optimizer")).to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("Enter")
    expect(drawer).to_be_visible()
    page.keyboard.press("Enter")  # once more: into the drawer, past all charts
    expect(drawer.get_by_role("heading", name="run-01")).to_be_focused()
    page.keyboard.press("Tab")
    expect(drawer.get_by_role("button", name="Close the drawer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page.get_by_role("grid", name="Runs")).to_be_focused()


def test_selected_runs_are_tagged_trashed_and_restored(visit: Any) -> None:
    page = visit("/r/team/sweep?q=sort%3Aname")
    rows(page).filter(has_text="run-10").click(modifiers=["Control"])
    rows(page).filter(has_text="run-11").click(modifiers=["Shift"])
    bar = page.get_by_role("group", name="Selected runs")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Tag").click()
    page.get_by_role("textbox", name="Tags").fill("good")
    page.get_by_role("textbox", name="Tags").press("Enter")
    page.get_by_role("searchbox", name="Search runs").fill("tag:good sort:name")
    expect(rows(page)).to_have_count(2)
    bar.get_by_role("button", name="Trash").click()
    page.get_by_role("searchbox", name="Search runs").fill("sort:name")
    expect(rows(page)).to_have_count(10)
    page.get_by_role("button", name="Trash").click()
    expect(rows(page)).to_have_count(2)
    rows(page).first.click(modifiers=["Control"])
    rows(page).last.click(modifiers=["Control"])
    bar.get_by_role("button", name="Restore").click()
    page.get_by_role("button", name="Back from the trash").click()
    expect(rows(page)).to_have_count(12)


def test_rows_fold_into_groups_with_their_mean(visit: Any) -> None:
    page = visit("/r/team/sweep")
    page.get_by_role("button", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    dialog.get_by_role("listitem").filter(has_text="Args.lr").get_by_role("button", name="group rows").click()
    dialog.get_by_role("button", name="Done").click()
    groups = page.get_by_role("grid").get_by_role("button", expanded=False)
    expect(groups).to_have_count(4)
    groups.filter(has_text="lr: 1e-4").click()
    expect(rows(page)).to_have_count(3)
    assert set(names(page)) == {"run-00", "run-04", "run-08"}


def test_columns_are_chosen_and_kept_in_the_address(visit: Any) -> None:
    page = visit("/r/team/sweep")
    page.get_by_role("button", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    dialog.get_by_role("checkbox", name="Args.seed").uncheck()
    dialog.get_by_role("checkbox", name="train/loss min").check()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.wait_for_url(re.compile("cols=.*min"))
    page.reload()
    expect(page.get_by_role("columnheader", name="train/loss min", exact=True)).to_be_attached()
    expect(page.get_by_role("columnheader", name="Args.seed", exact=True)).to_have_count(0)


def test_a_run_has_a_page_of_its_own(visit: Any) -> None:
    page = visit("/r/team/sweep/run-07")
    expect(rows(page)).to_have_count(1)
    details = page.get_by_label("Run details")
    expect(details).to_contain_text("Args")
    details.get_by_role("button", name="Write notes").click()
    details.get_by_label("Notes").fill("**bold** <script>window.bad = 1</script> and $x^2$")
    details.get_by_role("button", name="Save notes").click()
    expect(details.locator("strong")).to_have_text("bold")
    expect(details.locator("math")).to_be_attached()
    assert page.evaluate("window.bad") is None


def test_folders_open_in_place(visit: Any) -> None:
    page = visit("/")
    page.get_by_role("button", name="Folders").click()
    folders = page.get_by_role("navigation", name="Folders")
    folders.get_by_role("button", name="Unfold team").click()
    folders.get_by_role("link", name="sweep").click()
    expect(page).to_have_url(re.compile(r"/r/team/sweep\?folders=1$"))
    expect(folders.get_by_role("link", name="run-05")).to_have_count(0)
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?folders=1$"))
    expect(page.get_by_role("navigation", name="Folder", exact=True)).to_have_text("")


JOB = """
import os, subprocess, sys
from pathlib import Path
from ml_logger import ML_Logger
repository = Path(sys.argv[2])
git = lambda *words: subprocess.run(["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@y", *words], check=True)
git("init", "-q", "-b", "trunk")
(repository / "train.py").write_text("lr = 1\\n")
git("add", "."), git("commit", "-q", "-m", "first")
(repository / "train.py").write_text("lr = 2\\n")
os.chdir(repository)
run = ML_Logger(root=sys.argv[1], prefix="jobs/one", silent=True)
run.log_params(Args={"lr": 2, "model": {"hidden": 64}})
run.job_created(revision=run.rev_info())
run.job_started()
run.diff()
run.log(step=0, loss=1.0, **{"system/cpu": 50.0})
run.log(step=1, loss=0.5, **{"system/cpu": 75.0})
run.flush()
print("ready", flush=True)
sys.stdin.read()
print(run.ping())
run.flush()
"""


def test_a_run_page_tells_where_a_job_comes_from_what_it_takes_and_sends_it_signals(sweep: Any, visit: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-c", JOB, str(sweep.data_dir), str(tmp_path)]
    with subprocess.Popen(command, env=sweep.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout
        assert any(line == "ready\n" for line in iter(job.stdout.readline, ""))
        page = visit("/r/jobs?open=jobs%2Fone")
        drawer = page.get_by_role("complementary")
        expect(drawer.get_by_text("running")).to_be_visible(timeout=20_000)
        git = drawer.get_by_role("group").filter(has_text="index.diff").first
        expect(git).to_contain_text("trunk")
        expect(git.locator("[data-kind=deletion]")).to_have_text("-lr = 1")
        expect(git.locator("[data-kind=addition]")).to_have_text("+lr = 2")
        expect(drawer.get_by_role("row").filter(has_text="cpu")).to_contain_text("75")
        drawer.get_by_text("Life · ").click()
        expect(drawer.get_by_role("listitem").filter(has_text=re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\dstarted"))).to_be_visible()
        drawer.get_by_role("textbox", name="Set a value").fill("lr = 0.5")
        page.keyboard.press("Enter")
        sent = drawer.get_by_role("listitem").filter(has_text='{"lr":0.5}')
        expect(sent).to_contain_text("not seen yet")
        expect(sent).to_contain_text(f"by {pwd.getpwuid(os.getuid()).pw_name}")
        drawer.get_by_text("Writers · 1").click()
        expect(drawer.get_by_role("listitem").filter(has_text="rank 0 · attempt 0")).to_be_visible()
        out, _ = job.communicate("", timeout=20)
        assert "[{'lr': 0.5}]" in out
        expect(drawer.get_by_role("listitem").filter(has_text='{"lr":0.5}')).to_contain_text("· seen", timeout=10_000)
        drawer.get_by_role("button", name="Show their charts").click()
        expect(page.get_by_role("figure", name="system/cpu")).to_be_visible()
        expect(page.get_by_role("figure", name="loss", exact=True)).to_have_count(0)
