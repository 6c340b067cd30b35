"""Tokens: minted, checked, revoked, and the keys that sign them. Knows no HTTP and no sessions of browsers.

A token is a JWT (HS256). Keys, revocations and the list of minted tokens lie in `<root>/.ml-logger/state/auth.d/`, so that the command line
works on them directly; a running server sees a change within `_LOOK_S`. The algorithm belongs to the key, never to the token.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from pathlib import Path
from typing import Any

import jwt
import msgspec
from msgspec import Struct

from ml_logger import credentials, keys
from ml_logger.errors import AuthenticationError, NotFoundError, SettingsError, UsageError

ISSUER = "ml-logger"
ACCESS = "mll-access"
ALGORITHM = "HS256"
ROLES: dict[str, tuple[str, ...]] = {
    "read": ("read",),
    "write": ("read", "write"),
    "delete": ("read", "write", "delete"),
    "admin": ("read", "write", "delete", "admin"),
}
"""What a role grants. A writer may tidy up in its own run; to trash or move other things takes `delete`."""
DAY_S = 86_400.0
MAX_TOKEN = 4096
PLACE = "auth.d"
"""Below `state/`; what users keep there has no dot in its name, so nothing can be saved into it."""
_LOOK_S = 0.25
_KEY_S = 10 * 366 * DAY_S


class Key(Struct):
    """A signing key (hex); the newest one signs, all that are not past `not_after` verify."""

    kid: str
    secret: str
    created: float
    not_after: float


class Ring(Struct):
    """keys.json: the server's id, which is the audience of its tokens, and its keys, oldest first."""

    server_id: str
    keys: list[Key]


class Revoked(Struct):
    """revoked.json: token ids with their expiry, and subjects whose older tokens are void."""

    tokens: dict[str, float] = {}
    subjects: dict[str, float] = {}


class Minted(Struct):
    """What is remembered of a token: everything but the token."""

    jti: str
    sub: str
    scp: list[str]
    iat: float
    exp: float


class Principal(Struct, frozen=True):
    """Who asks: the subject, the token's id, and scopes such as ``write:alice/**``. `kind` is token, cookie or open."""

    subject: str
    jti: str
    scopes: tuple[str, ...]
    kind: str = "token"

    @property
    def name(self) -> str:
        """The subject as people know it: who started a server on their own machine is `local:1000` by number, `ann` by name."""
        local, _, uid = self.subject.partition(":")
        if local == "local" and uid.isdecimal():
            with contextlib.suppress(ImportError, KeyError, OverflowError):
                import pwd  # not there on Windows

                return pwd.getpwuid(int(uid)).pw_name
        return self.subject

    def may(self, verb: str, key: str) -> bool:
        """Tell whether a scope grants `verb` on `key`, compared part by part."""
        for scope in self.scopes:
            granted, _, pattern = scope.partition(":")
            if granted == verb and keys.in_scope(key, pattern):
                return True
        return False


ANYONE = Principal("anyone", "", ("read:**", "write:**", "delete:**"), "open")
"""Who asks where no token is wanted (`--no-auth`)."""


class Tokens:
    """The tokens of one root. Thread-safe; holds keys and revocations in memory and looks at the files for changes."""

    def __init__(self, root: Path) -> None:
        """Open the keys of `root`, made if there are none; raises `SettingsError` if others could have read them."""
        self.directory = credentials.private_dir(root / keys.HOME / "state" / PLACE)
        self._lock = threading.Lock()
        self._stamp: tuple[object, ...] = ()
        self._looked = 0.0
        if credentials.read_private(self.directory / "keys.json") is None:
            ring = Ring(secrets.token_hex(16), [_new_key()])
            credentials.create_private(self.directory / "keys.json", msgspec.json.encode(ring))
        self.ring, self.revoked = self._read_ring(), self._read_revoked()

    @property
    def server_id(self) -> str:
        """The id of the server of this root, the audience of its tokens."""
        return self.ring.server_id

    def mint(self, subject: str, scopes: list[str], ttl_s: float) -> tuple[str, Minted]:
        """Return a new token and what is remembered of it; raises `UsageError` for a lifetime that is not positive."""
        if not 0 < ttl_s <= 366 * DAY_S:
            raise UsageError(f"a lifetime of {ttl_s:g} s: must be more than 0 and at most a year")
        self._look(at_once=True)
        now, key = time.time(), self.ring.keys[-1]
        note = Minted(secrets.token_hex(12), subject, scopes, now, now + ttl_s)
        claims = {"iss": ISSUER, "aud": self.server_id, "typ": ACCESS, **msgspec.to_builtins(note)}
        token = jwt.encode(claims, bytes.fromhex(key.secret), ALGORITHM, headers={"kid": key.kid})
        credentials.append_private(self.directory / "minted.jsonl", msgspec.json.encode(note) + b"\n")
        return token, note

    def verify(self, token: str) -> Principal:
        """Return who `token` speaks for; raises `AuthenticationError` that says what is wrong with it, never what is in it."""
        self._look()
        claims = self._claims(token)
        jti, subject, issued = claims.get("jti"), claims.get("sub"), claims.get("iat")
        scopes = claims.get("scp")
        if claims.get("typ") != ACCESS or not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise AuthenticationError("this is no access token")
        if jti in self.revoked.tokens or float(issued or 0) < self.revoked.subjects.get(str(subject), 0.0):
            raise AuthenticationError("the token was revoked; `ml-logger token mint` makes a new one")
        return Principal(str(subject), str(jti), tuple(scopes))

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise AuthenticationError("the token is too long")
        try:
            head = jwt.get_unverified_header(token)
            key = next((key for key in self.ring.keys if key.kid == head.get("kid") and time.time() < key.not_after), None)
            if key is None or head.get("alg") != ALGORITHM or {"jku", "jwk", "x5u", "x5c", "crit"} & set(head):
                raise AuthenticationError("the token was not signed by this server")
            needed = ["exp", "iat", "aud", "iss", "sub", "jti"]
            options: Any = {"require": needed, "enforce_minimum_key_length": True}
            return jwt.decode(
                token, bytes.fromhex(key.secret), [ALGORITHM], audience=self.server_id, issuer=ISSUER, leeway=0, options=options
            )
        except jwt.ExpiredSignatureError:
            raise AuthenticationError("the token expired; `ml-logger login` or `ml-logger token mint` gets a new one") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise AuthenticationError("the token is not valid for this server") from None

    def revoke(self, jti: str) -> None:
        """Make a token void, durably; raises `NotFoundError` for an id that was never minted here."""
        note = next((note for note in self.minted() if note.jti == jti), None)
        if note is None:
            raise NotFoundError(f"token {jti[:40]}", "`ml-logger token list` shows their ids")
        with self._lock:
            revoked = self._read_revoked()
            now = time.time()
            revoked.tokens = {**{one: exp for one, exp in revoked.tokens.items() if exp > now}, jti: note.exp}
            self._write("revoked.json", revoked)
        self._look(at_once=True)

    def revoke_subject(self, subject: str) -> None:
        """Make all tokens void that a subject got until now."""
        with self._lock:
            revoked = self._read_revoked()
            revoked.subjects[subject] = time.time()
            self._write("revoked.json", revoked)
        self._look(at_once=True)

    def rotate(self) -> str:
        """Add a key that signs from now on and return its id; older keys verify until the last token they signed has expired."""
        with self._lock:
            ring = self._read_ring()
            now = time.time()
            last = max((note.exp for note in self.minted()), default=now)
            for key in ring.keys:
                key.not_after = min(key.not_after, last)
            ring.keys = [*(key for key in ring.keys if key.not_after > now), _new_key()]
            self._write("keys.json", ring)
        self._look(at_once=True)
        return self.ring.keys[-1].kid

    def minted(self) -> list[Minted]:
        """Return what was minted and has not expired, oldest first."""
        data = credentials.read_private(self.directory / "minted.jsonl") or b""
        notes = [msgspec.json.decode(line, type=Minted) for line in data.splitlines() if line.strip()]
        return [note for note in notes if note.exp > time.time()]

    def _look(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._looked < _LOOK_S:
            return
        self._looked = now
        stamp = tuple(_stamp(self.directory / name) for name in ("keys.json", "revoked.json"))
        if stamp != self._stamp:
            self.ring, self.revoked = self._read_ring(), self._read_revoked()
            self._stamp = stamp

    def _read_ring(self) -> Ring:
        return self._read("keys.json", Ring)

    def _read_revoked(self) -> Revoked:
        if credentials.read_private(self.directory / "revoked.json") is None:
            return Revoked()
        return self._read("revoked.json", Revoked)

    def _read(self, name: str, kind: Any) -> Any:
        path = self.directory / name
        try:
            return msgspec.json.decode(credentials.read_private(path) or b"", type=kind)
        except msgspec.DecodeError as error:
            raise SettingsError(
                str(path), "damaged", f"{error}; bring it back from a backup, or delete it: its tokens are void then"
            ) from error

    def _write(self, name: str, value: Struct) -> None:
        credentials.write_private(self.directory / name, msgspec.json.encode(value))


def scopes_of(role: str, prefix: str) -> list[str]:
    """Return the scopes of a role below `prefix`; raises `UsageError` or `InvalidKeyError`."""
    if role not in ROLES:
        raise UsageError(f"role {role!r}: must be one of {', '.join(ROLES)}")
    below = keys.clean(prefix)
    if "*" in below:
        raise UsageError(f"prefix {prefix!r}: without `*`; everything below it is meant")
    return [f"{verb}:{below + '/' if below else ''}**" for verb in ROLES[role]]


def _new_key() -> Key:
    now = time.time()
    return Key(secrets.token_hex(4), secrets.token_hex(32), now, now + _KEY_S)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
