"""Takes the README's pictures of the real dashboard, on the runs that `make demo` left. Needs Chromium; knows no training."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from demo.__main__ import DATA, free_port, is_ready

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


def main(data: Path) -> int:
    """Write dashboard-dark.png and dashboard-light.png; 1 if there are no runs to show."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not (data / "digits").is_dir() or browser_path is None:
        print("run `make demo DEMO_EXIT=1` first, and install chromium", file=sys.stderr)
        return 1
    port = free_port(8181)
    server = subprocess.Popen([sys.executable, "-m", "ml_logger.server", "--data-dir", str(data), "--port", str(port), "--no-auth"])
    try:
        while not is_ready(port):
            time.sleep(0.05)
        IMAGES.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            for theme in ("dark", "light"):
                page = browser.new_page(viewport={"width": 1600, "height": 1000}, color_scheme=theme)
                page.goto(f"http://localhost:{port}/?q=sort:-eval/accuracy")
                page.wait_for_timeout(4000)
                page.screenshot(path=IMAGES / f"dashboard-{theme}.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else DATA))
