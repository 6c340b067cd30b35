"""The Range and If-None-Match headers of one file. Knows no file and no server."""

from __future__ import annotations

import re

from ml_logger.errors import RejectedError

_RANGE = re.compile(r"bytes=\s*(\d{0,19})-(\d{0,19})\s*")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return [start, stop) of a Range header, None if there is none (or in another unit); raises `RejectedError` 416."""
    if not header or not header.startswith("bytes"):
        return None
    found = _RANGE.fullmatch(header)
    if not found or found[1] == found[2] == "":
        raise RejectedError("one range of bytes is served at a time: `bytes=a-b`", 416)
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
    if start >= stop:
        raise RejectedError(f"the file has {size} bytes", 416)
    return start, stop


def parse_content_range(header: str) -> tuple[int, int, int] | None:
    """Return (start, stop, total) of a Content-Range header, None if there is none; raises `RejectedError` 400."""
    if not header:
        return None
    found = _CONTENT_RANGE.fullmatch(header.strip())
    if not found:
        raise RejectedError("Content-Range has to be `bytes a-b/n`", 400)
    start, stop, total = int(found[1]), int(found[2]) + 1, int(found[3])
    if not start < stop <= total:
        raise RejectedError("Content-Range does not fit its own total", 400)
    return start, stop, total


def matches(header: str, etag: str) -> bool:
    """Tell whether an If-None-Match header names `etag`."""
    return any(part.strip().removeprefix("W/") in (etag, "*") for part in header.split(","))
