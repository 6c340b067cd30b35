"""Who asks: the token or the cookie of a request; failures are slowed down and written down. Knows no routes but the public ones."""

from __future__ import annotations

import asyncio
import collections
import time

from starlette.datastructures import Headers

from ml_logger.errors import AuthenticationError, RejectedError, ServerBusyError
from ml_logger.server.audit import Audit
from ml_logger.server.bounds import Bounds
from ml_logger.server.sessions import Sessions
from ml_logger.server.tokens import ANYONE, Principal, Tokens

_MOST_PEERS = 4096
_MOST_BUCKETS = 4096


def is_public(method: str, path: str) -> bool:
    """Tell whether a route needs no token: the page, its assets, and what operations ask."""
    if method in ("GET", "HEAD"):
        public = path in ("/", "/healthz", "/readyz", "/openapi.json", "/v1/hello", "/r", "/favicon.ico")
        return public or path.startswith(("/r/", "/assets/"))
    return method == "POST" and path == "/v1/session"


class Gate:
    """Turns the headers of a request into a `Principal`; used on the event loop only."""

    def __init__(self, tokens: Tokens, audit: Audit, bounds: Bounds, *, is_open: bool) -> None:
        """With `is_open` nobody needs a token (`--no-auth`)."""
        self.tokens, self.audit, self.bounds, self.is_open = tokens, audit, bounds, is_open
        self.sessions = Sessions(tokens.directory)
        self.cookie_name = "mll_s"
        self.failures = 0
        self._failed: collections.OrderedDict[str, collections.deque[float]] = collections.OrderedDict()
        self._buckets: collections.OrderedDict[str, tuple[float, float]] = collections.OrderedDict()
        self._waiting = 0

    def identify(self, headers: Headers, *, unsafe: bool) -> Principal | None:
        """Return who asks, None if the request brings nothing to tell; raises `AuthenticationError` for a bad token.

        `unsafe` requests that come with a cookie have to prove that our own page sent them.
        """
        if self.is_open:
            return ANYONE
        given = headers.getlist("authorization")
        if given:
            kind, _, token = given[0].partition(" ")
            if len(given) > 1 or kind.lower() != "bearer":
                raise AuthenticationError("a token is sent as `Authorization: Bearer …`")
            return self.tokens.verify(token.strip())
        cookie = _cookie(headers, self.cookie_name)
        found = self.sessions.find(cookie) if cookie else None
        if found is not None and unsafe:
            _check_own_page(headers)
        if found is not None and found.jti in self.tokens.revoked.tokens:
            return None
        return found

    def require(self, found: Principal | None) -> Principal:
        """Return `found`; raises `AuthenticationError` that says how to get a token."""
        if found is None:
            raise AuthenticationError(
                "a token is needed; `ml-logger open` opens the dashboard, `ml-logger token mint` makes one for programs"
            )
        return found

    async def slow_down(self, ip: str, reason: str, path: str) -> None:
        """Note a failure, and let an address with many of them wait; good requests from it are not touched."""
        self.failures += 1
        recent = self._failed.setdefault(ip, collections.deque(maxlen=self.bounds.bad_tokens_per_minute))
        self._failed.move_to_end(ip)
        if len(self._failed) > _MOST_PEERS:
            self._failed.popitem(last=False)
        now = time.monotonic()
        is_flood = len(recent) == recent.maxlen and now - recent[0] < 60.0
        recent.append(now)
        if not is_flood:
            self.audit.note("refused", ip=ip, reason=reason, path=path[:200])
            return
        if self._waiting < 256:
            self._waiting += 1
            try:
                await asyncio.sleep(self.bounds.bad_token_delay_s)
            finally:
                self._waiting -= 1

    def spend(self, principal: Principal) -> None:
        """Take one request from the allowance of a minted token; raises `ServerBusyError` (429) when it is used up."""
        if principal.kind != "token" or principal.subject.startswith("local:"):
            return
        now = time.monotonic()
        level, since = self._buckets.get(principal.jti, (self.bounds.burst, now))
        level = min(self.bounds.burst, level + (now - since) * self.bounds.rate) - 1.0
        if level < 0:
            raise ServerBusyError("too many requests with this token", max(1.0, -level / self.bounds.rate), 429)
        self._buckets[principal.jti] = (level, now)
        self._buckets.move_to_end(principal.jti)
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)


def _check_own_page(headers: Headers) -> None:
    """Refuse what a foreign page could have a browser send along with the cookie."""
    same = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
    if not same or headers.get("x-mll") != "1":
        raise RejectedError("a request with a cookie has to come from the dashboard (Origin and `X-MLL: 1`)", 403)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RejectedError("a request with a cookie has to be application/json", 415)


def _cookie(headers: Headers, name: str) -> str:
    for part in headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""
