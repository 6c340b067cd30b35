"""A root on a network file system: journals lie in the spool on a local disk, and the carrier copies them. Knows no wire.

Files and plain text go straight to the directory, as for a local one; so a file system that hangs stops those calls, never `log()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_logger.client.base import Delivery
from ml_logger.client.carrier import Carrier
from ml_logger.client.directory import DirectoryDestination
from ml_logger.client.roads import FolderRoad
from ml_logger.errors import DeliveryError
from ml_logger.settings import Settings

READ_DRAIN_S = 5.0
EXIT_IMPATIENT_S = 0.5


class NetworkDirectoryDestination(DirectoryDestination):
    """A directory behind NFS, Lustre, a FUSE mount or the like."""

    def __init__(self, root: str, env: Settings) -> None:
        """Use the directory `root`, which is created at the first write."""
        super().__init__(root)
        self.carrier = Carrier(FolderRoad(root), env.spool)

    def journal_dir(self, run: str) -> Path:
        """Return a new local directory for a journal."""
        return self.carrier.new_slot(run)

    def opened(self, journal: Path, run: str) -> None:
        """Begin to carry a journal."""
        self.carrier.add(journal, run)

    def ask(self, query: Any) -> Any:
        """Answer from the directory, after what this process wrote has arrived there; else `DeliveryError`."""
        self._drained()
        return super().ask(query)

    def read(self, path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Stream the bytes of a file or view, after what this process wrote has arrived."""
        self._drained()
        return super().read(path, start, stop)

    def _drained(self) -> None:
        if not self.carrier.drain(READ_DRAIN_S):
            raise DeliveryError(self.carrier.delivery().spool_bytes, "the spool", "counted in bytes; the directory does not answer")

    def drain(self, timeout: float | None, *, durable: bool) -> bool:  # noqa: ARG002 - what arrived is synced
        """Wait until all is in the directory; with None, as long as it answers."""
        return self.carrier.drain(timeout)

    def delivery(self) -> Delivery:
        """Return the counters."""
        return self.carrier.delivery()

    def close(self, timeout: float) -> None:
        """Deliver for at most `timeout` s, 0.5 s if the directory does not answer."""
        self.carrier.close(timeout, EXIT_IMPATIENT_S)

    def after_fork(self) -> None:
        """Forget the parent's thread."""
        self.carrier.after_fork()
