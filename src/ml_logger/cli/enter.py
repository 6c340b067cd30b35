"""`ml-logger open` and `ml-logger login`: into a server's dashboard, and onto a server of another machine. Knows no tokens' insides."""

from __future__ import annotations

import argparse
import getpass
import sys
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

from ml_logger import settings
from ml_logger.cli.roots import is_remote, root_of
from ml_logger.client import credentials
from ml_logger.client.wire import Wire
from ml_logger.errors import AuthenticationError, MlLoggerError, NotFoundError, UsageError
from ml_logger.server.discovery import is_alive


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of one of the two."""
    parser.set_defaults(command=name)
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="the server (default: $ML_LOGGER_ROOT, else that of ./runs, else the only one that runs here)"
    )
    if name == "open":
        parser.add_argument("--port", type=int, help="the server on this port of this machine")
        parser.add_argument("--print", dest="only_print", action="store_true", help="print the address; open no browser")
    else:
        parser.add_argument("--forget", action="store_true", help="delete the token that is kept for the server")


def run(found: argparse.Namespace) -> int:
    """Open or log in."""
    if found.command == "login":
        return _login(found.url or root_of(None), forget=found.forget)
    return open_server(_wanted(found), show=not found.only_print)


def _wanted(found: argparse.Namespace) -> str:
    """Return the address of the server that the flags, the environment or this directory mean."""
    if found.port:
        return of_this_machine(f"http://127.0.0.1:{found.port}")
    root = found.url or root_of(None)
    return root if is_remote(root) else _of_directory(root, is_named=bool(found.url))


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


def of_this_machine(url: str) -> str:
    """Return the address of a server that runs here as it wrote it down: with https and the fingerprint where there is TLS."""
    for server in _running():
        if urlsplit(server.url).port == urlsplit(url).port:
            return _pinned(server)
    return url


def _of_directory(root: str, *, is_named: bool) -> str:
    """Return the address of the server of a directory; if it has none, and nobody named it, of the only one that runs."""
    servers = _running()
    for server in servers:
        if Path(server.data_dir) == Path(root.removeprefix("file://")).expanduser().resolve():
            return _pinned(server)
    if not servers or is_named:
        raise NotFoundError(f"a server of {root}" if is_named else "a server on this machine", "`ml-logger DIR` starts one")
    if len(servers) > 1:
        listed = "\n".join(f"  {server.url}  {server.data_dir}" for server in servers)
        raise UsageError(f"which server? None of those that run serves {root}:\n{listed}\n`ml-logger open --port P` opens one of them")
    print(f"ml-logger: {root} is not served; this is the server of {servers[0].data_dir}", file=sys.stderr)
    return _pinned(servers[0])


def _running() -> list[credentials.LocalServer]:
    return [server for server in credentials.local_servers() if is_alive(server.pid)]


def _pinned(server: credentials.LocalServer) -> str:
    return f"{server.url}#sha256={server.sha256}" if server.sha256 else server.url


def _login(url: str, *, forget: bool) -> int:
    if not is_remote(url):
        raise UsageError(f"which server? {url!r} is no address; it begins with http:// or https://")
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
    wire = Wire(url, settings.read()._replace(token=token, token_source="the terminal" if sys.stdin.isatty() else "stdin"))
    if not wire.is_secret:
        raise UsageError(f"{url} would send the token in the clear; use https, an ssh tunnel, or ML_LOGGER_ALLOW_PLAINTEXT=1")
    try:
        wire.request("GET", "/v1/offsets").close()
    except AuthenticationError as error:
        raise AuthenticationError(f"{url} does not take this token: {error}", error.status) from error
    except MlLoggerError as error:
        raise NotFoundError(f"server {url}", str(error)) from error
