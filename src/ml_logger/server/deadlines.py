"""Slow clients are let go: an ASGI layer that gives every body and every piece of an answer a deadline. Knows no routes.

The head of a request and idle connections have theirs in the HTTP server; a client that takes nothing at all is closed by the
kernel (`TCP_USER_TIMEOUT`, serving.py).
"""

from __future__ import annotations

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_logger.errors import RejectedError
from ml_logger.server.bounds import Bounds


class SlowReaderError(ConnectionError):
    """The client did not take the answer; the connection is of no use any more."""


class Deadlines:
    """Wraps an application; adds `Connection: close` to answers given before the body was read to its end."""

    def __init__(self, app: ASGIApp, bounds: Bounds) -> None:
        """Hold `app` to `bounds`."""
        self.app, self.bounds = app, bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive, self.bounds, scope)
        try:
            await self.app(scope, body.receive, _Answer(send, self.bounds, body).send)
        except SlowReaderError:
            return


class _Body:
    """The request's body, within its time: `grace + bytes / rate` seconds from the first read."""

    def __init__(self, receive: Receive, bounds: Bounds, scope: Scope) -> None:
        self._receive, self._bounds = receive, bounds
        self.complete = not any(name in (b"content-length", b"transfer-encoding") and value != b"0" for name, value in scope["headers"])
        self._ended = False
        self._began = 0.0
        self._read = 0

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()
        self._began = self._began or time.monotonic()
        deadline = self._began + self._bounds.body_grace_s + self._read / self._bounds.body_rate
        try:
            message = await asyncio.wait_for(self._receive(), max(0.05, deadline - time.monotonic()))
        except asyncio.TimeoutError:
            raise RejectedError(f"the body came too slowly: {self._read} bytes", 408) from None
        self._read += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.complete = self._ended = True
        return message


class _Answer:
    """The answer, in pieces small enough for each to have a deadline."""

    def __init__(self, send: Send, bounds: Bounds, body: _Body) -> None:
        self._send, self._bounds, self._body = send, bounds, body

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._body.complete:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        piece = self._bounds.piece
        for start in range(0, len(body), piece) if len(body) > piece else (0,):
            last = start + piece >= len(body) and not more
            await self._piece({"type": message["type"], "body": body[start : start + piece], "more_body": not last})

    async def _piece(self, message: Message) -> None:
        try:
            await asyncio.wait_for(self._send(message), self._bounds.send_timeout_s)
        except asyncio.TimeoutError:
            raise SlowReaderError from None
