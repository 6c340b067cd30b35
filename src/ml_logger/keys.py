"""Names: run keys, paths and patterns under a root, checked once, character by character. Opens no file.

A key is a relative path of parts joined by "/". It is stored under its own name: names that some file system
would merge (not NFC, trailing dot or blank, reserved by Windows) are refused instead of being changed.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata

from ml_logger.errors import InvalidKeyError

RUN_FILE = "run.json"
JOURNAL_SUFFIX = ".mlog"
HOME = ".ml-logger"
"""Directory in a root that holds `wal/`, `state/` and (deletable) `index/`."""

MAX_PART, MAX_KEY, MAX_DEPTH = 255, 1024, 32

_BAD = re.compile("[\x00-\x1f\x7f-\x9f\\\\\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def parse(key: str) -> tuple[str, ...]:
    """Return the parts of `key`; a single leading slash (the root) and empty parts between slashes are dropped.

    Raises `InvalidKeyError` with the position for control or bidirectional characters, backslashes, ``..``, names
    that file systems merge, parts over 255 bytes, keys over 1 KiB or 32 parts, and ``//`` at the start.
    """
    if key.startswith("//"):
        raise InvalidKeyError(key, "absolute paths are not available here", 0)
    if found := _BAD.search(key):
        raise InvalidKeyError(key, f"character {found[0]!r} is not allowed", found.start())
    parts = tuple(part for part in key.split("/") if part)
    if len(key.encode()) > MAX_KEY or len(parts) > MAX_DEPTH:
        raise InvalidKeyError(key, f"longer than {MAX_KEY} bytes or deeper than {MAX_DEPTH} parts")
    for part in parts:
        if reason := _fault(part):
            raise InvalidKeyError(key, f"{part!r} {reason}", key.find(part))
    return parts


def _fault(part: str) -> str | None:
    if part in (".", ".."):
        return "is not a name"
    if len(part.encode()) > MAX_PART:
        return f"is longer than {MAX_PART} bytes"
    if part != part.strip(" ") or part.endswith("."):
        return "begins or ends with a blank, or ends with a dot"
    if not unicodedata.is_normalized("NFC", part):
        return "is not in Unicode normal form C"
    return "is a reserved name" if _WINDOWS.fullmatch(part) else None


def clean(key: str) -> str:
    """Return `key` in its one spelling: parts joined by "/", no leading slash; "" is the root."""
    return "/".join(parse(key))


def is_key(name: str) -> bool:
    """Tell whether `parse` would take `name`; what others put into a root need not have such a name."""
    try:
        parse(name)
    except InvalidKeyError:
        return False
    return True


def below(key: str, folder: str) -> tuple[str, ...]:
    """Return the parts of `key` behind `folder`; raises `InvalidKeyError` if it does not lie there, whoever said so."""
    have, above = parse(key), parse(folder)
    if have[: len(above)] != above or len(have) == len(above):
        raise InvalidKeyError(key, f"does not lie in {folder!r}")
    return have[len(above) :]


def resolve(prefix: str, *parts: str) -> str:
    """Return the key that `parts` name seen from `prefix`: ``/x`` starts at the root, ``..`` goes up, never above the root."""
    stack = [part for part in prefix.split("/") if part]
    for text in parts:
        if text.startswith("/"):
            stack = []
        if text.startswith("//"):
            raise InvalidKeyError(text, "absolute paths are not available here", 0)
        for part in text.split("/"):
            if part == ".." and not stack:
                raise InvalidKeyError("/".join((prefix, *parts)), "leads above the root")
            if part == "..":
                stack.pop()
            elif part not in ("", "."):
                stack.append(part)
    return clean("/".join(stack))


def writable(key: str) -> str:
    """Return `key` in its one spelling; raises `InvalidKeyError` for the root and for what only this package itself may write."""
    name = clean(key)
    if not name:
        raise InvalidKeyError(key, "is the root itself")
    if is_reserved(name):
        raise InvalidKeyError(key, "is written by ml-logger itself")
    return name


def run_key(prefix: str) -> str:
    """Return the key of a run in its one spelling; raises `InvalidKeyError` for a part that only this package itself may write."""
    key = clean(prefix)
    for part in key.split("/"):
        if is_reserved(part.casefold()):
            raise InvalidKeyError(prefix, f"{part!r} is a name that ml-logger keeps for itself", prefix.find(part))
    return key


def is_reserved(key: str) -> bool:
    """Tell whether only this package itself may write `key`: run.json, journals, and everything in .ml-logger."""
    parts = parse(key)
    return bool(parts) and (parts[-1] == RUN_FILE or parts[-1].endswith(JOURNAL_SUFFIX) or HOME in parts)


def in_scope(key: str, pattern: str) -> bool:
    """Tell whether `key` lies in `pattern`, compared part by part: ``alice/**`` is alice and all below, ``**`` everything."""
    want, have = [part for part in pattern.split("/") if part], parse(key)
    if want and want[-1] == "**":
        return have[: len(want) - 1] == tuple(want[:-1])
    return have == tuple(want)


def pJoin(*parts: str | None) -> str | None:  # noqa: N802 - the name that earlier releases export
    """Join parts of a path and leave out what is empty; a later part that begins with `/` starts anew. None if nothing is left."""
    kept = [part for part in parts if part]
    return posixpath.join(*kept) if kept else None
