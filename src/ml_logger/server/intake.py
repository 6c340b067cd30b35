"""`POST /v1/ingest` and `GET /v1/offsets`: what carriers ask. Knows no frames; `ingest.py` does the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ml_logger.errors import RejectedError, ServerBusyError
from ml_logger.server import scopes
from ml_logger.server.bodies import json_response
from ml_logger.server.site import Site

_MOST_WRITERS = 100


async def ingest(request: Request) -> Response:
    """Take a batch; answered when it is durable. 409 tells the committed offsets to a carrier that was wrong about them."""
    site: Site = request.app.state.site
    principal = request.state.principal
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdigit() and len(length) < 20 else None

    def noted(what: str, paths: list[str]) -> None:
        site.audit.note(what, who=principal.subject, jti=principal.jti, ip=request.state.ip, paths=paths)

    def check(key: str, verb: str = "write") -> None:
        scopes.require(principal, verb, key)

    body = _body(request)
    try:
        status, answer = await site.ingest.ingest(body, check, size, noted)
    except ServerBusyError:
        await _discard(body, site.ingest.limits.wire)
        raise
    return json_response(answer, status)


async def _discard(body: AsyncIterator[bytes], most: int) -> None:
    """Read what is still under way: closing on a client that is sending would make it miss the answer, and when to try again."""
    passed = 0
    async for piece in body:
        passed += len(piece)
        if passed > most:
            return


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise RejectedError("the body ended early", 400) from None


async def offsets(request: Request) -> Response:
    """Tell the committed offset of each `writer=<run>/<uuid>`."""
    site: Site = request.app.state.site
    writers = request.query_params.getlist("writer")
    if len(writers) > _MOST_WRITERS:
        raise RejectedError(f"{len(writers)} writers; {_MOST_WRITERS} are allowed", 400)
    for writer in writers:
        scopes.require(request.state.principal, "write", writer.rpartition("/")[0])
    return json_response(await asyncio.to_thread(site.ingest.offsets, writers))
