"""Charts of values that are hard to draw: never finite, near the ends of float64, negative on a log axis, alone."""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
import time
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.charts import drawn, figure, plot_box

pytestmark = pytest.mark.browser

ODD = """
import math, sys
from ml_logger import ML_Logger
for i in range(3):
    run = ML_Logger(root=sys.argv[1], prefix=f"odd/run-{i}", silent=True)
    for s in range(20):
        run.log(step=s, silent=True, never=math.nan, huge=1e300 * (-1) ** s, widest=1.7e308 * (-1) ** s,
                minus=-float(s), outlier=1e6 if s == 7 else math.sin(s),
                inf=math.inf if s == 3 else float(s))
    run.log(step=20, silent=True, alone=3.25, **({"__proto__": 1.0} if i == 0 else {}))
    run.log(step=1_000_000, far=1.0, silent=True)
    run.flush()
"""
CUT = """
const fill = CanvasRenderingContext2D.prototype.fillText;
window.texts = {cut: [], below: [], all: 0};
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const half = this.measureText(text).width / 2;
  window.texts.all++;
  if (text && this.textAlign === "center") window.texts.below.push(text);
  if (text && this.textAlign === "center" && x + half > this.canvas.width + 1) window.texts.cut.push(text);
  return fill.call(this, text, x, y);
};
"""
"""Notes which labels of axes below charts are cut off at the right edge."""
TEXTS = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(window.texts))))"


def test_values_that_are_hard_to_draw(sweep: Any, visit: Any) -> None:
    subprocess.run([sys.executable, "-c", ODD, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    page = visit("/r/odd?test")
    never = drawn(page, "never", lambda m: len(m["runs"]) == 3, timeout=30)
    assert never["runs"][0]["mean"] == [None] * 20
    assert (never["logged"], never["yRange"]) == (60, [0, 1])
    expect(figure(page, "never")).to_contain_text("no finite value")
    expect(figure(page, "inf")).to_have_accessible_description(re.compile(r"n=60 min=0 max=19 last=19.*3 not finite"))
    assert drawn(page, "huge")["runs"][0]["mean"][:2] == [1e300, -1e300]
    low, high = drawn(page, "widest")["yRange"]
    assert math.isfinite(high - low)
    low, high = drawn(page, "alone")["xRange"]
    assert low < 20 < high
    expect(figure(page, "__proto__")).to_contain_text("1 of 3")
    page.locator("body").press("l")
    for name in ("never", "huge", "minus", "alone"):
        assert drawn(page, name, lambda m: m["yRange"][0] > 0)["yRange"][1] > 0
    expect(figure(page, "minus")).to_contain_text("no value above 0 for a log axis")
    page.locator("body").press("l")
    page.get_by_role("button", name="Clip").click()
    assert drawn(page, "outlier", lambda m: m["yRange"][1] < 100)["yRange"][0] < -0.9


def test_a_browser_that_cannot_paint_in_a_worker_says_so(visit: Any) -> None:
    page = visit()
    page.add_init_script("delete window.OffscreenCanvas")
    page.goto(f"{visit.url}/r/team/sweep")
    expect(page.get_by_role("tabpanel").get_by_role("alert")).to_contain_text("This browser cannot draw the lines")


@pytest.mark.parametrize(
    "without", ["delete window.Worker", "window.Worker = class { postMessage() { setTimeout(() => this.onerror()) } }"]
)
def test_a_page_without_a_worker_paints_itself(visit: Any, without: str) -> None:
    page = visit()
    page.add_init_script(without)
    page.goto(f"{visit.url}/r/team/sweep?test")
    drawn(page, "train/loss", lambda m: len(m["runs"]) == 12)
    box = plot_box(page, "train/loss")
    end = time.monotonic() + 15
    while coloured(page, box) < 500:
        assert time.monotonic() < end, "no line was painted"


def coloured(page: Page, box: dict[str, float]) -> int:
    """Count the pixels of a part of the page that are not grey."""
    with Image.open(io.BytesIO(page.screenshot(clip=box))) as picture:  # type: ignore[arg-type]
        found = picture.convert("RGB").getcolors(1 << 24)
    return sum(count for count, colour in found if max(colour) - min(colour) > 60)
