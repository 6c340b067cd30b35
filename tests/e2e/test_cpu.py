"""What charts cost the main thread, in CPU time beside an in-page calibration: a busy machine slows both alike.

The gates are those of the design, in milliseconds on a machine whose calibration takes 34: load 400 (15 charts and a table) and 800 (50),
cursor 16; from a key to the rows 50 at the 95th percentile, on a clock that runs as slowly as the machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.charts import drawn, plot_box

pytestmark = pytest.mark.browser

SWEEP = """
import sys, math
from ml_logger import ML_Logger
for i in range(300):
    run = ML_Logger(root=sys.argv[1], prefix=f"table/run-{i:03}", silent=True)
    run.log_params(Args={"index": i, **{f"p{j:02}": i * j for j in range(40)}}, silent=True)
    run.log({f"t/{k:02}": i / (1 + k) for k in range(20)}, step=0, silent=True)
    run.flush()
for i in range(20):
    run = ML_Logger(root=sys.argv[1], prefix=f"load/run-{i:02}", silent=True)
    for step in range(1000):
        run.log({f"m/{k:02}": math.sin(step / (20 + i)) + k + (step * 7919 % 13) / 50 for k in range(50)}, step=step, silent=True)
    run.flush()
"""
FLOOR = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = 350; canvas.height = 150;
  const ctx = canvas.getContext("2d", {willReadFrequently: true});
  for (let chart = 0; chart < 15; chart++) {
    for (let run = 0; run < 20; run++) {
      ctx.beginPath();
      for (let i = 0; i < 1000; i++) ctx.lineTo(i * 0.35, 75 + 60 * Math.sin(i / (20 + run)) + i * 7919 % 13);
      ctx.stroke();
    }
    ctx.getImageData(0, 0, 1, 1);
  }
}"""
"""What fifteen charts of twenty runs by a thousand points cost by the plainest canvas code, without axes, page or server."""
CALIBRATED_MS = 34


class Meter:
    """CPU time of a page's main thread. `TaskDuration` would be wall time: it grows while other programs run."""

    def __init__(self, page: Page) -> None:
        self.page, self.session = page, page.context.new_cdp_session(page)
        self.session.send("Performance.enable")
        self._spent = self._now()
        page.evaluate(FLOOR)
        floors = []
        for _ in range(3):
            self.lap()
            page.evaluate(FLOOR)
            floors.append(self.lap())
        self.unit = statistics.median(floors) / CALIBRATED_MS

    def _metrics(self) -> dict[str, float]:
        return {metric["name"]: metric["value"] for metric in self.session.send("Performance.getMetrics")["metrics"]}

    def _now(self) -> float:
        return self._metrics()["ThreadTime"] * 1e3

    def lap(self) -> float:
        """Return the milliseconds since the last call."""
        before, self._spent = self._spent, self._now()
        return self._spent - before

    def calibrated(self) -> float:
        """Return the milliseconds since the last call as they would be on the machine of the gates."""
        return self.lap() / self.unit

    @property
    def heap(self) -> float:
        """MB that JavaScript holds after a collection."""
        self.session.send("HeapProfiler.collectGarbage")
        return self._metrics()["JSHeapUsedSize"] / 1e6


@pytest.fixture(scope="module")
def loaded(make_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with twenty runs of fifty metrics by a thousand points, and older ones that fill a table."""
    for server in make_server(tmp_path_factory.mktemp("cpu"), "--no-auth"):
        subprocess.run([sys.executable, "-c", SWEEP, str(server.data_dir)], env=server.env, check=True, capture_output=True)
        yield server


def opened(visit: Any, size: tuple[int, int], address: str = "/r/load?test") -> tuple[Page, Meter, float]:
    """Open the charts and return the page, its meter and the cost of the load; without a waiting that itself costs."""
    page: Page = visit("/healthz", size=size)
    meter = Meter(page)
    meter.lap()
    page.goto(visit.url + address)
    page.wait_for_timeout(4000)
    cost = meter.calibrated()
    drawn(page, "m/00", lambda m: len(m["runs"]) == 20)
    return page, meter, cost


def cost_of_highlights(page: Page, meter: Meter) -> float:
    """Return what it costs when another row is pointed at, the mean of ten."""
    boxes = [row.bounding_box() for row in page.locator('#runs [role="row"][aria-rowindex]').all()[:10]]
    meter.lap()
    for box in boxes:
        assert box is not None
        page.mouse.move(box["x"] + 60, box["y"] + 10)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return meter.calibrated() / len(boxes)


def cost_of_moves(page: Page, meter: Meter, left: float, y: float) -> float:
    """Return what one move of the pointer costs, the mean of forty."""
    meter.lap()
    for at in range(40):
        page.mouse.move(left + 4 * at, y)
    return meter.calibrated() / 40


def cost_of_zoom(page: Page, meter: Meter, box: dict[str, float]) -> float:
    """Return what a zoom costs until its answers are drawn; it is undone again."""
    y = box["y"] + 10
    page.mouse.move(box["x"] + 10, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, y)
    page.wait_for_timeout(500)
    meter.lap()
    page.mouse.up()
    page.wait_for_timeout(2000)
    cost = meter.calibrated()
    drawn(page, "m/04", lambda found: found["shown"] < 19_000)
    page.keyboard.press("z")
    drawn(page, "m/04", lambda found: found["shown"] == 20_000)
    return cost


def test_fifteen_charts_load_follow_the_cursor_and_zoom_within_the_budget(loaded: Any, visit_any: Any) -> None:
    visit = visit_any(loaded)
    costs: list[float] = []
    for _ in range(3):
        page, meter, cost = opened(visit, (1600, 1350), "/?test")
        costs.append(cost)
    expect(page.get_by_text("20 of 320 runs shown")).to_be_visible()
    assert 15 <= page.get_by_role("figure").count() <= 21
    box = plot_box(page, "m/04")
    y = box["y"] + 10
    page.mouse.move(box["x"] + 10, y)
    cursor = min(cost_of_moves(page, meter, box["x"] + 20, y) for _ in range(3))
    zooms: list[float] = []
    while len(zooms) < 4 and min(zooms, default=251) > 250:  # what else runs on the machine can only add
        zooms.append(cost_of_zoom(page, meter, box))
    zoom = min(zooms)
    highlight = min(cost_of_highlights(page, meter) for _ in range(3))
    print(
        f"\n15 charts and a table: load {min(costs):.0f} ms of {[round(c) for c in costs]}, cursor {cursor:.1f} ms a move, "
        f"zoom with its answers {zoom:.0f} ms, highlight {highlight:.1f} ms"
    )
    assert min(costs) <= 400
    assert cursor <= 16
    assert zoom <= 250
    assert highlight <= 20
    assert meter.heap <= 60


def test_fifty_charts_load_within_the_budget(loaded: Any, visit_any: Any) -> None:
    visit, costs = visit_any(loaded), []
    while len(costs) < 4 and min(costs, default=801) > 800:  # what else runs on the machine can only add
        page, meter, cost = opened(visit, (1600, 4100))
        costs.append(cost)
    assert page.get_by_role("figure").count() == 50
    heap = meter.heap
    print(f"\n50 charts: load {[round(c) for c in costs]} ms, heap {heap:.1f} MB")
    assert min(costs) <= 800
    assert heap <= 60


LISTEN = """() => {
  const grid = document.querySelector("#runs");
  let at = 0;
  window.keyed = [];
  document.querySelector("#search").addEventListener("input", () => { at = performance.now(); }, true);
  new MutationObserver(() => {
    if (!at) return;
    const since = at;
    at = 0;
    requestAnimationFrame(() => setTimeout(() => window.keyed.push(performance.now() - since)));
  }).observe(grid, { attributes: true, attributeFilter: ["aria-rowcount"] });
}"""
"""Of each key that changes how many rows there are: the time until they are on the screen."""
SLOWNESS = f"""async () => {{
  const start = performance.now();
  ({FLOOR})();
  for (let trip = 0; trip < 4; trip++) await (await fetch("/healthz")).text();
  return performance.now() - start;
}}"""
"""The calibration and four of the smallest questions, which take 4 ms each on the machine of the gates."""


def test_rows_follow_each_key_within_the_budget(loaded: Any, visit_any: Any) -> None:
    visit = visit_any(loaded)
    visit.expected = ("400 (Bad Request)",)  # "index <" is no query
    page: Page = visit("/?test&q=index+%3C+400")
    drawn(page, "t/00", lambda m: len(m["runs"]) == 20, timeout=30)
    grid, search = page.get_by_role("grid", name="Runs"), page.get_by_role("searchbox", name="Search runs")
    page.evaluate(LISTEN)
    search.focus()
    page.keyboard.press("End")
    found: list[float] = []
    while len(found) < 4 and min(found, default=51) > 50:  # what else runs on the machine can only add
        slow = max(1.0, statistics.median(page.evaluate(SLOWNESS) for _ in range(5)) / (CALIBRATED_MS + 16))
        page.evaluate("window.keyed.length = 0")
        keys = 0
        for number in ("12", "257", "31", "190", "8", "144"):
            for _ in range(len(search.input_value().rpartition(" ")[2])):
                page.keyboard.press("Backspace")
            for length in range(len(number)):
                keys += 1
                page.keyboard.type(number[length])
                expect(grid).to_have_attribute("aria-rowcount", number[: length + 1])
        page.wait_for_function("keys => window.keyed.length >= keys", arg=keys)
        times = sorted(page.evaluate("window.keyed"))
        p95 = times[len(times) * 95 // 100]
        found.append(p95 / slow)
        print(f"\n{len(times)} keys: rows after {statistics.median(times):.0f} ms, p95 {p95:.0f}, the machine {slow:.1f} times slow")
    assert min(found) <= 50
