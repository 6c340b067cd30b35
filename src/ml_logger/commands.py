"""What can be changed from the dashboard or the shell: the commands of `POST /v1/command`. Knows no store and no server.

They change what users keep beside runs (tags, notes, views: `.ml-logger/state`), move, copy and trash things, and send signals.
"""

from __future__ import annotations

from typing import Any, Union

from msgspec import Struct


class Command(Struct, tag_field="type"):
    """Base of all changes a user makes in the dashboard or the shell: `POST /v1/command`, answered by `Done`."""


class SetTags(Command, tag="set_tags"):
    """Add and remove tags of runs."""

    runs: list[str]
    add: list[str] = []
    remove: list[str] = []


class SetNotes(Command, tag="set_notes"):
    """Replace the notes (markdown) of a run; with `was`, only if they are still that: else `ConflictError`."""

    run: str
    text: str
    was: str | None = None


class SetArchived(Command, tag="set_archived"):
    """Hide runs from the default list, or show them again."""

    runs: list[str]
    archived: bool = True


class Trash(Command, tag="trash"):
    """Move runs, folders or files to the trash, where they can be restored for seven days."""

    paths: list[str]


class Restore(Command, tag="restore"):
    """Bring paths back from the trash."""

    paths: list[str]


class MoveTo(Command, tag="move"):
    """Rename a run, a folder or a file; the new name has to be free. Tags and notes go along."""

    path: str
    to: str


class CopyTo(Command, tag="copy"):
    """Copy a run, a folder or a file to a name that is free; with `older`, the version of a file that was overwritten last."""

    path: str
    to: str
    older: bool = False


class SendSignal(Command, tag="send_signal"):
    """Send `stop`, `checkpoint`, `set` … to a run; it sees it at its next `ping()`."""

    run: str
    name: str
    value: Any = None


class Save(Command, tag="save"):
    """Save a JSON value under (kind, name); None deletes it. With name "" a short name is made and returned.

    If `checked`, it is saved only where the value kept so far is still `was` (None: there is none): else `ConflictError`.
    """

    kind: str
    name: str
    value: Any
    prefix: str = ""
    checked: bool = False
    was: Any = None


class Done(Struct):
    """Answer to a command: how many things changed, and the name that was made, if any."""

    changed: int
    name: str = ""


AnyCommand = Union[SetTags, SetNotes, SetArchived, Trash, Restore, MoveTo, CopyTo, SendSignal, Save]  # noqa: UP007 - msgspec reads it at run time
