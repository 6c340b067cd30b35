"""The application: routes behind the guard behind the deadlines. Knows no sockets and no signals."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from ml_logger.errors import MlLoggerError, NotFoundError, RejectedError
from ml_logger.server.deadlines import Deadlines
from ml_logger.server.guard import Guard, error_response
from ml_logger.server.hosts import Hosts
from ml_logger.server.openapi import description
from ml_logger.server.page import Page
from ml_logger.server.routes import routes
from ml_logger.server.site import Site


def build(site: Site, hosts: Hosts, *, root_path: str = "") -> ASGIApp:
    """Return the ASGI application of `site`."""
    app = Starlette(
        routes=routes(Page(root_path=root_path), _openapi),
        exception_handlers={MlLoggerError: _on_error, HTTPException: _on_http_error, Exception: _on_fault},
    )
    app.router.redirect_slashes = False
    app.state.site = site
    guard = Guard(app, site.gate, hosts, root_path=root_path, secure=site.secure, count=site.count)
    return Deadlines(guard, site.bounds)


async def _openapi(request: Request) -> Response:
    """Describe all routes but the page."""
    return Response(description(request.app.state.site.version), media_type="application/json")


async def _on_error(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, MlLoggerError)
    return error_response(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Word what the router refuses like all other errors."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return error_response(NotFoundError(f"route {request.url.path[:200]}"))
    response = error_response(RejectedError(f"{request.method[:20]} is not understood here", error.status_code))
    allow: Iterable[tuple[str, str]] = (error.headers or {}).items()
    response.headers.update(dict(allow))
    return response


async def _on_fault(request: Request, error: Exception) -> Response:
    """Tell a fault of ours without its insides; the server's log has them."""
    del request, error
    return error_response(MlLoggerError("the server failed; its log says why"))
