"""Media: pictures of all runs at one step, by slider and keys, kept in the address; videos that play in step."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FILM = """
import sys
import numpy as np
from ml_logger import ML_Logger
for i in range(2):
    run = ML_Logger(root=sys.argv[1], prefix=f"film/run-{i}", silent=True)
    for step in (10, 20 + i, 40):
        run.save_image(np.full((16, 24), 5 * step, "uint8"), f"samples/{step:04d}.png", step=step)
    run.save_video([np.full((32, 32), 8 * k, "uint8") for k in range(30)], "videos/film.mp4", fps=10)
    run.log(step=40, loss=1.0 / (1 + i))
    run.flush()
"""


@pytest.fixture(scope="module")
def film(sweep: Any) -> Any:
    """The sweep's server with two runs of pictures and a video in film."""
    subprocess.run([sys.executable, "-c", FILM, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    return sweep


def test_one_step_for_all_runs_kept_in_the_address(film: Any, visit: Any) -> None:
    del film
    page = visit("/r/film?tab=media&q=sort%3Aname")
    slider = page.get_by_role("slider", name="Step")
    expect(slider).to_have_value("40", timeout=20_000)
    pictures = page.get_by_role("img")
    expect(pictures).to_have_count(2)
    table = page.get_by_role("table", name="Media by run and key")
    expect(table.get_by_role("columnheader")).to_have_text(["Run", "samples/#.png", "videos/film.mp4"])
    slider.fill("20")
    expect(page.locator("figcaption")).to_have_text(["step 20", "no step", "step 10", "no step"])
    page.wait_for_url(re.compile("step=20"))
    page.reload()
    expect(slider).to_have_value("20", timeout=20_000)
    page.locator("body").press("]")
    expect(slider).to_have_value("21")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('input[aria-label=Step]').value === '10'", timeout=10_000)
    page.get_by_role("button", name="Pause").click()


def test_videos_play_in_step(film: Any, visit: Any) -> None:
    del film
    page = visit("/r/film?tab=media&q=sort%3Aname")
    videos = page.locator("video")
    expect(videos).to_have_count(2, timeout=20_000)
    for video in videos.all():
        page.wait_for_function("video => video.readyState >= 1", arg=video.element_handle())
    videos.first.hover()
    videos.first.evaluate("video => { video.currentTime = 1; return video.play() }")
    page.wait_for_function("video => !video.paused && video.currentTime > 0.9", arg=videos.nth(1).element_handle())
    videos.first.evaluate("video => video.pause()")
    page.wait_for_function("video => video.paused", arg=videos.nth(1).element_handle())
