"""`ml-logger open` and `ml-logger login`: into a server's dashboard, and onto a server of another machine. Knows no tokens' insides."""

from __future__ import annotations

import argparse
import getpass
import sys
import webbrowser

from ml_logger import settings
from ml_logger.cli.roots import is_remote, root_of
from ml_logger.client import credentials
from ml_logger.client.wire import Wire
from ml_logger.errors import AuthenticationError, MlLoggerError, NotFoundError, UsageError


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of one of the two."""
    parser.set_defaults(command=name)
    parser.add_argument("url", nargs="?", metavar="URL", help="the server (default: $ML_LOGGER_ROOT, else the one on this machine)")
    if name == "open":
        parser.add_argument("--port", type=int, help="the server on this port of this machine")
        parser.add_argument("--print", dest="only_print", action="store_true", help="print the address; open no browser")
    else:
        parser.add_argument("--forget", action="store_true", help="delete the token that is kept for the server")


def run(found: argparse.Namespace) -> int:
    """Open or log in."""
    if found.command == "login":
        return _login(found.url or _root_url(), forget=found.forget)
    url = f"http://127.0.0.1:{found.port}" if found.port else found.url or _root_url(none_is_fine=True)
    return open_server(_of_this_machine(url, found.port), show=not found.only_print)


def open_server(url: str, *, show: bool) -> int:
    """Print an address that signs a browser in once, and open it if there is a browser and `show` is set."""
    wire = Wire(url, settings.read())
    hello = wire.read_json(wire.request("GET", "/v1/hello"))
    base = wire.url.replace("://127.0.0.1:", "://localhost:")
    if not hello.get("auth", True):
        address = f"{base}/"
    elif wire.token() is None:
        raise AuthenticationError(f"no token for {url}; `ml-logger login {url}` keeps one that was minted there")
    else:
        head = {"content-type": "application/json"}
        address = f"{base}/#code={wire.read_json(wire.request('POST', '/v1/session', body=b'{}', headers=head))['code']}"
    print(address, flush=True)
    if show and sys.stdout.isatty():
        webbrowser.open(address)
    return 0


def _of_this_machine(url: str | None, port: int | None) -> str:
    """Return the address as its server wrote it down: with https and the fingerprint where there is TLS."""
    servers = credentials.local_servers()
    if url is None:
        if not servers:
            raise NotFoundError("a server on this machine", "`ml-logger DIR` starts one")
        return _pinned(servers[0])
    for server in servers:
        if port is not None and server.url.partition("://")[2].partition("/")[0].endswith(f":{port}"):
            return _pinned(server)
    return url


def _pinned(server: credentials.LocalServer) -> str:
    return f"{server.url}#sha256={server.sha256}" if server.sha256 else server.url


def _root_url(*, none_is_fine: bool = False) -> str | None:
    root = root_of(None)
    if is_remote(root):
        return root
    if none_is_fine:
        return None
    raise UsageError("which server? `ml-logger login http://HOST:PORT`")


def _login(url: str | None, *, forget: bool) -> int:
    assert url is not None
    if not is_remote(url):
        raise UsageError(f"{url!r} is no address; it begins with http:// or https://")
    if forget:
        print(f"forgotten; {credentials.save_token(url, None)} keeps the others")
        return 0
    token = getpass.getpass(f"token for {url} (from `ml-logger token mint` there): ") if sys.stdin.isatty() else sys.stdin.readline()
    token = token.strip()
    if not token:
        raise UsageError("no token was given")
    _check(url, token)
    print(f"logged in to {url}; the token is in {credentials.save_token(url, token)}")
    return 0


def _check(url: str, token: str) -> None:
    """Raise `AuthenticationError` if the server does not take the token."""
    wire = Wire(url, settings.read()._replace(token=token))
    if not wire.is_secret:
        raise UsageError(f"{url} would send the token in the clear; use https, an ssh tunnel, or ML_LOGGER_ALLOW_PLAINTEXT=1")
    try:
        wire.request("GET", "/v1/offsets").close()
    except AuthenticationError as error:
        raise AuthenticationError(f"{url} does not take this token: {error}", error.status) from error
    except MlLoggerError as error:
        raise NotFoundError(f"server {url}", str(error)) from error
