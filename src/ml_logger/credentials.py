"""Files that hold keys and tokens: readable by their owner alone, from the first moment. Knows no format and no server.

Directories are 0700, files 0600 whatever the umask is. A file that others may read, that belongs to another user, or that is a
symlink is refused, not repaired: what was in it must count as known to others.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from ml_logger.errors import SettingsError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def private_dir(path: Path) -> Path:
    """Return the directory `path`, made with 0700 if it is missing; raises `SettingsError` if others may enter it or it is not ours."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
        path.chmod(0o700)
    except FileExistsError:
        _refuse_shared(path, os.lstat(path), directory=True)
    except OSError as error:
        raise SettingsError(str(path), "directory", f"cannot be made: {error.strerror}") from error
    return path


def create_private(path: Path, data: bytes) -> bool:
    """Create the file `path` with `data`, complete from its first moment; False if it was there."""
    temp = _temp(path, data)
    try:
        os.link(temp, path, follow_symlinks=False)
    except FileExistsError:
        return False
    finally:
        temp.unlink()
    return True


def write_private(path: Path, data: bytes) -> None:
    """Put `data` at `path`, old or new, durable on return."""
    temp = _temp(path, data)
    try:
        temp.replace(path)
    except OSError:
        temp.unlink(missing_ok=True)
        raise
    sync(path.parent)


def append_private(path: Path, data: bytes) -> None:
    """Add `data` at the end of `path` with one write; the file is made with 0600."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def read_private(path: Path) -> bytes | None:
    """Return the bytes of `path`, None if it does not exist; raises `SettingsError` if others may have read or written it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(str(path), "file", f"cannot be read: {error.strerror} (a symlink is not followed)") from error
    with os.fdopen(fd, "rb") as file:
        _refuse_shared(path, os.fstat(fd), directory=False)
        return file.read()


def sync(directory: Path) -> None:
    """Make the names in `directory` durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _temp(path: Path, data: bytes) -> Path:
    temp = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    fd = os.open(temp, _NEW, 0o600)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, 0o600)
        file.write(data)
        file.flush()
        with contextlib.suppress(OSError):  # a file system without fsync keeps no promise of ours, and the token still works
            os.fsync(fd)
    return temp


def _refuse_shared(path: Path, found: os.stat_result, *, directory: bool) -> None:
    want = stat.S_ISDIR(found.st_mode) if directory else stat.S_ISREG(found.st_mode)
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    if not want:
        raise SettingsError(str(path), mode, "is a symlink or of another kind than expected")
    if found.st_uid != os.getuid():
        raise SettingsError(str(path), mode, f"belongs to user {found.st_uid}")
    if found.st_mode & _OTHERS:
        raise SettingsError(str(path), mode, f"must be closed to others: chmod {'700' if directory else '600'} {path}")


def proof(token: str, nonce: str) -> str:
    """Return HMAC-SHA256 of `nonce` under `token`, in hex: who can tell it knows the token, without showing it."""
    return hmac.new(token.encode(), nonce.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
