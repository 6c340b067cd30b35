"""The page: one shell for every address, and the assets that the build made. Knows no data.

Hashed assets are immutable, the shell is asked for again each time. Asset addresses in the shell are absolute; the server puts
its root path before them. Without a build, a page says how to make one.
"""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from ml_logger.errors import NotFoundError
from ml_logger.server import headers as head

ASSETS = Path(__file__).parent / "assets"
_NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,4}")
_TYPES = {
    "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "woff2": "font/woff2",
    "json": "application/json", "png": "image/png", "ico": "image/x-icon", "txt": "text/plain; charset=utf-8", "wasm": "application/wasm",
}  # fmt: skip
_HELP = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>ml-logger</title>
<h1>The server runs; the dashboard is not built</h1>
<p>This is a checkout in which the page was never built. In it, run</p>
<pre>python dashboard/run.py build</pre>
<p>and reload this page; or install the package with <code>pip install .</code>, which builds it (no Node is needed).</p>
<p>Data can be read meanwhile: <code>ml-logger ls</code>, <code>ml-logger cat RUN</code>.</p>
</html>
"""


class Page:
    """The built files of a directory, with a root path put before the addresses in the shell."""

    def __init__(self, directory: Path = ASSETS, root_path: str = "") -> None:
        """Serve what `directory` holds: `index.html` and `assets/`."""
        self.directory, self.root_path = directory, root_path.rstrip("/")

    async def shell(self, request: Request) -> Response:
        """Send the page, the same for every address."""
        del request
        path = self.directory / "index.html"
        text = path.read_text("utf-8") if path.is_file() else _HELP
        if self.root_path:
            text = re.sub(r'((?:src|href)=")/(?!/)', rf"\g<1>{self.root_path}/", text)
        headers = {"content-security-policy": head.PAGE_POLICY, "cache-control": "no-cache"}
        return Response(text, media_type="text/html; charset=utf-8", headers=headers)

    async def asset(self, request: Request) -> Response:
        """Send a file of the build."""
        name = request.path_params["name"]
        path = self.directory / "assets" / name
        if not _NAME.fullmatch(name) or ".." in name.split("/") or not path.is_file():
            raise NotFoundError(f"asset {name[:80]}")
        kind = _TYPES.get(path.suffix.lstrip("."), "application/octet-stream")
        headers = {"cache-control": "public, max-age=31536000, immutable", "content-security-policy": head.PAGE_POLICY}
        return Response(path.read_bytes(), media_type=kind, headers=headers)

    async def icon(self, request: Request) -> Response:
        """Answer browsers that ask for /favicon.ico: the page names its own icon."""
        del request
        return Response(status_code=204, headers={"cache-control": "public, max-age=86400"})
