"""Requests as an attacker writes them, and tokens of all kinds, made with the server's own keys."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt
import pytest


class Reply(NamedTuple):
    """Status, headers (lower case) and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def call(server: Any, method: str, path: str, body: bytes | None = None, host: str | None = None, **headers: str) -> Reply:
    """Send one request; header names are given with underscores, `host` replaces the Host header."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"127.0.0.1:{server.port}" if host is None else host)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def post(server: Any, path: str, value: Any, token: str = "", **headers: str) -> Reply:
    """Send JSON with a token."""
    extra = {"Authorization": f"Bearer {token}"} if token else {}
    return call(server, "POST", path, json.dumps(value).encode(), Content_Type="application/json", **extra, **headers)


class Mint:
    """Tokens of one server, good and bad, signed with its own key unless said otherwise."""

    def __init__(self, server: Any) -> None:
        ring = json.loads((server.data_dir / ".ml-logger/state/auth.d/keys.json").read_text())
        self.server_id, self.kid = ring["server_id"], ring["keys"][-1]["kid"]
        self.key = bytes.fromhex(ring["keys"][-1]["secret"])

    def claims(self, *scopes: str, **changed: Any) -> dict[str, Any]:
        now = time.time()
        base = {
            "iss": "ml-logger", "aud": self.server_id, "typ": "mll-access", "sub": "test", "jti": "0" * 24,
            "iat": now, "exp": now + 600, "scp": list(scopes) or ["read:**", "write:**", "delete:**", "admin:**"],
        }  # fmt: skip
        return {name: value for name, value in {**base, **changed}.items() if value is not None}

    def token(self, *scopes: str, **changed: Any) -> str:
        return self.signed(self.claims(*scopes, **changed))

    def signed(self, claims: dict[str, Any], algorithm: str = "HS256", key: bytes | None = None, **head: Any) -> str:
        return jwt.encode(claims, self.key if key is None else key, algorithm, headers={"kid": self.kid, **head})

    def bad(self) -> dict[str, str]:
        """Return one Authorization header for each way in which a token can be bad."""
        now, good = time.time(), self.token()
        head, body, signature = good.split(".")
        return {
            "garbage": "Bearer abc",
            "empty": "Bearer ",
            "no scheme": good,
            "basic": f"Basic {good}",
            "two dots": "Bearer ..",
            "no ASCII": "Bearer \xff\xfe",
            "very long": "Bearer " + "a" * 8000,
            "deep": "Bearer " + "W" * 3000,
            "expired": f"Bearer {self.token(exp=now - 1)}",
            "not yet": f"Bearer {self.token(nbf=now + 300)}",
            "from the future": f"Bearer {self.token(iat=now + 300)}",
            "wrong audience": f"Bearer {self.token(aud='f' * 32)}",
            "no audience": f"Bearer {self.token(aud=None)}",
            "wrong issuer": f"Bearer {self.token(iss='someone')}",
            "wrong type": f"Bearer {self.token(typ='mll-refresh')}",
            "no expiry": f"Bearer {self.token(exp=None)}",
            "no id": f"Bearer {self.token(jti=None)}",
            "no subject": f"Bearer {self.token(sub=None)}",
            "scopes no list": f"Bearer {self.token(scp='read:**')}",
            "scopes no text": f"Bearer {self.token(scp=[1])}",
            "alg none": f"Bearer {jwt.encode(self.claims(), None, 'none', headers={'kid': self.kid})}",
            "alg none, signed": f"Bearer {_swap(good, alg='none')}",
            "other algorithm": f"Bearer {self.signed(self.claims(), 'HS512', self.key * 2)}",
            "other algorithm, same key": f"Bearer {self.signed(self.claims(), 'HS384', self.key + b'0' * 16)}",
            "alg lies": f"Bearer {_swap(good, alg='EdDSA')}",
            "empty key": f"Bearer {_unsafe(self.claims(), b'', self.kid)}",
            "key is the kid": f"Bearer {_unsafe(self.claims(), self.kid.encode(), self.kid)}",
            "unknown kid": f"Bearer {self.signed(self.claims(), kid='00000000')}",
            "kid is a path": f"Bearer {self.signed(self.claims(), kid='../../keys.json')}",
            "kid is a number": f"Bearer {_swap(good, kid=0)}",
            "jku": f"Bearer {self.signed(self.claims(), jku='http://127.0.0.1/keys')}",
            "jwk": f"Bearer {self.signed(self.claims(), jwk={'kty': 'oct', 'k': 'AA'})}",
            "crit": f"Bearer {self.signed(self.claims(), crit=['exp'])}",
            "signature cut": f"Bearer {head}.{body}.{signature[:-4]}",
            "signature gone": f"Bearer {head}.{body}.",
            "payload changed": f"Bearer {head}.{body[:-2]}AA.{signature}",
        }


def _encode(value: Any) -> str:
    import base64

    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _swap(token: str, **changed: Any) -> str:
    import base64

    head, body, signature = token.split(".")
    found = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    return f"{_encode({**found, **changed})}.{body}.{signature}"


def _unsafe(claims: dict[str, Any], key: bytes, kid: str) -> str:
    """Sign with a key that a library would refuse."""
    import base64
    import hashlib
    import hmac

    text = f"{_encode({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{_encode(claims)}"
    return f"{text}.{base64.urlsafe_b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).rstrip(b'=').decode()}"


@pytest.fixture
def mint() -> Callable[[Any], Mint]:
    """Return how to make tokens for a server."""
    return Mint


@pytest.fixture(name="call")
def call_fixture() -> Callable[..., Reply]:
    """Return how to send one request."""
    return call


@pytest.fixture(name="post")
def post_fixture() -> Callable[..., Reply]:
    """Return how to send JSON."""
    return post


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Any:
    """Return one server for all tests of a file that leave nothing behind which others would see."""
    yield from make_server(tmp_path_factory.mktemp("shared"), "--limit", "json_body=4096")
