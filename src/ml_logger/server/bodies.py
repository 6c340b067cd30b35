"""Request bodies and JSON answers: bounded, strict, decoded into structs. Knows no route."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ml_logger.errors import RejectedError, UsageError
from ml_logger.formats.values import jsonable
from ml_logger.server.bounds import Bounds


async def read_json(request: Request, decoder: msgspec.json.Decoder[Any], bounds: Bounds) -> Any:
    """Return the decoded body; raises `RejectedError` 413 or 415, or `UsageError` that says where the JSON is wrong."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RejectedError("the body has to be application/json", 415)
    body = await read_body(request, bounds.json_body)
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise UsageError(f"the body is not what it should be: {error}") from None
    except RecursionError:
        raise UsageError("the body is nested too deeply") from None


async def read_body(request: Request, most: int) -> bytes:
    """Return at most `most` bytes of body; raises `RejectedError` 413 without reading much more."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length[:20]) > most:
        raise RejectedError(f"the body has {length[:20]} bytes; {most} are allowed", 413)
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > most:
                raise RejectedError(f"the body has more than {most} bytes", 413)
    except ClientDisconnect:
        raise RejectedError("the body ended early", 400) from None
    return bytes(body)


def json_response(value: Any, status: int = 200) -> Response:
    """Return strict JSON: non-finite floats and large integers are tagged."""
    return Response(msgspec.json.encode(jsonable(value)), status, media_type="application/json")
