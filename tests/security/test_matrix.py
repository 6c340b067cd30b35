"""Every route of the running application × every bad token, foreign Host and foreign Origin; routes come from the app's own table."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ml_logger.server.app import _openapi
from ml_logger.server.gate import is_public
from ml_logger.server.page import Page
from ml_logger.server.routes import routes

ROUTES = [
    (method, route.path.replace("{key:path}", "alice/run/a.txt").replace("{name:path}", "x.js"))
    for route in routes(Page(), _openapi)
    for method in sorted(route.methods or ())
]
UNKNOWN = [
    ("GET", "/v2/x"),
    ("POST", "/v1/shell"),
    ("DELETE", "/v1/files/a"),
    ("OPTIONS", "/v1/query"),
    ("TRACE", "/v1/query"),
    ("GET", "/.git/config"),
]
BODY = {"POST": b"{}", "PUT": b"x", "DELETE": None}

FOREIGN_HOSTS = [
    "evil.com",
    "localhost.evil.com",
    "evil-localhost",
    "localhost:80:80",
    "localhost:8081@evil.com",
    "evil.com:8081",
    "127.0.0.1.evil.com",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0.0.0.0",
    "[::2]",
    "[::1",
    "::1",
    "localhost.",
    "LOCALHOST.evil",
    "",
    "localhost,evil.com",
    "localhost evil.com",
    "localhost:",
    "localhost:abc",
    "localhost:999999",
    "localhos\u0442".encode().decode("latin-1"),
    "user@localhost",
    "localhost/evil",
    "169.254.169.254",
]
FOREIGN_ORIGINS = [
    "null",
    "http://evil.com",
    "https://evil.com",
    "http://localhost.evil.com",
    "http://evil-localhost",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost@evil.com",
    "http://127.0.0.1:{port}.evil.com",
    "http://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}",
    "file://",
    "http://",
    "//127.0.0.1:{port}",
    "chrome-extension://abc",
    "http://127.0.0.1:{port} http://evil.com",
    "",
]


def body_of(method: str) -> tuple[bytes | None, dict[str, str]]:
    return BODY.get(method), ({"Content_Type": "application/json"} if method in BODY else {})


def test_no_route_answers_without_a_good_token(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    bad: dict[str, str | None] = {"none": None, **mint(server).bad()}
    private = [route for route in [*ROUTES, *UNKNOWN] if not is_public(*route)]
    assert len(private) >= 12

    def attempt(case: tuple[tuple[str, str], str]) -> None:
        (method, path), name = case
        content, headers = body_of(method)
        extra = {} if bad[name] is None else {"Authorization": bad[name]}
        reply = call(server, method, path, content, **headers, **extra)
        assert reply.status in (401, 431), f"{method} {path} with {name}: {reply}"

    with ThreadPoolExecutor(16) as pool:  # many failures from one address are slowed down
        list(pool.map(attempt, itertools.product(private, bad)))
    assert not (server.data_dir / "alice").exists()


def test_a_good_token_is_let_in_everywhere(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    token = mint(server).token()
    for method, path in [*ROUTES, *UNKNOWN]:
        if path == "/v1/live":
            continue
        content, headers = body_of(method)
        reply = call(server, method, path, content, Authorization=f"Bearer {token}", **headers)
        assert reply.status not in (401, 403) and reply.status < 500, f"{method} {path}: {reply}"  # noqa: PT018


def test_tokens_count_only_in_their_header(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    token = mint(server).token()
    for path in (f"/v1/offsets?token={token}", f"/v1/offsets?access_token={token}", f"/v1/offsets?authorization=Bearer%20{token}"):
        assert call(server, "GET", path).status == 401
    for headers in (
        {"X_Api_Key": token},
        {"Cookie": f"token={token}"},
        {"Cookie": f"mll_s_{server.port}={token}"},
        {"Proxy_Authorization": f"Bearer {token}"},
    ):
        assert call(server, "GET", "/v1/offsets", **headers).status == 401


def test_foreign_hosts_are_refused_on_every_route(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    token = mint(server).token()
    for method, path in [*ROUTES, *UNKNOWN]:
        content, headers = body_of(method)
        for host in FOREIGN_HOSTS[:3]:
            assert call(server, method, path, content, host, Authorization=f"Bearer {token}", **headers).status == 421, (method, path, host)
    for host in FOREIGN_HOSTS:
        assert call(server, "GET", "/", None, host).status in (400, 421), host


def test_foreign_origins_are_refused_on_every_route(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    token = mint(server).token()
    for method, path in [*ROUTES, *UNKNOWN]:
        content, headers = body_of(method)
        for origin in FOREIGN_ORIGINS[:2]:
            reply = call(server, method, path, content, Origin=origin, Authorization=f"Bearer {token}", **headers)
            assert reply.status == 403, (method, path, origin)
    for origin in FOREIGN_ORIGINS:
        reply = call(server, "GET", "/v1/offsets", Origin=origin.replace("{port}", str(server.port)), Authorization=f"Bearer {token}")
        assert reply.status == 403, origin
    own = call(server, "GET", "/v1/offsets", Origin=f"http://127.0.0.1:{server.port}", Authorization=f"Bearer {token}")
    assert own.status == 200


def test_host_and_origin_are_checked_without_tokens_too(new_server: Any, call: Any) -> None:
    server = new_server("root", "--no-auth")
    for method, path in [*ROUTES, *UNKNOWN]:
        content, headers = body_of(method)
        assert call(server, method, path, content, "evil.com", **headers).status == 421
        assert call(server, method, path, content, Origin="http://evil.com", **headers).status == 403
        if not path.startswith("/r"):
            assert call(server, method, path, content, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors", **headers).status == 403


def test_checks_come_in_their_order(new_server: Any, call: Any) -> None:
    server = new_server()
    both = {"Origin": "http://evil.com", "Authorization": "Bearer x"}
    assert call(server, "GET", "/v2/nothing", None, "evil.com", **both).status == 421
    assert call(server, "GET", "/v2/nothing", **both).status == 403
    assert call(server, "GET", "/v2/nothing", Authorization="Bearer x").status == 401


def test_every_answer_carries_the_headers(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    token = mint(server).token()
    replies = [
        call(server, "GET", path, Authorization=f"Bearer {token}")
        for path in ("/", "/r/a", "/assets/no", "/v2/no", "/v1/offsets", "/healthz")
    ]
    replies += [
        call(server, "GET", "/v1/offsets"),
        call(server, "GET", "/", None, "evil.com"),
        call(server, "POST", "/v1/query", b"{", Authorization=f"Bearer {token}"),
    ]
    assert {reply.status for reply in replies} >= {200, 401, 404, 415, 421}
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        scripts = next((part for part in policy.split(";") if part.strip().startswith("script-src")), "")
        assert "unsafe" not in scripts
        assert "frame-ancestors" in policy
        assert "default-src 'none'" in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in reply.headers
        assert b"Traceback" not in reply.body


def test_a_named_origin_may_ask_with_a_token(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server("root", "--cors-origin", "https://lab.example.org")
    good = {"Origin": "https://lab.example.org", "Authorization": f"Bearer {mint(server).token()}"}
    reply = call(server, "GET", "/v1/offsets", **good)
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "https://lab.example.org"
    assert "access-control-allow-credentials" not in reply.headers
    ask = {"Access_Control_Request_Method": "POST"}
    assert call(server, "OPTIONS", "/v1/query", Origin="https://lab.example.org", **ask).status == 204
    assert call(server, "OPTIONS", "/v1/query", Origin="https://lab.example.org.evil.com", **ask).status == 403
    assert call(server, "OPTIONS", "/v1/query", None, "evil.com", Origin="https://lab.example.org", **ask).status == 421
    assert call(server, "GET", "/v1/offsets", Origin="https://lab.example.org").status == 401
