"""/openapi.json, made from the table of routes and the structs that handlers decode. Knows no handler."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from ml_logger.server.gate import is_public
from ml_logger.server.routes import OPERATIONS, Operation, Param

_REFERENCE = "#/components/schemas/{name}"


class Error(Struct):
    """Body of every error: the class's name, a sentence, and the fields of the class."""

    error: str
    message: str


@cache
def description(version: str) -> bytes:
    """Return the description as JSON."""
    paths: dict[str, dict[str, Any]] = {"/openapi.json": {"get": _describe_itself()}}
    structs = _structs()
    _, components = msgspec.json.schema_components(structs, ref_template=_REFERENCE)
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "ml-logger", "version": version, "description": "Runs, their series and files. See docs/reference."},
            "security": [{"token": []}, {"cookie": []}],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                    "cookie": {"type": "apiKey", "in": "cookie", "name": "mll_s_PORT", "description": "set by POST /v1/session"},
                },
            },
        }
    )


def _structs() -> list[Any]:
    found: list[Any] = [Error]
    for operation in OPERATIONS:
        found += [kind for kind in (operation.body, *_answers(operation)) if kind is not None and not isinstance(kind, str)]
    return found


def _answers(operation: Operation) -> tuple[Any, ...]:
    return operation.answer if isinstance(operation.answer, tuple) else (operation.answer,)


def _schema(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    return schema


def _content(kinds: tuple[Any, ...]) -> dict[str, Any]:
    """Return media type → schema; several JSON types become alternatives."""
    found: dict[str, Any] = {kind: {"schema": {}} for kind in kinds if isinstance(kind, str)}
    json_kinds = [_schema(kind) for kind in kinds if kind is not None and not isinstance(kind, str)]
    if json_kinds:
        found["application/json"] = {"schema": json_kinds[0] if len(json_kinds) == 1 else {"anyOf": json_kinds}}
    return found


def _describe(operation: Operation) -> dict[str, Any]:
    summary = (operation.handler.__doc__ or "").strip().split("\n", maxsplit=1)[0]
    found: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}_{operation.handler.__module__.rpartition('.')[2]}_{operation.handler.__name__}",
        "summary": summary,
        "parameters": [_param(param) for param in operation.params],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": _content((operation.body,))}
    if is_public(operation.method, operation.path):
        found["security"] = []
    return found


def _describe_itself() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": "openapi",
        "summary": "Describe all routes.",
        "security": [],
        "responses": {"200": _response(content), **_errors()},
    }


def _param(param: Param) -> dict[str, Any]:
    found = {"name": param.name, "in": param.where, "description": param.text, "schema": param.schema, **dict(param.style)}
    return {**found, "required": True} if param.required else found


def _responses(operation: Operation) -> dict[str, Any]:
    content = _content(_answers(operation))
    found: dict[str, Any] = {str(status): _response({} if status == 304 else content) for status in operation.statuses}
    return {**found, **_errors(), **_exceptions(operation, content)}


def _exceptions(operation: Operation, content: dict[str, Any]) -> dict[str, Any]:
    """Return statuses whose body is the operation's own answer."""
    if operation.path == "/v1/ingest":
        return {"409": _response(content)}
    return {"503": _response(content)} if operation.path == "/readyz" else {}


def _response(content: dict[str, Any]) -> dict[str, Any]:
    return {"description": "as asked", "content": content} if content else {"description": "as asked"}


def _errors() -> dict[str, Any]:
    body = {"application/json": {"schema": _schema(Error)}}
    refused = {"description": "refused: 421 Host, 403 Origin, 401 no token, 403 not granted, and what the message says", "content": body}
    busy = {
        "description": "busy, stopping, or the disk is full",
        "content": body,
        "headers": {"Retry-After": {"schema": {"type": "integer"}}},
    }
    return {"4XX": refused, "431": {"description": "the head of the request is too long; no body"}, "503": busy, "507": busy}
