"""Charts seen in other ways: other axes, bands of groups, ranks; one cursor and one highlight for all; views that are kept."""

from __future__ import annotations

import math
import re
import shutil
import statistics
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.charts import drawn, figure, plot_box

pytestmark = pytest.mark.browser
SWEEP = "/r/team/sweep?test"

ODD_CLOCKS = """
import json, random, sys, time
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="order/shuffled", silent=True)
steps = list(range(60)); random.Random(3).shuffle(steps)
for step in steps:
    run.log(step=step, loss=float(step), frames=10.0 * step, silent=True)
run.flush()
real = time.time
run = ML_Logger(root=sys.argv[1], prefix="order/jumps", silent=True)
for step in range(60):
    offset = -7200 if 20 <= step < 40 else 0
    time.time = lambda: real() + offset
    run.log(step=step, loss=float(step), frames=10.0 * step, silent=True)
time.time = real
run.flush()
run = ML_Logger(root=sys.argv[1], prefix="order/one", silent=True)
run.log(step=7, loss=7.0, silent=True)
run.flush()
"""

RANK = """
import sys
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="ddp/run", silent=True)
for step in range(20):
    run.log(step=step, loss=10.0 * int(sys.argv[2]) + step, silent=True)
run.flush()
"""


def by_key(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {run["key"]: run for run in found["runs"]}


@pytest.fixture(scope="module")
def odd(sweep: Any) -> Any:
    subprocess.run([sys.executable, "-c", ODD_CLOCKS, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    return sweep


def test_steps_out_of_order_are_drawn_in_order_and_one_point_is_a_point(odd: Any, visit: Any) -> None:
    found = by_key(drawn(visit("/r/order?test"), "loss", lambda m: len(m["runs"]) == 3, timeout=30))
    for name in ("shuffled", "jumps"):
        assert found[f"order/{name}"]["x"] == list(range(60))
        assert found[f"order/{name}"]["mean"] == [float(step) for step in range(60)]
    assert (found["order/one"]["x"], found["order/one"]["mean"]) == ([7], [7.0])


@pytest.mark.parametrize("x", ["time", "relative", "frames"])
def test_a_clock_that_jumps_and_a_metric_as_x_keep_every_point(odd: Any, visit: Any, x: str) -> None:
    page: Page = visit(f"/r/order?test&x={x}")
    found = by_key(drawn(page, "loss", lambda m: len(m["runs"]) == 3, timeout=30))
    for name in ("shuffled", "jumps"):
        run = found[f"order/{name}"]
        assert run["x"] == sorted(run["x"])
        assert sorted(run["mean"]) == [float(step) for step in range(60)]
        if x == "frames":
            assert run["x"] == [10.0 * value for value in run["mean"]]
    if x == "time":
        low, high = drawn(page, "loss")["xRange"]
        assert high - low >= 7200
        expect(figure(page, "loss")).to_be_visible()


BANDS = {
    "mean.sem": lambda values: (statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values))),
    "mean.minmax": lambda values: (statistics.mean(values), None),
    "median.iqr": lambda values: (statistics.median(values), None),
}


@pytest.mark.parametrize("band", BANDS)
def test_bands_of_groups(visit: Any, band: str) -> None:
    page: Page = visit(f"{SWEEP}&group=Args.lr")
    before = drawn(page, "eval/acc", lambda m: len(m["runs"]) == 4)["runs"][0]
    page.get_by_role("combobox", name="Band").select_option(band)
    found = drawn(page, "eval/acc", lambda m: m["runs"][0]["max"] != before["max"])
    group = next(run for run in found["runs"] if "0.0001" in run["key"])
    at = group["x"].index(10)
    values = [1 - 1 / (2 + 10 * (i + 1)) for i in (0, 4, 8)]
    center, spread = BANDS[band](values)
    assert group["mean"][at] == pytest.approx(center)
    if spread is not None:
        assert group["max"][at] - group["mean"][at] == pytest.approx(spread, rel=1e-6)
    elif band == "mean.minmax":
        assert (group["min"][at], group["max"][at]) == (pytest.approx(min(values)), pytest.approx(max(values)))
    else:
        assert min(values) <= group["min"][at] <= center <= group["max"][at] <= max(values)


SEEDS = """
import sys
from ml_logger import ML_Logger
for i in range(8):
    run = ML_Logger(root=sys.argv[1], prefix=f"seeds/run-{i}", silent=True)
    run.log_params(lr=0.1 if i < 4 else 0.2, seed=i % 4, silent=True)
    for step in range(5):
        run.log(step=step, acc=float(i % 4) ** 2 + step, silent=True)
    run.flush()
"""


def test_all_but_seed_folds_the_seeds_of_otherwise_equal_runs(sweep: Any, visit: Any) -> None:
    subprocess.run([sys.executable, "-c", SEEDS, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    page: Page = visit("/r/seeds?test")
    drawn(page, "acc", lambda m: len(m["runs"]) == 8, timeout=30)
    page.get_by_role("combobox", name="Group by").select_option(label="all but seed")
    groups = drawn(page, "acc", lambda m: len(m["runs"]) == 2)["runs"]
    assert all(group["mean"] == pytest.approx([3.5 + step for step in range(5)]) for group in groups)
    expect(figure(page, "acc")).to_contain_text("2 groups · 8 runs")
    page.get_by_role("combobox", name="Band").select_option("iqm.ci95")
    groups = drawn(page, "acc", lambda m: m["runs"][0]["mean"][0] != 3.5)["runs"]
    assert groups[0]["mean"] == pytest.approx([2.5 + step for step in range(5)]), "the mean of the middle half of 0, 1, 4, 9"
    assert all(low < mean < high for low, mean, high in zip(groups[0]["min"], groups[0]["mean"], groups[0]["max"], strict=True))


def test_ranks_are_averaged_or_lines_of_their_own(sweep: Any, visit: Any) -> None:
    for rank in range(2):
        env = {**sweep.env, "RANK": str(rank), "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "job"}
        subprocess.run([sys.executable, "-c", RANK, str(sweep.data_dir), str(rank)], env=env, check=True, capture_output=True)
    page: Page = visit("/r/ddp?test")
    found = drawn(page, "loss", lambda m: m["runs"] and m["runs"][0]["max"][0] == 10, timeout=30)["runs"]
    assert len(found) == 1
    assert found[0]["mean"] == [5.0 + step for step in range(20)]
    assert (found[0]["min"][3], found[0]["max"][3]) == (3.0, 13.0)
    page.get_by_role("combobox", name="Split by").select_option("rank")
    split = drawn(page, "loss", lambda m: len(m["runs"]) == 2)["runs"]
    assert {run["key"]: run["mean"][0] for run in split} == {"ddp/run rank 0": 0.0, "ddp/run rank 1": 10.0}


def cursors(page: Page) -> list[float]:
    """Return how far from the left each chart's cursor stands, in parts of the plot; −1 where there is none."""
    return page.evaluate(
        """() => [...document.querySelectorAll("figure .u-over")].map((over) => {
          const cursor = over.querySelector(".u-cursor-x").getBoundingClientRect(), box = over.getBoundingClientRect();
          return cursor.width ? (cursor.right - box.left) / box.width : -1;
        })"""
    )


def test_one_cursor_for_all_charts(visit: Any) -> None:
    page: Page = visit(SWEEP)
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)
    drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)
    box = plot_box(page, "eval/acc")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 20)
    page.wait_for_timeout(100)
    found = cursors(page)
    same_axis = [part for part in found if part == pytest.approx(0.4, abs=0.02)]
    assert len(same_axis) >= 2, found


def veiled(page: Page) -> int:
    """Count the charts in which one line stands out."""
    return page.evaluate("() => document.querySelectorAll('figure .u-over canvas:nth-child(2):not([hidden])').length")


INK = """([nth, metric]) => {
  const painted = document.querySelectorAll(`figure[aria-label="${metric}"] .u-over canvas`)[nth];
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [painted.width, painted.height];
  const ctx = copy.getContext("2d");
  ctx.drawImage(painted, 0, 0);
  return ctx.getImageData(0, 0, copy.width, copy.height).data.filter((value, at) => at % 4 == 3 && value).length;
}"""
"""How many pixels of a chart's first or second picture are not empty."""


def test_a_row_highlights_its_line_and_a_line_its_row(visit: Any) -> None:
    page: Page = visit(SWEEP)
    drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)
    page.wait_for_function(f"argument => ({INK})(argument) > 500", arg=[0, "train/loss"])
    assert veiled(page) == 0
    grid = page.get_by_role("grid", name="Runs")
    grid.get_by_text("run-05", exact=True).hover()
    page.wait_for_function("() => document.querySelectorAll('figure .u-over canvas:nth-child(2):not([hidden])').length == 2")
    assert page.evaluate(INK, [1, "train/loss"]) > page.evaluate(INK, [0, "train/loss"]), "a veil over all, and one line"
    assert veiled(page) == 2, "in both charts that have the run, not in `rare`"
    box = plot_box(page, "train/loss")
    low, high = drawn(page, "train/loss")["yRange"]
    value = 12 / (1 + 10)  # of run-11 at step 10, apart from the others
    page.mouse.move(box["x"] + box["width"] * 10 / 49, box["y"] + box["height"] * (1 - (value - low) / (high - low)))
    expect(grid.locator('[role="row"][data-hover="true"]')).to_contain_text("run-11")
    page.mouse.move(2, 2)
    page.wait_for_timeout(150)
    assert veiled(page) == 0


def test_charts_are_painted_once_their_painter_can_be_loaded(visit: Any) -> None:
    visit.expected = ("ERR_FAILED",)
    page: Page = visit("/healthz")
    failed: list[str] = []
    painters = re.compile(r"/(paintWorker|painting)-")
    page.route(painters, lambda route: (failed.append(route.request.url), route.abort()))
    with page.expect_request(re.compile("/painting-")):
        page.goto(f"{visit.url}{SWEEP}")
    drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)
    page.wait_for_timeout(200)
    assert len([url for url in failed if "paintWorker" in url]) >= 3
    assert page.evaluate(INK, [0, "train/loss"]) == 0
    page.unroute(painters)
    page.set_viewport_size({"width": 1500, "height": 900})
    page.wait_for_function(f"argument => ({INK})(argument) > 500", arg=[0, "train/loss"])


def test_a_view_is_saved_under_a_name_and_opened_again(visit: Any) -> None:
    page: Page = visit(f"{SWEEP}&smooth=0.5&group=Args.lr&zoom=5,20&charts=eval")
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 4)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Command").fill("save my favourite")
    page.keyboard.press("Enter")
    page.goto(f"{visit.url}{SWEEP}")
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Command").fill("my favourite")
    page.get_by_role("option", name="my favourite").click()
    found = drawn(page, "eval/acc", lambda m: len(m["runs"]) == 4 and m["xRange"] == [5, 20])
    assert found["xRange"] == [5, 20]
    expect(page).to_have_url(re.compile(r"smooth=0\.5.*charts=eval"))
    expect(page.get_by_role("figure")).to_have_count(1)


def test_a_run_that_disappears_leaves_the_charts_up(sweep: Any, visit: Any) -> None:
    for name in ("stays", "goes"):
        code = RANK.replace("ddp/run", f"gone/{name}")
        subprocess.run([sys.executable, "-c", code, str(sweep.data_dir), "0"], env=sweep.env, check=True, capture_output=True)
    page: Page = visit("/r/gone?test")
    drawn(page, "loss", lambda m: len(m["runs"]) == 2, timeout=30)
    shutil.rmtree(sweep.data_dir / "gone" / "goes")
    found = drawn(page, "loss", lambda m: len(m["runs"]) == 1, timeout=30)
    assert found["runs"][0]["key"] == "gone/stays"
    expect(page.get_by_role("alert")).to_have_count(0)


def test_slices_show_the_objective_over_each_parameter(visit: Any) -> None:
    page: Page = visit(f"{SWEEP}&tab=compare")
    slices = page.get_by_role("region", name="Slices")
    expect(slices.get_by_role("figure", name="Slice lr")).to_contain_text("12 runs, correlation")
    expect(slices.get_by_role("figure", name="Slice optimizer")).to_contain_text("12 runs")
    expect(slices.get_by_role("figure")).to_have_count(4)
    inked = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => v && i % 4 == 3).length"
    assert slices.locator("canvas").first.evaluate(inked) > 200
    page.get_by_role("combobox", name="Objective", exact=True).select_option("train/loss")
    expect(slices).to_contain_text("train/loss over each parameter")


def test_after_a_choice_the_next_key_is_the_pages(visit: Any) -> None:
    page: Page = visit(SWEEP)
    drawn(page, "eval/acc", lambda m: len(m["runs"]) == 12)
    page.keyboard.press("g")
    group = page.get_by_role("combobox", name="Group by")
    expect(group).to_be_focused()
    group.select_option("Args.optimizer")
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Log y")).to_have_attribute("aria-pressed", "true")
    expect(group).to_have_value("Args.optimizer")
    page.keyboard.press("g")
    page.keyboard.press("ArrowDown")
    expect(group).to_be_focused()
