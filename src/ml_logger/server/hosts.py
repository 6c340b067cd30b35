"""Which Host and Origin headers are accepted: exact comparison after parsing, never a pattern. Knows no tokens.

This is what keeps a web page that the user happens to visit from talking to a server on the user's machine.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

import psutil

from ml_logger.errors import RejectedError

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r"[0-9]{1,5}")
_NAME = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")


def is_loopback(host: str) -> bool:
    """Tell whether binding to `host` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def split(netloc: str) -> tuple[str, str] | None:
    """Return (name in lower case, port or "") of a Host header, or None if it is none."""
    name, port = netloc, ""
    if not netloc.endswith("]") and ":" in netloc:
        name, _, port = netloc.rpartition(":")
        if not _PORT.fullmatch(port):
            return None
    return (name.lower(), port) if _NAME.fullmatch(name) else None


def allowed_names(bind: str, extra: Iterable[str] = ()) -> frozenset[str]:
    """Return the names a client may call this server by: loopback, the bound address, and on a network the host's own names."""
    names = {*LOOPBACK, *(name.lower() for name in extra)}
    if not is_loopback(bind):
        names |= _names_of_machine()
    if bind not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        names.add(f"[{bind}]" if ":" in bind else bind.lower())
    return frozenset(names)


def _names_of_machine() -> set[str]:
    names = {socket.gethostname().lower(), socket.getfqdn().lower()}
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET:
                names.add(one.address)
            elif one.family == socket.AF_INET6:
                names.add(f"[{one.address.partition('%')[0].lower()}]")
    return names


class Hosts:
    """The check of one server. `origins` are further pages that may ask it (`--cors-origin`)."""

    def __init__(self, names: frozenset[str], origins: Iterable[str] = (), *, scheme: str = "http") -> None:
        """Accept `names` as Host, and as Origin this server itself and `origins`."""
        self.names, self.origins, self.scheme = names, frozenset(origins), scheme

    def check(self, hosts: list[str], origins: list[str], fetch_site: str, fetch_mode: str) -> None:
        """Raise `RejectedError`: 421 for a foreign Host, 403 for a foreign Origin."""
        parsed = split(hosts[0]) if len(hosts) == 1 else None
        if parsed is None or parsed[0] not in self.names:
            raise RejectedError("this server does not answer to that host name (see --allowed-host)", 421)
        if len(origins) > 1 or (origins and not self._is_own(origins[0], parsed)):
            raise RejectedError("requests from other origins are refused", 403)
        if not origins and fetch_site in ("cross-site", "same-site") and fetch_mode != "navigate":
            raise RejectedError("requests from other sites are refused", 403)

    def _is_own(self, origin: str, host: tuple[str, str]) -> bool:
        if origin in self.origins:
            return True
        scheme, _, netloc = origin.partition("://")
        parsed = split(netloc)
        if parsed is None or scheme not in ("http", "https"):
            return False
        if parsed == host:
            return True
        return (parsed[0], parsed[1] or _default_port(scheme)) == (host[0], host[1] or _default_port(self.scheme))


def _default_port(scheme: str) -> str:
    return "443" if scheme == "https" else "80"
