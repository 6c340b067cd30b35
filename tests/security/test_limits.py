"""Bodies that are too large, bombs, slow clients, odd requests: each is refused in time and memory, and good ones go on."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from typing import Any

import psutil
import pytest
import zstandard

QUICK = (
    "--limit",
    "header_timeout_s=1",
    "--limit",
    "body_grace_s=1",
    "--limit",
    "send_timeout_s=1",
    "--limit",
    "json_body=4096",
    "--limit",
    "file=100000",
    "--limit",
    "wire=100000",
    "--limit",
    "inflated=6000000",
)


def connect(server: Any, receive_buffer: int = 0) -> socket.socket:
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", server.port))
    return sock


def seconds_until_closed(sock: socket.socket, limit: float = 9.0) -> tuple[float, bytes]:
    """Return how long the server kept the connection, and what it sent."""
    start, got = time.monotonic(), b""
    try:
        while time.monotonic() - start < limit:
            piece = sock.recv(65536)
            if not piece:
                break
            got += piece[:1000]
    except TimeoutError:
        return limit, got
    except ConnectionError:
        pass
    return time.monotonic() - start, got


def head(server: Any, method: str, path: str, token: str, *lines: str) -> bytes:
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Authorization: Bearer {token}", *lines, "", ""]
    ).encode()


@pytest.mark.parametrize("over", [0, 1])
def test_json_bodies_at_the_limit(over: int, new_server: Any, mint: Any, call: Any) -> None:
    server = new_server("root", *QUICK)
    body = json.dumps({"type": "list_files"}).encode()
    body += b" " * (4096 - len(body) + over)
    reply = call(server, "POST", "/v1/query", body, Content_Type="application/json", Authorization=f"Bearer {mint(server).token()}")
    assert reply.status == (413 if over else 200)


def test_too_much_is_refused_without_being_read(new_server: Any, mint: Any) -> None:
    server = new_server("root", *QUICK)
    token = mint(server).token()
    digest = hashlib.sha256(b"").hexdigest()
    cases = [
        ("POST", "/v1/query", "Content-Type: application/json"),
        ("POST", "/v1/command", "Content-Type: application/json"),
        ("POST", "/v1/ingest", "X: y"),
        ("PUT", "/v1/files/a", f"X-Content-SHA256: {digest}"),
    ]
    for method, path, extra in cases:
        for framing in ("Content-Length: 100000000", "Transfer-Encoding: chunked"):
            with connect(server) as sock:
                sock.sendall(head(server, method, path, token, extra, framing))
                sent = send_until_refused(sock, chunked="chunked" in framing)
                took, answer = seconds_until_closed(sock)
                assert took < 5, (path, framing)
                assert b" 413 " in answer or not answer, (path, framing, answer[:200])
                assert sent < 8_000_000, (path, framing, sent)  # what the kernel's buffers took, and not the whole body


def send_until_refused(sock: socket.socket, *, chunked: bool) -> int:
    sent, block = 0, b"x" * 16384
    piece = b"%x\r\n%s\r\n" % (len(block), block) if chunked else block
    try:
        while sent < 100_000_000:
            sock.sendall(piece)
            sent += len(block)
    except OSError:
        pass
    return sent


def bombs() -> dict[str, bytes]:
    """Return small bodies that want to become large ones."""
    compressor = zstandard.ZstdCompressor(level=19)
    plain = zstandard.ZstdCompressor(level=3)
    streamed = plain.compressobj()
    unsized = b"".join([*(streamed.compress(bytes(1 << 20)) for _ in range(200)), streamed.flush()])
    honest = compressor.compress(bytes(200 << 20))
    return {
        "200 MiB of zeros": honest,
        "size not declared": unsized,
        "nested": plain.compress(honest),
        "size lies": compressor.compress(bytes(4096))[:8] + honest[8:],
        "a window of 1 GiB": b"\x28\xb5\x2f\xfd\x80\xa0" + (1 << 31).to_bytes(4, "little") + b"\x01\x00\x00",
        "no frame": b"PK\x03\x04" + bytes(1000),
        "gzip": __import__("gzip").compress(bytes(20 << 20)),
        "empty": b"",
    }


def test_bombs_are_not_inflated(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server("root", *QUICK)
    token = mint(server).token()
    process = psutil.Process(server.process.pid)
    call(server, "POST", "/v1/ingest", b"x", Authorization=f"Bearer {token}")
    before = process.memory_info().rss
    for name, body in bombs().items():
        start = time.monotonic()
        reply = call(server, "POST", "/v1/ingest", body, Authorization=f"Bearer {token}", Content_Encoding="zstd")
        assert reply.status in (400, 413), (name, reply)
        assert time.monotonic() - start < 3, name
    assert process.memory_info().rss - before < 48 << 20


def test_slow_clients_are_closed_and_others_served(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server("root", *QUICK)
    token = mint(server).token()
    (server.data_dir / "big.bin").write_bytes(bytes(30_000_000))
    starts = {
        "slow head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        "nothing": b"",
        "idle after an answer": head(server, "GET", "/healthz", token),
        "slow body": head(server, "POST", "/v1/query", token, "Content-Type: application/json", "Content-Length: 100") + b"{",
        "slow batch": head(server, "POST", "/v1/ingest", token, "Content-Length: 100") + b"x",
        "slow file": head(server, "PUT", "/v1/files/a", token, f"X-Content-SHA256: {'0' * 64}", "Content-Length: 100") + b"x",
        "endless chunks": head(server, "POST", "/v1/query", token, "Content-Type: application/json", "Transfer-Encoding: chunked")
        + b"1\r\nx\r\n",
    }
    socks = {name: [connect(server) for _ in range(30)] for name in starts}
    for name, several in socks.items():
        for sock in several:
            sock.sendall(starts[name])
    times = [timed(call, server) for _ in range(20)]
    assert sorted(times)[18] < 1.0
    threads = [threading.Thread(target=check_closed, args=(name, several)) for name, several in socks.items()]
    failures.clear()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert timed(call, server) < 1.0


failures: list[str] = []


def check_closed(name: str, several: list[socket.socket]) -> None:
    for sock in several:
        took, _ = seconds_until_closed(sock, 6.0)
        sock.close()
        if took > 5.0:
            failures.append(name)


def timed(call: Any, server: Any) -> float:
    start = time.monotonic()
    assert call(server, "GET", "/healthz").status == 200
    return time.monotonic() - start


def test_slow_readers_are_closed(new_server: Any, mint: Any) -> None:
    server = new_server("root", *QUICK)
    token = mint(server).token()
    (server.data_dir / "big.bin").write_bytes(bytes(30_000_000))
    socks = [connect(server, 4096) for _ in range(10)]
    for sock in socks:
        sock.sendall(head(server, "GET", "/v1/files/big.bin", token))
    process = psutil.Process(server.process.pid)
    assert wait_for(lambda: len(established(process)) >= 10, 5)
    assert wait_for(lambda: len(established(process)) == 0, 10), "nobody read, and the connections are still open"
    for sock in socks:
        sock.close()
    assert process.num_fds() < 100


def established(process: psutil.Process) -> list[Any]:
    return [one for one in process.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]


def wait_for(found: Any, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found():
            return True
        time.sleep(0.05)
    return False


ODD = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.com\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + b"x" * 70000 + b"\r\n\r\n",
    b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5, 6\r\n\r\nabcdef",
    b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",  # noqa: E501
    b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"GET /%ff%fe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /v1/files/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET http://evil.com/ HTTP/1.1\r\nHost: evil.com\r\n\r\n",
    b"CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\n\r\n",
    b"\x00" * 1000,
    b"A" * 30000,
]


def test_odd_requests_get_4xx_or_are_closed(new_server: Any, call: Any) -> None:
    server = new_server("root", *QUICK)
    for text in ODD:
        with connect(server) as sock:
            sock.sendall(text)
            took, answer = seconds_until_closed(sock)
            assert took < 6, text[:80]
            assert not answer or answer[9:10] in (b"4", b"2"), (text[:80], answer[:100])
            assert b"500 Internal" not in answer
    assert call(server, "GET", "/healthz").status == 200


def test_ranges(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server("root", *QUICK)
    token = {"Authorization": f"Bearer {mint(server).token()}"}
    (server.data_dir / "a.bin").write_bytes(bytes(range(100)))

    def get(value: str, method: str = "GET") -> Any:
        return call(server, method, "/v1/files/a.bin", Range=value, **token)

    assert (get("bytes=10-19").status, get("bytes=10-19").body) == (206, bytes(range(10, 20)))
    assert get("bytes=90-").body == bytes(range(90, 100))
    assert get("bytes=-5").body == bytes(range(95, 100))
    assert get("bytes=50-1000").headers["content-range"] == "bytes 50-99/100"
    assert get("bytes=0-99").status == 206
    assert get("lines=1-2").status == 200
    for bad in (
        "bytes=100-",
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "bytes=-0",
        "bytes=0-1,3-4",
        "bytes=" + "0-0," * 2000 + "1-1",
        "bytes=99999999999999999999-",
    ):
        assert get(bad).status == 416, bad
    reply = get("bytes=0-9", "HEAD")
    assert (reply.status, reply.headers["content-length"], reply.body) == (206, "10", b"")
    etag = call(server, "GET", "/v1/files/a.bin", **token).headers["etag"]
    assert call(server, "GET", "/v1/files/a.bin", If_None_Match=etag, **token).status == 304
    assert call(server, "GET", "/v1/files/a.bin", Range="bytes=0-1", If_Range='"other"', **token).status == 200


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        DEEP[:4000],
        b'{"type":"save","kind":"a","name":"b","value":' + b"[" * 1900 + b"]" * 1900 + b"}",
        b'{"type":"save","kind":"a","name":"b","value":1e999}',
        b'{"type":"save","kind":"a","name":"b","value":NaN}',
        b'{"type":"save","kind":"a","name":"b","value":' + b"9" * 3900 + b"}",
        b'{"type":"save","type":"trash","kind":"a"}',
        b'{"type":"save","kind":"a","name":"\\ud800","value":1}',
        b'{"type":"save","kind":"a","name":"\\u0000","value":1}',
        b"\xff\xfe",
        b"",
        b"null",
        b"[]",
        b'{"type":["save"]}',
        b'{"type":"shell","command":"id"}',
        b'{"type":"set_tags","runs":"a"}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_hostile_json_is_refused_or_kept(body: bytes, shared_server: Any, mint: Any, call: Any) -> None:
    token = {"Authorization": f"Bearer {mint(shared_server).token()}", "Content_Type": "application/json"}
    for path in ("/v1/command", "/v1/query"):
        reply = call(shared_server, "POST", path, body, **token)
        assert reply.status == 200 or 400 <= reply.status < 500, reply
        json.loads(reply.body, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_out_of_descriptors_and_back(new_server: Any, call: Any) -> None:
    """With 64 descriptors and 300 connections the server keeps some for itself, and answers soon after they are gone."""
    server = new_server("root", *QUICK, wrap=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh"))
    socks = []
    for _ in range(300):
        sock = connect(server)
        sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        socks.append(sock)
    time.sleep(0.5)
    held = [sock for sock in psutil.Process(server.process.pid).net_connections() if sock.status == "ESTABLISHED"]
    assert 4 <= len(held) < 40, "the limit is felt"
    assert psutil.Process(server.process.pid).num_fds() < 60, "some are kept"
    for sock in socks:
        sock.close()
    start = time.monotonic()
    assert wait_for(lambda: answers(call, server), 10)
    assert time.monotonic() - start < 5
    assert server.process.poll() is None


def answers(call: Any, server: Any) -> bool:
    try:
        return bool(call(server, "GET", "/healthz").status == 200)
    except OSError:
        return False
