"""What the tests of charts ask of a page: the model of a chart, and waiting for it. Knows no server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request

READ = "metric => window.mlLogger?.charts[metric]?.model() ?? null"


def model(page: Page, metric: str) -> dict[str, Any] | None:
    """Return what the chart of `metric` draws (`?test` must be in the address), or None before it is there."""
    return page.evaluate(READ, metric)


def has_runs(found: dict[str, Any]) -> bool:
    """Tell whether a chart draws anything."""
    return bool(found["runs"])


def drawn(page: Page, metric: str, ready: Callable[[dict[str, Any]], Any] = has_runs, timeout: float = 15) -> dict[str, Any]:
    """Return the model once it is `ready`; fails with the last one seen."""
    end = time.monotonic() + timeout
    found = None
    while time.monotonic() < end:
        found = model(page, metric)
        if found is not None and ready(found):
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"{metric} is not as expected: {found and {**found, 'runs': [run['key'] for run in found['runs']]}}")


def asked_series(page: Page) -> list[dict[str, Any]]:
    """Return the list into which the page's questions for series will go; several may be one request."""
    asked: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if "get_series" in (request.post_data or ""):
            body = request.post_data_json
            asked.extend(body if isinstance(body, list) else [body])

    page.on("request", note)
    return asked


def figure(page: Page, metric: str) -> Locator:
    return page.get_by_role("figure", name=metric, exact=True)


def plot_box(page: Page, metric: str) -> dict[str, float]:
    """Return where on the page the plot between the axes is."""
    box = figure(page, metric).locator(".u-over").bounding_box()
    assert box is not None
    return dict(box)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], modifier: str = "") -> None:
    page.mouse.move(*start)
    if modifier:
        page.keyboard.down(modifier)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()
    if modifier:
        page.keyboard.up(modifier)


def copied(page: Page, part: str, timeout: float = 15) -> str:
    """Return what is in the clipboard once it holds `part`; contexts of one browser share it, so empty it before."""
    end, text = time.monotonic() + timeout, ""
    while time.monotonic() < end:
        text = page.evaluate("navigator.clipboard.readText()")
        if part in text:
            return text
        page.wait_for_timeout(20)
    raise AssertionError(f"{part!r} is not in the clipboard: {text!r}")
