"""Buckets: copy between this machine and S3 or Google Cloud Storage, through obstore. The first part of a path is the bucket."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ml_logger import elsewhere
from ml_logger.errors import NotFoundError
from ml_logger.methods.base import Methods

_BLOCK = 8 << 20


class BucketMethods(Methods):
    """Objects in S3 (`*_s3`) and in Google Cloud Storage (`*_gs`)."""

    __slots__ = ()

    def glob_s3(self, query: str, wd: str | None = None, max_keys: int = 1000, **config: Any) -> list[str]:
        """Return the keys in `bucket/pattern` that match, sorted, at most `max_keys` (all pages are looked at)."""
        return _glob("s3", _joined(wd, query), max_keys, config)

    def glob_gs(self, query: str, wd: str | None = None, max_keys: int = 1000, **config: Any) -> list[str]:
        """Return the keys in `bucket/pattern` that match, sorted, at most `max_keys`."""
        return _glob("gs", _joined(wd, query), max_keys, config)

    def upload_s3(self, source: str | os.PathLike[str], path: str | None = None, **config: Any) -> str:
        """Copy a local file to `bucket/key` (default: under its own name), streamed; return where it went."""
        return _upload("s3", source, path, config)

    def upload_gs(self, source: str | os.PathLike[str], path: str | None = None, **config: Any) -> str:
        """Copy a local file to `bucket/key`, streamed; return where it went."""
        return _upload("gs", source, path, config)

    def download_s3(self, path: str, to: str | os.PathLike[str] | None = None, **config: Any) -> str:
        """Copy `bucket/key` to a local path (a directory if it ends in `/`), streamed; return the local path."""
        return _download("s3", path, to, config)

    def download_gs(self, path: str, to: str | os.PathLike[str] | None = None, **config: Any) -> str:
        """Copy `bucket/key` to a local path, streamed; return the local path."""
        return _download("gs", path, to, config)

    def remove_s3(self, bucket: str, *keys: str, **config: Any) -> None:
        """Delete objects of a bucket; missing ones are no error."""
        _remove("s3", bucket, keys, config)

    def remove_gs(self, path: str, *keys: str, **config: Any) -> None:
        """Delete objects: `remove_gs("bucket", key, …)` or `remove_gs("bucket/key")`."""
        bucket, _, key = path.partition("/")
        _remove("gs", bucket, (key, *keys) if key else keys, config)


def _joined(wd: str | None, query: str) -> str:
    return f"{wd.rstrip('/')}/{query}" if wd else query


def _glob(scheme: str, query: str, most: int, config: dict[str, Any]) -> list[str]:
    from fnmatch import fnmatchcase

    _, bucket, pattern = elsewhere.parts_of(query, scheme)
    fixed = pattern
    for letter in "*?[":
        fixed = fixed.partition(letter)[0]
    found: list[str] = []
    with elsewhere.opened(scheme, bucket, config) as store:
        for page in store.list(prefix=fixed.rpartition("/")[0] or None):
            found += [item["path"] for item in page if fnmatchcase(item["path"], pattern)]
    return sorted(found)[:most]


def _upload(scheme: str, source: str | os.PathLike[str], path: str | None, config: dict[str, Any]) -> str:
    local = Path(source)
    if not local.is_file():
        raise NotFoundError(f"local file {local}")
    goal = path or local.name
    _, bucket, key = elsewhere.parts_of(goal + local.name if goal.endswith("/") else goal, scheme)
    with local.open("rb") as file:
        elsewhere.write(f"{scheme}://{bucket}/{key}", iter(lambda: file.read(_BLOCK), b""), **config)
    return f"{scheme}://{bucket}/{key}"


def _download(scheme: str, path: str, to: str | os.PathLike[str] | None, config: dict[str, Any]) -> str:
    _, bucket, key = elsewhere.parts_of(path, scheme)
    name = key.rpartition("/")[2]
    goal = Path(os.fspath(to) if to is not None else name)
    target = goal / name if goal.is_dir() or str(to).endswith("/") else goal
    elsewhere.write(f"file://{target.absolute()}", elsewhere.read(f"{scheme}://{bucket}/{key}", **config))
    return str(target)


def _remove(scheme: str, bucket: str, keys: tuple[str, ...], config: dict[str, Any]) -> None:
    if keys:
        with elsewhere.opened(scheme, bucket, config) as store:
            store.delete(list(keys))
