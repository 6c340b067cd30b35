"""What browser tests share: the built page, Chromium, a real server on real runs, and pages that must stay without errors."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

SWEEP = """
import math, random, sys
from ml_logger import ML_Logger
for i in range(12):
    rng = random.Random(i)
    run = ML_Logger(root=sys.argv[1], prefix=f"team/sweep/run-{i:02}")
    lr = [1e-4, 3e-4, 1e-3, 3e-3][i % 4]
    run.log_params(Args=dict(lr=lr, seed=i // 4, optimizer=["adam", "sgd"][i % 2], model=dict(hidden=64 * (1 + i % 3))), silent=True)
    for step in range(50):
        run.log(step=step, silent=True, **{"train/loss": (i + 1) / (1 + step), "eval/acc": 1 - 1 / (2 + step * (i + 1)) })
    if i % 3 == 0:
        run.log(step=50, rare=i, silent=True)
    run.flush()
"""
"""Twelve runs: 4 learning rates × 3 seeds; `rare` is in four of them."""


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the folder of the built page; it is built first if the sources differ from it."""
    spec = importlib.util.spec_from_file_location("dashboard_run", ROOT / "dashboard" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    run.build()
    return run.OUT


@pytest.fixture(scope="session")
def chromium(built: Path, playwright_session: Playwright) -> Iterator[Browser]:
    browser = playwright_session.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    yield browser
    browser.close()


class Visit:
    """Opens pages of one server, and keeps what went wrong on them: errors on the console, requests that left the origin."""

    def __init__(self, browser: Browser, url: str, state: Any = None) -> None:
        self.browser, self.url, self.state = browser, url, state
        self.wrong: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.contexts: list[Any] = []

    def __call__(self, address: str = "/", *, theme: str = "dark", size: tuple[int, int] = (1600, 1000), **more: Any) -> Page:
        """Open `address` in a browser that is new but for the session."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, storage_state=self.state, **more
        )
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._stays(request.url))
        page.goto(self.url + address)
        return page

    def _stays(self, url: str) -> None:
        if urlsplit(url).netloc not in ("", urlsplit(self.url).netloc):
            self.wrong.append(f"left the origin: {url}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def unexpected(self) -> list[str]:
        """Return what went wrong, but for messages that hold one of `expected`."""
        return [text for text in self.wrong if not any(part in text for part in self.expected)]


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, shared_server: Any) -> Any:
    """The session that the one-time code in the printed address gives."""
    code = shared_server.output.partition("/#code=")[2].split()[0]
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{shared_server.url}/#code={code}")
    page.get_by_role("status", name="live").wait_for()
    assert "code" not in page.url
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def sweep(shared_server: Any, chromium: Browser, signed_in: Any) -> Any:
    """The server of this file with twelve runs in team/sweep, once it has seen them."""
    subprocess.run([sys.executable, "-c", SWEEP, str(shared_server.data_dir)], env=shared_server.env, check=True, capture_output=True)
    context = chromium.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{shared_server.url}/r/team/sweep")
    page.get_by_text("12 of 12 runs shown").wait_for(timeout=30_000)
    context.close()
    return shared_server


@pytest.fixture
def visit(chromium: Browser, sweep: Any, signed_in: Any) -> Iterator[Visit]:
    """Open pages of the sweep's server; at the end nothing may have gone wrong on them."""
    opened = Visit(chromium, sweep.url, signed_in)
    yield opened
    opened.close()
    assert opened.unexpected() == []


@pytest.fixture
def visit_any(chromium: Browser) -> Iterator[Callable[[Any], Visit]]:
    """Open pages of a server that the test starts with --no-auth."""
    opened: list[Visit] = []

    def at(server: Any) -> Visit:
        opened.append(Visit(chromium, server.url))
        return opened[-1]

    yield at
    for one in opened:
        one.close()
    assert [text for one in opened for text in one.unexpected()] == []
