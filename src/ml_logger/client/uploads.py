"""Files to the server: in parts, from where the last try ended. Knows no journal; the FILE record that follows puts a file in place."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from ml_logger.client.wire import Wire, path_of
from ml_logger.errors import RejectedError
from ml_logger.formats.messages import File

PART_BYTES = 8 << 20
_TRIES = 5


def upload(wire: Wire, writer: str, sequence: int, file: File, blob: Path | None) -> None:
    """Bring the bytes of `file` to the server, where they wait for their record; raises what `wire` raises.

    Without `blob` nothing is done: it was delivered before, and its record is sent again only because an answer was lost.
    """
    if blob is not None:
        with blob.open("rb") as source:
            send(wire, file, source, f"{writer}-{sequence}")


def send(wire: Wire, file: File, source: BinaryIO, stage: str = "") -> None:
    """Bring the bytes in `source` to the server; without a `stage` the file is put in place at once, with no record of a run."""
    if file.size <= PART_BYTES:
        _put(wire, file, stage, source, 0, whole=True)
        return
    at = _arrived(wire, file, stage)
    for _ in range(_TRIES):
        try:
            while at < file.size:
                at = _put(wire, file, stage, source, at, whole=False)
        except RejectedError as error:  # noqa: PERF203 - five tries, not a hot loop
            if error.status != 409:
                raise
            at = _arrived(wire, file, stage)
        else:
            return
    raise RejectedError(f"the parts of {file.path} do not arrive in order", 409)


def _arrived(wire: Wire, file: File, stage: str) -> int:
    response = wire.request("HEAD", path_of(file.path), query={"upload": file.sha256, "stage": stage})
    wire.read(response)
    text = response.headers.get("upload-offset", "0")
    return min(int(text), file.size) if text.isdigit() else 0


def _put(wire: Wire, file: File, stage: str, source: BinaryIO, at: int, *, whole: bool) -> int:
    """Send one part from `at` on; return where the next one begins."""
    source.seek(at)
    data = source.read(PART_BYTES)
    headers = {"x-content-sha256": file.sha256, "content-type": "application/octet-stream"}
    if not whole:
        headers["content-range"] = f"bytes {at}-{at + len(data) - 1}/{file.size}"
    wire.read(wire.request("PUT", path_of(file.path), query={"stage": stage}, body=data, headers=headers, timeout=60.0))
    return at + len(data)
