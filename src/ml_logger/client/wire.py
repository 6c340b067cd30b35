"""Requests to one server: address, token, deadlines, and errors as the classes they were raised as. Knows no journal and no query.

Follows no redirect, uses no proxy, asks for no compression, reads no more than it asked for; the token goes to this server only.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from ml_logger import errors
from ml_logger.client import credentials
from ml_logger.client.credentials import Token
from ml_logger.errors import (
    AuthenticationError,
    MlLoggerError,
    NotFoundError,
    RejectedError,
    ServerBusyError,
    ServerUnreachableError,
    SettingsError,
)
from ml_logger.settings import Settings

MAX_ANSWER = 1 << 30
MAX_RETRY_AFTER_S = 600.0
_MAX_ERROR = 64 << 10
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|\[?::1\]?")


class Wire:
    """A server as the user named it. Thread-safe; in a forked child call `renew`."""

    def __init__(self, root: str, env: Settings) -> None:
        """Parse `root` (an http or https URL; ``#sha256=…`` pins a certificate); raises `SettingsError`. Connects to nothing."""
        parts = urlsplit(root)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise SettingsError("root", root, "must be http://host[:port] or https://host[:port]")
        self.root, self.env = root, env
        host = "127.0.0.1" if parts.hostname == "0.0.0.0" else parts.hostname  # noqa: S104 - a client means this machine by it
        self.is_local = bool(_LOOPBACK.fullmatch(host))
        self.host = f"[{host}]" if ":" in host else host
        try:
            self.port = parts.port or (8081 if parts.scheme == "http" else 443)
        except ValueError as error:
            raise SettingsError("root", root, str(error)) from error
        self.url = f"{parts.scheme}://{self.host}:{self.port}{parts.path.rstrip('/')}"
        self.is_secret = parts.scheme == "https" or self.is_local or env.allow_plaintext
        self._pin = parts.fragment.removeprefix("sha256=").replace(":", "").lower() or None
        if self._pin and not _FINGERPRINT.fullmatch(self._pin):
            raise SettingsError("root", root, "what follows # has to be sha256= and 64 hexadecimal digits, as the server printed it")
        self._token: Token | None = None
        self._asked = False
        self.renew()

    def renew(self) -> None:
        """Begin with new connections."""
        more: dict[str, Any] = {"assert_fingerprint": self._pin, "cert_reqs": "CERT_NONE"} if self._pin else {}
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=8, retries=False, **more)

    def close(self) -> None:
        """Close all connections that no answer is read from; who asks again gets new ones."""
        pools = self._pool.pools
        self.renew()
        for pool in map(pools.get, pools.keys()):
            if pool is not None:
                pool.close()

    # ── the token ────────────────────────────────────────────────────────────────────────────────────────────────

    def token(self) -> str | None:
        """Return the token to use, found once."""
        if not self._asked:
            self._token, self._asked = self.find_token(), True
        return self._token.text if self._token else None

    def find_token(self) -> Token | None:
        """Look for a token: the environment's, then those in files; None without one, or where it would be sent in the clear."""
        if not self.is_secret:
            return None
        if self.env.token:
            return Token(self.env.token, self.env.token_source)
        try:
            return credentials.find_token(self.url, self._hello)
        except SettingsError as error:  # a token file that others can read
            raise AuthenticationError(str(error)) from error

    def refresh_token(self) -> bool:
        """Look again; tell whether there is another token now."""
        before, self._asked = self._token and self._token.text, False
        return self.token() != before

    def _hello(self, nonce: str) -> dict[str, Any]:
        found = self._read_json(self._send("GET", "/v1/hello", query={"nonce": nonce}, body=None, headers={}, timeout=5.0))
        return found if isinstance(found, dict) else {}

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        also: tuple[int, ...] = (),
    ) -> urllib3.BaseHTTPResponse:
        """Send one request and return the answer with its body unread; statuses from 300 on, unless in `also`, raise.

        Raises `ServerUnreachableError` for everything that is not an answer of our server, else what the server raised.
        """
        head = dict(headers or {})
        if (token := self.token()) is not None:
            head["authorization"] = f"Bearer {token}"
        response = self._send(method, path, query=query, body=body, headers=head, timeout=timeout)
        if response.status < 300 or response.status in also:
            return response
        raise self._error(response)

    def answers(self, timeout: float) -> bool:
        """Tell whether a server that is well answers within `timeout` s."""
        try:
            response = self._send("GET", "/healthz", query=None, body=None, headers={}, timeout=timeout)
            self.read(response)
        except MlLoggerError:
            return False
        return response.status == 200

    def _send(
        self, method: str, path: str, *, query: Mapping[str, str] | None, body: Any, headers: dict[str, str], timeout: float
    ) -> urllib3.BaseHTTPResponse:
        url = self.url + path + (f"?{urlencode(query)}" if query else "")
        wait = urllib3.Timeout(connect=min(timeout, 5.0), read=timeout)
        head = {"accept-encoding": "identity", **headers}
        for again in (path != "/v1/command", False):
            try:
                return self._pool.request(
                    method, url, body=body, headers=head, timeout=wait, redirect=False, preload_content=False, decode_content=False
                )
            except urllib3.exceptions.ProtocolError as error:  # noqa: PERF203 - two tries, no hot loop
                # The server closes connections that were idle, which shows at the next request only. Asking twice changes nothing.
                if not again:
                    hint = "; it speaks https there" if url.startswith("http:") and _speaks_tls(self.host, self.port) else ""
                    raise ServerUnreachableError(self.url, _reason(error) + hint) from error
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise ServerUnreachableError(self.url, _tls_reason(error, self._pin) or _reason(error)) from error
        raise AssertionError("the second try returns or raises")

    def read(self, response: urllib3.BaseHTTPResponse, limit: int = MAX_ANSWER) -> bytes:
        """Return the body of an answer; raises `ServerUnreachableError` if it breaks off, `RejectedError` if it is too long."""
        pieces, size = [], 0
        for piece in self.stream(response):
            size += len(piece)
            if size > limit:
                response.close()
                raise RejectedError(f"an answer of more than {limit} bytes was not read", 413)
            pieces.append(piece)
        return b"".join(pieces)

    def stream(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        """Yield the body in pieces, and give the connection back."""
        try:
            yield from response.stream(1 << 18, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ServerUnreachableError(self.url, _reason(error)) from error
        finally:
            response.release_conn()

    def read_json(self, response: urllib3.BaseHTTPResponse) -> Any:
        """Return the body as JSON; what is none means that this is not our server."""
        return self._read_json(response)

    def _read_json(self, response: urllib3.BaseHTTPResponse) -> Any:
        try:
            return json.loads(self.read(response))
        except (ValueError, RecursionError) as error:
            raise ServerUnreachableError(self.url, "something answers, but it is no ml-logger server") from error

    def _error(self, response: urllib3.BaseHTTPResponse) -> MlLoggerError:
        """Return the error that the server raised; an answer that is not in our words counts as no answer."""
        try:
            body = json.loads(self.read(response, _MAX_ERROR)) if response.headers.get("content-length") != "0" else None
        except (ValueError, RecursionError, MlLoggerError):
            body = None
        status = response.status
        if not isinstance(body, dict) or "error" not in body:
            return NotFoundError(f"{self.url} says 404") if status == 404 and body is None else self.foreign(status)
        if status == 401 and not self.is_secret:
            why = "a token is needed, and none is sent in the clear to another machine"
            return AuthenticationError(f"{why}: use https, an ssh tunnel, or ML_LOGGER_ALLOW_PLAINTEXT=1 on a network you trust")
        if status in (401, 403):
            source = f" (the token is from {self._token.source})" if self._token and self._token.source else ""
            return AuthenticationError(f"{body.get('reason') or body.get('message', '')}{source}", status)
        if status in (429, 503, 507):
            return ServerBusyError(str(body.get("reason") or body.get("message", "")), _retry_after(response), status)
        found = errors.from_wire(body)
        if isinstance(found, RejectedError):
            found.status = status
        return found

    def foreign(self, status: int) -> ServerUnreachableError:
        """Return the error for an answer that is not our server's."""
        return ServerUnreachableError(self.url, f"status {status} that no ml-logger server sends")


def path_of(key: str) -> str:
    """Return the path of a file's address."""
    return "/v1/files/" + quote(key, safe="/")


def _retry_after(response: urllib3.BaseHTTPResponse) -> float:
    text = response.headers.get("retry-after", "")
    return min(float(text), MAX_RETRY_AFTER_S) if text.isdigit() else 1.0


def _speaks_tls(host: str, port: int) -> bool:
    """Tell whether a TLS handshake succeeds there; whose certificate it is does not matter for a hint."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError, ValueError), socket.create_connection((host.strip("[]"), port), 1.0) as plain:
        context.wrap_socket(plain).close()
        return True
    return False


def _tls_reason(error: Exception, pin: str | None) -> str | None:
    """Say what is wrong with the other end's TLS, and what to do; None if that is not the matter."""
    inner = getattr(error, "reason", None) or error
    if not isinstance(inner, (urllib3.exceptions.SSLError, ssl.SSLError)):
        return None
    text = str(inner)
    if pin and (found := re.search(r'got "([0-9a-f:]+)"', text)):
        return f"its certificate is another one: #sha256={pin} was expected, it has {found[1]}"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.rpartition("failed: ")[2].partition(" (_ssl")[0]
        return f"{why}; use the address with #sha256=… that the server printed at its start"
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return "it speaks no TLS there; does its address begin with http://?"
    return None


def _reason(error: Exception) -> str:
    """Say in a few words what went wrong; never the address, which may hold what is nobody's business."""
    inner = getattr(error, "reason", None) or error
    if isinstance(inner, (urllib3.exceptions.NewConnectionError, ConnectionRefusedError)):
        return "the connection was refused" if "refused" in str(inner).lower() else str(inner).rpartition(": ")[2]
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection was closed"
    if isinstance(inner, (urllib3.exceptions.TimeoutError, TimeoutError)):
        return "no answer in time"
    return str(inner).rpartition(": ")[2][:120] or type(inner).__name__
