"""Names below a root: entries of a directory and globs, views such as `metrics.pkl` included. Reads no rows.

Which views a run has is asked of a function, only where a view could be among the answer: it may cost the read of a
journal. Journals themselves and `.ml-logger` are no part of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from ml_logger import keys
from ml_logger.answers import FileEntry, FileList
from ml_logger.formats.messages import File
from ml_logger.queries import Glob
from ml_logger.query.patterns import GlobPattern
from ml_logger.safe_fs import Entry, SafeRoot


class RunNames(NamedTuple):
    """What a run's journals say of its names, relative to it: views (`eval/metrics.pkl`), and the FILE record of each file."""

    views: list[str]
    files: dict[str, File]


Names = Callable[[str], RunNames]
"""Run key → its names; may cost the read of the run's journals."""

VIEW_SUFFIXES = (".pkl", ".csv", ".jsonl", ".yaml", ".yml", ".parquet")
"""What a table is a file of, if it is read as a file."""

MAX_MATCHES = 100_000
_NOTHING = RunNames([], {})
_RUN_MARKS = (keys.RUN_FILE, "parameters.pkl", "metrics.pkl")
_MEDIA = {
    "image": (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp"),
    "video": (".mp4", ".webm", ".mov", ".mkv"),
    "audio": (".wav", ".mp3", ".ogg", ".flac"),
}
_STEP_IN_NAME = re.compile(r"(\d{1,15})\D{0,20}$")


def is_hidden(name: str) -> bool:
    """Tell whether an entry is no business of a user."""
    return name == keys.HOME or name.endswith(keys.JOURNAL_SUFFIX)


def is_run(entries: list[Entry]) -> bool:
    """Tell whether a directory with these entries is a run: `run.json`, a journal, or files of earlier versions."""
    return any(not entry.is_dir and (entry.name in _RUN_MARKS or entry.name.endswith(keys.JOURNAL_SUFFIX)) for entry in entries)


def list_files(
    root: SafeRoot, path: str, page: tuple[int, int], names: Names, *, recursive: bool = False, journals: bool = False
) -> FileList:
    """Return entries of the directory `path`, directories first; with `recursive`, files below it, by key. `page` is (first, at most).

    `journals` shows those of the runs below, too.
    A page of a directory costs one scan of it, and looks into those subdirectories that are on the page.
    """
    base, (start, limit) = keys.clean(path), page
    if not recursive:
        directory = _Directory(root, base, names)
        listed = sorted(directory.all(), key=lambda entry: (not entry.is_dir, entry.name))
        shown = [directory.shown(entry) for entry in listed[start : start + limit]]
        return FileList(base, shown, more=len(listed) > start + limit, total=len(listed))
    found = list(islice(_walk_files(root, base, names, journals=journals), start, start + limit + 1))
    more = len(found) > limit
    return FileList(base, found[:limit], more=more, total=None if more else start + len(found))


def _walk_files(root: SafeRoot, base: str, names: Names, *, journals: bool) -> Iterator[FileEntry]:
    todo = [_Directory(root, base, names)]
    while todo:
        directory = todo.pop()
        entries = directory.entries()
        yield from (entry for entry in entries if not entry.is_dir)
        if journals:
            found = (entry for entry in directory.found if entry.name.endswith(keys.JOURNAL_SUFFIX))
            yield from (FileEntry(entry.key, entry.name, False, entry.size, entry.modified, "file") for entry in found)
        todo += [_Directory(root, entry.path, names, directory) for entry in reversed(entries) if entry.is_dir]


class _Directory:
    """One directory on the way: what lies in it, and the run that it is or lies in."""

    def __init__(self, root: SafeRoot, key: str, names: Names, above: _Directory | None = None) -> None:
        self.root, self.key = root, key
        self.found = root.scan(key)
        journals = [entry for entry in self.found if entry.name.endswith(keys.JOURNAL_SUFFIX)]
        self.changed = max((entry.modified for entry in journals), default=above.changed if above else 0.0)
        if journals:
            self.run, self.names = key, names(key)
        elif above is not None:
            self.run, self.names = above.run, above.names
        else:
            self.run, self.names = _enclosing(root, key, names)

    def entries(self) -> list[FileEntry]:
        """Return files, directories and views, by name."""
        return [self.shown(entry) for entry in sorted(self.all(), key=lambda entry: entry.name)]

    def all(self) -> Iterable[Entry | FileEntry]:
        """Return all that lies here, in no order, and not yet looked at."""
        found: dict[str, Entry | FileEntry] = {entry.name: entry for entry in self.found if not is_hidden(entry.name)}
        prefix = self.key[len(self.run) :].lstrip("/")
        for view in self.names.views:
            if prefix and not view.startswith(f"{prefix}/"):
                continue
            name, _, below = view[len(prefix) :].lstrip("/").partition("/")
            path = f"{self.key}/{name}".lstrip("/")
            found.setdefault(name, FileEntry(path, name, bool(below), 0, self.changed, "directory" if below else "view"))
        return found.values()

    def shown(self, entry: Entry | FileEntry) -> FileEntry:
        """Return what a listing says of one of them."""
        if isinstance(entry, FileEntry):
            return entry
        if entry.is_dir:
            return FileEntry(entry.key, entry.name, True, 0, entry.modified, "directory", run=is_run(self.root.scan(entry.key)))
        record = self.names.files.get(entry.key[len(self.run) :].lstrip("/"))
        kind = media_kind(entry.name)
        spelled = step_in(entry.name) if kind != "file" else None
        if record is None:
            return FileEntry(entry.key, entry.name, False, entry.size, entry.modified, kind, spelled)
        step = spelled if record.step is None else record.step
        chosen = record.kind if record.kind != "file" else kind
        return FileEntry(entry.key, entry.name, False, entry.size, entry.modified, chosen, step, sha256=record.sha256, meta=record.meta)


def _enclosing(root: SafeRoot, key: str, names: Names) -> tuple[str, RunNames]:
    """Return the nearest run above `key` that has journals, and its names."""
    parts = keys.parse(key)
    for depth in range(len(parts) - 1, -1, -1):
        above = "/".join(parts[:depth])
        if any(entry.name.endswith(keys.JOURNAL_SUFFIX) for entry in root.scan(above)):
            return above, names(above)
    return "", _NOTHING


def media_kind(name: str) -> str:
    """Return image, video, audio or file, by the ending of a name."""
    lower = name.lower()
    return next((kind for kind, endings in _MEDIA.items() if lower.endswith(endings)), "file")


def step_in(name: str) -> int | None:
    """Return the step that a file's name spells with its last digits (`samples/000100.png`), or None."""
    match = _STEP_IN_NAME.search(name.rpartition(".")[0])
    return int(match[1]) if match else None


def glob(root: SafeRoot, query: Glob, names: Names) -> list[str] | None:
    """Return the keys below `query.wd` that match, sorted, relative to it; None when it does not exist.

    At most 100,000. Only directories that can hold a match are read, each once.
    """
    base = keys.clean(query.wd)
    pattern = GlobPattern(query.pattern, recursive=query.recursive)
    above = _views_from_above(root, base, names)
    if base and not above and not root.is_dir(base):
        return None
    matches = islice(_matches(root, base, pattern, names, above), MAX_MATCHES)
    found = sorted(set(matches))  # a view may be a file, too: `configure(metrics_pkl=True)`
    return found[query.start : query.stop]


def _views_from_above(root: SafeRoot, base: str, names: Names) -> list[str]:
    """Return the views that the run above `base` has below it, relative to `base`: `metrics.pkl` in `eval` of a run."""
    if not base:
        return []
    run, inside = _enclosing(root, base, names)
    prefix = f"{base[len(run) :].lstrip('/')}/"
    return [view[len(prefix) :] for view in inside.views if view.startswith(prefix)]


def _matches(root: SafeRoot, base: str, pattern: GlobPattern, names: Names, above: list[str]) -> Iterator[str]:
    wants_views = _may_match_views(pattern)
    todo = [("", pattern.start)]
    if above:
        yield from _matching_views(pattern, pattern.start, "", {entry.name: entry.is_dir for entry in root.scan(base)}, above)
    while todo:
        relative, state = todo.pop()
        here = "/".join(part for part in (base, relative) if part)
        entries = _named_entries(root, here, pattern.literal(state)) if not wants_views else root.scan(here)
        present = {e.name: e.is_dir for e in entries if not is_hidden(e.name)}
        below = f"{relative}/" if relative else ""
        if wants_views and any(e.name.endswith(keys.JOURNAL_SUFFIX) for e in entries):
            yield from _matching_views(pattern, state, below, present, names(here).views)
        for name, is_dir in present.items():
            after = pattern.step(state, name)
            if pattern.accepts(after):
                yield below + name
            if is_dir and after and pattern.goes_on(after):
                todo.append((below + name, after))


def _may_match_views(pattern: GlobPattern) -> bool:
    last = pattern.parts[-1] if pattern.parts else ""
    return last.endswith((*VIEW_SUFFIXES, "*", "?", "]")) or GlobPattern(last).matches("metrics.pkl")


def _matching_views(pattern: GlobPattern, state: frozenset[int], below: str, present: dict[str, bool], views: list[str]) -> Iterator[str]:
    for view in views:
        after = state
        for part in view.split("/"):
            after = pattern.step(after, part)
        if pattern.accepts(after) and view not in present:
            yield below + view


def _named_entries(root: SafeRoot, here: str, names: list[str] | None) -> list[Entry]:
    """Return the entries of a directory, or only those of the given names, which need not be listed."""
    if names is None:
        return root.scan(here)
    entries: list[Entry] = []
    for name in dict.fromkeys(names):
        key = f"{here}/{name}" if here else name
        if (found := root.stat(key)) is not None:
            entries.append(Entry(key, name, (found.st_mode & 0o170000) == 0o040000, found.st_size, found.st_mtime))
    return entries
