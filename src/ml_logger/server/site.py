"""What all handlers share: the root, the store, who may do what, and the two ways in (ingest) and out (ask). Knows no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from ml_logger.errors import AuthenticationError
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.audit import Audit
from ml_logger.server.bounds import Bounds
from ml_logger.server.gate import Gate
from ml_logger.server.ingest import Ingest
from ml_logger.server.live import Feed
from ml_logger.server.tokens import Principal, Tokens
from ml_logger.store.sqlite import SqliteStore, open_store

T = TypeVar("T")


class Site:
    """One root, served. `start` replays what a crash left; `stop` makes durable what is queued."""

    def __init__(self, data_dir: Path, bounds: Bounds, *, is_open: bool = False, index_dir: Path | None = None) -> None:
        """Open the root `data_dir`, made if it is missing."""
        self.bounds = bounds
        self.root = SafeRoot(data_dir, create=True)
        self.tokens = Tokens(data_dir)
        self.audit = Audit(self.tokens.directory)
        self.gate = Gate(self.tokens, self.audit, bounds, is_open=is_open)
        self.store: SqliteStore = open_store(data_dir, index_dir=index_dir)
        self.engine = Engine(self.store, self.root)
        self.ingest = Ingest(self.root, self.store.poke)
        self.feed = Feed(self.store, bounds)
        self.requests: dict[tuple[str, int], int] = {}
        self.stopping = False
        self._pool = ThreadPoolExecutor(bounds.query_threads, "ml-logger-query")

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Do blocking work on one of a few threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
