"""`ml-upload` and `ml-download`: files between this machine and a root, with progress and honest exit codes. Knows no wire."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from ml_logger import keys
from ml_logger.cli.roots import is_remote, root_of
from ml_logger.client.uploads import send
from ml_logger.errors import MlLoggerError, NotFoundError, ServerUnreachableError, UsageError
from ml_logger.formats import messages
from ml_logger.logger import ML_Logger
from ml_logger.methods.files import file_digest, pack
from ml_logger.queries import ListFiles
from ml_logger.records import File
from ml_logger.store.archive import ARCHIVES, is_excluded


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of one of the two."""
    parser.set_defaults(command=name)
    if name == "upload":
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="local files and directories")
        parser.add_argument(
            "--source", dest="more", action="append", default=[], metavar="SOURCE", help="the same, as earlier releases had it"
        )
        parser.add_argument("--target", default="", metavar="PREFIX", help="where to in the root (default: its top)")
        parser.add_argument("--archival", "--archive", choices=list(ARCHIVES), help="pack each directory into an archive first")
        parser.add_argument("--workdir", default=".", metavar="DIR", help="where sources are looked for (default: here)")
    else:
        parser.add_argument("sources", nargs="*", metavar="PATH", help="files and directories of the root")
        parser.add_argument(
            "--source", dest="more", action="append", default=[], metavar="PATH", help="the same, as earlier releases had it"
        )
        parser.add_argument("--prefix", default="", metavar="PREFIX", help="where paths start in the root (default: its top)")
        parser.add_argument("--target", default=".", metavar="DIR", help="where to on this machine (default: here)")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="leave out names that match, e.g. '*.pyc' (repeatable)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there already")
    parser.add_argument("--list", action="store_true", help="say what would go, and leave it there")
    parser.add_argument("--root", metavar="ROOT", help="a directory, a server or a bucket (default: $ML_LOGGER_ROOT, else ./runs)")


def run(found: argparse.Namespace) -> int:
    """Send or fetch; 0 only if every file arrived."""
    sources = [*found.sources, *found.more]
    if not sources:
        raise UsageError("name what to " + found.command)
    root = root_of(found.root)
    logger = ML_Logger("", root=root)
    plan = _upload_plan(found, sources) if found.command == "upload" else _download_plan(logger, found, sources)
    if found.list:
        for name, size, _ in plan:
            print(f"{size:>12,}  {name}")
        return 0
    return _upload(logger, found, plan) if found.command == "upload" else _download(logger, found, plan)


Item = tuple[str, int, Path]
"""Name in the root, bytes, local path."""


def _upload_plan(found: argparse.Namespace, sources: list[str]) -> list[Item]:
    plan: list[Item] = []
    for source in sources:
        path = Path(found.workdir, source)
        if path.is_file():
            plan.append((_joined(found.target, path.name), path.stat().st_size, path))
        elif path.is_dir() and found.archival:
            plan.append((_joined(found.target, path.resolve().name), sum(p.stat().st_size for p in path.rglob("*") if p.is_file()), path))
        elif path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink()]
            names = [(p, f"{path.resolve().name}/{p.relative_to(path).as_posix()}") for p in inside]
            plan += [(_joined(found.target, name), p.stat().st_size, p) for p, name in names if not is_excluded(name, found.exclude)]
        else:
            raise NotFoundError(f"local file {path}")
    return plan


def _download_plan(logger: ML_Logger, found: argparse.Namespace, sources: list[str]) -> list[Item]:
    plan: list[Item] = []
    for source in sources:
        key = _joined(found.prefix, source).strip("/")
        entries = [e for e in logger.session.ask(ListFiles(key, recursive=True, limit=1_000_000)).entries if not e.is_dir]
        base = key.rpartition("/")[0]
        if not entries:
            parent = logger.session.ask(ListFiles(base)).entries
            entries = [e for e in parent if e.path == key and not e.is_dir]
        if not entries:
            raise NotFoundError(f"{key} in {logger.root}", "`ml-logger ls` shows what is there")
        names = [(e, "/".join(keys.below(e.path, base))) for e in entries]
        plan += [(e.path, e.size, Path(found.target, name)) for e, name in names if not is_excluded(name, found.exclude)]
    return plan


def _upload(logger: ML_Logger, found: argparse.Namespace, plan: list[Item]) -> int:
    there = set() if found.overwrite else _existing(logger, plan)
    failed = 0
    with _progress() as progress:
        task = progress.add_task("sending", total=sum(size for _, size, _ in plan))
        for name, size, path in plan:
            if name in there:
                progress.console.print(f"  [yellow]exists[/]  {escape(name)}  (--overwrite replaces it)")
                failed += 1
            else:
                failed += _try(progress, name, lambda name=name, path=path: _send(logger, found, name, path))
            progress.advance(task, size)
    return _verdict("sent", len(plan), failed)


def _send(logger: ML_Logger, found: argparse.Namespace, name: str, path: Path) -> None:
    """Put one file in place; it belongs to no run, so nothing is journaled."""
    if not path.is_dir():
        _put(logger, name, path)
        return
    with tempfile.TemporaryDirectory(prefix="ml-logger-") as scratch:
        packed = Path(scratch) / "archive"
        inside = [(p, p.relative_to(path).as_posix()) for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink()]
        pack(packed, [(p, inner) for p, inner in inside if not is_excluded(inner, found.exclude)], found.archival)
        _put(logger, f"{name}{ARCHIVES[found.archival]}", packed)


def _put(logger: ML_Logger, name: str, path: Path) -> None:
    destination = logger.session.destination
    if not is_remote(logger.root):
        destination.apply(File(name, source=str(path.absolute())))
        if not destination.drain(None, durable=True):
            raise ServerUnreachableError(logger.root, f"{name} waits; `ml-logger sync` delivers it")
        return
    with path.open("rb") as source:
        file = messages.File(keys.clean(name), file_digest(source), path.stat().st_size, time.time())
        send(destination.wire, file, source)  # type: ignore[attr-defined]


def _existing(logger: ML_Logger, plan: list[Item]) -> set[str]:
    folders = {name.rpartition("/")[0] for name, _, _ in plan}
    return {entry.path for folder in folders for entry in logger.session.ask(ListFiles(folder)).entries}


def _download(logger: ML_Logger, found: argparse.Namespace, plan: list[Item]) -> int:
    failed = 0
    with _progress() as progress:
        task = progress.add_task("fetching", total=sum(size for _, size, _ in plan))
        for name, size, path in plan:
            if path.exists() and not found.overwrite:
                progress.console.print(f"  [yellow]exists[/]  {escape(str(path))}  (--overwrite replaces it)")
                failed += 1
            else:
                failed += _try(progress, name, lambda name=name, path=path: logger.download_file(f"/{name}", to=path))
            progress.advance(TaskID(task), size)
    return _verdict("fetched", len(plan), failed)


def _try(progress: Progress, name: str, action: object) -> int:
    """Do one transfer; say what went wrong and go on with the next."""
    try:
        action()  # type: ignore[operator]
    except (MlLoggerError, OSError) as error:
        progress.console.print(f"  [red]failed[/]  {escape(f'{name}: {error}')}")
        return 1
    return 0


def _verdict(verb: str, total: int, failed: int) -> int:
    Console(stderr=True).print(f"{verb} {total - failed} of {total} files" + (f", [red]{failed} not[/]" if failed else ""))
    return 1 if failed else 0


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _joined(prefix: str, name: str) -> str:
    return "/".join(part for part in (prefix.strip("/"), name) if part)


def upload_main() -> int:
    """Run `ml-upload`."""
    return _main("upload", "Send files and directories to a root: a directory or a server.")


def download_main() -> int:
    """Run `ml-download`."""
    return _main("download", "Fetch files and directories from a root: a directory or a server.")


def _main(name: str, about: str) -> int:
    parser = argparse.ArgumentParser(prog=f"ml-{name}", description=about)
    flags(parser, name)
    try:
        return run(parser.parse_args())
    except (MlLoggerError, OSError) as error:
        print(f"ml-{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(upload_main())
