"""The objects below `s3://bucket/path` or `gs://bucket/path`: list, get, put, copy, delete. Knows no mirror and no run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from ml_logger.bucket.here import Here, Way, is_lost
from ml_logger.bucket.other_process import OtherProcess
from ml_logger.errors import InvalidKeyError, MissingExtraError


class Thing(NamedTuple):
    """One object: its key below the root, bytes, what tells its versions apart, and when it was put (s since the epoch)."""

    key: str
    size: int
    etag: str
    version: str | None = None
    modified: float = 0.0


class Objects:
    """The objects of one root. Thread-safe. Requests raise `ServerUnreachableError`, `AuthenticationError` or `NotFoundError`."""

    def __init__(self, root: str) -> None:
        """Use what lies below `root`; raises `InvalidKeyError` for an address that is none, `MissingExtraError` without obstore."""
        scheme, _, rest = root.partition("://")
        self.bucket, _, prefix = rest.strip("/").partition("/")
        if not self.bucket:
            raise InvalidKeyError(root, f"names no bucket: {scheme}://bucket/path")
        self.url = f"{scheme}://{self.bucket}"
        self._below = f"{prefix}/" if prefix else ""
        self._pid = 0
        self._way: Way
        try:
            import obstore  # noqa: F401 - said at once, not at the first record
        except ImportError:
            raise MissingExtraError("s3", f"{scheme}:// as a root") from None

    def list(self, folder: str = "", *, deep: bool = True) -> list[Thing]:
        """Return what lies in `folder` (with `deep`, in all folders below it too). One request for a thousand."""
        return [Thing(*item) for item in self._call("list", self._below, folder, deep)]

    def head(self, key: str) -> Thing | None:
        """Return the object at `key`, or None."""
        found = self._call("head", self._below, key)
        return Thing(*found) if found else None

    def get(self, key: str, start: int, stop: int) -> tuple[bytes, Thing]:
        """Return the bytes [start, stop) that are there, at least one, and which object they are of."""
        data, found = self._call("get", self._below, key, start, stop)
        return data, Thing(*found)

    def put(self, key: str, data: bytes, *, instead: Thing | None = None, create: bool = False) -> Thing | None:
        """Put `data`, old or new; None if there is another object than `instead`, or with `create` any at all."""
        tag, version, is_only_new = (instead.etag, instead.version, False) if instead else ("", None, create)
        found = self._call("put", self._below, key, data, tag, version, is_only_new)
        return Thing(key, len(data), *found) if found else None

    def put_file(self, key: str, path: str) -> Thing:
        """Put a local file, in parts and in bounded memory: old or new."""
        return Thing(*self._call("put_file", self._below, key, path))

    def copy(self, source: str, target: str) -> Thing:
        """Copy an object inside of the store; no byte comes here. Raises `NotFoundError`."""
        return Thing(*self._call("copy", self._below, source, target))

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; missing ones are no error."""
        if keys:
            self._call("delete", self._below, list(keys))

    def _call(self, name: str, *args: Any) -> Any:
        if self._pid != os.getpid():
            self._pid, self._way = os.getpid(), self._chosen()
        return self._way.call(name, *args)

    def _chosen(self) -> Way:
        return OtherProcess(self.url) if is_lost() else Here(self.url)
