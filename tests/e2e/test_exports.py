"""A chart leaves the page: PNG, SVG and CSV are opened and hold what was drawn, with title, axes and legend."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.e2e.charts import drawn, figure

pytestmark = pytest.mark.browser
SWEEP = "/r/team/sweep?test"
SVG = "{http://www.w3.org/2000/svg}"
LIGHT = ["#3b6fe0", "#1f9d6b", "#b07d00", "#d2492a", "#1d8fb8", "#7d55b8", "#c96a10", "#147a79", "#c9457f", "#5f7690"]
"""Series colours on white, whichever theme the page is in."""


def exported(page: Page, metric: str, kind: str) -> Path:
    """Take the chart along by its menu; returns the file the browser saved."""
    drawn(page, metric, lambda m: len(m["runs"]) == (4 if metric == "rare" else 12))
    figure(page, metric).hover()
    page.get_by_role("button", name=f"More for {metric}").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    assert download.value.suggested_filename == f"{metric.replace('/', '_')}.{kind.lower()}"
    path = Path(download.value.path())
    if folder := os.environ.get("ML_LOGGER_SHOTS"):
        shutil.copy(path, Path(folder) / download.value.suggested_filename)
    return path


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


@pytest.mark.parametrize(("theme", "panel", "series"), [("dark", "#14171c", "#5b8ff9"), ("light", "#ffffff", "#3b6fe0")])
def test_a_png_has_title_lines_and_legend_in_the_colours_of_the_page(visit: Any, theme: str, panel: str, series: str) -> None:
    page = visit(SWEEP, theme=theme)
    with Image.open(exported(page, "train/loss", "PNG")) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    height, width, _ = pixels.shape
    assert width == 2 * 720
    assert height > 2 * 400

    def inked(top: float, bottom: float, left: float = 0, right: float = 720) -> float:
        part = pixels[int(2 * top) : int(2 * bottom), int(2 * left) : int(2 * right)]
        return float((np.abs(part - rgb(panel)).sum(axis=2) > 60).mean())

    assert inked(8, 26, 60, 160) > 0.03, "the title"
    assert 0.02 < inked(36, 376, 62, 704) < 0.6, "the lines"
    assert inked(36, 376, 10, 55) > 0.002, "labels of the y axis"
    assert inked(378, 396) > 0.002, "labels of the x axis"
    assert inked(414, height / 2) > 0.01, "the legend"
    near = np.abs(pixels - rgb(series)).sum(axis=2) < 24
    assert near[72:752].sum() > 100, "a line in its colour"
    assert near[820:].sum() > 20, "and in the legend"


def test_an_svg_has_every_point_and_names_every_line(visit: Any) -> None:
    page = visit(SWEEP)
    root = ET.parse(exported(page, "train/loss", "SVG")).getroot()
    assert root.findtext(f"{SVG}title") == "train/loss"
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert texts[0] == "train/loss"
    assert "step" in texts
    assert {f"run-{i:02}" for i in range(12)} <= set(texts)
    lines = {path.findtext(f"{SVG}title"): path for path in root.iter(f"{SVG}path") if path.find(f"{SVG}title") is not None}
    assert set(lines) == {f"run-{i:02}" for i in range(12)}
    points = [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.-]+),([\d.-]+)", lines["run-04"].get("d", ""))]
    assert len(points) == 50
    xs = np.array([x for x, _ in points])
    assert np.allclose(np.diff(xs), np.diff(xs)[0], atol=0.02)
    logged = np.array([5 / (1 + step) for step in range(50)])
    slope, start = np.polyfit(logged, [y for _, y in points], 1)
    assert np.abs(slope * logged + start - [y for _, y in points]).max() < 0.02, "the heights are those of the values"
    assert lines["run-04"].get("stroke") in LIGHT
    assert float(root.get("height", "0")) > 400


def test_a_csv_has_the_logged_numbers_to_the_last_bit(visit: Any) -> None:
    page = visit(SWEEP)
    rows = list(csv.DictReader(io.StringIO(exported(page, "train/loss", "CSV").read_text("utf-8"))))
    assert len(rows) == 600
    expected = {(f"run-{i:02}", step): (i + 1) / (1 + step) for i in range(12) for step in range(50)}
    assert {(row["series"], int(row["step"])): float(row["mean"]) for row in rows} == expected
    assert all(row["min"] == row["mean"] == row["max"] and row["count"] == "1" for row in rows)


def test_a_zoomed_chart_takes_along_what_it_shows(visit: Any) -> None:
    page = visit(f"{SWEEP}&zoom=10,20")
    drawn(page, "train/loss", lambda m: m["shown"] < 600)
    rows = list(csv.DictReader(io.StringIO(exported(page, "train/loss", "CSV").read_text("utf-8"))))
    steps = {int(row["step"]) for row in rows}
    assert steps >= set(range(10, 21))
    assert len(steps) <= 13
