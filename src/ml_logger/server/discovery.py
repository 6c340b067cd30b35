"""How clients of the same user find this server: a private file in `$XDG_CONFIG_HOME/ml_logger/servers/`. Knows no requests."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ml_logger import credentials
from ml_logger.errors import SettingsError
from ml_logger.server.site import Site
from ml_logger.server.tokens import DAY_S, ROLES

_LIFE_S, _RENEW_S = 30 * DAY_S, DAY_S


class Found(Struct):
    """servers/<server id>.json: where a server is, and the token for programs of the same user."""

    server_id: str
    url: str
    data_dir: str
    pid: int
    started: float
    token: str
    sha256: str = ""


class Notice:
    """The file of one server, written at the start, renewed with its token, removed at the end."""

    def __init__(self, site: Site, config_dir: Path, url: str, sha256: str = "") -> None:
        """Write it; raises `SettingsError` if others could read it."""
        directory = credentials.private_dir(credentials.private_dir(config_dir) / "servers")
        _clear_dead(directory)
        self.site, self.path = site, directory / f"{site.tokens.server_id}.json"
        self.content = Found(site.tokens.server_id, url, str(site.root.path()), os.getpid(), time.time(), "", sha256)
        self._minted = 0.0
        self.renew()

    def renew(self) -> None:
        """Put a new token into the file if the one in it is a day old."""
        if time.time() - self._minted < _RENEW_S:
            return
        self._minted = time.time()
        scopes = [f"{verb}:**" for verb in ROLES["delete"]]
        self.content.token, _ = self.site.tokens.mint(f"local:{os.getuid()}", scopes, _LIFE_S)
        self.site.local_token = self.content.token
        credentials.write_private(self.path, msgspec.json.encode(self.content))

    def remove(self) -> None:
        """Take the file away, if it is still ours."""
        with contextlib.suppress(OSError, SettingsError, msgspec.DecodeError):
            data = credentials.read_private(self.path)
            if data and msgspec.json.decode(data, type=Found).pid == os.getpid():
                self.path.unlink()


def server_on(config_dir: Path, port: int) -> Found | None:
    """Return the server of this user that listens on `port` of this machine, if one says so and lives."""
    for _, found in _notices(config_dir / "servers"):
        if urlsplit(found.url).port == port and is_alive(found.pid):
            return found
    return None


def _clear_dead(directory: Path) -> None:
    """Remove the files of processes that are gone."""
    for path, found in _notices(directory):
        if not is_alive(found.pid):
            with contextlib.suppress(OSError):
                path.unlink()


def _notices(directory: Path) -> Iterator[tuple[Path, Found]]:
    """Yield what servers of this user wrote down, as far as it can be read."""
    for path in directory.glob("*.json"):
        with contextlib.suppress(OSError, SettingsError, msgspec.DecodeError):
            yield path, msgspec.json.decode(credentials.read_private(path) or b"", type=Found)


def is_alive(pid: int) -> bool:
    """Tell whether there is a process with this id, whosever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
