"""What frames do besides lying in a journal: text, parameters, files, removals, moves. Knows no log, no wire, no journal's place.

Plain files for people are derived: `ml-logger render` makes them again. Everything here may be done twice after a crash: text is
cut back to the size it had before it is appended again, and what is already removed or moved is left alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec

from ml_logger import keys
from ml_logger.errors import MlLoggerError, NotFoundError
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import Clear, File, Message, Op, Params, Text
from ml_logger.records import Archive
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.archive import write_archive

_KEPT_PARAMS = 256
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class Effects:
    """Changes plain files below a root; used by one thread. `failed` counts what could not be done, and why it was last."""

    def __init__(self, root: SafeRoot, moved: Callable[[str], None]) -> None:
        """Work below `root`; `moved(key)` is told of every key that is no longer where it was."""
        self.root, self._moved = root, moved
        self._params: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self.failed = 0
        self.last_failure = ""

    def sizes(self, effects: list[Message], known: dict[str, int]) -> dict[str, int]:
        """Return the sizes of the text files that `effects` append to, before; `known` are those of the same group, and grow."""
        before: dict[str, int] = {}
        for effect in effects:
            if isinstance(effect, Text) and not effect.overwrite and _is_plain(effect.path):
                if effect.path not in known:
                    found = self.root.stat(effect.path)
                    known[effect.path] = found.st_size if found else 0
                before.setdefault(effect.path, known[effect.path])
                known[effect.path] += len(effect.text.encode("utf-8", "replace"))
        return before

    def apply(self, run: str, effects: list[Message], *, done: bool = False) -> list[str]:
        """Carry out `effects` in order; returns the keys that were written. With `done`, only what may be repeated safely.

        What cannot be done (a name that is taken, a source that is gone) is counted; a failing disk raises `OSError`.
        """
        todo = [effect for effect in merged(effects) if not done or isinstance(effect, (Text, Params))]
        return [key for effect in todo for key in self._try(run, effect)]

    def _try(self, run: str, effect: Message) -> list[str]:
        try:
            return self._apply(run, effect)
        except (MlLoggerError, OSError) as error:
            if getattr(error, "errno", None) in _DISK:
                raise
            self.failed += 1
            self.last_failure = f"{type(effect).__name__.lower()} in {run}: {error}"
            return []

    def _apply(self, run: str, effect: Message) -> list[str]:
        if isinstance(effect, Text):
            return self._text(effect)
        if isinstance(effect, Params):
            return self._merge(run, effect)
        if isinstance(effect, Clear):
            self._clear(effect.target)
        elif isinstance(effect, Op):
            self._operate(effect)
        return []

    def cut_back(self, sizes: dict[str, int]) -> None:
        """Give text files the sizes they had, before their text is appended again."""
        for path, size in sizes.items():
            found = self.root.stat(path)
            if found and found.st_size > size:
                fd = self.root.open_update(path)
                try:
                    os.ftruncate(fd, size)
                finally:
                    os.close(fd)

    def _text(self, effect: Text) -> list[str]:
        if not _is_plain(effect.path):
            return []
        data = effect.text.encode("utf-8", "replace")
        self.root.write_bytes(effect.path, data) if effect.overwrite else self.root.append(effect.path, data)
        return [effect.path]

    def _merge(self, run: str, effect: Params) -> list[str]:
        """Merge parameters into the file; what was merged before is read from the run's frames, once."""
        from ml_logger.formats import pickle_writer

        if not _is_plain(effect.path):
            return []
        known = self._params.get((run, effect.path))
        if known is None:
            known = self._params[run, effect.path] = collect_params(self.root, run, effect.path) if self.root.exists(effect.path) else {}
            while len(self._params) > _KEPT_PARAMS:
                self._params.popitem(last=False)
        deep_merge(known, effect.values)
        self.root.write_bytes(effect.path, pickle_writer.dumps(known))
        return [effect.path]

    def _clear(self, target: str) -> None:
        """Move a file or directory to the trash; of a directory with live journals only the other files."""
        with contextlib.suppress(NotFoundError):
            if self.root.is_dir(target) and self._has_journals(target):
                for entry in self.root.scan(target):
                    if not keys.is_reserved(entry.key):
                        self._clear(entry.key)
            elif target and not keys.is_reserved(target):
                self.root.remove(target)
                self._forget(target)

    def _has_journals(self, key: str) -> bool:
        return any(entry.name.endswith(keys.JOURNAL_SUFFIX) for entry in self.root.walk(key, limit=10_000))

    def _operate(self, effect: Op) -> None:
        args = effect.args
        source, target = str(args.get("path", "")), str(args.get("to", ""))
        if keys.is_reserved(source) or keys.is_reserved(target) or not keys.clean(target):
            return
        if effect.verb == "move" and (self.root.exists(source) or not self.root.exists(target)):
            self.root.move(source, target)
            self._forget(source)
        elif effect.verb == "copy" and (args.get("exists_ok", True) or not self.root.exists(target)):
            self.root.copy(source, target)
        elif effect.verb == "archive":
            with self.root.create(target) as out:
                write_archive(self.root, source, out, msgspec.convert(args, Archive))

    def _forget(self, key: str) -> None:
        for run, path in list(self._params):
            if keys.in_scope(path, f"{key}/**"):
                del self._params[run, path]
        self._moved(key)


def is_barrier(effects: list[Message]) -> bool:
    """Tell whether `effects` need a group of their own: they change files whose sizes a later part would ask for."""
    return any(isinstance(effect, (Clear, Op, File)) or (isinstance(effect, Text) and effect.overwrite) for effect in effects)


def paths_of(effects: list[Message]) -> list[str]:
    """Return the keys that `effects` write or remove: what a token's scope is checked against."""
    found: list[str] = []
    for effect in effects:
        if isinstance(effect, (Text, Params, File)):
            found.append(effect.path)
        elif isinstance(effect, Clear):
            found.append(effect.target)
        elif isinstance(effect, Op):
            found += [str(effect.args[name]) for name in ("path", "to") if name in effect.args]
    return found


def merged(effects: list[Message]) -> list[Message]:
    """Join neighbouring texts of one file: a thousand printed lines become one write."""
    joined: list[Message] = []
    for effect in effects:
        last = joined[-1] if joined else None
        if isinstance(effect, Text) and isinstance(last, Text) and not effect.overwrite and last.path == effect.path:
            joined[-1] = Text(last.text + effect.text, last.path, last.overwrite, effect.time)
        else:
            joined.append(effect)
    return joined


def deep_merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    """Merge nested dicts; later values win."""
    for key, value in values.items():
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            deep_merge(old, value)
        else:
            into[key] = value


def collect_params(root: SafeRoot, run: str, path: str) -> dict[str, Any]:
    """Return the parameters of `path` as all journals of `run` tell them, in order of time."""
    found: list[Params] = []
    for entry in root.scan(run):
        if entry.name.endswith(keys.JOURNAL_SUFFIX) and not entry.is_dir:
            for frame in frames.Scanner(root.read_bytes(entry.key), len(frames.MAGIC)):
                if isinstance(frame, frames.Frame) and frame.payload[1:2] == b"\x04":
                    with contextlib.suppress(ValueError, RecursionError):
                        message = messages.decode(frame.payload)
                        found += [message] if isinstance(message, Params) and message.path == path else []
    values: dict[str, Any] = {}
    for params in sorted(found, key=lambda params: params.time):
        deep_merge(values, params.values)
    return values


def _is_plain(path: str) -> bool:
    """Tell whether a text or parameter file may lie at `path`."""
    try:
        return bool(keys.parse(path)) and not keys.is_reserved(path)
    except MlLoggerError:
        return False
