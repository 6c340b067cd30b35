"""What charts cost the main thread, in CPU time beside an in-page calibration: a busy machine slows both alike.

The gates are those of the design, in milliseconds on a machine whose calibration takes 34: load 400 (15 charts) and 800 (50), cursor 16.
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
    """A server with twenty runs of fifty metrics by a thousand points."""
    for server in make_server(tmp_path_factory.mktemp("cpu"), "--no-auth"):
        subprocess.run([sys.executable, "-c", SWEEP, str(server.data_dir)], env=server.env, check=True, capture_output=True)
        yield server


def opened(visit: Any, size: tuple[int, int]) -> tuple[Page, Meter, float]:
    """Open the charts and return the page, its meter and the cost of the load; without a waiting that itself costs."""
    page: Page = visit("/healthz", size=size)
    meter = Meter(page)
    meter.lap()
    page.goto(f"{visit.url}/r/load?test")
    page.wait_for_timeout(4000)
    cost = meter.calibrated()
    drawn(page, "m/00", lambda m: len(m["runs"]) == 20)
    return page, meter, cost


def cost_of_moves(page: Page, meter: Meter, left: float, y: float) -> float:
    """Return what one move of the pointer costs, the mean of forty."""
    meter.lap()
    for at in range(40):
        page.mouse.move(left + 4 * at, y)
    return meter.calibrated() / 40


def test_fifteen_charts_load_follow_the_cursor_and_zoom_within_the_budget(loaded: Any, visit_any: Any) -> None:
    visit = visit_any(loaded)
    costs: list[float] = []
    for _ in range(3):
        page, meter, cost = opened(visit, (1600, 1350))
        costs.append(cost)
    expect(page.get_by_role("heading", name="50 charts")).to_be_visible()
    assert 15 <= page.get_by_role("figure").count() <= 21
    box = plot_box(page, "m/04")
    y = box["y"] + 10
    page.mouse.move(box["x"] + 10, y)
    cursor = min(cost_of_moves(page, meter, box["x"] + 20, y) for _ in range(3))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, y)
    page.wait_for_timeout(500)
    meter.lap()
    page.mouse.up()
    page.wait_for_timeout(2000)
    zoom = meter.calibrated()
    assert drawn(page, "m/04")["shown"] < 10_000
    print(f"\n15 charts: load {min(costs):.0f} ms of {[round(c) for c in costs]}, cursor {cursor:.1f} ms a move, zoom {zoom:.0f} ms")
    assert min(costs) <= 400
    assert cursor <= 16
    assert zoom <= 500
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
