"""Which keys a question or a command touches, so that a token's scopes can be held against them. Knows no HTTP.

A pattern touches everything below its first part with a wildcard. A question about "all runs below a prefix" touches that prefix.
"""

from __future__ import annotations

from msgspec import Struct

from ml_logger import commands as c
from ml_logger import keys
from ml_logger import queries as q
from ml_logger.errors import AuthenticationError
from ml_logger.server.tokens import Principal

_WILD = frozenset("*?[")


def keys_of(query: Struct) -> list[str]:
    """Return the keys that a question reads below: its runs, its prefix, or where its path or pattern begins."""
    if isinstance(query, q.Glob):
        return [_base(query.pattern, query.wd)]
    named = {name: getattr(query, name) for name in query.__struct_fields__}
    if (runs := named.get("runs")) is not None:
        return list(runs)
    for name in ("key", "run", "prefix"):
        if name in named:
            return [named[name]]
    return [_base(named["path"])]


def effects_of(command: Struct) -> list[tuple[str, str]]:
    """Return the (verb, key) pairs that a command needs."""
    if isinstance(command, (c.SetTags, c.SetArchived)):
        return [("write", run) for run in command.runs]
    if isinstance(command, (c.SetNotes, c.SendSignal)):
        return [("write", command.run)]
    if isinstance(command, (c.Trash, c.Restore)):
        return [("delete", path) for path in command.paths]
    if isinstance(command, (c.MoveTo, c.CopyTo)):
        return [("delete" if isinstance(command, c.MoveTo) else "read", command.path), ("write", command.to)]
    return [("write", str(getattr(command, "prefix", "")))]


def require(principal: Principal, verb: str, key: str) -> None:
    """Raise `AuthenticationError` (403) unless a scope of `principal` grants `verb` on `key`; `InvalidKeyError` for no key.

    What this package keeps for itself is nobody's.
    """
    if any(part.casefold() == keys.HOME for part in keys.parse(key)):
        raise AuthenticationError(f"{keys.HOME} is not served", 403)
    if not principal.may(verb, key):
        have = ", ".join(principal.scopes[:4]) or "nothing"
        raise AuthenticationError(f"this token may not {verb} {key[:80] or 'the whole root'!r}; it grants {have}", 403)


def _base(pattern: str, wd: str = "") -> str:
    """Return the key below which all matches of `pattern` lie."""
    fixed: list[str] = []
    for part in pattern.split("/"):
        if _WILD & set(part):
            break
        fixed.append(part)
    return keys.resolve(wd, "/".join(fixed))
