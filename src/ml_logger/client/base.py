"""What a session needs of the place where its records go; knows no file system and no wire.

A destination is a directory (`client/directory.py`) or a server (`client/http.py`). The journal in front of it is
the same for both: what `emit` wrote there is safe, and the destination only says where that journal lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from ml_logger import keys
from ml_logger.errors import InvalidKeyError, NotFoundError
from ml_logger.records import Archive, Copy, File, Move, Params, Remove, Text

FileRecord = File | Remove | Move | Copy | Archive
NamedRecord = FileRecord | Text | Params

_BLOCK = 1 << 20


def writes(record: NamedRecord) -> list[str]:
    """Return the names that `record` writes, removes or moves, as the caller spelled them."""
    if isinstance(record, (Copy, Archive)):
        return [record.to]
    return [record.path, record.to] if isinstance(record, Move) else [record.path]


def blocks_of(record: File) -> Iterator[bytes]:
    """Yield the bytes of a file record, from memory or from its local source, in pieces of at most 1 MiB from there."""
    if record.source is None:
        yield record.data or b""
        return
    try:
        opened = Path(record.source).open("rb")  # noqa: SIM115 - closed below
    except FileNotFoundError as error:
        raise NotFoundError(f"file {record.source}") from error
    with opened as source:
        while block := source.read(_BLOCK):
            yield block


def refuse_inside(record: FileRecord) -> None:
    """Raise `InvalidKeyError` if a directory would be moved or copied into itself."""
    if isinstance(record, (Move, Copy)) and record.path != record.to and keys.in_scope(record.to, f"{record.path}/**"):
        raise InvalidKeyError(record.to, f"lies inside of what is {'moved' if isinstance(record, Move) else 'copied'}")


class Stored(Struct):
    """What became of a file record: its key, and for a file the hash (hex) and the size in bytes."""

    path: str
    sha256: str = ""
    size: int = 0


class Delivery(Struct):
    """Counters of the way behind the journal, in records unless said otherwise; part of `logger.status()`."""

    acked: int = 0
    duplicates: int = 0
    dropped: int = 0
    rejected: int = 0
    retries: int = 0
    spool_bytes: int = 0
    state: str = "ok"
    """ok, connecting, unreachable, unauthorized, busy, stalled or closed"""


class Destination(Protocol):
    """Where records end up, and where answers come from."""

    root: str
    """As the user gave it: a path or a URL."""

    def journal_dir(self, run: str) -> Path:
        """Return the local directory in which a writer of `run` keeps its journal; it exists on return."""
        ...

    def opened(self, journal: Path, run: str) -> None:
        """Take notice of a new journal: the HTTP destination starts to carry it, a directory does nothing."""
        ...

    def check(self, record: NamedRecord, *, ask: bool) -> None:
        """Raise what `apply` or `write_text` would of the record's names, so that no journal tells of what cannot be.

        With `ask`, a server is asked about what it alone can know.
        """
        ...

    def apply(self, record: FileRecord) -> Stored:
        """Do (directory) or prepare (server: put the bytes into the spool) what the record says, before it is journaled."""
        ...

    def write_text(self, path: str, text: str, *, overwrite: bool) -> None:
        """Keep the plain file of journaled text up to date; nothing to do for a server, which derives it itself."""
        ...

    def ask(self, query: Any) -> Any:
        """Answer a query of `queries.py` (with this process's own writes); raises what `errors.py` says."""
        ...

    def read(self, path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Stream the bytes of a file; raises `NotFoundError` before the first one."""
        ...

    def command(self, command: Any) -> Any:
        """Carry out a command of `queries.py`."""
        ...

    def nudge(self) -> None:
        """Say that the journal grew; must cost less than a microsecond and take no lock that is held across a fork."""
        ...

    def drain(self, timeout: float | None, *, durable: bool) -> bool:
        """Wait until all journaled is acknowledged (with `durable`: on the disk); False when `timeout` s were not enough.

        Raises what the other end could not do with what was acknowledged, where no call could raise it.
        """
        ...

    def delivery(self) -> Delivery:
        """Return the counters."""
        ...

    def close(self, timeout: float) -> None:
        """Drain for at most `timeout` seconds and let go of everything; calling it twice is fine."""
        ...

    def recover(self, runs: list[str], named: str | None) -> None:
        """Bring back what of `runs` had to go to the spool (`named`: the one that the user asked for), where no carrier does it."""
        ...

    def after_fork(self) -> None:
        """Forget threads, sockets and locks of the parent; called in the child."""
        ...
