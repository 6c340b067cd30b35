"""`ml-logger fsck PATH [--repair]`: a JSON report on stdout, a line for people on stderr. Knows no frames."""

from __future__ import annotations

import argparse
import json
import sys

from ml_logger import keys
from ml_logger.cli.roots import local, root_of
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.claim import Claim
from ml_logger.server.ingest import Ingest
from ml_logger.store import fsck
from ml_logger.store.root_format import refuse_newer


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the path."""
    del name
    parser.add_argument("path", nargs="?", metavar="PATH", help="a root, a run's directory or a journal (default: the root)")
    parser.add_argument("--repair", action="store_true", help="move damaged bytes into .ml-logger/quarantine; nothing is deleted")
    parser.add_argument("--root", metavar="ROOT", help=argparse.SUPPRESS)


def run(found: argparse.Namespace) -> int:
    """Check, and mend if asked; 0 if there is nothing wrong, 1 if there is or was."""
    root, key = fsck.find(str(local(found.path or root_of(found.root))))
    refuse_newer(root)
    claim = Claim(root) if found.repair and root.is_dir(keys.HOME) else None  # no server may write meanwhile
    if claim is not None:
        _replay(root)
    report = fsck.check(root, key)
    if found.repair and report.damaged:
        fsck.mend(root, report)
        root.delete(f"{keys.HOME}/index")
    print(json.dumps(fsck.to_json(report), indent=1))
    state = "clean" if not report.damaged else "repaired" if report.repaired else "damaged; --repair mends it"
    print(f"{report.files} files, {report.frames} frames, {len(report.damaged)} damaged places: {state}", file=sys.stderr)
    return 1 if report.damaged else 0


def _replay(root: SafeRoot) -> None:
    """Put batches that a killed server left in its log where they belong, before journals are judged."""
    if root.scan(f"{keys.HOME}/wal"):
        ingest = Ingest(root, lambda run: None)
        ingest.start()
        ingest.stop()
