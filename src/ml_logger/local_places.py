"""Where this user's data may wait on a disk of this machine: spools and mirrors of buckets. Knows nothing of what lies there."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from ml_logger import settings

_REMOTE = frozenset(
    "nfs nfs4 cifs smb3 smbfs lustre gpfs beegfs ceph glusterfs 9p afs pvfs2 orangefs fuse autofs panfs wekafs virtiofs".split()  # noqa: SIM905
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")


def bases(named: str | None = None, environ: Mapping[str, str] | None = None) -> list[Path]:
    """Return where spools may lie, best first: `named` ($ML_LOGGER_SPOOL), the cache directory, then places for temporary files.

    Only local directories of this user count; nothing is created.
    """
    uid, given = os.getuid(), () if environ is None else (environ,)
    found = [Path(named)] if named else []
    found.append(settings.cache_dir(*given) / "spool")
    own = f"ml-logger-{uid}"
    found += [place if place.name == own else place / own for place in settings.temp_dirs(*given)]
    return [path for path in dict.fromkeys(found) if is_local(path) and _is_ours(path, uid)]


def name_of(root: str) -> str:
    """Return the directory name of a root: readable, and unlike that of any other root."""
    root = root.rstrip("/")
    readable = re.sub(r"[^A-Za-z0-9.]+", "_", root).strip("_.")[:60]
    return f"{readable}-{hashlib.sha256(root.encode()).hexdigest()[:12]}"


def is_local(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> bool:
    """Tell whether `path` (which need not exist yet) lies on a disk of this machine; True where the system can't tell."""
    try:
        lines = mountinfo.read_bytes().splitlines()
    except OSError:
        return True
    mounts = dict(filter(None, map(_mount, lines)))
    real = Path(os.path.realpath(path))
    kind = next((mounts[name] for place in (real, *real.parents) if (name := os.fsencode(place)) in mounts), "")
    return kind not in _REMOTE and not kind.startswith("fuse.")


def _mount(line: bytes) -> tuple[bytes, str] | None:
    """Return (mount point, type of file system) of a line of mountinfo."""
    left, _, right = line.partition(b" - ")
    fields = left.split()
    if len(fields) < 5 or not right:
        return None
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), fields[4]), right.split()[0].decode()


def _is_ours(path: Path, uid: int) -> bool:
    """Refuse what another user put there: temporary directories are shared."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return found.st_uid == uid and stat.S_ISDIR(found.st_mode)
