"""Which token to send to a server: that of a login, else the one that a server of this user left, once it proved to be that server.

Knows no requests; the caller asks `/v1/hello`. What the environment says comes before all this.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ml_logger import credentials, settings
from ml_logger.errors import SettingsError

Hello = Callable[[str], dict[str, Any]]
"""Asks `GET /v1/hello?nonce=…` without a token and returns its JSON."""


class LocalServer(NamedTuple):
    """What a server of this user left in `servers/`; `sha256` is the fingerprint of a certificate that it made itself."""

    server_id: str
    url: str
    data_dir: str
    pid: int
    started: float
    token: str
    sha256: str = ""


class Token(NamedTuple):
    """A token, and in words where it came from: messages name that and never the token."""

    text: str
    source: str


def find_token(url: str, hello: Hello, config_dir: Path | None = None) -> Token | None:
    """Return the token for the server at `url`, or None; raises `SettingsError` for a file of tokens that others can read."""
    place = config_dir or settings.config_dir()
    if (saved := saved_tokens(place).get(origin_of(url))) is not None:
        return Token(saved, f"the login file {place / 'tokens.json'}")
    candidates = [server for server in local_servers(place) if _place_of(server.url) == _place_of(url)]
    if not candidates:
        return None
    nonce = secrets.token_hex(16)
    given = str(hello(nonce).get("proof", ""))
    for server in candidates:
        if hmac.compare_digest(credentials.proof(server.token, nonce), given):
            return Token(server.token, f"{place / 'servers' / server.server_id}.json, where the server left it")
    return None


def local_servers(config_dir: Path | None = None) -> list[LocalServer]:
    """Return the servers that this user started, the newest first; whether they still run is not looked at."""
    place = (config_dir or settings.config_dir()) / "servers"
    found = [server for path in sorted(place.glob("*.json")) for server in _read_server(path)]
    return sorted(found, key=lambda server: -server.started)


def saved_tokens(config_dir: Path | None = None) -> dict[str, str]:
    """Return the tokens of `ml-logger login`, by origin; raises `SettingsError` if others can read them."""
    path = (config_dir or settings.config_dir()) / "tokens.json"
    try:
        found = json.loads(credentials.read_private(path) or b"{}")
    except ValueError as error:
        raise SettingsError(str(path), "damaged", "should be JSON; delete it and run `ml-logger login` again") from error
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def save_token(url: str, token: str | None, config_dir: Path | None = None) -> Path:
    """Keep `token` for the server at `url` (None forgets it) and return the file it is in."""
    place = credentials.private_dir(config_dir or settings.config_dir())
    tokens = saved_tokens(place)
    tokens.pop(origin_of(url), None)
    if token is not None:
        tokens[origin_of(url)] = token
    credentials.write_private(place / "tokens.json", json.dumps(tokens).encode())
    return place / "tokens.json"


def origin_of(url: str) -> str:
    """Return scheme, host, port and root path of `url` in one spelling."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{_port(url)}{parts.path.rstrip('/')}"


def _place_of(url: str) -> tuple[str, int, str]:
    """Return what two names of one server have in common: not the host, which has many names."""
    parts = urlsplit(url)
    return parts.scheme, _port(url), parts.path.rstrip("/")


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 8081)


def _read_server(path: Path) -> Iterator[LocalServer]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = json.loads(credentials.read_private(path) or b"")
        yield LocalServer(**{name: found[name] for name in LocalServer._fields if name in found})
