"""`ml-logger render`: the plain files of a run – parameters.pkl, outputs.log and other logged text – made again from its journals."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ml_logger import keys
from ml_logger.cli.missing import key_of
from ml_logger.cli.roots import add_directory, directory_of
from ml_logger.errors import NotFoundError
from ml_logger.formats import messages, pickle_writer
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.follow import find_runs
from ml_logger.store.rundir import RunDir


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the run."""
    del name
    parser.add_argument("run", nargs="?", default="", metavar="RUN", help="a run or a folder of runs (default: the whole root)")
    add_directory(parser)


def run(found: argparse.Namespace) -> int:
    """Write the files of each run below the key, and name them."""
    root, base = SafeRoot(directory_of(found.root)), key_of(found.root, "" if found.run == "." else found.run)
    runs = [key for key, journals in find_runs(root, base) if journals]
    if not runs:
        raise NotFoundError(f"run {base or '.'}", "no journal lies there")
    for key in runs:
        for path, data in files_of(RunDir(root, key).refresh()):
            root.write_bytes(path, data)
            print(f"{path}  {len(data)} bytes")
    return 0


def files_of(found: RunDir) -> Iterator[tuple[str, bytes]]:
    """Return the plain files (key, bytes) that the journals of a run describe."""
    if params := found.params():
        yield f"{found.key}/parameters.pkl", pickle_writer.dumps(params)
    texts: dict[str, list[str]] = {}
    records = found.messages((messages.Text, messages.Clear))
    for log, _, message in sorted(records, key=lambda item: item[2].time):
        path = found.relative(message.path if isinstance(message, messages.Text) else message.target, log)
        if isinstance(message, messages.Clear):
            for name in [name for name in texts if name == path or name.startswith(f"{path}/")]:
                del texts[name]
        elif message.overwrite:
            texts[path] = [message.text]
        else:
            texts.setdefault(path, []).append(message.text)
    for path, pieces in texts.items():
        key = keys.clean(path if path.startswith("/") else f"{found.key}/{path}")
        if not keys.is_reserved(key):
            yield key, "".join(pieces).encode("utf-8", "replace")
