"""Compare, Media, Files, Logs and Report on what three real runs logged, hostile names and contents among it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

LAB = """
import sys
import numpy as np
from ml_logger import ML_Logger
for i in range(3):
    run = ML_Logger(root=sys.argv[1], prefix=f"lab/run-{i}", silent=True)
    run.log_params(lr=10.0 ** -(i + 1), batch=16 * (i + 1), silent=True)
    for step in range(0, 300, 100 if i else 50):
        run.log(step=step, loss=i + 1 / (1 + step), silent=True)
        run.save_image(np.full((8, 8), step % 256, "uint8"), f"samples/{step:06d}.png", step=step)
    run.save_pkl({"weights": [1, 2], "name": "x"}, "data.pkl")
    run.save_np(np.arange(6, dtype="float32").reshape(2, 3), "arr.npy")
    run.log_text('a,b\\n1,"x, y"\\n', "table.csv", overwrite=True)
    run.log_text("<script>document.title = 'pwned'</script><h1>mine</h1>", "evil.html", overwrite=True)
    run.log_text("<script>document.title = 'pwned'</script>", "<img src=x onerror=alert(1)>.txt", overwrite=True)
    run.log_text('''# Run %d <script>document.title = 'pwned'</script>

![far](https://example.com/far.png) [link](javascript:alert(1)) and $x^2$

```chart
loss
```

end <img src=x onerror="document.title='pwned'">
''' % i, "README.md", overwrite=True)
    run.print("\\x1b[31mred\\x1b[0m <b>plain</b>")
    run.print("\\n".join(f"line {k} of run {i}" for k in range(5000)))
    run.flush()
"""


@pytest.fixture(scope="module")
def lab(sweep: Any, chromium: Any, signed_in: Any) -> Any:
    """The sweep's server with three runs in lab, once it has seen them."""
    subprocess.run([sys.executable, "-c", LAB, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    context = chromium.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{sweep.url}/r/lab")
    page.get_by_text("3 of 3 runs shown").wait_for(timeout=30_000)
    context.close()
    return sweep


@pytest.fixture
def open_tab(lab: Any, visit: Any) -> Any:
    def opened(tab: str, prefix: str = "lab", more: str = "") -> Page:
        page: Page = visit(f"/r/{prefix}?test&tab={tab}{more}")
        expect(page.get_by_role("tab", name=tab.capitalize())).to_have_attribute("aria-selected", "true")
        return page

    del lab
    return opened


def test_media_shows_the_nearest_earlier_step_of_each_run(open_tab: Any) -> None:
    page = open_tab("media")
    pictures = page.get_by_role("img")
    expect(pictures).to_have_count(3)
    expect(page.get_by_text("step 250")).to_be_visible()
    slider = page.get_by_role("slider", name="Step")
    slider.fill("150")
    assert sorted(page.locator("figcaption").all_inner_texts()) == ["step 100", "step 100", "step 150"]
    page.locator("body").press("[")
    expect(slider).to_have_value("100")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("150")
    assert all(picture.evaluate("image => image.complete && image.naturalWidth > 0") for picture in pictures.all())


def test_files_are_looked_at_without_being_run(open_tab: Any) -> None:
    page = open_tab("files", "lab/run-1")
    tree = page.get_by_role("tree")
    folder = tree.get_by_role("treeitem", name="samples", exact=True)
    folder.focus()
    page.keyboard.press("ArrowRight")
    tree.get_by_role("treeitem", name="000100.png", exact=True).click()
    expect(page.get_by_role("img", name="000100.png")).to_be_visible()
    tree.get_by_role("treeitem", name="data.pkl").click()
    expect(page.get_by_text("weights")).to_be_visible()
    tree.get_by_role("treeitem", name="arr.npy").click()
    expect(page.get_by_text("(2, 3)")).to_be_visible()
    expect(page.get_by_text("0, 1, 2, 3, 4, 5")).to_be_visible()
    tree.get_by_role("treeitem", name="table.csv").click()
    expect(page.get_by_role("cell", name="x, y")).to_be_visible()
    tree.get_by_role("treeitem", name="evil.html").click()
    expect(page.frame_locator("iframe").get_by_role("heading", name="mine")).to_be_visible()
    tree.get_by_role("treeitem", name="<img src=x onerror=alert(1)>.txt").click()
    expect(page.get_by_role("region", name="Files").locator("pre")).to_contain_text("<script>")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_text("utf-8").startswith("<script>")
    assert page.title() != "pwned"


def test_logs_fetch_what_is_in_sight_and_filter(open_tab: Any) -> None:
    page = open_tab("logs", "lab/run-2")
    log = page.get_by_role("log")
    expect(log).to_contain_text("line 4999 of run 2")
    expect(page.get_by_text(re.compile(r"^5,0\d\d lines$"))).to_be_visible()
    assert log.locator("div").count() < 200
    log.evaluate("element => element.scrollTo(0, 0)")
    expect(log).to_contain_text("red <b>plain</b>")
    assert log.locator('[data-colour="1"]').inner_text() == "red"
    page.get_by_role("searchbox", name="Filter logs").fill("line 12[34] ")
    expect(page.get_by_text("2 lines match")).to_be_visible()
    expect(log).to_contain_text("line 124 of run 2")


ONE_MORE = """
import sys
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="lab/run-1", silent=True)
run.print("one more")
run.flush()
"""


def test_a_log_follows_and_says_what_is_new_when_scrolled_up(lab: Any, open_tab: Any) -> None:
    page = open_tab("logs", "lab/run-1")
    log = page.get_by_role("log")
    expect(log).to_contain_text("line 4999 of run 1")
    log.evaluate("element => element.scrollTo(0, 0)")
    expect(log).to_contain_text("line 3 of run 1")
    subprocess.run([sys.executable, "-c", ONE_MORE, str(lab.data_dir)], env=lab.env, check=True, capture_output=True)
    page.get_by_role("button", name="1 new ↓").click(timeout=30_000)  # a run at rest is looked at every ten seconds
    expect(log).to_contain_text("one more")


def test_a_report_has_live_charts_and_runs_nothing(open_tab: Any, visit: Any) -> None:
    page = open_tab("report", "lab/run-0")
    report = page.get_by_role("article")
    expect(report.get_by_role("heading", level=1)).to_contain_text("Run 0 <script>")
    expect(report.get_by_role("figure", name="loss")).to_be_visible()
    expect(report.locator("math")).to_have_count(1)
    expect(report).to_contain_text("end <img src=x onerror=")
    assert report.locator("img[src*='example.com'], a[href^='javascript']").count() == 0
    assert page.title() != "pwned"
    assert visit.unexpected() == []


def test_compare_brushes_and_writes_the_query(open_tab: Any) -> None:
    page = open_tab("compare", "team/sweep")
    axes = page.get_by_role("figure", name="Parallel coordinates").get_by_role("application")
    axis = axes.get_by_role("group", name=re.compile(r"^Args\.lr"))
    box = axis.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * 0.4, steps=4)
    page.mouse.up()
    expect(page.get_by_text("6 of 12 brushed")).to_be_visible()
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("searchbox", name="Search runs")).to_have_value("(Args.lr == 0.001 or Args.lr == 0.003)")
    expect(page.get_by_text("6 of 6 runs shown")).to_be_visible()
    expect(page.get_by_role("figure", name="Scatter")).to_be_visible()
    expect(page.get_by_role("table", name="Importance")).to_be_visible()
    expect(page.get_by_text("not enough runs")).to_be_visible()


def test_a_contour_says_where_the_objective_is_best(open_tab: Any) -> None:
    page = open_tab("compare", "team/sweep")
    page.get_by_role("combobox", name="Objective", exact=True).select_option("train/loss")
    contour = page.get_by_role("figure", name="Contour")
    page.get_by_role("combobox", name="Contour x").select_option("Args.seed")
    page.get_by_role("combobox", name="Contour y").select_option("Args.lr")
    described = re.compile(r"12 runs, train/loss over Args.seed and Args.lr, highest near Args.seed 2, Args.lr 0.003")
    expect(contour).to_have_accessible_description(described)
    painted = "canvas => new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"
    assert contour.locator("canvas").evaluate(painted) > 10
    page.wait_for_function("() => /contour.*Args\\.lr/.test(new URLSearchParams(location.search).get('compare') ?? '')")
    page.reload()
    expect(page.get_by_role("combobox", name="Contour x")).to_have_value("Args.seed")
    expect(contour).to_have_accessible_description(described)


def test_slices_fill_their_row(open_tab: Any) -> None:
    page = open_tab("compare", "team/sweep")
    slices = page.get_by_role("region", name="Slices")
    expect(slices.get_by_role("figure")).to_have_count(4)
    expect(slices.locator("canvas").first).to_have_js_property("width", slices.locator("canvas").last.evaluate("canvas => canvas.width"))
    row, last = slices.bounding_box(), slices.get_by_role("figure").last.bounding_box()
    assert row is not None
    assert last is not None
    assert abs(row["x"] + row["width"] - last["x"] - last["width"]) < 2
    assert last["width"] > 250


def test_axes_move_and_turn_by_the_keyboard(open_tab: Any) -> None:
    page = open_tab("compare", "team/sweep")
    axes = page.get_by_role("application").get_by_role("group")
    expect(axes).to_have_count(5)
    names = [axis.get_attribute("aria-label") for axis in axes.all()]
    axes.first.focus()
    page.keyboard.press("ArrowRight")
    expect(axes.nth(1)).to_have_attribute("aria-label", names[0] or "")
    axes.nth(1).focus()
    page.keyboard.press("x")
    expect(axes.nth(1)).to_have_attribute("aria-label", f"{names[0]}, turned over")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 12 brushed"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("0 of 12 brushed")).to_be_visible()
