"""The destination that is a server: records go through the spool and the carrier, questions straight there. Knows no frames.

A read first waits until this process's own records are delivered, so that it sees them; files are kept in the spool before `apply`
returns. Nothing that comes from the server is unpickled or executed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ml_logger import keys
from ml_logger.client import spool
from ml_logger.client.base import Delivery, FileRecord, NamedRecord, Stored, blocks_of, writes
from ml_logger.client.carrier import Carrier
from ml_logger.client.foresight import Foresight
from ml_logger.client.roads import WireRoad
from ml_logger.client.uploads import send
from ml_logger.client.wire import Wire, path_of
from ml_logger.commands import Done
from ml_logger.errors import DeliveryError, InvalidKeyError, NotFoundError, NotWrittenError, ServerBusyError, ServerUnreachableError
from ml_logger.formats import messages, replies
from ml_logger.queries import ANSWER_OF, GetSeries
from ml_logger.records import Archive, Copy, File, Move, Remove
from ml_logger.settings import Settings

READ_DRAIN_S = 5.0
EXIT_IMPATIENT_S = 0.5
QUICK_LOOK_S = 0.5


_LIVE: weakref.WeakSet[HttpDestination] = weakref.WeakSet()
"""All of this process: what one wrote, the others read."""

_FULL = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What the spool says when it has no room for a file, and what its disk says."""


class HttpDestination:
    """A root behind ``http(s)://host:port``. Thread-safe; connects to nothing before there is something to say."""

    def __init__(self, root: str, env: Settings) -> None:
        """Use the server at `root`; raises `SettingsError` for an address that is none."""
        self.root, self._named = root, env.spool
        self.wire = Wire(root, env)
        self.carrier = Carrier(WireRoad(self.wire), env.spool)
        self._foresight = Foresight(self._question)
        self._broken = ""
        _LIVE.add(self)

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────────────

    def journal_dir(self, run: str) -> Path:
        """Return a new directory of the spool."""
        return self.carrier.new_slot(run)

    def opened(self, journal: Path, run: str) -> None:
        """Begin to carry a journal."""
        self.carrier.add(journal, run)

    def check(self, record: NamedRecord, *, ask: bool) -> None:
        """Refuse what cannot work: `InvalidKeyError` for names, `NotFoundError` for a source that a server which answers does not have.

        A server that answers is asked about moves, copies and archives, and with `ask` about every file.
        """
        for path in writes(record):
            keys.writable(_readable(path))
        if isinstance(record, (Copy, Archive)):
            _readable(record.path)
        ask = ask or isinstance(record, (Move, Copy, Archive))
        patience = {"ok": READ_DRAIN_S, "connecting": EXIT_IMPATIENT_S}.get(self.carrier.state)
        drained = ask and patience is not None and self.carrier.drain(patience)
        self._foresight.check(record, ask=drained and self.carrier.state == "ok")

    def apply(self, record: FileRecord) -> Stored:
        """Keep a file's bytes in the spool; the server does the rest when the record that follows arrives.

        A file that does not fit into the spool goes straight to a server that answers, after all that is older: this call takes as long
        as the network does. Raises `NotWrittenError` if there is none.
        """
        if isinstance(record, File):
            return self._keep(record)
        return Stored(record.path if isinstance(record, Remove) else record.to)

    def _keep(self, record: File) -> Stored:
        try:
            sha256, size = spool.put_blob(self.root, blocks_of(record), self._named)
        except OSError as error:
            if record.source is not None and not Path(record.source).is_file():
                raise NotFoundError(f"file {record.source}") from error
            if error.errno in _FULL and not record.append and self.carrier.drain(None):
                with contextlib.suppress(ServerUnreachableError, ServerBusyError):
                    return self._sent(record)
            raise NotWrittenError(record.path, "the spool", error.strerror or str(error)) from error
        return Stored(record.path, sha256, size)

    def _sent(self, record: File) -> Stored:
        """Put a file in its place at the server, now, without the spool."""
        digest, size = hashlib.sha256(), 0
        for block in blocks_of(record):
            digest.update(block)
            size += len(block)
        file = messages.File(keys.clean(record.path), digest.hexdigest(), size, time.time())
        with contextlib.nullcontext(io.BytesIO(record.data or b"")) if record.source is None else Path(record.source).open("rb") as source:
            send(self.wire, file, source)
        return Stored(record.path, file.sha256, size)

    def write_text(self, path: str, text: str, *, overwrite: bool) -> None:
        """Do nothing: the server keeps plain text files by itself."""

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, query: Any) -> Any:
        """Answer a query; raises what a directory would, `TransportError` without a server, `DeliveryError` after 5 s of waiting."""
        with self._circuit():
            self._drained()
            return self._question(query)

    @contextlib.contextmanager
    def _circuit(self) -> Iterator[None]:
        """Let the first read of an outage wait; until the server answers again, each later one fails after one quick look."""
        if self._broken and not self.wire.answers(QUICK_LOOK_S):
            raise ServerUnreachableError(self.wire.url, self._broken)
        try:
            yield
        except (ServerUnreachableError, DeliveryError) as error:
            self._broken = error.reason
            raise
        self._broken = ""

    def _drained(self) -> None:
        """Wait until all that this process wrote to the server is there, by whichever of its loggers."""
        deadline = time.monotonic() + READ_DRAIN_S
        for other in [self, *(other for other in list(_LIVE) if other.root == self.root and other is not self)]:
            if not other.carrier.drain(max(0.0, deadline - time.monotonic())):
                waiting = other.carrier.delivery()
                if waiting.state == "unreachable":
                    raise ServerUnreachableError(self.wire.url, "own records wait in the spool, and a read would not see them")
                raise DeliveryError(waiting.spool_bytes, "the spool", f"{waiting.state}; counted in bytes")

    def _question(self, query: Any) -> Any:
        headers = {"content-type": "application/json", "accept": replies.MEDIA_TYPE}
        response = self.wire.request("POST", "/v1/query", body=msgspec.json.encode(query), headers=headers, timeout=120.0)
        body = self.wire.read(response)
        if isinstance(query, GetSeries):
            from ml_logger.formats import series

            return series.decode(body)
        try:
            if response.headers.get("content-type", "").startswith(replies.MEDIA_TYPE):
                return replies.decode(body, ANSWER_OF[type(query)])
            return msgspec.json.decode(body, type=ANSWER_OF[type(query)])
        except (ValueError, RecursionError) as error:
            raise ServerUnreachableError(self.wire.url, f"an answer that is none: {error}") from error

    def command(self, command: Any) -> Done:
        """Carry out a command at the server."""
        headers = {"content-type": "application/json"}
        with self._circuit():
            self._drained()
            response = self.wire.request("POST", "/v1/command", body=msgspec.json.encode(command), headers=headers)
            return msgspec.convert(self.wire.read_json(response), Done)

    def read(self, path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Stream the bytes of a file; raises `NotFoundError` at once."""
        key = _readable(path)
        headers = {"range": f"bytes={start}-{'' if stop is None else stop - 1}"} if start or stop is not None else {}
        with self._circuit():
            self._drained()
            if stop is not None and stop <= start:
                return iter(())
            response = self.wire.request("GET", path_of(key), headers=headers, timeout=60.0, also=(416,))
        if response.status == 416:  # the file ends before `start`
            response.close()
            return iter(())
        return self.wire.stream(response)

    # ── the way there ────────────────────────────────────────────────────────────────────────────────────────────

    def nudge(self) -> None:
        """Do nothing: the carrier looks by itself ten times a second."""

    def drain(self, timeout: float | None, *, durable: bool) -> bool:  # noqa: ARG002 - acknowledged is durable
        """Wait until all is acknowledged; with None, as long as the server answers. Raises what it could not do since the last time."""
        drained = self.carrier.drain(timeout)
        self.carrier.refusals.raise_first()
        return drained

    def delivery(self) -> Delivery:
        """Return the counters."""
        return self.carrier.delivery()

    def close(self, timeout: float) -> None:
        """Deliver for at most `timeout` s if the server answers, 0.5 s if it does not; what is left is delivered later."""
        self.carrier.close(timeout, EXIT_IMPATIENT_S)
        self.wire.close()

    def recover(self, runs: list[str], named: str | None) -> None:
        """Do nothing: the carrier takes journals from every directory."""

    def after_fork(self) -> None:
        """Forget threads, sockets and locks of the parent."""
        self.carrier.after_fork()


def _readable(path: str) -> str:
    if path.startswith("//"):
        raise InvalidKeyError(path, "absolute paths are not available on a server", 0)
    return keys.clean(path)
