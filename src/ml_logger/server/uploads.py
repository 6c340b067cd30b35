"""`PUT /v1/files/<key>`: whole files, or ranges of one that is named by its hash, put in place when complete. Knows no run.

Parts are gathered in `.ml-logger/uploads/<sha256>`; what has arrived is the length of that file, so an upload goes on
after any interruption, of either side.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ml_logger import keys
from ml_logger.errors import MlLoggerError, RejectedError, ServerBusyError
from ml_logger.server import ranges, scopes, staging
from ml_logger.server.bodies import json_response
from ml_logger.server.site import Site

PLACE = f"{keys.HOME}/uploads"
KEPT_S = 7 * 86_400.0
_HASH = re.compile("[0-9a-f]{64}")
_BLOCK = 1 << 20


async def put(request: Request) -> Response:
    """Take a file, or a part of one; answers `{path, size, received}` and 201 when the file is in place, 202 before."""
    site: Site = request.app.state.site
    key = keys.clean(request.path_params["key"])
    scopes.require(request.state.principal, "write", key)
    if not key or keys.is_reserved(key):
        raise RejectedError(f"{key[:80]!r} is written by ml-logger itself", 403)
    digest = request.headers.get("x-content-sha256", "")
    if not _HASH.fullmatch(digest):
        raise RejectedError("X-Content-SHA256 has to be the SHA-256 of the whole file, in hex", 400)
    stage = request.query_params.get("stage", "")
    length = request.headers.get("content-length", "")
    part = ranges.parse_content_range(request.headers.get("content-range", ""))
    size = part[2] if part else int(length) if length.isdigit() and len(length) < 20 else 0
    if size > site.bounds.file:
        raise RejectedError(f"the file has {size} bytes; {site.bounds.file} are allowed", 413)
    target = staging.key_of(stage, digest) if stage else key
    if part is None:
        received = await _whole(site, request, digest, target)
    else:
        async with _lock(site, digest):
            received = await _gather(site, request, digest, part)
            if received < part[2]:
                return json_response({"path": key, "size": part[2], "received": received}, 202)
            await site.run(_finish, site, digest, target)
    site.store.follower.poke(key.rpartition("/")[0])
    return json_response({"path": key, "size": received, "received": received}, 201)


def arrived(site: Site, digest: str, stage: str = "") -> Response:
    """Tell in `Upload-Offset` how many bytes of an upload have arrived."""
    if not _HASH.fullmatch(digest):
        raise RejectedError("`upload` has to be a SHA-256 in hex", 400)
    found = (site.root.stat(staging.key_of(stage, digest)) if stage else None) or site.root.stat(f"{PLACE}/{digest}")
    headers = {"upload-offset": str(found.st_size if found else 0), "content-length": "0"}
    return Response(headers=headers, media_type="application/octet-stream")


def _lock(site: Site, digest: str) -> asyncio.Lock:
    """One request at a time for each file under way."""
    locks = site.upload_locks
    for name in [name for name, lock in locks.items() if not lock.locked()][: max(0, len(locks) - 1000)]:
        del locks[name]
    return locks.setdefault(digest, asyncio.Lock())


async def _whole(site: Site, request: Request, digest: str, target: str) -> int:
    """Write a file that comes in one piece; it is in place, durable, when this returns its size, or it leaves no trace."""
    found, size = hashlib.sha256(), 0
    try:
        async with _off_loop(site, site.root.create(target, durable=True, older=True)) as file:
            async for block in _blocks(request):
                size += len(block)
                if size > site.bounds.file:
                    raise RejectedError(f"the file has more than {site.bounds.file} bytes", 413)
                await site.run(file.write, block)
                found.update(block)
            if found.hexdigest() != digest:
                raise RejectedError("the bytes that came do not have the hash that was announced", 422)
    except ClientDisconnect:
        raise RejectedError("the body ended early", 400) from None
    except MlLoggerError:  # some are connection errors, and so OSErrors
        raise
    except OSError as error:
        raise ServerBusyError(f"the disk does not take it: {error.strerror}", 30.0, 507) from error
    return size


@contextlib.asynccontextmanager
async def _off_loop(site: Site, manager: AbstractContextManager[BinaryIO]) -> AsyncIterator[BinaryIO]:
    """Enter and leave `manager` on a thread: it waits for the disk."""
    file = await site.run(manager.__enter__)
    try:
        yield file
    except BaseException as error:
        await site.run(manager.__exit__, type(error), error, error.__traceback__)
        raise
    await site.run(manager.__exit__, None, None, None)


async def _gather(site: Site, request: Request, digest: str, part: tuple[int, int, int]) -> int:
    """Write the body at its offset; returns how much of the file has arrived. A gap is refused with 409."""
    start, stop, _ = part
    fd = await site.run(site.root.open_update, f"{PLACE}/{digest}")
    try:
        if start > os.fstat(fd).st_size:
            raise RejectedError(f"only {os.fstat(fd).st_size} bytes have arrived", 409)
        at = start
        async for block in _blocks(request):
            if at + len(block) > stop:
                raise RejectedError("the body is longer than it said", 400)
            await site.run(_write, fd, block, at)
            at += len(block)
        if at != stop:
            raise RejectedError(f"the body ended at byte {at} instead of {stop}", 400)
        return max(at, os.fstat(fd).st_size)
    except ClientDisconnect:
        raise RejectedError("the body ended early", 400) from None
    finally:
        os.close(fd)


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    held, size = [], 0
    async for piece in request.stream():
        held.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def _write(fd: int, block: bytes, at: int) -> None:
    view = memoryview(block)
    try:
        while view:
            done = os.pwrite(fd, view, at)
            view, at = view[done:], at + done
    except OSError as error:
        raise ServerBusyError(f"the disk does not take it: {error.strerror}", 30.0, 507) from error


def _finish(site: Site, digest: str, key: str) -> None:
    """Check the hash and put the file in place, durable; a wrong one is thrown away."""
    place = f"{PLACE}/{digest}"
    found = hashlib.sha256()
    with site.root.open_read(place) as file:
        while block := file.read(_BLOCK):
            found.update(block)
        os.fsync(file.fileno())
    if found.hexdigest() != digest:
        site.root.delete(place)
        raise RejectedError("the bytes that came do not have the hash that was announced", 422)
    site.root.make_dirs(key.rpartition("/")[0])
    site.root.keep_older(key)
    site.root.move(place, key)
    site.root.sync_dir(key.rpartition("/")[0])


def sweep(site: Site) -> None:
    """Remove uploads that nobody has continued for a week."""
    for entry in site.root.scan(PLACE):
        if entry.modified < time.time() - KEPT_S:
            site.root.delete(entry.key)
