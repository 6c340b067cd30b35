"""`ml-logger rm`, `mv` and `cp`: runs, folders and files of a root. Knows no file system; removal goes to the trash."""

from __future__ import annotations

import argparse

from ml_logger import keys
from ml_logger.cli.roots import add_root, destination, is_remote, root_of
from ml_logger.commands import Trash
from ml_logger.errors import UsageError
from ml_logger.records import Copy, Move, Remove


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the paths."""
    parser.set_defaults(command=name)
    if name == "rm":
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a run, a folder or a file, as `ls` names it")
    else:
        parser.add_argument("source", metavar="FROM", help="a run, a folder or a file")
        parser.add_argument("target", metavar="TO", help="its new name, from the root")
    add_root(parser)


def run(found: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    place = destination(found.root)
    if found.command == "rm":
        return _remove(place, [_named(path) for path in found.paths], remote=is_remote(root_of(found.root)))
    if is_remote(root_of(found.root)):
        raise UsageError(f"{found.command} works on a directory; from a script, `logger.move` and `logger.copy` do it over the network")
    source, target = _named(found.source), _named(found.target)
    place.apply(Move(source, target) if found.command == "mv" else Copy(source, target, exists_ok=False))
    print(f"{source} → {target}")
    return 0


def _remove(place: object, paths: list[str], *, remote: bool) -> int:
    for path in paths:
        if remote:
            place.command(Trash([path]))  # type: ignore[attr-defined]
        else:
            place.apply(Remove(path))  # type: ignore[attr-defined]
        print(f"{path} is in the trash; the dashboard brings it back within seven days")
    return 0


def _named(path: str) -> str:
    key = keys.clean(path)
    if not key:
        raise UsageError("that is the whole root")
    return key
