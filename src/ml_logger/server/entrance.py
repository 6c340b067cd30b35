"""`GET /v1/hello` and `/v1/session`: how clients recognise their server, and browsers get their cookie. Knows no tokens' insides."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from ml_logger import credentials
from ml_logger.errors import AuthenticationError, UsageError
from ml_logger.server.bodies import json_response, read_json
from ml_logger.server.site import Site

_MAX_NONCE = 256


class Enter(Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/session`: the one-time code; none to ask for a new code with a token."""

    code: str | None = None


class Entered(Struct):
    """What became of it: `code` if one was asked for, and how long it or the session lives (s)."""

    seconds: float
    code: str | None = None


_decoder = msgspec.json.Decoder(Enter)


async def hello(request: Request) -> Response:
    """Tell the server's id, and prove with the local token that this is the server that wrote it for its user."""
    site: Site = request.app.state.site
    nonce = request.query_params.get("nonce", "")
    if len(nonce) > _MAX_NONCE:
        raise UsageError(f"a nonce has at most {_MAX_NONCE} characters")
    answer = {"server_id": site.tokens.server_id, "version": site.version, "auth": not site.gate.is_open}
    if nonce and site.local_token:
        answer["proof"] = credentials.proof(site.local_token, nonce)
    return json_response(answer)


async def enter(request: Request) -> Response:
    """Exchange a one-time code for the cookie; or, with a token and no code, make a code for `ml-logger open`."""
    site: Site = request.app.state.site
    order = await read_json(request, _decoder, site.bounds)
    if order.code is None:
        principal = site.gate.require(request.state.principal)
        return json_response(Entered(900.0, site.gate.sessions.new_code(principal)))
    try:
        cookie, seconds = site.gate.sessions.exchange(order.code)
    except AuthenticationError as error:
        await site.gate.slow_down(request.state.ip, str(error), "/v1/session")
        raise
    response = json_response(Entered(seconds))
    secure = site.secure
    response.set_cookie(site.gate.cookie_name, cookie, max_age=int(seconds), secure=secure, httponly=True, samesite="strict")
    return response


async def leave(request: Request) -> Response:
    """End the browser's session."""
    site: Site = request.app.state.site
    site.gate.sessions.end(request.cookies.get(site.gate.cookie_name, ""))
    response = json_response(Entered(0.0))
    response.delete_cookie(site.gate.cookie_name, secure=site.secure, httponly=True, samesite="strict")
    return response
