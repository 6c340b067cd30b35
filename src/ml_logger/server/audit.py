"""The audit log: one JSON line for each refused token, deletion, move, and change of tokens. Knows no routes.

Never a token, only its id; names are JSON strings in ASCII, so that no line break or terminal code gets through.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ml_logger import credentials


class Audit:
    """Appends to `audit.jsonl` in a private directory; a full disk loses a line, never a request."""

    def __init__(self, directory: Path) -> None:
        """Write into `directory`, which exists and is private."""
        self._path = directory / "audit.jsonl"
        self.lost = 0

    def note(self, what: str, *, who: str = "", jti: str = "", ip: str = "", **details: Any) -> None:
        """Add a line; unchanged details have to be JSON-ready."""
        line = json.dumps({"t": round(time.time(), 3), "what": what, "who": who, "jti": jti, "ip": ip, **details}, ensure_ascii=True)
        try:
            credentials.append_private(self._path, line.encode("ascii") + b"\n")
        except OSError:
            self.lost += 1
