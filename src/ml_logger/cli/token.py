"""`ml-logger token mint|list|revoke|rotate`: works on the root's own files; a running server sees it within a second. Knows no HTTP."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from ml_logger import settings
from ml_logger.cli.roots import is_remote, root_of
from ml_logger.client import credentials
from ml_logger.errors import NotFoundError
from ml_logger.server.audit import Audit
from ml_logger.server.tokens import DAY_S, Tokens, scopes_of

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY_S, "w": 7 * DAY_S}


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the verbs."""
    del name
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="mint|list|revoke|rotate")
    mint = verbs.add_parser("mint", help="make a token and print it", allow_abbrev=False)
    mint.add_argument("--role", choices=["read", "write", "delete", "admin"], default="write", help="what it grants (default: %(default)s)")
    mint.add_argument("--prefix", default="", metavar="KEY", help="only for what lies below this key")
    mint.add_argument("--ttl", type=seconds, default=30 * DAY_S, metavar="TIME", help="how long it is good: 90s, 1h, 30d (default: 30d)")
    mint.add_argument("--sub", default="", metavar="NAME", help="for whom; shown by `list` and in the audit log (default: you)")
    listed = verbs.add_parser("list", help="show tokens that have not expired, without the tokens", allow_abbrev=False)
    revoke = verbs.add_parser("revoke", help="make a token void", allow_abbrev=False)
    revoke.add_argument("jti", metavar="ID", help="its id, from `list`, or a subject with --subject")
    revoke.add_argument("--subject", action="store_true", help="all tokens that the subject ID has got until now")
    rotate = verbs.add_parser("rotate", help="sign with a new key from now on; tokens stay good until they expire", allow_abbrev=False)
    for verb in (mint, listed, revoke, rotate):
        verb.add_argument("--root", metavar="ROOT", help="the server: its directory or address (default: $ML_LOGGER_ROOT, else what runs)")


def run(found: argparse.Namespace) -> int:
    """Do what the verb says."""
    root = served_directory(found.root)
    tokens = Tokens(root)
    audit = Audit(tokens.directory)
    who = f"local:{settings.read().user}"
    if found.verb == "mint":
        token, note = tokens.mint(found.sub or settings.read().user, scopes_of(found.role, found.prefix), found.ttl)
        audit.note("mint", who=who, jti=note.jti, scopes=note.scp, sub=note.sub, expires=note.exp)
        print(f"{found.role} token {note.jti} for {found.prefix or 'everything'} in {root}, until {_date(note.exp)}:", file=sys.stderr)
        print(token)
    elif found.verb == "list":
        for note in tokens.minted():
            state = "revoked" if note.jti in tokens.revoked.tokens else _date(note.exp)
            print(f"{note.jti}  {state:<16}  {note.sub:<16}  {' '.join(note.scp)}")
    elif found.verb == "revoke":
        tokens.revoke_subject(found.jti) if found.subject else tokens.revoke(found.jti)
        audit.note("revoke", who=who, jti="" if found.subject else found.jti, sub=found.jti if found.subject else "")
        print(f"{found.jti} is void")
    else:
        audit.note("rotate", who=who, kid=tokens.rotate())
        print(f"key {tokens.ring.keys[-1].kid} signs from now on")
    return 0


def served_directory(given: str | None) -> Path:
    """Return the directory whose tokens are meant: given, of the environment, or of the server that runs on this machine."""
    root = given or settings.read().root
    if root and not is_remote(root):
        path = Path(root.removeprefix("file://")).expanduser()
        if not path.is_dir():
            raise NotFoundError(f"directory {path}", "a server's --data-dir is meant")
        return path
    servers = credentials.local_servers()
    if root:
        port = credentials.origin_of(root).rpartition(":")[2]
        servers = [server for server in servers if credentials.origin_of(server.url).rpartition(":")[2] == port]
    if not servers and not root and Path(root_of(None)).is_dir():
        return Path(root_of(None))
    if not servers:
        raise NotFoundError(f"server {root or 'on this machine'}", "tokens are minted on the server's machine; --root names its directory")
    return Path(servers[0].data_dir)


def count(text: str) -> int:
    """Return a number of things, at least one."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def seconds(text: str) -> float:
    """Return a time such as 90s, 30m, 1h or 30d in seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw]?)", text.strip().lower())
    if not found or float(found[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; 90s, 30m, 1h and 30d are")
    value = float(found[1]) * _UNITS[found[2] or "s"]
    if value > 366 * DAY_S:
        raise argparse.ArgumentTypeError(f"{text!r} is more than a year")
    return value


def _date(t: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(t))
