"""The table of routes: what the application answers, and what /openapi.json says of it. Knows no handler's insides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ml_logger import answers as a
from ml_logger.commands import AnyCommand, Done
from ml_logger.formats import series
from ml_logger.queries import ANSWER_OF, Posted
from ml_logger.server import entrance, files, intake, live, operations, reads, uploads
from ml_logger.server.page import Page

Handler = Callable[[Request], Awaitable[Response]]
BYTES = "application/octet-stream"


class Param(NamedTuple):
    """A parameter of an operation, where it is given, and its JSON schema."""

    name: str
    where: str
    text: str
    schema: dict[str, Any]
    required: bool = False
    style: tuple[tuple[str, Any], ...] = ()


class Operation(NamedTuple):
    """One method of one path. `body` and `answer` are types for JSON, or a media type; `statuses` are those of success."""

    method: str
    path: str
    handler: Handler
    body: Any = None
    answer: Any = None
    params: tuple[Param, ...] = ()
    statuses: tuple[int, ...] = (200,)


class Health(Struct):
    """Answer of /healthz."""

    ok: bool


class Ready(Struct):
    """Answer of /readyz."""

    ready: bool
    reason: str


class Hello(Struct):
    """Answer of /v1/hello; `proof` is HMAC-SHA256 of the nonce under the local token."""

    server_id: str
    version: str
    auth: bool
    proof: str = ""


class Ack(Struct):
    """What became of one writer's part of a batch."""

    writer: str
    offset: int
    duplicate: bool = False
    sequence: int = 0
    refused: list[dict[str, Any]] = []


class Acks(Struct):
    """Answer of POST /v1/ingest, for 200 and for 409."""

    acks: list[Ack]


class Uploaded(Struct):
    """Answer of PUT: how much of the file has arrived."""

    path: str
    size: int
    received: int


_TEXT = {"type": "string"}
_SHA = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
KEY = Param("key", "path", "the key of a file: `<run>/<path>`", {"type": "string", "minLength": 1}, required=True)
RANGE = Param("Range", "header", "one range, `bytes=a-b`", _TEXT)
SAFE_PARAMS = (
    KEY,
    RANGE,
    Param("If-None-Match", "header", "the ETag that the client has", _TEXT),
    Param("If-Range", "header", "the ETag that the range is of", _TEXT),
    Param("upload", "query", "ask how much of an upload has arrived (Upload-Offset), by the file's SHA-256", _SHA),
    Param("embed", "query", "send HTML to be shown in a sandboxed frame", _TEXT),
)
UPLOAD_PARAMS = (
    KEY,
    Param("X-Content-SHA256", "header", "the SHA-256 of the whole file", _SHA, required=True),
    Param("Content-Range", "header", "`bytes a-b/n` for a part", {"type": "string", "pattern": r"^bytes \d{1,18}-\d{1,18}/\d{1,18}$"}),
)
LIVE_PARAMS = (
    Param("prefix", "query", "notices of runs below this key", _TEXT),
    Param("since", "query", "the version to go on from", {"type": "integer", "minimum": 0}),
    Param("Last-Event-ID", "header", "the version to go on from", {"type": "string", "pattern": r"^\d{1,18}$"}),
)
WRITERS = Param(
    "writer", "query", "`<run>/<uuid>`", {"type": "array", "items": _TEXT, "maxItems": 100}, style=(("style", "form"), ("explode", True))
)
OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/healthz", operations.healthz, answer=Health),
    Operation("GET", "/readyz", operations.readyz, answer=Ready),
    Operation("GET", "/metrics", operations.metrics, answer="text/plain"),
    Operation(
        "GET",
        "/v1/hello",
        entrance.hello,
        answer=Hello,
        params=(Param("nonce", "query", "any text", {"type": "string", "maxLength": 256}),),
    ),
    Operation("POST", "/v1/session", entrance.enter, body=entrance.Enter, answer=entrance.Entered),
    Operation("DELETE", "/v1/session", entrance.leave, answer=entrance.Entered),
    Operation("POST", "/v1/query", reads.query, body=Posted, answer=(*ANSWER_OF.values(), series.MEDIA_TYPE)),
    Operation("POST", "/v1/command", reads.command, body=AnyCommand, answer=Done),
    Operation("GET", "/v1/live", live.live, answer="text/event-stream", params=LIVE_PARAMS),
    Operation("POST", "/v1/ingest", intake.ingest, body=BYTES, answer=Acks),
    Operation("GET", "/v1/offsets", intake.offsets, answer=dict[str, int], params=(WRITERS,)),
    Operation("GET", "/v1/files/{key}", files.get, answer=BYTES, params=SAFE_PARAMS, statuses=(200, 206, 304)),
    Operation("HEAD", "/v1/files/{key}", files.get, params=SAFE_PARAMS, statuses=(200, 206, 304)),
    Operation("PUT", "/v1/files/{key}", uploads.put, body=BYTES, answer=Uploaded, params=UPLOAD_PARAMS, statuses=(201, 202)),
)
ANSWERS = [value for value in vars(a).values() if isinstance(value, type) and issubclass(value, Struct) and value is not Struct]


def routes(page: Page, openapi: Handler) -> list[Route]:
    """Return the routes of the table, those of the page, and that of the description."""
    found = [
        Route(op.path.replace("{key}", "{key:path}"), op.handler, methods=[op.method], name=f"{op.method} {op.path}")
        for op in OPERATIONS
        if op.method != "HEAD"
    ]
    return [
        *found,
        Route("/openapi.json", openapi),
        Route("/favicon.ico", page.icon),
        Route("/assets/{name:path}", page.asset),
        Route("/", page.shell),
        Route("/r", page.shell),
        Route("/r/{key:path}", page.shell),
    ]
