"""`ml-logger gc`: deletes for good what nobody will miss. Knows no run; nothing but `gc` and `rm` takes anything from a root."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from ml_logger import keys
from ml_logger.cli.du import human
from ml_logger.cli.roots import add_directory, directory_of
from ml_logger.cli.token import seconds
from ml_logger.errors import NotFoundError, UsageError
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.retention import Leftover, drop, leftovers

RULES = f"{keys.HOME}/retention.json"
"""What a root remembers: ``{"older_than": "30d", "keep_versions": 0}``; may be written by hand, too."""
_DEFAULTS: dict[str, Any] = {"older_than": "7d", "keep_versions": 1}


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the rules."""
    del name
    parser.description = (
        "Delete for good what came into the trash, was overwritten, or began to be uploaded, long ago, and what killed processes left. "
        "Runs, journals and what a server has not put in place yet are never touched."
    )
    parser.add_argument(
        "--older-than", "--older", type=_time, metavar="TIME", help="such as 12h or 30d (default: what the root remembers, else 7d)"
    )
    parser.add_argument(
        "--keep-versions",
        type=int,
        choices=(0, 1),
        metavar="N",
        help="0: no file keeps the version before it, however young (default: what the root remembers, else 1)",
    )
    parser.add_argument("--remember", action="store_true", help="keep these as the root's own defaults from now on")
    parser.add_argument("--dry-run", action="store_true", help="only show what would go")
    parser.add_argument("--verbose", action="store_true", help="name what stays, and why")
    add_directory(parser)


def run(found: argparse.Namespace) -> int:
    """Show, delete, and sum up."""
    root = SafeRoot(directory_of(found.root))
    rules = _rules(root)
    given = {name: value for name in _DEFAULTS if (value := getattr(found, name)) is not None}
    rules.update(given)
    if found.remember:
        root.write_bytes(RULES, json.dumps(rules).encode() + b"\n", durable=True)
    freed: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for item in leftovers(root, seconds(rules["older_than"]), versions=rules["keep_versions"] > 0):
        if item.reason:
            _show(item, found.verbose, f" stays: {item.reason}")
        elif found.dry_run or drop(root, item):
            freed[item.kind] += item.size
            count[item.kind] += 1
            _show(item, item.kind != "deleted before")
    for kind, size in freed.items():
        print(f"{human(size):>10}  {count[kind]} × {kind}")
    print(f"{human(freed.total()):>10}  {'would be freed' if found.dry_run else 'freed'}")
    return 0


def _show(item: Leftover, wanted: bool, why: str = "") -> None:
    if wanted:
        print(f"{human(item.size):>10}  {item.name} ({item.kind}){why}")


def _time(text: str) -> str:
    """Return a time as it was given, once it is known to be one: rules are kept as people write them."""
    seconds(text)
    return text


def _rules(root: SafeRoot) -> dict[str, Any]:
    """Return what the root remembers, or the defaults; raises `UsageError` for a file that nobody can follow."""
    try:
        rules = {**_DEFAULTS, **json.loads(root.read_bytes(RULES))}
        seconds(rules["older_than"])
    except NotFoundError:
        return dict(_DEFAULTS)
    except (ValueError, AttributeError, TypeError, argparse.ArgumentTypeError) as error:
        raise UsageError(f"{root.path(RULES)} cannot be followed ({error}); nothing was deleted") from None
    if rules["keep_versions"] not in (0, 1) or len(rules) > len(_DEFAULTS):
        raise UsageError(f"{root.path(RULES)} holds {' and '.join(_DEFAULTS)} (0 or 1), nothing else; nothing was deleted")
    return rules
