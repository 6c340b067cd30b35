"""Where files wait for the FILE record that puts them in place, so that files and metrics keep their order. Knows no requests."""

from __future__ import annotations

import re

from ml_logger import keys
from ml_logger.errors import RejectedError

FOLDER = f"{keys.HOME}/wal/files"
_NAME = re.compile(r"[0-9a-f]{32}-[0-9]{1,20}")


def key_of(stage: str, sha256: str) -> str:
    """Return the key of a staged file; `stage` is `<writer>-<sequence>` of its record. Raises `RejectedError` (400) for anything else."""
    if not _NAME.fullmatch(stage):
        raise RejectedError(f"stage={stage[:80]!r} is not <writer>-<sequence>", 400)
    return f"{FOLDER}/{stage}-{sha256}"
