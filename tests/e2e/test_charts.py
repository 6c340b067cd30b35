"""Charts: one per metric without configuration; what is drawn is what was logged, zoomed, smoothed, grouped, alive."""

from __future__ import annotations

import csv
import io
import math
import re
import statistics
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.charts import asked_series, drag, drawn, figure, model, plot_box

pytestmark = pytest.mark.browser
SWEEP = "/r/team/sweep?test"


def by_key(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {run["key"]: run for run in found["runs"]}


def test_a_chart_for_each_metric_draws_exactly_what_was_logged(visit: Any) -> None:
    page = visit(SWEEP)
    found = drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)
    assert found["exact"] is True
    assert (found["logged"], found["stored"], found["shown"]) == (600, 600, 600)
    run = by_key(found)["team/sweep/run-04"]
    assert run["x"] == list(range(50))
    assert run["mean"] == [5 / (1 + step) for step in range(50)]
    assert run["min"] == run["max"] == run["mean"]
    assert found["xRange"] == [0, 49]
    assert {f.get_attribute("aria-label") for f in page.get_by_role("figure").all()} >= {"train/loss", "eval/acc", "rare"}
    expect(figure(page, "train/loss")).to_contain_text("12 runs")
    expect(figure(page, "rare")).to_contain_text("4 of 12")
    expect(figure(page, "train/loss")).to_have_accessible_description(re.compile(r"n=600 min=0\.02 max=12 last="))


def test_hidden_runs_leave_the_charts(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)
    page.get_by_role("checkbox", name="Show run-03").click()
    found = drawn(page, "eval/acc", lambda m: len(m["runs"]) == 11)
    assert "team/sweep/run-03" not in by_key(found)


def test_drag_zooms_all_charts_in_x_and_z_undoes_it(visit: Any) -> None:
    page = visit(SWEEP)
    before = drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)["xRange"]
    box = plot_box(page, "train/loss")
    middle = box["y"] + box["height"] / 2
    drag(page, (box["x"] + box["width"] * 0.2, middle), (box["x"] + box["width"] * 0.6, middle))
    low, high = drawn(page, "eval/acc", lambda m: m["xRange"] != before and m["shown"] < 600)["xRange"]
    assert low == pytest.approx(0.2 * 49, abs=0.5)
    assert high == pytest.approx(0.6 * 49, abs=0.5)
    zoomed = drawn(page, "train/loss", lambda m: m["shown"] < 600)
    assert zoomed["xRange"] == [low, high]
    assert all(low <= x <= high for x in zoomed["runs"][0]["x"])
    page.keyboard.press("z")
    assert drawn(page, "train/loss", lambda m: m["shown"] == 600)["xRange"] == before


def test_shift_drag_zooms_one_chart_in_y_and_a_double_click_resets(visit: Any) -> None:
    page = visit(SWEEP)
    before = drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)["yRange"]
    other = drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)["yRange"]
    box = plot_box(page, "train/loss")
    x = box["x"] + box["width"] / 2
    drag(page, (x, box["y"] + box["height"] * 0.25), (x + 2, box["y"] + box["height"] * 0.75), "Shift")
    low, high = drawn(page, "train/loss", lambda m: m["yRange"] != before)["yRange"]
    assert high - low == pytest.approx((before[1] - before[0]) / 2, rel=0.1)
    assert drawn(page, "eval/acc")["yRange"] == other
    page.mouse.dblclick(x, box["y"] + box["height"] / 2)
    drawn(page, "train/loss", lambda m: m["yRange"] == before)


def test_smoothing_log_axis_and_relative_time(visit: Any) -> None:
    page = visit(SWEEP)
    raw = by_key(drawn(page, "train/loss", lambda m: len(m["runs"]) == 12))["team/sweep/run-00"]["mean"]
    page.get_by_role("slider", name="Smoothing").fill("0.9")
    smooth = by_key(drawn(page, "train/loss", lambda m: by_key(m)["team/sweep/run-00"]["mean"] != raw))["team/sweep/run-00"]
    value, weight = 0.0, 0.0
    for at, one in enumerate(raw):
        value, weight = 0.9 * value + 0.1 * one, 0.9 * weight + 0.1
        assert smooth["mean"][at] == pytest.approx(value / weight, rel=1e-9)
    assert smooth["min"] == raw  # the band stays that of the logged values
    page.keyboard.press("l")
    assert drawn(page, "train/loss", lambda m: m["yRange"][0] > 0 and m["yRange"][0] > 0.001)["yRange"][0] > 0
    expect(page).to_have_url(re.compile("smooth=0.9.*log=y"))
    page.get_by_role("combobox", name="X axis").select_option("relative")
    drawn(page, "train/loss", lambda m: m["runs"] and 0 <= m["xRange"][0] < 0.5 and m["xRange"][1] < 49)


def test_groups_are_mean_and_std_over_all_runs(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)
    page.keyboard.press("g")
    expect(page.get_by_role("combobox", name="Group by")).to_be_focused()
    page.get_by_role("combobox", name="Group by").select_option("Args.lr")
    page.get_by_role("checkbox", name="Show run-04").click()  # hidden runs still belong to their group
    found = drawn(page, "eval/acc", lambda m: len(m["runs"]) == 4)
    group = next(run for run in found["runs"] if "0.0001" in run["key"])
    at = group["x"].index(10)
    values = [1 - 1 / (2 + 10 * (i + 1)) for i in (0, 4, 8)]
    assert group["mean"][at] == pytest.approx(statistics.mean(values))
    spread = group["max"][at] - group["mean"][at]
    assert spread == pytest.approx(group["mean"][at] - group["min"][at])
    assert any(spread == pytest.approx(std(values)) for std in (statistics.pstdev, statistics.stdev))
    expect(figure(page, "eval/acc")).to_contain_text("4 groups · 12 runs")
    expect(figure(page, "rare")).to_contain_text("4 groups · 4 of 12 runs")


def test_grouping_names_parameters_as_the_table_does(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)
    group = page.get_by_role("combobox", name="Group by")
    expect(group.locator("option")).to_contain_text(["none", "all but seed", "lr", "hidden", "optimizer", "seed"])
    for said in ("lr", "Args.lr"):  # by its label and by its value
        group.select_option(said)
        expect(group).to_have_value("Args.lr")
        drawn(page, "eval/acc", lambda m: len(m["runs"]) == 4)
        group.select_option("none")
        drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)


def test_when_all_runs_are_hidden_the_charts_say_how_they_are_shown(visit: Any) -> None:
    page = visit("/r/team/sweep/run-03?test")
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 1)
    page.get_by_role("checkbox", name="Show run-03").click()
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("The run is hidden. A click on the dot beside a run's name shows it")
    expect(panel).not_to_contain_text("Nothing to draw")
    panel.get_by_role("button", name="Show the run").click()
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 1)


def test_the_tooltip_lists_the_nearest_eight_sorted_and_a_click_pins_it(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)
    box = plot_box(page, "train/loss")
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.5)
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("step")
    values = [float(text) for text in tip.locator("b").all_inner_texts()]
    assert len(values) == 8
    assert values == sorted(values, reverse=True)
    page.mouse.click(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.5)
    page.mouse.move(5, 5)
    expect(tip).to_be_visible()
    page.get_by_role("button", name="Unpin the tooltip").click()
    expect(tip).to_have_count(0)


def test_the_keyboard_moves_the_cursor(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)
    figure(page, "train/loss").get_by_role("img").focus()
    page.keyboard.press("ArrowRight")
    first = page.get_by_role("tooltip").inner_text()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("tooltip")).not_to_have_text(first)


def test_a_chart_as_a_table_and_as_csv(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "rare", lambda m: len(m["runs"]) == 4)
    figure(page, "rare").get_by_role("button", name="View as table").click()
    table = page.get_by_role("table", name="rare")
    expect(table.get_by_role("columnheader")).to_have_count(5)
    assert sorted(table.get_by_role("cell").all_inner_texts(), key=float) == ["0", "3", "6", "9"]
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert rows[0] == ["series", "step", "mean", "min", "max", "count"]
    assert {row[0]: float(row[2]) for row in rows[1:]} == {f"run-{i:02}": float(i) for i in (0, 3, 6, 9)}


def test_filter_and_pin_charts(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "train/loss")
    page.get_by_role("searchbox", name="Filter charts").fill("^eval/")
    expect(page.get_by_role("figure")).to_have_count(1)
    page.get_by_role("searchbox", name="Filter charts").fill("(")
    expect(page.get_by_role("searchbox", name="Filter charts")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("searchbox", name="Filter charts").fill("")
    figure(page, "rare").get_by_role("button", name="Pin chart").click()
    expect(page.get_by_role("heading", name="pinned 1 chart")).to_be_visible()
    assert page.get_by_role("figure").first.get_attribute("aria-label") == "rare"


BIG = """
import sys
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="big/run", silent=True)
for step in range(3000):
    run.log(step=step, wave=float(step % 7), odd=float("nan") if step % 100 == 0 else float("inf") if step == 50 else step, silent=True)
run.log(step=3000, alone=7.0, silent=True)
run.flush()
"""


def test_buckets_keep_the_extremes_and_zoom_brings_exact_points(sweep: Any, visit: Any) -> None:
    subprocess.run([sys.executable, "-c", BIG, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    page = visit("/r/big?test")
    found = drawn(page, "wave", lambda m: m["runs"] and m["logged"] == 3000, timeout=30)
    assert found["exact"] is False
    assert found["shown"] == 3000
    run = found["runs"][0]
    assert len(run["x"]) < 700
    assert (min(run["min"]), max(run["max"])) == (0, 6)
    assert found["xRange"] == [0, 2999]
    odd = drawn(page, "odd")
    assert max(value for value in odd["runs"][0]["max"] if value is not None) == 2999
    assert all(value is None or math.isfinite(value) for value in odd["runs"][0]["mean"])
    alone = drawn(page, "alone")
    assert (alone["runs"][0]["x"], alone["runs"][0]["mean"]) == ([3000], [7.0])
    assert alone["yRange"][0] < 7 < alone["yRange"][1]
    box = plot_box(page, "wave")
    y = box["y"] + box["height"] / 2
    drag(page, (box["x"] + box["width"] * 0.50, y), (box["x"] + box["width"] * 0.53, y))
    zoomed = drawn(page, "wave", lambda m: m["exact"])
    assert zoomed["runs"][0]["mean"] == [x % 7 for x in zoomed["runs"][0]["x"]]
    assert 50 < len(zoomed["runs"][0]["x"]) < 150


LIVE = """
import sys, time
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="live/run", silent=True)
run.log(step=0, loss=1.0, silent=True); run.flush()
print("first", flush=True)
for step in range(1, 40):
    if step % 10 == 1: sys.stdin.readline()
    run.log(step=step, loss=1.0 / (1 + step), silent=True)
run.flush()
"""


def test_points_arrive_live_and_history_is_not_asked_again(sweep: Any, visit: Any) -> None:
    command = [sys.executable, "-c", LIVE, str(sweep.data_dir)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env=sweep.env, **pipes) as training:
        assert training.stdin is not None
        assert training.stdout is not None
        training.stdout.readline()
        page = visit("/r/live?test")
        drawn(page, "loss", lambda m: m["runs"], timeout=20)
        asked = asked_series(page)
        for last in (10, 20, 30):
            training.stdin.write("\n")
            training.stdin.flush()
            drawn(page, "loss", lambda m, last=last: m["runs"][0]["x"][-1] >= last, timeout=5)
        training.stdin.close()
        training.wait(20)
    found = drawn(page, "loss", lambda m: m["runs"][0]["x"][-1] == 39, timeout=10)
    assert found["runs"][0]["x"] == list(range(40))
    assert found["runs"][0]["mean"] == [1 / (1 + step) for step in range(40)]
    assert asked
    assert all(query.get("since") is not None for query in asked)


def test_nothing_is_drawn_for_a_chart_that_went_away(visit: Any) -> None:
    page = visit(SWEEP)
    drawn(page, "train/loss")
    page.get_by_role("tab", name="Files").click()
    expect(page.get_by_role("figure")).to_have_count(0)
    assert model(page, "train/loss") is None
