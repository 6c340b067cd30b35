"""Charts of one's own, `.charts.yml`, ranks as lines, and a chart that leaves as Python: made and read in the browser."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.charts import copied, drag, drawn, figure, plot_box

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("ML_LOGGER_SHOTS")

LAB = """
import sys
import numpy as np
from ml_logger import ML_Logger
for i in range(3):
    run = ML_Logger(root=sys.argv[1], prefix=f"panels/run-{i}", silent=True)
    run.log_params(Args=dict(lr=10.0 ** -i), silent=True)
    for step in range(40):
        run.log(step=step, loss=(i + 1) / (1 + step), reward=step * (i - 1.0), frames=1000 * step, silent=True)
        if step % 4 == 0:
            run.log_histogram(np.random.default_rng(step).normal(step / 20, 1 + step / 40, 2000), "weights", step=step)
    run.save_image(np.full((16, 16), 80 * i, "uint8"), "samples/0001.png", step=1)
    run.save_image(np.full((16, 16), 200, "uint8"), "samples/0010.png", step=10)
    if i < 2:
        run.save_image(np.zeros((16, 16), "uint8"), f"only/{i}.png")
    run.flush()
old = ML_Logger(root=sys.argv[1], prefix="panels/run-0", silent=True)
old.log_text(\"\"\"charts:
- yKeys: [loss, reward]
  xKey: frames
  title: Both of old
- type: image
  glob: samples/*.png
- type: pie
\"\"\", ".charts.yml", silent=True)
old.flush()
"""


@pytest.fixture(scope="module")
def lab(sweep: Any) -> Any:
    subprocess.run([sys.executable, "-c", LAB, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    return sweep


def shot(page: Page, name: str) -> None:
    """Keep a picture for a person to look at, if a folder is named for it."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def open_folder(visit: Any, address: str = "/r/panels?test") -> Page:
    page: Page = visit(address)
    drawn(page, "loss", lambda found: len(found["runs"]) == 3, timeout=30)
    return page


def saved(page: Page, panel: str, kind: str) -> bytes:
    """Take a panel along by its menu; returns the bytes that the browser saved."""
    page.get_by_role("button", name=f"More for {panel}").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    return Path(download.value.path()).read_bytes()


def make(page: Page, kind: str, metrics: list[str], x: str = "") -> None:
    """Make a panel, by the keyboard alone once the button has the focus."""
    page.get_by_role("button", name="New panel").press("Enter")
    dialog = page.get_by_role("dialog", name="Panel")
    dialog.get_by_role("combobox", name="Kind").select_option(kind)
    for metric in metrics:
        dialog.get_by_role("combobox", name="Metrics").fill(metric)
        dialog.get_by_role("combobox", name="Metrics").press("Enter")
    if x:
        dialog.get_by_role("combobox", name="X of the panel").fill(x)
    dialog.get_by_role("button", name="Save panel").press("Enter")
    expect(dialog).to_have_count(0)


def test_a_panel_of_several_metrics_over_another_is_kept_by_the_address(lab: Any, visit: Any) -> None:
    page = open_folder(visit)
    make(page, "line", ["loss", "reward"], "frames")
    found = drawn(page, "loss, reward vs frames", lambda m: len(m["runs"]) == 6)
    lines = {(run["key"], run["metric"]): run for run in found["runs"]}
    assert lines["panels/run-2", "loss"]["x"] == [1000 * step for step in range(40)]
    assert lines["panels/run-2", "loss"]["mean"] == [3 / (1 + step) for step in range(40)]
    assert lines["panels/run-0", "reward"]["mean"] == [-float(step) for step in range(40)]
    assert found["xRange"] == [0, 39_000]
    expect(figure(page, "loss, reward vs frames")).to_have_accessible_description(re.compile(r"n=240 min=-39 max=39 last="))
    expect(page).to_have_url(re.compile("panels="))
    page.reload()
    drawn(page, "loss, reward vs frames", lambda m: len(m["runs"]) == 6)
    page.get_by_role("button", name="Edit loss, reward vs frames").press("Enter")
    page.get_by_role("button", name="Leave out reward").press("Enter")
    page.get_by_role("button", name="Save panel").press("Enter")
    drawn(page, "loss vs frames", lambda m: len(m["runs"]) == 3)
    page.get_by_role("button", name="Remove loss vs frames").press("Enter")
    expect(figure(page, "loss vs frames")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("panels="))


def test_bars_of_runs_and_of_groups_and_a_histogram_over_time(lab: Any, visit: Any) -> None:
    page = open_folder(visit)
    make(page, "bar", ["reward"])
    bars = figure(page, "reward (last)")
    expect(bars).to_have_accessible_description("n=3 min=-39 max=39 last=-39")
    expect(bars.get_by_role("listitem")).to_have_count(3)
    make(page, "histogram", ["weights"])
    heat = figure(page, "weights over time")
    expect(heat.get_by_role("img", name="10 distributions")).to_be_visible()
    shot(page, "panels")
    assert sorted(saved(page, "reward (last)", "CSV").decode().split()) == ["run-0,-39,", "run-1,0,", "run-2,39,", "series,value,std"]
    assert saved(page, "reward (last)", "SVG").count(b"<rect") == 1 + 3
    assert len(saved(page, "weights over time", "CSV").splitlines()) == 1 + 10 * 64
    with Image.open(io.BytesIO(saved(page, "weights over time", "PNG"))) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert (255, 255, 255) in colours
    assert len([colour for colour in colours if max(colour) - min(colour) > 60]) > 20, "viridis between the axes"
    page.get_by_role("combobox", name="Group by").select_option("Args.lr")
    expect(bars.get_by_role("listitem").first).to_contain_text(re.compile("lr="))


def test_charts_yml_of_earlier_versions_is_shown_and_what_is_wrong_said(lab: Any, visit: Any) -> None:
    page: Page = visit("/r/panels/run-0?test")
    found = drawn(page, "Both of old", lambda m: len(m["runs"]) == 2, timeout=30)
    assert {run["metric"] for run in found["runs"]} == {"loss", "reward"}
    assert found["xRange"] == [0, 39_000]
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"\.charts\.yml: chart 3: type 'pie' is not one of"))
    expect(figure(page, "samples/*.png").get_by_role("img")).to_have_attribute("src", re.compile(r"0010\.png"))
    page.get_by_role("slider", name="File of samples/*.png").press("Home")
    expect(figure(page, "samples/*.png").get_by_role("img")).to_have_attribute("src", re.compile(r"0001\.png"))
    shot(page, "charts-yml")


def test_pictures_are_those_of_the_first_shown_run_that_has_any(lab: Any, visit: Any) -> None:
    panels = [{"kind": "image", "title": "", "y": [], "x": "", "glob": glob, "stat": "last"} for glob in ("only/*.png", "none/*.png")]
    page = visit(f"/r/panels?q={quote('sort:-name')}&panels={quote(json.dumps(panels))}")
    expect(figure(page, "only/*.png").get_by_role("img")).to_have_attribute("src", re.compile(r"run-1/only/1\.png"))
    expect(figure(page, "none/*.png")).to_contain_text("No shown run has a file none/*.png")


def test_charts_yml_of_a_run_is_shown_on_the_page_of_its_folder(lab: Any, visit: Any) -> None:
    page = open_folder(visit)
    found = drawn(page, "Both of old", lambda m: len(m["runs"]) == 6, timeout=30)
    assert {run["key"] for run in found["runs"]} == {f"panels/run-{i}" for i in range(3)}
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"panels/run-0/\.charts\.yml: chart 3: type 'pie'"))


def test_z_undoes_the_zoom_of_a_panel_with_an_axis_of_its_own(lab: Any, visit: Any) -> None:
    page = open_folder(visit)
    whole = drawn(page, "Both of old", lambda m: len(m["runs"]) == 6, timeout=30)["xRange"]
    shared = drawn(page, "loss")["xRange"]
    box = plot_box(page, "Both of old")
    y = box["y"] + box["height"] / 2
    drag(page, (box["x"] + box["width"] * 0.25, y), (box["x"] + box["width"] * 0.75, y))
    zoomed = drawn(page, "Both of old", lambda m: m["xRange"] != whole)["xRange"]
    assert zoomed == pytest.approx([0.25 * whole[1], 0.75 * whole[1]], rel=0.03)
    assert drawn(page, "loss")["xRange"] == shared
    expect(page).to_have_url(re.compile("zoomx="))
    page.reload()
    assert drawn(page, "Both of old", lambda m: len(m["runs"]) == 6, timeout=30)["xRange"] == zoomed
    page.keyboard.press("z")
    drawn(page, "Both of old", lambda m: m["xRange"] == whole)
    expect(page).not_to_have_url(re.compile("zoomx="))


RANKS = """
import sys
from ml_logger import ML_Logger
for rank in range(2):
    run = ML_Logger(root=sys.argv[1], prefix="ranks/ddp", silent=True)
    for step in range(5):
        run.log(step=step, loss=10.0 * rank + step, silent=True)
    run.flush()
"""


def test_attempts_as_lines_of_their_own(lab: Any, visit: Any) -> None:
    for _ in range(2):
        subprocess.run([sys.executable, "-c", RANKS, str(lab.data_dir)], env=lab.env, check=True, capture_output=True)
    page: Page = visit("/r/ranks?test")
    drawn(page, "loss", lambda m: len(m["runs"]) == 1, timeout=30)
    page.get_by_role("combobox", name="Split by").select_option("attempt")
    found = drawn(page, "loss", lambda m: len(m["runs"]) >= 2)
    assert {run["key"] for run in found["runs"]} >= {"ranks/ddp attempt 0", "ranks/ddp attempt 1"}
    expect(page).to_have_url(re.compile("split=attempt"))


@pytest.mark.parametrize("how", ["", "&smooth=0.6", "&group=Args.lr", "&x=frames", "&zoom=5,20"])
def test_copied_python_gives_the_drawn_numbers(lab: Any, visit: Any, how: str) -> None:
    page: Page = visit(f"/r/panels?test{how}", permissions=["clipboard-read", "clipboard-write"])
    found = drawn(page, "loss", lambda m: len(m["runs"]) == 3, timeout=30)
    if how == "&zoom=5,20":
        found = drawn(page, "loss", lambda m: m["shown"] == 48)
    figure(page, "loss").hover()
    page.evaluate("navigator.clipboard.writeText('')")
    page.get_by_role("button", name="More for loss").click()
    page.get_by_role("button", name="Copy as Python").click()
    script = copied(page, "ml_logger.open")
    more = "\nimport json\nprint('§' + json.dumps({key: line['mean'].tolist() for key, line in charts['loss'].items()}))"
    env = {**lab.env, "ML_LOGGER_ROOT": str(lab.data_dir)}
    ran = subprocess.run([sys.executable, "-c", script + more], env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    means = json.loads(ran.stdout.partition("§")[2])
    assert {run["key"]: run["mean"] for run in found["runs"]} == {key: pytest.approx(mean, nan_ok=True) for key, mean in means.items()}


def ran(lab: Any, page: Page, panel: str, expression: str) -> Any:
    """Copy a panel as Python, run it, and return what `expression` is then."""
    page.evaluate("navigator.clipboard.writeText('')")
    page.get_by_role("button", name=f"More for {panel}").click()
    page.get_by_role("button", name="Copy as Python").click()
    script = f"{copied(page, 'ml_logger.open')}\nimport json\nprint('§' + json.dumps({expression}))"
    env = {**lab.env, "ML_LOGGER_ROOT": str(lab.data_dir)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.partition("§")[2])


def rows_of(page: Page, panel: str) -> list[list[str]]:
    return [line.split(",") for line in saved(page, panel, "CSV").decode().splitlines()[1:]]


def test_bars_and_histograms_copied_as_python_give_the_drawn_numbers(lab: Any, visit: Any) -> None:
    panels = [{"kind": "bar", "y": ["loss", "reward"], "stat": "min"}, {"kind": "histogram", "y": ["weights"]}]
    address = f"/r/panels?test&panels={quote(json.dumps(panels))}"
    page: Page = visit(address, permissions=["clipboard-read", "clipboard-write"])
    bars, heat = "loss, reward (min)", "weights over time"
    expect(figure(page, bars).get_by_role("listitem")).to_have_count(6, timeout=30_000)
    found = ran(lab, page, bars, "bars")
    assert [[f"{key.rpartition('/')[2]} · {metric}", value] for key, metric, value in found] == [
        [title, float(value)] for title, value, _ in rows_of(page, bars)
    ]
    histograms = ran(lab, page, heat, "histograms")
    flat = [[step, *edges[at : at + 2], count] for step, counts, edges in histograms for at, count in enumerate(counts)]
    assert flat == [[float(value) for value in row] for row in rows_of(page, heat)]
    page.get_by_role("combobox", name="Group by").select_option("Args.lr")
    expect(figure(page, bars).get_by_role("listitem").first).to_contain_text(re.compile("lr="))
    found = ran(lab, page, bars, "bars")
    assert [[f"lr={values['Args.lr']:g} · {metric}", mean, std] for values, metric, mean, std in found] == [
        [title, float(mean), float(std)] for title, mean, std in rows_of(page, bars)
    ]
