"""From options to a running server: claim the root, bind, say where it is, serve, leave. Knows no flags and no routes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import socket
import sys
import threading
from pathlib import Path

from ml_logger import settings
from ml_logger.errors import MlLoggerError, SettingsError
from ml_logger.safe_fs import SafeRoot
from ml_logger.server import serving
from ml_logger.server.app import build
from ml_logger.server.claim import Claim
from ml_logger.server.discovery import Notice
from ml_logger.server.hosts import Hosts, allowed_names
from ml_logger.server.options import Options, limits_of
from ml_logger.server.site import Site
from ml_logger.server.tokens import ANYONE, DAY_S, Principal, scopes_of
from ml_logger.store.root_format import check_format

_NETWORK_TOKEN_S = 30 * DAY_S
_RENEW_EVERY_S = 3600.0


def run(options: Options) -> int:
    """Serve until a signal; returns the exit status. A user's mistake becomes one line and status 2."""
    os.umask(0o022)
    _raise_open_files()
    try:
        server = _Launch(options)
    except MlLoggerError as error:
        print(f"ml-logger: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ml-logger: {options.data_dir} cannot be served: {error.strerror or error}", file=sys.stderr)
        return 2
    asyncio.run(server.serve())
    with contextlib.suppress(OSError):
        print("\nstopped", flush=True)
    return 0


class _Launch:
    """Everything a server holds while it runs."""

    def __init__(self, options: Options) -> None:
        self.options = options
        bounds, limits = limits_of(options)
        self.tls, self.pin = _tls(options)
        self.sockets = serving.bind(options.host, options.port)  # first: what cannot be served is left as it was
        root = SafeRoot(_writable(options.data_dir))
        check_format(root)
        self.claim = Claim(root)
        self.port = int(self.sockets[0].getsockname()[1])
        self.site = Site(root.path(), bounds, limits, is_open=options.is_open, secure=options.secure, index_dir=options.index_dir)
        self.site.gate.cookie_name = f"{'__Host-' if options.secure else ''}mll_s_{self.port}"
        self.notice = Notice(self.site, settings.config_dir(), self.url("127.0.0.1" if self._is_v4() else "[::1]"), self.pin)
        self.claim.tell(self.url("localhost" if options.is_local else socket.gethostname()))
        names = allowed_names(options.host, options.allowed_hosts)
        hosts = Hosts(names, options.cors_origins, scheme=self._scheme)
        self.app = build(self.site, hosts, root_path=options.root_path)

    @property
    def _scheme(self) -> str:
        return "https" if self.options.secure else "http"

    def _is_v4(self) -> bool:
        return self.sockets[0].family == socket.AF_INET

    def url(self, host: str) -> str:
        """Return the server's address under a name."""
        return f"{self._scheme}://{host}:{self.port}{self.options.root_path.rstrip('/')}"

    async def serve(self) -> None:
        """Serve until a signal."""
        timer = threading.Timer(_RENEW_EVERY_S, self._renew)
        timer.daemon = True
        timer.start()
        gc.freeze()  # the collector need not look through what stays for good: 30 ms, in the middle of somebody's first question
        try:
            await serving.serve(self.app, self.site, self.sockets, tls=self.tls, ready=self._say_where)
        finally:
            self.notice.remove()

    def _renew(self) -> None:
        self.notice.renew()
        timer = threading.Timer(_RENEW_EVERY_S, self._renew)
        timer.daemon = True
        timer.start()

    def _say_where(self) -> None:
        """Print where the dashboard is and how to log here; the code in the address works once."""
        options, pin = self.options, f"#sha256={self.pin}" if self.pin else ""
        name = "localhost" if options.is_local else socket.gethostname()
        lines = [f"ml-logger {self.site.version} serves {self.site.root.path()}", ""]
        if self.site.gate.is_open:
            lines += [f"  Dashboard   {self.url(name)}/", "  Anyone who reaches this address can read and write (--no-auth)."]
        else:
            owner = Principal(f"local:{os.getuid()}", "", ANYONE.scopes, "cookie")
            lines += [f"  Dashboard   {self.url(name)}/#code={self.site.gate.sessions.new_code(owner)}"]
            lines += ["              (works once, within 15 minutes; `ml-logger open` makes another)"]
        lines += ["  To log here, in the shell of the training script:", f"    export ML_LOGGER_ROOT={self.url(name)}{pin}"]
        if not options.is_local and not self.site.gate.is_open:
            token, _ = self.site.tokens.mint("network", scopes_of("delete", ""), _NETWORK_TOKEN_S)
            lines += [f"    export ML_LOGGER_TOKEN={token}"]
            if not options.secure:
                lines += [
                    "  Without TLS the token travels in the clear, and clients refuse to send it to another machine: use --tls-self-signed,"
                ]
                lines += ["  or an ssh tunnel, or set ML_LOGGER_ALLOW_PLAINTEXT=1 there if you trust the network."]
        print("\n".join([*lines, "  Stop with Ctrl-C."]), flush=True)


def _raise_open_files() -> None:
    """Allow as many open files as the system lets us: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _writable(path: Path) -> Path:
    """Return the directory, made if missing; raises `SettingsError` if nothing can be written there."""
    if path.exists() and not path.is_dir():
        raise SettingsError("--data-dir", str(path), "is not a directory")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError("--data-dir", str(path), f"cannot be made: {error.strerror}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise SettingsError("--data-dir", str(path), "cannot be written by you")
    return path.resolve()


def _tls(options: Options) -> tuple[tuple[Path, Path] | None, str]:
    """Return (certificate, key) and the fingerprint to pin, if it is self-signed."""
    if options.tls_self_signed:
        from ml_logger.server.certificate import own_certificate

        return own_certificate(settings.config_dir(), allowed_names(options.host, options.allowed_hosts))
    if options.tls_cert and options.tls_key:
        for path in (options.tls_cert, options.tls_key):
            if not path.is_file():
                raise SettingsError("--tls-cert/--tls-key", str(path), "no such file")
        return (options.tls_cert, options.tls_key), ""
    return None, ""
