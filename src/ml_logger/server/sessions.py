"""Browsers: one-time codes, and the cookie that a code is exchanged for. Knows no HTTP.

Only hashes are kept on the disk, so that a session lives through a restart of the server and cannot be stolen from a backup.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from ml_logger import credentials
from ml_logger.errors import AuthenticationError
from ml_logger.server.tokens import Principal

CODE_S = 15 * 60.0
SESSION_S = 12 * 3600.0
_MOST_CODES, _MOST_SESSIONS = 256, 4096


class Session(Struct):
    """A browser that was let in: as whom, with which scopes, until when."""

    subject: str
    scopes: tuple[str, ...]
    until: float
    jti: str


class Sessions:
    """Codes (in memory) and sessions (sessions.json beside the keys); used on the event loop only."""

    def __init__(self, directory: Path) -> None:
        """Read the sessions that an earlier process left in `directory`."""
        self._path = directory / "sessions.json"
        self._codes: dict[str, Session] = {}
        data = credentials.read_private(self._path)
        try:
            self._sessions = msgspec.json.decode(data or b"{}", type=dict[str, Session])
        except msgspec.DecodeError:
            self._sessions = {}  # browsers log in again; nothing else is lost

    def new_code(self, principal: Principal, ttl_s: float = CODE_S) -> str:
        """Return a code that lets one browser in as `principal`, once, within `ttl_s` seconds."""
        self._codes = {key: value for key, value in self._codes.items() if value.until > time.time()}
        while len(self._codes) >= _MOST_CODES:
            self._codes.pop(next(iter(self._codes)))
        code = secrets.token_urlsafe(24)
        self._codes[_hash(code)] = Session(principal.subject, principal.scopes, time.time() + ttl_s, principal.jti)
        return code

    def exchange(self, code: str) -> tuple[str, float]:
        """Return (cookie value, seconds it lives) for a code, which is void from then on; raises `AuthenticationError`."""
        found = self._codes.pop(_hash(code), None)
        if found is None or found.until <= time.time():
            raise AuthenticationError("this address was used already, or is older than 15 minutes; `ml-logger open` makes a new one")
        cookie = secrets.token_urlsafe(32)
        self._sessions = {key: value for key, value in self._sessions.items() if value.until > time.time()}
        while len(self._sessions) >= _MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[_hash(cookie)] = Session(found.subject, found.scopes, time.time() + SESSION_S, found.jti)
        self._save()
        return cookie, SESSION_S

    def find(self, cookie: str) -> Principal | None:
        """Return who a cookie speaks for, or None."""
        found = self._sessions.get(_hash(cookie))
        if found is None or found.until <= time.time():
            return None
        return Principal(found.subject, found.jti, found.scopes, "cookie")

    def end(self, cookie: str) -> None:
        """Forget a session."""
        if self._sessions.pop(_hash(cookie), None) is not None:
            self._save()

    def _save(self) -> None:
        credentials.write_private(self._path, msgspec.json.encode(self._sessions))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
