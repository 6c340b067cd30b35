"""Where each writer's journal lies in the root, and how far it is committed: told from the files alone. Knows no log and no wire.

Every batch in a server's journal is followed by a MARK whose frame has the sequence of the last record before it; the last MARK
tells the committed offset, after any crash.
"""

from __future__ import annotations

import contextlib
import os
import resource
import uuid
from collections import OrderedDict
from typing import Any

import msgspec

from ml_logger import keys
from ml_logger.errors import NotFoundError
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import End, Header, Mark
from ml_logger.safe_fs import Entry, SafeRoot

OPEN_FILES = max(16, min(1024, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
"""Journals that are kept open; the rest of the descriptors is for connections and reads."""
_TAILS = (1 << 16, 1 << 20, 1 << 40)
_ALIVE_S = 60.0
_LONGEST_TEXT = 400


class Place:
    """One writer's journal: its key, committed offset, epoch, last sequence, and the end of what is ours in the file.

    `next_offset` and `next_end` run ahead of `offset` and `end` while a group of batches is being committed.
    """

    __slots__ = ("end", "ended", "epoch", "key", "last", "next_end", "next_offset", "offset", "refused", "run", "writer")

    def __init__(self, run: str, writer: str, key: str) -> None:
        """Start at nothing."""
        self.run, self.writer, self.key = run, writer, key
        self.refused: list[dict[str, Any]] = []
        self.epoch = self.offset = self.last = self.next_offset = 0
        self.end = self.next_end = len(frames.MAGIC)
        self.ended = False

    def reset(self) -> None:
        """Forget what ran ahead."""
        self.next_offset, self.next_end = self.offset, self.end

    def commit(self, mark: Mark, last: int, end: int, *, ended: bool) -> None:
        """Take in a batch that is in the file and durable in the log."""
        self.offset, self.epoch, self.last, self.end, self.ended = mark.hi, mark.epoch, last, end, ended


class Places:
    """The journals of a root, found when asked for; used by one thread."""

    def __init__(self, root: SafeRoot) -> None:
        """Know nothing yet."""
        self.root = root
        self._places: dict[str, Place] = {}
        self._open: OrderedDict[str, int] = OrderedDict()

    def find(self, run: str, writer: str) -> Place | None:
        """Return the place of a writer of `run`, or None if it has no journal there. Cost: one scan the first time."""
        place = self._places.get(writer)
        if place is not None and place.run == run:
            return place
        suffix = f"-{writer}{keys.JOURNAL_SUFFIX}"
        for entry in self.root.scan(run):
            if entry.name.endswith(suffix) and not entry.is_dir:
                place = self._places[writer] = self._load(run, writer, entry.key)
                return place
        return None

    def peek(self, run: str, writer: str) -> Place | None:
        """Return what `find` would, from any thread and without remembering or changing anything."""
        suffix = f"-{writer}{keys.JOURNAL_SUFFIX}"
        found = (entry.key for entry in self.root.scan(run) if entry.name.endswith(suffix) and not entry.is_dir)
        return next((self._load(run, writer, key, cut=False) for key in found), None)

    def reload(self, run: str, writer: str) -> Place | None:
        """Return what `find` does, from the file even if the writer is known."""
        self.drop(writer)
        return self.find(run, writer)

    def known(self, writer: str) -> Place | None:
        """Return the place of a writer that was asked for before."""
        return self._places.get(writer)

    def add(self, run: str, writer: str, name: str) -> Place:
        """Return a new place for a journal called `name`; the file is made when bytes come."""
        place = self._places[writer] = Place(run, writer, f"{run}/{name}")
        return place

    def drop(self, writer: str) -> None:
        """Forget a writer; it is looked for again when asked."""
        place = self._places.pop(writer, None)
        if place is not None:
            self._close(place.key)

    def drop_below(self, key: str) -> None:
        """Forget all writers whose journals lie at or below `key`, because it was moved or removed."""
        for writer, place in list(self._places.items()):
            if not key or keys.in_scope(place.key, f"{key}/**"):
                self.drop(writer)

    def write(self, place: Place, data: bytes, at: int) -> None:
        """Put `data` at offset `at` of the journal, unsynced; the magic goes before the first bytes. Raises `OSError`."""
        fd = self._descriptor(place.key)
        if at == len(frames.MAGIC):
            data, at = frames.MAGIC + data, 0
        write_all(fd, data, at)

    def is_linked(self, place: Place) -> bool:
        """Tell whether the file is still the one that we wrote (it may have been removed, or sealed)."""
        fd = self._open.get(place.key)
        found = self.root.stat(place.key) if fd is None else os.fstat(fd)
        return found is not None and found.st_nlink > 0 and (fd is not None or found.st_size == place.end)

    def cut(self, place: Place) -> None:
        """Cut the file back to what is ours after a failed write."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor(place.key), place.end if place.end > len(frames.MAGIC) else 0)

    def close(self) -> None:
        """Close all files."""
        for key in list(self._open):
            self._close(key)

    def _descriptor(self, key: str) -> int:
        fd = self._open.get(key)
        if fd is not None:
            self._open.move_to_end(key)
            return fd
        while len(self._open) >= OPEN_FILES:
            self._close(next(iter(self._open)))
        fd = self._open[key] = self.root.open_update(key)
        return fd

    def _close(self, key: str) -> None:
        fd = self._open.pop(key, None)
        if fd is not None:
            os.close(fd)

    def _load(self, run: str, writer: str, key: str, *, cut: bool = True) -> Place:
        place = Place(run, writer, key)
        with self.root.open_read(key) as file:
            size = os.fstat(file.fileno()).st_size
            found = _newest_mark(file.fileno(), size, writer)
        if found:
            mark, last, end = found
            place.commit(mark, last, end, ended=False)
            if end < size and cut:
                os.ftruncate(self._descriptor(key), end)
        elif size > len(frames.MAGIC):
            place.end = size  # frames without any mark came from elsewhere: they are kept, and ours follow
        place.reset()
        return place


def _newest_mark(fd: int, size: int, writer: str) -> tuple[Mark, int, int] | None:
    """Return the last mark of `writer`, its sequence, and where it ends; looks at the end of the file first."""
    for tail in _TAILS:
        start = max(len(frames.MAGIC), size - tail)
        found = _last_mark(os.pread(fd, max(0, size - start), start), writer)
        if found:
            return found[0], found[1], start + found[2]
        if start == len(frames.MAGIC):
            break
    return None


def _last_mark(data: bytes, writer: str) -> tuple[Mark, int, int] | None:
    found = None
    for item in frames.Scanner(data):
        if isinstance(item, frames.Frame) and len(item.payload) < 4096:
            message = decoded(item)
            if isinstance(message, Mark) and message.writer == writer:
                found = message, item.sequence, item.offset + frames.HEAD_SIZE + len(item.payload)
    return found


def decoded(frame: frames.Frame) -> messages.Message | None:
    """Return the message in a frame, or None if it is none or of a newer kind."""
    try:
        return messages.decode(frame.payload)
    except ValueError:
        return None


def write_all(fd: int, data: bytes, at: int) -> None:
    """Write `data` at offset `at`, however many calls it takes. Raises `OSError`."""
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, at)
        view, at = view[done:], at + done


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def create_run(root: SafeRoot, header: Header) -> str:
    """Create run.json from the first header of a run; returns the run's uuid, an older one if it was there."""
    key = f"{header.run}/{keys.RUN_FILE}"
    content = {
        "uuid": header.run_uuid or uuid.uuid4().hex,
        "key": header.run,
        "created": header.created,
        "host": header.host,
        "pid": header.pid,
        "version": header.version,
        **_origin(header.origin),
    }
    if not root.exists(key) and root.link_once(key, msgspec.json.format(msgspec.json.encode(content), indent=1)):
        return content["uuid"]
    try:
        return str(msgspec.json.decode(root.read_bytes(key), type=dict[str, Any])["uuid"])
    except (NotFoundError, msgspec.DecodeError, KeyError):
        return header.run_uuid


def _origin(told: dict[str, Any]) -> dict[str, Any]:
    """Return what a client may say of the place a run came from; what has another form is left out."""
    found: dict[str, Any] = {name: told[name][:_LONGEST_TEXT] for name in ("user", "python", "platform") if isinstance(told.get(name), str)}
    command = told.get("command")
    if isinstance(command, list) and all(isinstance(part, str) for part in command):
        found["command"] = [part[:_LONGEST_TEXT] for part in command[:64]]
    return found


def decide_attempt(root: SafeRoot, header: Header) -> int:
    """Return the attempt of a new writer: that of its launch, else the newest one while a writer of it is alive, else the next."""
    others = [(entry, found) for entry in root.scan(header.run) if (found := read_header(root, entry)) and found.writer != header.writer]
    same = [found.attempt or 0 for _, found in others if header.launch and found.launch == header.launch]
    if same or not others:
        return max(same, default=0)
    newest = max(found.attempt or 0 for _, found in others)
    running = any(found.attempt == newest and _is_alive(root, entry, header) for entry, found in others)
    return newest if running else newest + 1


def read_header(root: SafeRoot, entry: Entry) -> Header | None:
    """Return the header of a journal, or None if the entry is none or its header is damaged."""
    if entry.is_dir or not entry.name.endswith(keys.JOURNAL_SUFFIX):
        return None
    try:
        with root.open_read(entry.key) as file:
            head = file.read(1 << 16)
    except NotFoundError:
        return None
    first = next(iter(frames.Scanner(head, len(frames.MAGIC))), None)
    message = decoded(first) if isinstance(first, frames.Frame) else None
    return message if isinstance(message, Header) else None


def _is_alive(root: SafeRoot, entry: Entry, header: Header) -> bool:
    """Tell whether a writer went on until about when the new one began, and did not say that it ended."""
    if entry.modified < header.created - _ALIVE_S:
        return False
    with root.open_read(entry.key) as file:
        file.seek(max(len(frames.MAGIC), entry.size - (1 << 12)))
        tail = file.read()
    return not any(isinstance(item, frames.Frame) and isinstance(decoded(item), End) for item in frames.Scanner(tail))
