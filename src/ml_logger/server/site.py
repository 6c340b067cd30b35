"""What all handlers share: the root, the store, who may do what, and the two ways in (ingest) and out (ask). Knows no HTTP."""

from __future__ import annotations

import asyncio
import collections
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from ml_logger import keys
from ml_logger.formats.pages import PageEncoder
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.audit import Audit
from ml_logger.server.batches import Limits
from ml_logger.server.bounds import Bounds
from ml_logger.server.gate import Gate
from ml_logger.server.ingest import Ingest
from ml_logger.server.live import Feed
from ml_logger.server.sealing import Sealer
from ml_logger.server.tokens import Tokens
from ml_logger.store.follow import find_runs, take_runs
from ml_logger.store.sqlite import open_store

T = TypeVar("T")


class Progress:
    """Says how far indexing is: when it has taken a while, again now and then, and when it is done."""

    def __init__(self, every_s: float = 5.0) -> None:
        """Say something every so many seconds."""
        self._every_s, self._said, self._has_said = every_s, time.monotonic(), False

    def __call__(self, done: int, runs: int) -> None:
        """Take note that so many runs of so many are indexed."""
        is_last = done == runs and self._has_said
        if is_last or time.monotonic() - self._said > self._every_s:
            self._said, self._has_said = time.monotonic(), not is_last
            sys.stderr.write(f"ml-logger: {done:,} of {runs:,} runs are indexed\n")
            sys.stderr.flush()


class Site:
    """One root, served. `start` replays what a crash left; `stop` makes durable what is queued."""

    def __init__(
        self, data_dir: Path, bounds: Bounds, limits: Limits, *, is_open: bool, secure: bool, index_dir: Path | None = None
    ) -> None:
        """Open the root `data_dir`, made if it is missing; with `is_open` nobody needs a token, with `secure` it is behind TLS."""
        self.bounds, self.secure = bounds, secure
        self.version = version("ml-logger")
        self.root = SafeRoot(data_dir, create=True)
        self.tokens = Tokens(data_dir)
        self.audit = Audit(self.tokens.directory)
        self.gate = Gate(self.tokens, self.audit, bounds, is_open=is_open)
        self.store: Any = open_store(self.root, index_dir, follow=True, on_progress=Progress())
        self.engine = Engine(self.store, self.root)
        self.pages = PageEncoder()
        self.ingest = Ingest(self.root, self.store.follower.poke, limits)
        self.sealer = Sealer(self.root, self.store, self.ingest.committer.between)
        self.feed = Feed(self.store, bounds)
        self.requests: collections.Counter[tuple[str, int]] = collections.Counter()
        self.upload_locks: dict[str, asyncio.Lock] = {}
        self.local_token = ""
        self.stopping = False
        self._pool = ThreadPoolExecutor(bounds.query_threads, "ml-logger-query")

    def start(self) -> None:
        """Replay the log and begin to follow the root; called on the event loop."""
        self.ingest.start()
        self.feed.start()
        self.sealer.start()

    def stop(self) -> None:
        """Commit what is queued and close everything; blocks for at most a few seconds."""
        self.sealer.stop(2.0)
        self.ingest.stop(2.0)
        self.feed.stop()
        self.store.follower.stop(1.0)
        self.store.close(2.0)

    def poke_below(self, paths: list[str]) -> None:
        """Have the store look at what was moved away from, or came back to, `paths`; all at once: forgetting looks at every run."""
        moved = frozenset(map(keys.clean, paths))
        self.store.forget(lambda run: _lies_below(run, moved) and not self.root.is_dir(run))
        take_runs(self.store, [run for path in sorted(moved) for run, _ in find_runs(self.root, path)])

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Do blocking work on one of a few threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    def count(self, handler: str, status: int) -> None:
        """Count an answer."""
        self.requests[handler, status] += 1


def _lies_below(run: str, paths: frozenset[str]) -> bool:
    """Tell whether a run, or a folder above it, is one of `paths`."""
    while run:
        if run in paths:
            return True
        run = run.rpartition("/")[0]
    return False
