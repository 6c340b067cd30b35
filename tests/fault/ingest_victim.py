"""A program for the sweep: it takes in the batches in a directory, in order, and says which were acknowledged. Run under strace."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from ml_logger.errors import ServerBusyError
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.batches import Limits
from ml_logger.server.ingest import Ingest


async def chunks(body: bytes):
    yield body


def main(root: str, batches: str, checkpoint_s: str = "0") -> None:
    """Take in every file of `batches`, again as long as the server is busy."""
    ingest = Ingest(SafeRoot(root), lambda run: None, Limits(checkpoint_s=float(checkpoint_s)))
    ingest.start()
    for path in sorted(Path(batches).iterdir()):
        for _ in range(40):
            try:
                status, answer = asyncio.run(ingest.ingest(chunks(path.read_bytes()), lambda key: None))
            except ServerBusyError:
                time.sleep(0.2)
                continue
            print(path.name, status, answer["acks"][0]["offset"], flush=True)
            break
    ingest.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
