"""What users keep: tags, notes, views, reports, links, signals. Truth, in `.ml-logger/state`, one JSON file a thing.

Knows no run. A value is on the disk when `put` returns, old or new, never half.
"""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from typing import Any

from ml_logger import keys
from ml_logger.errors import InvalidKeyError, NotFoundError
from ml_logger.safe_fs import SafeRoot

PLACE = f"{keys.HOME}/state"
MAX_VALUE = 4 << 20
"""Bytes of JSON that one value may have."""


class State:
    """JSON values by (kind, name) below a root."""

    def __init__(self, root: SafeRoot) -> None:
        """Keep things below `root`."""
        self.root = root

    def get(self, kind: str, name: str) -> Any:
        """Return the value, or None."""
        try:
            return json.loads(self.root.read_bytes(_key(kind, name)))["value"]
        except (NotFoundError, ValueError, KeyError, TypeError):
            return None

    def put(self, kind: str, name: str, value: Any) -> None:
        """Keep `value` (None removes it)."""
        key = _key(kind, name)
        if value is None:
            self.root.delete(key)
            return
        data = json.dumps({"name": name, "value": value}, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        if len(data) > MAX_VALUE:
            raise InvalidKeyError(name, f"its value has {len(data):,} bytes, and {MAX_VALUE:,} are allowed")
        self.root.write_bytes(key, data, durable=True)

    def scan(self, kind: str) -> dict[str, Any]:
        """Return all values of `kind` by name; a damaged file is left out."""
        found: dict[str, Any] = {}
        for entry in self.root.scan(f"{PLACE}/{_part(kind)}"):
            try:
                item = json.loads(self.root.read_bytes(entry.key))
                found[item["name"]] = item["value"]
            except (NotFoundError, ValueError, KeyError, TypeError):  # noqa: PERF203 - each file may be the damaged one
                continue
        return found


def _key(kind: str, name: str) -> str:
    return f"{PLACE}/{_part(kind)}/{_part(name)}.json"


def _part(name: str) -> str:
    """Return a file name for any text: readable where it can be, a hash where it would be too long."""
    quoted = urllib.parse.quote(name, safe=" !()+,=@~").replace(".", "%2E").strip() or "%00"
    return quoted if len(quoted) < 200 and quoted == quoted.strip() else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def saved_name(name: str, prefix: str) -> str:
    """Return the name under which something saved for the runs below `prefix` is kept."""
    below = keys.clean(prefix)
    return f"{below}/{name}" if below else name


def saved(root: SafeRoot, kind: str, name: str | None, prefix: str = "") -> dict[str, Any]:
    """Return what users saved under `kind` for `prefix`: all names, or the one `name` (nothing if there is none)."""
    state = State(root)
    if name is not None:
        value = state.get(kind, saved_name(name, prefix))
        return {} if value is None else {name: value}
    start = saved_name("", prefix)
    return {key[len(start) :]: value for key, value in state.scan(kind).items() if key.startswith(start)}


def signals_of(root: SafeRoot, run: str) -> list[dict[str, Any]]:
    """Return the signals that were sent to a run, oldest first: id, name, value, time, and who sent it (older ones do not say)."""
    return list(State(root).get("signals", run) or [])
