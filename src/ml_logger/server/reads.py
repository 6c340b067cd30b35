"""`POST /v1/query` and `POST /v1/command`: structs in, structs out. Knows no store; the engine and `carry_out` do the work."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ml_logger.answers import RunsPage
from ml_logger.commands import AnyCommand, CopyTo, MoveTo, Restore, Trash
from ml_logger.errors import UsageError
from ml_logger.formats import replies, series
from ml_logger.queries import GetSeries, Posted, ReadFile
from ml_logger.server import scopes
from ml_logger.server.bodies import json_response, read_json
from ml_logger.server.site import Site
from ml_logger.server.tokens import Principal
from ml_logger.store.commands import carry_out

MAX_RUNS = 20_000
_query_decoder = msgspec.json.Decoder(Posted)
_command_decoder = msgspec.json.Decoder(AnyCommand)


async def query(request: Request) -> Response:
    """Answer a question: JSON, or float64 columns for `get_series`; of a list of `get_series`, the columns of one behind the other."""
    site: Site = request.app.state.site
    question = await read_json(request, _query_decoder, site.bounds)
    several = question if isinstance(question, list) else [question]
    for key in {key for one in several for key in scopes.keys_of(one)}:
        scopes.require(request.state.principal, "read", key)
    if isinstance(question, ReadFile):
        raise UsageError(f"bytes of a file come from GET /v1/files/{question.path}")
    if several is question or isinstance(question, GetSeries):
        return await site.run(_series, site, several)
    return await site.run(_answer, site, question, request.headers.get("accept", "") == replies.MEDIA_TYPE)


def _answer(site: Site, question: msgspec.Struct, is_exact: bool) -> Response:
    site.store.follower.catch_up()
    answer = site.engine.answer(question)
    if is_exact:
        return Response(replies.encode(answer), media_type=replies.MEDIA_TYPE)
    if isinstance(answer, RunsPage):
        return Response(site.pages.encode(answer), media_type="application/json")
    return json_response(answer)


def _series(site: Site, questions: list[GetSeries]) -> Response:
    site.store.follower.catch_up()
    bodies = [series.encode(*site.engine.answer(question)) for question in questions]
    return Response(bodies[0] if len(bodies) == 1 else b"".join(bodies), media_type=series.MEDIA_TYPE)


async def command(request: Request) -> Response:
    """Carry out a command and tell how many things changed."""
    site: Site = request.app.state.site
    order = await read_json(request, _command_decoder, site.bounds)
    principal: Principal = request.state.principal
    for verb, key in scopes.effects_of(order):
        scopes.require(principal, verb, key)
    done = await site.run(carry_out, site.root, order, site.store.state_put, principal.name)
    if isinstance(order, (Trash, Restore, MoveTo, CopyTo)):
        what = str(type(order).__struct_config__.tag)
        paths = order.paths if isinstance(order, (Trash, Restore)) else [order.path, order.to]
        site.audit.note(what, who=principal.subject, jti=principal.jti, ip=request.state.ip, paths=paths[:100])
        await site.run(site.poke_below, paths)
    return json_response(done)
