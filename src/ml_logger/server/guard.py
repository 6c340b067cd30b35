"""The wall in front of every route: Host (421), Origin (403), token (401), then the rest; and the headers of every answer.

An ASGI layer; knows what is public and what an error looks like, but no route.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_logger.errors import AuthenticationError, MlLoggerError, RejectedError, ServerBusyError, to_wire
from ml_logger.formats.values import jsonable
from ml_logger.server import headers as head
from ml_logger.server.gate import Gate, is_public
from ml_logger.server.hosts import Hosts

SAFE = ("GET", "HEAD", "OPTIONS")
Count = Callable[[str, int], None]


def _ignore(name: str, status: int) -> None:
    """Count nothing."""


def error_response(error: MlLoggerError) -> Response:
    """Return the answer that carries `error`: its status, its fields as JSON, and Retry-After where it makes sense."""
    status = int(getattr(error, "status", 0) or error.http_status)
    response = Response(msgspec.json.encode(jsonable(to_wire(error))), status, media_type="application/json")
    if isinstance(error, ServerBusyError):
        response.headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


_PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
    "access-control-allow-headers": "authorization, content-type, range, x-content-sha256, content-range, last-event-id",
    "access-control-max-age": "600",
}


def _is_preflight(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)


class Guard:
    """Wraps an application."""

    def __init__(
        self, app: ASGIApp, gate: Gate, hosts: Hosts, *, root_path: str = "", secure: bool = False, count: Count = _ignore
    ) -> None:
        """Let through to `app` what passes `hosts` and `gate`; `root_path` is taken off the path.

        `count(handler's name, status)` is called for each answer.
        """
        self.app, self.gate, self.hosts = app, gate, hosts
        self.root_path, self.secure, self.count = root_path.rstrip("/"), secure, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = head.complete([*message["headers"], *self._cors(scope)], secure=self.secure)
                self.count(getattr(scope.get("endpoint"), "__name__", "refused"), message["status"])
            await send(message)

        try:
            self._check_sender(scope)
            if _is_preflight(scope) and self._cors(scope):
                await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, answer)
                return
            await self._admit(scope)
            await self.app(scope, receive, answer)
        except MlLoggerError as error:
            if started:
                raise
            await error_response(error)(scope, receive, answer)

    def _check_sender(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self.hosts.check(
            headers.getlist("host"), headers.getlist("origin"), headers.get("sec-fetch-site", ""), headers.get("sec-fetch-mode", "")
        )
        self._strip_root(scope)

    def _cors(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the headers for a page that `--cors-origin` names: it may read answers to requests with a token, never with a cookie."""
        origin = Headers(scope=scope).get("origin", "")
        allowed = origin in self.hosts.origins
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")] if allowed else []

    async def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        ip = str((scope.get("client") or ("",))[0])
        method, path = scope["method"], scope["path"]
        state["ip"], state["principal"] = ip, None
        try:
            found = self.gate.identify(headers, unsafe=method not in SAFE)
            state["principal"] = found if is_public(method, path) else self.gate.require(found)
        except AuthenticationError as error:
            if is_public(method, path):  # a stale token does not lock anyone out of the page that explains it
                return
            await self.gate.slow_down(ip, str(error), path)
            raise
        if state["principal"] is not None and path != "/v1/ingest":
            self.gate.spend(state["principal"])

    def _strip_root(self, scope: Scope) -> None:
        path = scope["path"]
        if self.root_path and (path == self.root_path or path.startswith(self.root_path + "/")):
            scope["path"] = path[len(self.root_path) :] or "/"
            scope.pop("raw_path", None)
        if "\0" in scope["path"]:
            raise RejectedError("the path holds a zero byte", 400)
