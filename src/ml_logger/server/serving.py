"""The process: sockets, signals, and granian's embedded server around the application. Knows no routes.

Both loopback addresses are bound by ourselves, so that a port in use is an error and not a second server beside the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server
from starlette.types import ASGIApp

from ml_logger import settings
from ml_logger.errors import SettingsError, UsageError
from ml_logger.server.bounds import Bounds
from ml_logger.server.discovery import server_on
from ml_logger.server.site import Site

_BACKLOG = 1024
_SEND_BUFFER = 512 << 10
_TRIES = 16
_OWN_DESCRIPTORS = 44
"""Descriptors for the log, the index, journals and event loops."""
_FEWEST = 4


def bind(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets: for a loopback host both of 127.0.0.1 and ::1 (where there is IPv6); port 0 takes a free one.

    Raises `UsageError` in words: who has the port, or that the address is not ours.
    """
    hosts = ["127.0.0.1", "::1"] if host in ("localhost", "127.0.0.1") else [host.strip("[]")]
    try:
        return _bind(hosts, port)
    except OSError as error:
        if port and error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} is in use by {_listener(port)}; --port 0 takes a free one") from error
        setting, value = ("--port", str(port)) if error.errno == errno.EACCES else ("--host", host)
        raise SettingsError(setting, value, f"cannot listen there: {error.strerror}") from error


def _bind(hosts: list[str], port: int) -> list[socket.socket]:
    for _ in range(_TRIES):
        first = _listen(hosts[0], port)
        if len(hosts) == 1:
            return [first]
        try:
            return [first, _listen(hosts[1], first.getsockname()[1])]
        except OSError:
            if _has_no_ipv6():
                return [first]
            first.close()
            if port:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free on both 127.0.0.1 and ::1")


def _listener(port: int) -> str:
    """Say who has the port, as far as servers of this user tell."""
    found = server_on(settings.config_dir(), port)
    return f"the ml-logger server of {found.data_dir} ({found.url})" if found else "another program"


def _has_no_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return True
    return False


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def connections_of(wanted: int, sockets: int) -> list[int]:
    """Return how many connections each socket may hold, at most `wanted`: the first nearly all of what the process has descriptors for.

    It keeps some for its own files and threads, so that a flood of connections cannot take them.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    left = limit - _OWN_DESCRIPTORS
    others = max(_FEWEST, left // 8)
    return [min(wanted, max(_FEWEST, left - others * (sockets - 1))), *[min(wanted, others)] * (sockets - 1)]


class _Embedded(Server):
    """Granian on a socket that we bound."""

    def __init__(self, app: ASGIApp, sock: socket.socket, bounds: Bounds, tls: tuple[Path, Path] | None, connections: int) -> None:
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=_BACKLOG,
            backpressure=connections,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(bounds.header_timeout_s * 1000), max_buffer_size=max(8192, bounds.header_bytes)
            ),
            log_level=LogLevels.error,
            ssl_cert=tls[0] if tls else None,
            ssl_key=tls[1] if tls else None,
        )
        self._sock = sock

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd = SocketHolder(self._sock.fileno(), False, _BACKLOG)  # pyright: ignore[reportCallIssue] - its stub is empty


async def serve(
    app: ASGIApp,
    site: Site,
    sockets: list[socket.socket],
    *,
    tls: tuple[Path, Path] | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve `app` until SIGTERM or SIGINT, then let requests under way end for at most `bounds.drain_s` seconds."""
    user_timeout = int(site.bounds.send_timeout_s * 1000) + 5000
    for sock in sockets:
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # the kernel lets go of clients that take nothing at all
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout)
    connections = connections_of(site.bounds.connections, len(sockets))
    servers = [_Embedded(app, sock, site.bounds, tls, most) for sock, most in zip(sockets, connections, strict=True)]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    site.start()
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    await asyncio.sleep(0)
    ready()
    await asyncio.wait([asyncio.create_task(stop.wait()), *tasks], return_when=asyncio.FIRST_COMPLETED)
    site.stopping = True
    site.feed.stop()
    for server in servers:
        server.stop()
    await asyncio.wait(tasks, timeout=site.bounds.drain_s)
    site.stop()


def leave(status: int) -> Any:
    """End the process at once: granian's threads panic when they outlive the interpreter, and nothing is left to be done."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
