"""`ml-logger rm`, `mv` and `cp`: runs, folders and files of a root. Knows no file system; removal goes to the trash."""

from __future__ import annotations

import argparse

from ml_logger import keys
from ml_logger.cli.missing import explained, key_of
from ml_logger.cli.roots import add_root, destination
from ml_logger.client.base import Destination
from ml_logger.commands import CopyTo, MoveTo, Trash
from ml_logger.errors import InvalidKeyError, UsageError


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the paths."""
    parser.set_defaults(command=name)
    if name == "rm":
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a run, a folder or a file, as `ls` names it")
    else:
        parser.add_argument("source", metavar="FROM", help="a run, a folder or a file")
        parser.add_argument("target", metavar="TO", help="its new name, from the root")
    if name == "cp":
        parser.add_argument("--older", action="store_true", help="the version of a file that was overwritten last")
    add_root(parser)


def run(found: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    place = destination(found.root)
    if found.command == "rm":
        return _remove(place, [_named(found.root, path) for path in found.paths])
    source, target = _named(found.root, found.source), _named(found.root, found.target)
    with explained(place, source):
        _transfer(place, MoveTo(source, target) if found.command == "mv" else CopyTo(source, target, found.older))
    print(f"{source} → {target}")
    return 0


def _transfer(place: Destination, command: MoveTo | CopyTo) -> None:
    try:
        place.command(command)
    except InvalidKeyError as error:
        if error.reason != "exists already":
            raise
        done = "moved" if isinstance(command, MoveTo) else "copied"
        raise UsageError(f"exists already: {command.to}; nothing was {done}") from error


def _remove(place: Destination, paths: list[str]) -> int:
    for path in paths:
        with explained(place, path):
            place.command(Trash([path]))
        print(f"{path} is in the trash; the dashboard brings it back within seven days")
    return 0


def _named(root: str | None, path: str) -> str:
    if not path.strip("/."):
        raise UsageError("that is the whole root")
    return keys.writable(key_of(root, path))
