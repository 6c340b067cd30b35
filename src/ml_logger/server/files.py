"""`/v1/files/<key>`: bytes of files and views out. Knows no run; what is not shown in place is an attachment.

The server never looks into a file: no image, no video and no pickle is decoded here.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import urllib.parse
from collections.abc import AsyncIterator
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ml_logger import keys
from ml_logger.errors import NotFoundError
from ml_logger.query import direct
from ml_logger.server import headers as head
from ml_logger.server import ranges, scopes
from ml_logger.server.site import Site
from ml_logger.server.uploads import arrived

_BLOCK = 256 << 10
_IN_MEMORY = 4 << 20


async def get(request: Request) -> Response:
    """Send a file or a view; one range, ETag and HEAD are understood. `?embed` shows HTML inside a sandboxed frame."""
    site: Site = request.app.state.site
    key = keys.clean(request.path_params["key"])
    scopes.require(request.state.principal, "read", key)
    if "upload" in request.query_params:
        return arrived(site, request.query_params["upload"], request.query_params.get("stage", ""))
    file, etag = await site.run(_open, site, key)
    with_body = request.method == "GET"
    try:
        return _respond(site, request, key, file, etag, with_body=with_body)
    finally:
        if not with_body:
            file.close()


def _open(site: Site, key: str) -> tuple[BinaryIO, str]:
    """Return a file at its beginning, and its ETag; a view is written out first, so that its size is known."""
    file = None
    with contextlib.suppress(NotFoundError):
        file = None if direct.is_copy(site.root, key) else site.root.open_read(key)
    if file is None:
        spooled: BinaryIO = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # type: ignore[assignment]  # noqa: SIM115 - the answer closes it
        spooled.writelines(direct.view(site.root, key))
        return spooled, ""
    found = os.fstat(file.fileno())
    return file, f'"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"'


def _respond(site: Site, request: Request, key: str, file: BinaryIO, etag: str, *, with_body: bool) -> Response:
    size = file.seek(0, 2)
    answer = _headers(key, embed="embed" in request.query_params, fetch_dest=request.headers.get("sec-fetch-dest", ""))
    if etag:
        answer["etag"] = etag
        if ranges.matches(request.headers.get("if-none-match", ""), etag):
            file.close()
            return Response(status_code=304, headers=answer)
    wanted = request.headers.get("range", "")
    if wanted and request.headers.get("if-range", etag) != etag:
        wanted = ""
    part = ranges.parse_range(wanted, size)
    start, stop = part or (0, size)
    if part:
        answer["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    answer["content-length"] = str(stop - start)
    status = 206 if part else 200
    if not with_body:
        return Response(status_code=status, headers=answer)
    return StreamingResponse(_pieces(site, file, start, stop), status, headers=answer)


def _headers(key: str, *, embed: bool, fetch_dest: str) -> dict[str, str]:
    """Return the headers of a user's file: our own idea of its type, and a policy that shuts it in."""
    name = key.rpartition("/")[2]
    kind, in_place = head.content_type(name)
    policy = head.CONTENT_POLICY
    if embed and name.lower().endswith((".html", ".htm")) and fetch_dest in ("", "iframe"):
        kind, in_place, policy = "text/html; charset=utf-8", True, head.EMBED_POLICY
    return {
        "content-type": kind,
        "content-security-policy": policy,
        "content-disposition": f"{'inline' if in_place else 'attachment'}; filename*=UTF-8''{urllib.parse.quote(name, safe='')}",
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
    }


async def _pieces(site: Site, file: BinaryIO, start: int, stop: int) -> AsyncIterator[bytes]:
    with file:
        await site.run(file.seek, start)
        left = stop - start
        while left > 0 and (piece := await site.run(file.read, min(_BLOCK, left))):
            left -= len(piece)
            yield piece
        if left:  # the file shrank while it was sent: the client must not take it for whole
            raise ConnectionError(f"{left} bytes are gone")
