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
from ml_logger.errors import InvalidKeyError, MlLoggerError, NotFoundError, to_wire
from ml_logger.formats import frames, messages, values
from ml_logger.formats.messages import Clear, File, Mark, Message, Op, Params, Text
from ml_logger.query import direct
from ml_logger.records import Archive
from ml_logger.safe_fs import SafeRoot
from ml_logger.server import staging
from ml_logger.server.batches import Effect
from ml_logger.store.archive import write_archive
from ml_logger.store.rundir import merge

_KEPT_PARAMS = 256
_MOST_REFUSED = 100
_BLOCK = 1 << 20
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class Effects:
    """Changes plain files below a root; used by one thread. `failed` counts what could not be done, `refused` tells of the last part."""

    def __init__(self, root: SafeRoot, moved: Callable[[str], None]) -> None:
        """Work below `root`; `moved(key)` is told of every key that is no longer where it was."""
        self.root, self._moved = root, moved
        self._params: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self.consumed: list[str] = []
        """Staged files that may be deleted after the next checkpoint."""
        self.failed = 0
        self.refused: list[dict[str, Any]] = []

    def sizes(self, effects: list[Effect], known: dict[str, int]) -> dict[str, int]:
        """Return the sizes of the files that `effects` append to, before; `known` are those of the same group, and grow."""
        before: dict[str, int] = {}
        for _, message in effects:
            growth = _growth(message)
            if growth is not None and isinstance(message, (Text, File)) and _is_plain(message.path):
                path = message.path
                if path not in known:
                    found = self.root.stat(path)
                    known[path] = found.st_size if found else 0
                before.setdefault(path, known[path])
                known[path] += growth
        return before

    def apply(self, mark: Mark, effects: list[Effect], *, done: bool = False) -> list[str]:
        """Carry out `effects` in order; returns the keys that were written. With `done`, only what may be repeated safely.

        What cannot be done (a name that is taken, a source that is gone) is counted and told in `refused`; a failing disk raises `OSError`.
        """
        self.refused = []
        todo = [effect for effect in merged(effects) if not done or isinstance(effect.message, (Text, Params))]
        return [key for effect in todo for key in self._try(mark, effect)]

    def _try(self, mark: Mark, effect: Effect) -> list[str]:
        try:
            return self._apply(mark, effect)
        except (MlLoggerError, OSError) as error:
            if getattr(error, "errno", None) in _DISK:
                raise
            self.failed += 1
            if len(self.refused) < _MOST_REFUSED:
                self.refused.append(_refusal(effect, error))
            return []

    def _apply(self, mark: Mark, effect: Effect) -> list[str]:
        message = effect.message
        if isinstance(message, Text):
            return self._text(message)
        if isinstance(message, Params):
            return self._merge(mark.run, message)
        if isinstance(message, File):
            return self._put(staging.key_of(f"{mark.writer}-{effect.sequence}", message.sha256), message)
        if isinstance(message, Clear):
            self._clear(message.target)
        elif isinstance(message, Op):
            return self._operate(message)
        return []

    def _put(self, staged: str, message: File) -> list[str]:
        """Put an uploaded file in its place, or its bytes at the end of a file; one that is not there was put there before."""
        if not _is_plain(message.path) or not self.root.exists(staged):
            return []
        if message.append:
            self._append(staged, message.path)
        else:
            self.root.keep_older(message.path)
            self.root.move(staged, message.path)
        return [message.path]

    def _append(self, staged: str, path: str) -> None:
        with self.root.open_read(staged) as source:
            while block := source.read(_BLOCK):
                self.root.append(path, block)
        self.consumed.append(staged)

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
        merge(known, values.revive(effect.values))
        self.root.write_bytes(effect.path, pickle_writer.dumps(known))
        return [effect.path]

    def _clear(self, target: str) -> None:
        """Move a file or directory to the trash; of a directory with live journals only the other files."""
        if not keys.clean(target):
            raise InvalidKeyError(target, "is the root itself")
        with contextlib.suppress(NotFoundError):
            if self.root.is_dir(target) and self._has_journals(target):
                for entry in self.root.scan(target):
                    if not keys.is_reserved(entry.key):
                        self._clear(entry.key)
            elif not keys.is_reserved(target):
                self.root.remove(target)
                self._forget(target)

    def _has_journals(self, key: str) -> bool:
        return any(entry.name.endswith(keys.JOURNAL_SUFFIX) for entry in self.root.walk(key, limit=10_000))

    def _operate(self, effect: Op) -> list[str]:
        args = effect.args
        source, target = str(args.get("path", "")), str(args.get("to", ""))
        if keys.is_reserved(source) or keys.is_reserved(target) or not keys.clean(target):
            return []
        if effect.verb == "move" and (self.root.exists(source) or not self.root.exists(target)):
            self.root.move(source, target)
            self._forget(source)
        elif effect.verb == "copy" and (args.get("exists_ok", True) or not self.root.exists(target)):
            direct.copy(self.root, source, target)
        elif effect.verb == "archive":
            with self.root.create(target) as out:
                write_archive(self.root, source, out, msgspec.convert(args, Archive))
        below = [entry.key for entry in self.root.walk(target) if not entry.is_dir] if self.root.is_dir(target) else []
        return [keys.clean(target), *below]

    def _forget(self, key: str) -> None:
        for run, path in list(self._params):
            if keys.in_scope(path, f"{key}/**"):
                del self._params[run, path]
        self._moved(key)


def _refusal(effect: Effect, error: MlLoggerError | OSError) -> dict[str, Any]:
    """Say which record had no effect, and why, in the words that a directory would have raised."""
    path = (paths_of([effect]) or [""])[-1]
    if isinstance(error, OSError):
        error = InvalidKeyError(path, error.strerror or str(error))
    return {"sequence": effect.sequence, "path": path, "error": to_wire(error)}


def is_barrier(effects: list[Effect]) -> bool:
    """Tell whether `effects` need a group of their own: they change files whose sizes a later part would ask for."""
    return any(isinstance(m, (Clear, Op, File)) or (isinstance(m, Text) and m.overwrite) for _, m in effects)


def paths_of(effects: list[Effect]) -> list[str]:
    """Return the keys that `effects` write or remove: what a token's scope is checked against."""
    found: list[str] = []
    for _, message in effects:
        if isinstance(message, (Text, Params, File)):
            found.append(message.path)
        elif isinstance(message, Clear):
            found.append(message.target)
        elif isinstance(message, Op):
            found += [str(message.args[name]) for name in ("path", "to") if name in message.args]
    return found


def removed_elsewhere(run: str, effects: list[Effect]) -> list[str]:
    """Return the keys that `effects` remove or move away and that do not lie in `run`."""
    gone = [message.target for _, message in effects if isinstance(message, Clear)]
    gone += [str(message.args.get("path", "")) for _, message in effects if isinstance(message, Op) and message.verb == "move"]
    return [key for key in gone if not run or key == run or not keys.in_scope(key, f"{run}/**")]


def removals_of(effects: list[Effect]) -> list[tuple[str, list[str]]]:
    """Return (what, keys) of each removal, move and copy: what the audit log tells."""
    found: list[tuple[str, list[str]]] = []
    for _, message in effects:
        if isinstance(message, Clear):
            found.append(("remove", [message.target]))
        elif isinstance(message, Op):
            found.append((message.verb, [str(message.args[name]) for name in ("path", "to") if name in message.args]))
    return found


def merged(effects: list[Effect]) -> list[Effect]:
    """Join neighbouring texts of one file: a thousand printed lines become one write."""
    joined: list[Effect] = []
    for effect in effects:
        last, message = joined[-1].message if joined else None, effect.message
        if isinstance(message, Text) and isinstance(last, Text) and not message.overwrite and last.path == message.path:
            joined[-1] = Effect(effect.sequence, Text(last.text + message.text, last.path, last.overwrite, message.time))
        else:
            joined.append(effect)
    return joined


def _growth(message: Message) -> int | None:
    """Return by how many bytes a message lets a file grow at its end; None if it does not append."""
    if isinstance(message, Text) and not message.overwrite:
        return len(message.text.encode("utf-8", "replace"))
    return message.size if isinstance(message, File) and message.append else None


def collect_params(root: SafeRoot, run: str, path: str) -> dict[str, Any]:
    """Return the parameters of `path` as all journals of `run` tell them, in order of time."""
    found: list[Params] = []
    cleared = 0.0
    for entry in root.scan(run):
        if entry.name.endswith(keys.JOURNAL_SUFFIX) and not entry.is_dir:
            for frame in frames.Scanner(root.read_bytes(entry.key), len(frames.MAGIC)):
                if isinstance(frame, frames.Frame) and frame.payload[1:2] in (b"\x04", b"\x09"):
                    with contextlib.suppress(ValueError):
                        message = messages.decode(frame.payload)
                        found += [message] if isinstance(message, Params) and message.path == path else []
                        if isinstance(message, Clear) and f"{path}/".startswith(f"{message.target}/"):
                            cleared = max(cleared, message.time)
    nested: dict[str, Any] = {}
    for params in sorted(found, key=lambda params: params.time):
        if params.time > cleared:
            merge(nested, values.revive(params.values))
    return nested


def _is_plain(path: str) -> bool:
    """Tell whether a text or parameter file may lie at `path`."""
    try:
        return bool(keys.parse(path)) and not keys.is_reserved(path)
    except MlLoggerError:
        return False
