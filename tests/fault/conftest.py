"""A small HTTP proxy that breaks things between client and server, and proves that it did."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest


class Proxy:
    """Forwards requests to `target` (host, port). Faults are switched on while it runs; `fired` counts what each did.

    `lose`: every n-th answer to a POST or PUT is swallowed after the server gave it, and the connection closed.
    `refuse`, `silent`: connections are reset at once, or accepted and never answered.
    `reset_after`: a connection is reset after this many bytes of a request body. `delay`: seconds before each answer.
    `answer`: bytes that are sent instead of asking the server.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.lose = 0
        self.refuse = self.silent = False
        self.reset_after = -1
        self.delay = 0.0
        self.answer = b""
        self.fired: dict[str, int] = {}
        self.requests: list[str] = []
        self._answers = 0
        self._closed = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed = True
        self._listener.close()
        for opened in list(self._open):
            opened.close()

    def cut(self) -> None:
        """Break all connections that are open."""
        for opened in list(self._open):
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def _fire(self, name: str) -> None:
        self.fired[name] = self.fired.get(name, 0) + 1

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        with contextlib.suppress(OSError, ValueError), client:
            if self.refuse:
                self._fire("refuse")
                _reset(client)
                return
            with socket.create_connection(self.target) as server:
                self._open.add(server)
                try:
                    while self._exchange(client, server):
                        pass
                finally:
                    self._open.discard(server)
        self._open.discard(client)

    def _exchange(self, client: socket.socket, server: socket.socket) -> bool:
        head, rest = _read_head(client)
        if not head:
            return False
        method = head.split(b" ", 1)[0].decode()
        self.requests.append(head.split(b"\r\n", 1)[0].decode())
        length = _length(head)
        if self.reset_after >= 0 and length > self.reset_after:
            server.sendall(head + rest[: self.reset_after] + _read(client, self.reset_after - len(rest)))
            self._fire("reset_after")
            _reset(client)
            _reset(server)
            return False
        body = rest + _read(client, length - len(rest))
        if self.silent:
            self._fire("silent")
            while self.silent and not self._closed:
                time.sleep(0.01)
            return False
        if self.answer:
            self._fire("answer")
            client.sendall(self.answer)
            return False
        server.sendall(head + body)
        answer, more = _read_head(server)
        total = 0 if method == "HEAD" else _length(answer)
        answer += more + _read(server, total - len(more))
        return self._reply(client, method, answer)

    def _reply(self, client: socket.socket, method: str, answer: bytes) -> bool:
        if self.delay:
            self._fire("delay")
            time.sleep(self.delay)
        if self.lose and method in ("POST", "PUT"):
            self._answers += 1
            if self._answers % self.lose == 0:
                self._fire("lose")
                return False
        client.sendall(answer)
        return True


def _read_head(source: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = source.recv(65536)
        if not piece:
            return b"", b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _read(source: socket.socket, length: int) -> bytes:
    pieces = []
    while length > 0:
        piece = source.recv(min(length, 65536))
        if not piece:
            raise OSError("the connection ended early")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture
def new_proxy() -> Iterator[Callable[..., Proxy]]:
    """Put proxies in front of servers (`ServerProcess`); they end with the test."""
    started: list[Proxy] = []

    def start(server: Any) -> Proxy:
        started.append(Proxy(("127.0.0.1", server.port)))
        return started[-1]

    yield start
    for proxy in started:
        proxy.close()
