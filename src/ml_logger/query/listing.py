"""Names below a root: entries of a directory and globs, views such as `metrics.pkl` included. Reads no rows.

Which views a run has is asked of a function, only where a view could be among the answer: it may cost the read of a
journal. Journals themselves and `.ml-logger` are no part of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ml_logger import keys
from ml_logger.answers import FileEntry, FileList
from ml_logger.queries import Glob
from ml_logger.query.patterns import GlobPattern
from ml_logger.safe_fs import Entry, SafeRoot

Views = Callable[[str], dict[str, int]]
"""Run key → views relative to it (`metrics.pkl`, `eval/metrics.pkl`, …) and how many rows they have."""

MAX_MATCHES = 100_000
_RUN_MARKS = (keys.RUN_FILE, "parameters.pkl", "metrics.pkl")


def is_hidden(name: str) -> bool:
    """Tell whether an entry is no business of a user."""
    return name == keys.HOME or name.endswith(keys.JOURNAL_SUFFIX)


def is_run(entries: list[Entry]) -> bool:
    """Tell whether a directory with these entries is a run: `run.json`, a journal, or files of earlier versions."""
    return any(not entry.is_dir and (entry.name in _RUN_MARKS or entry.name.endswith(keys.JOURNAL_SUFFIX)) for entry in entries)


def list_files(root: SafeRoot, path: str, limit: int, views: Views, *, recursive: bool = False) -> FileList:
    """Return the entries of the directory `path`, directories first; with `recursive`, all files below it, by key."""
    base = keys.clean(path)
    walk = _walk_files(root, base, views) if recursive else iter(_entries(root, base, views))
    found = [entry for _, entry in zip(range(limit + 1), walk)]
    if not recursive:
        found.sort(key=lambda entry: (not entry.is_dir, entry.name))
    return FileList(base, found[:limit], more=len(found) > limit)


def _walk_files(root: SafeRoot, base: str, views: Views) -> Iterator[FileEntry]:
    todo = [base]
    while todo:
        entries = _entries(root, todo.pop(), views)
        yield from (entry for entry in entries if not entry.is_dir)
        todo += [entry.path for entry in reversed(entries) if entry.is_dir]


def _entries(root: SafeRoot, base: str, views: Views) -> list[FileEntry]:
    entries = root.scan(base)
    found = {e.name: _file_entry(e) for e in entries if not is_hidden(e.name)}
    if any(entry.name.endswith(keys.JOURNAL_SUFFIX) for entry in entries):
        changed = max(e.modified for e in entries if e.name.endswith(keys.JOURNAL_SUFFIX))
        for view in views(base):
            name, _, below = view.partition("/")
            path = f"{base}/{name}".lstrip("/")
            found.setdefault(name, FileEntry(path, name, is_dir=bool(below), modified=changed, kind="directory" if below else "view"))
    for entry in found.values():
        entry.run = entry.is_dir and is_run(root.scan(entry.path))
    return sorted(found.values(), key=lambda entry: entry.name)


def _file_entry(entry: Entry) -> FileEntry:
    kind = "directory" if entry.is_dir else "file"
    return FileEntry(entry.key, entry.name, entry.is_dir, 0 if entry.is_dir else entry.size, entry.modified, kind)


def glob(root: SafeRoot, query: Glob, views: Views) -> list[str] | None:
    """Return the keys below `query.wd` that match, sorted, relative to it; None when it does not exist.

    At most 100,000. Only directories that can hold a match are read, each once.
    """
    base = keys.clean(query.wd)
    if base and not root.is_dir(base):
        return None
    pattern = GlobPattern(query.pattern, recursive=query.recursive)
    found = sorted(name for _, name in zip(range(MAX_MATCHES), _matches(root, base, pattern, views)))
    return found[query.start : query.stop]


def _matches(root: SafeRoot, base: str, pattern: GlobPattern, views: Views) -> Iterator[str]:
    wants_views = _may_match_views(pattern)
    todo = [("", pattern.start)]
    while todo:
        relative, state = todo.pop()
        here = "/".join(part for part in (base, relative) if part)
        entries = _named_entries(root, here, pattern.literal(state)) if not wants_views else root.scan(here)
        names = {e.name: e.is_dir for e in entries if not is_hidden(e.name)}
        below = f"{relative}/" if relative else ""
        if wants_views and any(e.name.endswith(keys.JOURNAL_SUFFIX) for e in entries):
            yield from _matching_views(pattern, state, below, names, views(here))
        for name, is_dir in names.items():
            after = pattern.step(state, name)
            if pattern.accepts(after):
                yield below + name
            if is_dir and after and pattern.goes_on(after):
                todo.append((below + name, after))


def _may_match_views(pattern: GlobPattern) -> bool:
    last = pattern.parts[-1] if pattern.parts else ""
    return last.endswith(".pkl") or GlobPattern(last).matches("metrics.pkl")


def _matching_views(pattern: GlobPattern, state: frozenset[int], below: str, names: dict[str, bool], views: dict[str, int]) -> Iterator[str]:
    for view in views:
        after = state
        for part in view.split("/"):
            after = pattern.step(after, part)
        if pattern.accepts(after) and view.split("/")[0] not in names:
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
