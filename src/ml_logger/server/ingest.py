"""Taking in what carriers bring: bounded, checked, queued for the thread that commits, answered when it is durable.

Knows no routes and no tokens: the caller hands in the body's stream and a function that refuses keys outside of a token's scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from ml_logger.errors import RejectedError, ServerBusyError
from ml_logger.safe_fs import SafeRoot
from ml_logger.server import batches, effects
from ml_logger.server.batches import Limits, Part
from ml_logger.server.commit import Committer, Counters, Job

_INLINE_BYTES = 256 << 10


class Ingest:
    """The way of batches into a root. `start` replays what a crash left, `stop` commits what is queued."""

    def __init__(self, root: SafeRoot, poke: Callable[[str], None], limits: Limits | None = None) -> None:
        """Take batches into `root`; `poke(run)` is called, on the committing thread, for every run that grew."""
        self.limits = limits or Limits()
        self.committer = Committer(root, poke, self.limits)
        self._held = 0

    @property
    def counters(self) -> Counters:
        """What was taken in since the start, and what went wrong."""
        counters, health = self.committer.counters, self.committer.health
        counters.full, counters.sync_errors = health.full, health.sync_errors
        counters.effects_failed = self.committer.effects.failed
        return counters

    def start(self) -> None:
        """Replay what a crash left in the log, and begin to commit. Cost: linear in the log, at most some 100 MB."""
        self.committer.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Commit what is queued, make it durable in the journals, empty the log."""
        self.committer.stop(timeout)

    @property
    def is_ready(self) -> bool:
        """Tell whether batches would be made durable now: the disk is not full, syncs do not fail, the thread lives."""
        return self.committer.is_alive and self.committer.health.is_well

    @property
    def queued_bytes(self) -> int:
        """Bytes of batches that are being read or wait to be committed."""
        return self._held

    async def ingest(
        self,
        body: AsyncIterator[bytes],
        check: Callable[..., None],
        length: int | None = None,
        noted: Callable[[str, list[str]], None] = lambda what, paths: None,
    ) -> tuple[int, dict[str, Any]]:
        """Take one body and return (HTTP status, JSON) after it is durable: 200, or 409 where a `lo` is not the committed offset.

        `check(key)` raises for keys outside of the token's scope, `check(key, "delete")` for what is removed in other runs;
        `noted(what, keys)` is told of each removal and move. Raises `RejectedError` (400, 413) for a bad body and
        `ServerBusyError` (503 when the queue is full, 507 when the disk is).
        Cost: one group commit, 5 to 50 ms.
        """
        self._admit(length or 0)
        held = [0]
        try:
            parts = await self._read(body, held)
            for part in parts:
                check(part.mark.run)
                for key in effects.paths_of(part.effects):
                    check(key)
                for key in effects.removed_elsewhere(part.mark.run, part.effects):
                    check(key, "delete")
            job = Job(parts, held[0])
            self.committer.put(job)
            await job.future
        except RejectedError:
            self.counters.rejected += 1
            raise
        finally:
            self._held -= held[0]
        if job.error is not None:
            raise job.error
        conflict = sum(ack.pop("conflict", False) for ack in job.acks) > 0
        for part, ack in zip(parts, job.acks, strict=False):
            for what, paths in [] if conflict or ack.get("duplicate") else effects.removals_of(part.effects):
                noted(what, paths)
        return (409 if conflict else 200), {"acks": job.acks}

    def offsets(self, writers: Iterable[str]) -> dict[str, int]:
        """Return the committed offsets of writers, each given as `<run>/<uuid>` (or `<uuid>` if it has sent something lately)."""
        found: dict[str, int] = {}
        places = self.committer.places
        for name in writers:
            run, _, writer = name.rpartition("/")
            place = places.known(writer) or (places.peek(run, writer) if run else None)
            found[name] = place.offset if place else 0
        return found

    def _admit(self, length: int) -> None:
        if length > self.limits.wire:
            raise RejectedError(f"the batch has {length} bytes; {self.limits.wire} are allowed", 413)
        self.committer.health.check()
        self._hold(length, [0])
        self._held -= length  # counted as it comes: who announces much and sends slowly takes nobody's room

    def _hold(self, size: int, held: list[int]) -> None:
        """Count `size` bytes for a body instead of the `held` ones; raises `ServerBusyError` if that is more than may wait."""
        others = self._held - held[0]
        if others + size > self.limits.queued:
            self.counters.busy += 1
            raise ServerBusyError("too many batches are waiting", self.limits.busy_retry_s)
        self._held, held[0] = others + size, size

    async def _read(self, body: AsyncIterator[bytes], held: list[int]) -> list[Part]:
        """Return the parts of the body, stopping at the first byte over the limit."""
        chunks: list[bytes] = []
        length = 0
        async for chunk in body:
            length += len(chunk)
            if length > self.limits.wire:
                raise RejectedError(f"the batch has more than {self.limits.wire} bytes", 413)
            self._hold(length, held)
            chunks.append(chunk)
        sent = b"".join(chunks)
        chunks.clear()
        self._hold(batches.inflated_size(sent, self.limits), held)
        take = asyncio.to_thread if len(sent) > _INLINE_BYTES else _now
        raw = await take(batches.inflate, sent, self.limits)
        self.counters.bytes += len(sent)
        parts = await take(batches.parse, raw, self.limits)
        self._hold(batches.kept_bytes(parts), held)
        return parts


async def _now(call: Callable[..., Any], *args: Any) -> Any:
    return call(*args)
