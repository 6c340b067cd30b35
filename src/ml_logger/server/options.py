"""The flags of a server, shared by `ml-logger serve` and `python -m ml_logger.server`. Starts nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
from msgspec import Struct

from ml_logger import settings
from ml_logger.elsewhere import is_bucket
from ml_logger.errors import SettingsError, UsageError
from ml_logger.server.batches import Limits
from ml_logger.server.bounds import Bounds
from ml_logger.server.hosts import is_loopback
from ml_logger.store.root_format import usual_root

PORT = 8081
KNOWING = "--i-know-anyone-on-the-network-can-read-and-write"


class Options(Struct):
    """What the flags say."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = PORT
    no_auth: bool = False
    knowing: bool = False
    allowed_hosts: list[str] = []
    cors_origins: list[str] = []
    root_path: str = ""
    index_dir: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_self_signed: bool = False
    limits: list[str] = []

    @property
    def is_open(self) -> bool:
        """Nobody needs a token."""
        return self.no_auth

    @property
    def secure(self) -> bool:
        """Connections are encrypted."""
        return self.tls_self_signed or self.tls_cert is not None

    @property
    def is_local(self) -> bool:
        """Only this machine can connect."""
        return is_loopback(self.host)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a server to `parser`."""
    add = parser.add_argument
    add("dir", nargs="?", metavar="DIR", help="the root, made if missing (default: $ML_LOGGER_ROOT if it is a directory, else ./runs)")
    add("--data-dir", "--logdir", dest="data_dir", metavar="DIR", help="the same")
    add("--host", default="127.0.0.1", help="address to listen on (default: this machine only); 0.0.0.0 for the network")
    add("--port", type=_port, default=PORT, help="port to listen on (default: %(default)s; 0 takes a free one)")
    add("--no-auth", action="store_true", help=f"nobody on this machine needs a token; with another --host also {KNOWING}")
    add(KNOWING, dest="knowing", action="store_true", help=argparse.SUPPRESS)
    add("--allowed-host", dest="allowed_hosts", action="append", default=[], metavar="NAME", help="a further name clients may use for it")
    add("--cors-origin", dest="cors_origins", action="append", default=[], metavar="URL", help="a further page that may ask this server")
    add("--root-path", default="", metavar="/PATH", help="where a proxy shows this server")
    add("--index-dir", type=Path, metavar="DIR", help="a local directory for the (deletable) index")
    add("--tls-cert", type=Path, metavar="FILE", help="certificate chain (PEM)")
    add("--tls-key", type=Path, metavar="FILE", help="its private key (PEM)")
    add("--tls-self-signed", action="store_true", help="make a certificate; clients pin it by the address that is printed")
    add(
        "--limit", dest="limits", action="append", default=[], metavar="NAME=N", help="change a limit (docs/reference/limits.md lists them)"
    )
    # What scripts of earlier releases pass: one process serves all, and says what goes wrong.
    add("--workers", type=int, help=argparse.SUPPRESS)
    add("--debug", nargs="?", choices=("True", "False", "1", "0"), help=argparse.SUPPRESS)


def from_flags(found: argparse.Namespace) -> Options:
    """Return the options; raises `SettingsError` for flags that do not go together."""
    names = set(Options.__struct_fields__) - {"data_dir"}
    options = Options(directory_of(found), **{name: value for name, value in vars(found).items() if name in names})
    if options.no_auth and not options.is_local and not options.knowing:
        raise SettingsError(
            "--no-auth", options.host, f"without tokens a server listens on this machine only; add {KNOWING} if that is meant"
        )
    if (options.tls_cert is None) != (options.tls_key is None):
        raise SettingsError("--tls-cert", str(options.tls_cert or ""), "--tls-cert and --tls-key come together")
    if options.root_path and not options.root_path.startswith("/"):
        raise SettingsError("--root-path", options.root_path, "has to begin with /")
    return options


def limits_of(options: Options) -> tuple[Bounds, Limits]:
    """Return the limits of requests and of batches, with the changes of `--limit`; raises `SettingsError` for an unknown name."""
    found = {Bounds: {}, Limits: {}}
    for text in options.limits:
        name, _, number = text.partition("=")
        kind = next((kind for kind in found if name in kind.__struct_fields__), None)
        if kind is None:
            names = ", ".join((*Bounds.__struct_fields__, *Limits.__struct_fields__))
            raise SettingsError("--limit", text, f"has to be NAME=N; names are {names}")
        try:
            found[kind][name] = msgspec.convert(float(number), type(getattr(kind(), name)), strict=False)
        except (ValueError, msgspec.ValidationError) as error:
            raise SettingsError("--limit", text, f"{number!r} is no number for it") from error
    return Bounds(**found[Bounds]), Limits(**found[Limits])


def directory_of(found: argparse.Namespace) -> Path:
    """Return the directory to serve: the one that is named, the environment's, or the usual one; raises `SettingsError` for an address."""
    if found.dir and found.data_dir:
        raise SettingsError("--data-dir", found.data_dir, f"{found.dir} is named already")
    given = settings.checked_root(found.dir or found.data_dir or "", "--data-dir").removeprefix("file://")
    inherited = (settings.read().root or "").removeprefix("file://")
    place = given or ("" if inherited.startswith(("http://", "https://")) else inherited) or usual_root()
    if is_bucket(place):
        raise UsageError(f"{place} is a bucket, and the dashboard shows directories; `ml-logger ls --root {place}` lists its runs")
    if "://" in place:
        raise SettingsError("--data-dir", place, "has to be a directory")
    return Path(place).expanduser()


def _port(text: str) -> int:
    value = int(text) if text.isdigit() else -1
    if not 0 <= value < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")
    return value
