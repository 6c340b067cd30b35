"""Commands carried out on a root: what users keep beside runs, the trash, signals. Knows no index; `keep` tells one of changes."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from ml_logger import keys
from ml_logger.commands import CopyTo, Done, MoveTo, Restore, Save, SendSignal, SetArchived, SetNotes, SetTags, Trash
from ml_logger.errors import ConflictError, InvalidKeyError, NotFoundError, UsageError
from ml_logger.safe_fs import TRASH, SafeRoot, older_of
from ml_logger.store.state import State, saved_name

Keep = Callable[[str, str, Any], None]
"""Puts a value under (kind, name): `State.put`, or a store's `state_put`, which notices the change."""

RUNS, SIGNALS = "runs", "signals"
MAX_TEXT, MAX_TAGS, MAX_SIGNALS = 1 << 20, 200, 100
_lock = threading.Lock()


def carry_out(root: SafeRoot, command: Any, keep: Keep | None = None, sender: str = "") -> Done:
    """Do what `command` says; `sender` is who asked, as the caller made sure of it. All is on the disk on return.

    Raises `NotFoundError`, `InvalidKeyError`, `ConflictError` or `UsageError`.
    """
    with _lock:
        if isinstance(command, SendSignal):
            return _send_signal(root, command, keep or State(root).put, sender)
        return _ACTS[type(command)](root, command, keep or State(root).put)


def _set_tags(root: SafeRoot, command: SetTags, keep: Keep) -> Done:
    def change(kept: dict[str, Any]) -> None:
        tags = [tag for tag in kept.get("tags", []) if tag not in command.remove]
        kept["tags"] = tags + [tag for tag in dict.fromkeys(command.add) if tag not in tags]
        if len(kept["tags"]) > MAX_TAGS or any(not tag.strip() or len(tag) > 200 for tag in kept["tags"]):
            raise UsageError(f"a run has at most {MAX_TAGS} tags of 1 to 200 characters")

    return _change(root, command.runs, keep, change)


def _set_notes(root: SafeRoot, command: SetNotes, keep: Keep) -> Done:
    if len(command.text) > MAX_TEXT:
        raise UsageError(f"notes have {len(command.text)} characters; {MAX_TEXT} are allowed")

    def change(kept: dict[str, Any]) -> None:
        if command.was is not None and command.was != kept.get("notes", ""):
            raise ConflictError(f"the notes of {command.run}")
        kept["notes"] = command.text

    return _change(root, [command.run], keep, change)


def _set_archived(root: SafeRoot, command: SetArchived, keep: Keep) -> Done:
    return _change(root, command.runs, keep, lambda kept: kept.update(archived=command.archived))


def _change(root: SafeRoot, runs: list[str], keep: Keep, change: Callable[[dict[str, Any]], None]) -> Done:
    """Change what is kept of each run; runs that do not exist are refused before anything is changed."""
    names = [_existing(root, run) for run in runs]
    state, changed = State(root), 0
    for name in names:
        before = state.get(RUNS, name) or {}
        after = dict(before)
        change(after)
        if after != before:
            keep(RUNS, name, after)
            changed += 1
    return Done(changed)


def _existing(root: SafeRoot, run: str) -> str:
    key = keys.clean(run)
    if not key or not root.is_dir(key):
        raise NotFoundError(f"run {run}")
    return key


def _trash(root: SafeRoot, command: Trash, keep: Keep) -> Done:
    del keep
    for path in command.paths:
        keys.writable(path)
        if not root.exists(path):
            raise NotFoundError(path)
    for path in command.paths:
        root.remove(path)
    return Done(len(command.paths))


def _restore(root: SafeRoot, command: Restore, keep: Keep) -> Done:
    del keep
    places = _places_in_trash(root, list(dict.fromkeys(map(keys.clean, command.paths))))
    for key, place in places.items():
        root.move(f"{place}/content", key)
    return Done(len(places))


def _places_in_trash(root: SafeRoot, wanted: list[str]) -> dict[str, str]:
    """Return where the newest things lie that were called so; the trash is looked through once, and nothing is moved if one is missing."""
    for key in wanted:
        if root.exists(key):
            raise InvalidKeyError(key, "exists; rename it before the one in the trash is brought back")
    missing, found = set(wanted), dict.fromkeys(wanted, "")
    for entry in reversed(root.scan(TRASH) if missing else []):
        try:
            name = root.read_bytes(f"{entry.key}/path").decode("utf-8", "replace")
        except NotFoundError:
            continue
        if name in missing and root.exists(f"{entry.key}/content"):
            found[name] = entry.key
            missing.discard(name)
    if missing:
        raise NotFoundError(f"{min(missing)} in the trash")
    return found


def _move(root: SafeRoot, command: MoveTo, keep: Keep) -> Done:
    source, target = _free(root, command)
    root.move(source, target)
    for kind in (RUNS, SIGNALS):
        for name, value in State(root).scan(kind).items():
            if keys.in_scope(name, f"{source}/**"):
                keep(kind, target + name[len(source) :], value)
                keep(kind, name, None)
    return Done(1, target)


def _copy(root: SafeRoot, command: CopyTo, keep: Keep) -> Done:
    del keep
    if command.older:
        source, target = older_of(keys.writable(command.path)), keys.writable(command.to)
        if not root.exists(source):
            raise NotFoundError(f"older version of {command.path}", "it was never overwritten, or that is long ago")
        if root.exists(target):
            raise InvalidKeyError(target, "exists already")
    else:
        source, target = _free(root, command)
    root.copy(source, target)
    return Done(1, target)


def _free(root: SafeRoot, command: MoveTo | CopyTo) -> tuple[str, str]:
    """Return the two names of a move or copy; raises if the first is missing or the second is taken."""
    source, target = keys.writable(command.path), keys.writable(command.to)
    if not root.exists(source):
        raise NotFoundError(source)
    if root.exists(target):
        raise InvalidKeyError(target, "exists already")
    return source, target


def _send_signal(root: SafeRoot, command: SendSignal, keep: Keep, sender: str) -> Done:
    run = _existing(root, command.run)
    if not command.name or len(command.name) > 200:
        raise UsageError("a signal has a name of at most 200 characters")
    sent = list(State(root).get(SIGNALS, run) or [])
    number = secrets.token_hex(8)
    sent.append({"id": number, "name": command.name, "value": command.value, "time": time.time(), "sender": sender})
    keep(SIGNALS, run, sent[-MAX_SIGNALS:])
    return Done(1, number)


def _save(root: SafeRoot, command: Save, keep: Keep) -> Done:
    if command.kind in (RUNS, SIGNALS) or not 0 < len(command.kind) <= 64:
        raise UsageError(f"nothing is saved under kind {command.kind[:64]!r}")
    name = command.name or secrets.token_urlsafe(6)
    place = saved_name(name, command.prefix)
    if command.checked and State(root).get(command.kind, place) != command.was:
        raise ConflictError(f"{command.kind} {name}")
    keep(command.kind, place, command.value)
    return Done(1, name)


_ACTS: dict[type, Callable[[SafeRoot, Any, Keep], Done]] = {
    SetTags: _set_tags, SetNotes: _set_notes, SetArchived: _set_archived, Trash: _trash, Restore: _restore,
    MoveTo: _move, CopyTo: _copy, Save: _save,
}  # fmt: skip
