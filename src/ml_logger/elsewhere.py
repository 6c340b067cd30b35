"""Files outside of any root: `s3://bucket/key`, `gs://bucket/key` and `file:///path`. Knows no run and no session.

Buckets are reached through obstore, which finds keys and endpoints where each cloud's own tools do, or is told in `config`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ml_logger.errors import InvalidKeyError, MissingExtraError, NotFoundError, ServerUnreachableError
from ml_logger.safe_fs import SafeRoot

BUCKETS = ("s3://", "gs://")
SCHEMES = (*BUCKETS, "file://")
_BLOCK = 1 << 20


def is_elsewhere(path: str) -> bool:
    """Tell whether `path` names something outside of the root."""
    return path.startswith(SCHEMES)


def is_bucket(root: str) -> bool:
    """Tell whether a root is a bucket, or a folder in one."""
    return root.startswith(BUCKETS)


def read(path: str, start: int = 0, stop: int | None = None, **config: Any) -> Iterator[bytes]:
    """Stream the bytes [start, stop) of a file; raises `NotFoundError` at once."""
    if path.startswith("file://"):
        local, name = _local(path)
        if not local.exists(name):
            raise NotFoundError(path)
        return _clipped(_pieces(local.open_read(name)), start, stop)
    scheme, bucket, key = parts_of(path)
    try:
        with opened(scheme, bucket, config) as store:
            found = store.get(key)
    except FileNotFoundError:
        raise NotFoundError(f"{scheme}://{bucket}/{key}") from None
    return _clipped((bytes(piece) for piece in found), start, stop)


def write(path: str, blocks: Iterable[bytes], **config: Any) -> int:
    """Put the bytes at `path`, old or new, streamed; return how many there were."""
    if path.startswith("file://"):
        local, name = _local(path)
        with local.create(name) as file:
            return sum(map(file.write, blocks))
    scheme, bucket, key = parts_of(path)
    with opened(scheme, bucket, config) as store:
        import obstore

        writer = obstore.open_writer(store, key)
        size = sum(map(writer.write, blocks))
        writer.close()  # nothing is there before; a writer that is not closed leaves nothing
    return size


def parts_of(path: str, scheme: str = "s3") -> tuple[str, str, str]:
    """Return (scheme, bucket, key) of `s3://bucket/key`, or of `bucket/key` with the given scheme."""
    named, there, rest = path.rpartition("://")
    bucket, _, key = rest.lstrip("/").partition("/")
    if not bucket or not key or (there and f"{named}://" not in SCHEMES):
        raise InvalidKeyError(path, f"give bucket/key, or {scheme}://bucket/key")
    return named or scheme, bucket, key


@contextlib.contextmanager
def opened(scheme: str, bucket: str, config: dict[str, Any]) -> Iterator[Any]:
    """Give the store of a bucket; what it complains of becomes an error of ours that names the bucket, or `FileNotFoundError`."""
    try:
        from obstore.exceptions import BaseError
        from obstore.store import GCSStore, S3Store
    except ImportError:
        raise MissingExtraError("s3", f"{scheme}:// paths") from None
    try:
        yield (S3Store if scheme == "s3" else GCSStore)(bucket, **config)
    except FileNotFoundError:
        raise
    except BaseError as error:
        reason = str(error).partition("Debug source")[0].strip()
        raise ServerUnreachableError(f"{scheme}://{bucket}", reason[:300]) from error


def _local(path: str) -> tuple[SafeRoot, str]:
    """Return where a `file://` path lies: its directory, and its name there."""
    place = Path(os.path.expanduser(path.removeprefix("file://"))).absolute()
    if not place.name:
        raise InvalidKeyError(path, "names no file")
    return SafeRoot(place.parent.resolve()), place.name


def _pieces(file: Any) -> Iterator[bytes]:
    with file:
        while piece := file.read(_BLOCK):
            yield piece


def _clipped(pieces: Iterator[bytes], start: int, stop: int | None) -> Iterator[bytes]:
    at = 0
    for piece in pieces:
        low, high = max(start - at, 0), len(piece) if stop is None else min(stop - at, len(piece))
        if low < high:
            yield piece[low:high]
        at += len(piece)
