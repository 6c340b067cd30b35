"""Requests to a bucket by obstore, in this process: plain values in and out, errors of ours. Knows no root.

obstore finds keys and endpoints where each cloud's own tools do.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Protocol

from ml_logger import settings
from ml_logger.errors import AuthenticationError, NotFoundError, ServerUnreachableError

BLOCK = 8 << 20
"""Bytes of one request for a part of a large object."""
_RETRIES: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
_PATIENCE: Any = {"connect_timeout": "3s", "timeout": "60s"}
_DENIED = re.compile(r"40[13] (Forbidden|Unauthorized)|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken")
_METADATA = "169.254.169.254"
_used_by: set[int] = set()


def is_lost() -> bool:
    """Tell whether this process was forked from one that had made requests: obstore's threads did not come along."""
    return bool(_used_by - {os.getpid()})


class Way(Protocol):
    """How requests are made."""

    def call(self, name: str, *args: Any) -> Any:
        """Make one request; arguments and answer are plain values. Raises errors of ours that name the bucket."""
        ...


class Here:
    """Requests by obstore in this process."""

    def __init__(self, url: str) -> None:
        """Prepare for the bucket `url`."""
        from obstore.store import GCSStore, S3Store

        _used_by.add(os.getpid())
        self.url = url
        scheme, _, bucket = url.partition("://")
        options: Any = {**_PATIENCE, "allow_http": settings.allows_plain_buckets()}
        with _complaints(url):
            self._store = (S3Store if scheme == "s3" else GCSStore)(bucket, client_options=options, retry_config=_RETRIES)

    def call(self, name: str, *args: Any) -> Any:
        """Make one request."""
        with _complaints(self.url):
            return _ACTS[name](self._store, *args)


@contextlib.contextmanager
def _complaints(url: str) -> Iterator[None]:
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"{url} {_first_line(error)}") from None
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise AuthenticationError(f"{url} refuses these credentials: {_first_line(error)}", 403) from error
    except (BaseError, OSError) as error:
        text = _first_line(error)
        if _DENIED.search(str(error)):
            raise AuthenticationError(f"{url} refuses these credentials: {text}", 403) from error
        if _METADATA in str(error):
            text = "no credentials were found (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's role)"
        raise ServerUnreachableError(url, text) from error


def _first_line(error: Exception) -> str:
    text = str(error).partition("Debug source")[0].strip()
    said = re.search(r"<Code>(.*?)</Code>(?:.*?<Message>(.*?)</Message>)?", text, re.DOTALL)
    return (f"{said[1]}: {said[2]}" if said and said[2] else said[1] if said else " ".join(text.split()))[:200]


# ── the requests: plain values in and out ────────────────────────────────────────────────────────────────────────

_Plain = tuple[str, int, str, "str | None", float]


def _plain(meta: Any, below: str) -> _Plain:
    return meta["path"][len(below) :], meta["size"], meta["e_tag"] or "", meta["version"], meta["last_modified"].timestamp()


def _list(store: Any, below: str, folder: str, deep: bool) -> list[_Plain]:
    prefix = (below + folder).rstrip("/") or None
    if not deep:
        return [_plain(meta, below) for meta in store.list_with_delimiter(prefix)["objects"]]
    return [_plain(meta, below) for page in store.list(prefix) for meta in page]


def _head(store: Any, below: str, key: str) -> _Plain | None:
    try:
        return _plain(store.head(below + key), below)
    except FileNotFoundError:
        return None


def _get(store: Any, below: str, key: str, start: int, stop: int) -> tuple[bytes, _Plain]:
    found = store.get(below + key, options={"range": (start, stop)})
    return bytes(found.bytes()), _plain(found.meta, below)


def _put(store: Any, below: str, key: str, data: bytes, tag: str, version: str | None, create: bool) -> tuple[str, str | None] | None:
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    mode: Any = "create" if create else {"e_tag": tag, **({"version": version} if version else {})} if tag else "overwrite"
    try:
        found = store.put(below + key, data, mode=mode, use_multipart=False)
    except (AlreadyExistsError, PreconditionError):
        return None
    except FileNotFoundError as error:
        if tag:  # it was deleted meanwhile
            return None
        raise _no_bucket(error) from error
    return found["e_tag"] or "", found["version"]


def _put_file(store: Any, below: str, key: str, path: str) -> _Plain:
    try:
        with open(path, "rb") as file:
            store.put(below + key, file, use_multipart=True, chunk_size=BLOCK, max_concurrency=3)
    except FileNotFoundError as error:
        if not os.path.exists(path):
            raise
        raise _no_bucket(error) from error
    return _plain(store.head(below + key), below)


def _copy(store: Any, below: str, source: str, target: str) -> _Plain:
    store.copy(below + source, below + target)
    return _plain(store.head(below + target), below)


def _delete(store: Any, below: str, keys: Sequence[str]) -> None:
    store.delete([below + key for key in keys])


def _no_bucket(error: Exception) -> OSError:
    """Return an error that is no `FileNotFoundError`: what is put must wait until there is a bucket."""
    return OSError(f"there is no such bucket ({_first_line(error)})")


_ACTS: dict[str, Callable[..., Any]] = {
    "list": _list, "head": _head, "get": _get, "put": _put, "put_file": _put_file, "copy": _copy, "delete": _delete,
}  # fmt: skip
