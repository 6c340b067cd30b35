"""`GET /v1/live`: notices of what changed, as server-sent events. Knows no values: a page asks for what it shows.

One thread waits for the store and passes changes on to all streams; a stream that cannot keep up, or comes back with
`Last-Event-ID`, catches up from the store itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ml_logger import keys
from ml_logger.answers import Change
from ml_logger.errors import ServerBusyError
from ml_logger.server import scopes
from ml_logger.server.bounds import Bounds
from ml_logger.store.base import Store

_BEAT_S = 10.0
_TICK_S = 0.25
_encode = msgspec.json.Encoder().encode


class Feed:
    """Tells event streams that the store has a new version."""

    def __init__(self, store: Store, bounds: Bounds) -> None:
        """Follow `store` from `start()` on."""
        self.store, self.bounds = store, bounds
        self.streams = 0
        self.stopping = False
        self._event = asyncio.Event()
        self._version = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to wait for changes; called on the event loop."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._follow, args=(loop,), name="ml-logger-live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all streams; called on the event loop."""
        self.stopping = True
        self._event.set()

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        version = 0
        while not self.stopping:
            found = self.store.wait(version, _TICK_S)
            if found != version:
                version = found
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self._wake, version)

    def _wake(self, version: int) -> None:
        self._version = version
        old, self._event = self._event, asyncio.Event()
        old.set()

    async def versions(self, since: int) -> AsyncIterator[int | None]:
        """Yield each new version above `since` (those in between may be left out), None when nothing happened for a while."""
        while not self.stopping:
            if self._version > since:
                since = self._version
                yield since
                continue
            try:
                await asyncio.wait_for(self._event.wait(), _BEAT_S)
            except asyncio.TimeoutError:
                yield None


async def live(request: Request) -> Response:
    """Open a stream of `change` events below `?prefix=`; `id` is the version, `Last-Event-ID` (or `?since=`) goes on from there."""
    site = request.app.state.site
    prefix = keys.clean(request.query_params.get("prefix", ""))
    scopes.require(request.state.principal, "read", prefix)
    feed: Feed = site.feed
    if feed.streams >= feed.bounds.streams:
        raise ServerBusyError("too many event streams are open", 5.0)
    given = request.headers.get("last-event-id") or request.query_params.get("since", "")
    newest = await site.run(site.store.wait, -1, 0.0)
    since = int(given) if given.isdigit() and len(given) < 19 else newest
    if since > newest:  # of a server before this one, whose clock was ahead: all that this one noted is news
        since = 0
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_events(request, feed, prefix, since), media_type="text/event-stream", headers=headers)


async def _events(request: Request, feed: Feed, prefix: str, since: int) -> AsyncIterator[bytes]:
    site = request.app.state.site
    feed.streams += 1
    try:
        yield f"retry: 1000\nid: {since}\n\n".encode()
        async for version in feed.versions(since):
            if version is None:
                yield b": alive\n\n"
                continue
            changes: list[Change] = await site.run(feed.store.changes, since)
            since = max([version, *(change.version for change in changes)])
            for change in changes:
                if not prefix or keys.in_scope(change.run, f"{prefix}/**"):
                    yield b"event: change\nid: %d\ndata: %s\n\n" % (change.version, _encode(change))
            await asyncio.sleep(_TICK_S)  # several changes in a moment become one notice for each run
    finally:
        feed.streams -= 1
