"""`ml-logger sync`: delivers at once what processes of this user left in the spool. Knows no command line."""

from __future__ import annotations

import time

from ml_logger import settings
from ml_logger.client import bring_back, spool
from ml_logger.client.carrier import Carrier
from ml_logger.client.journal_file import is_alive
from ml_logger.client.roads import WireRoad
from ml_logger.client.wire import Wire
from ml_logger.console import say
from ml_logger.errors import MlLoggerError


def sync(root: str | None = None, timeout: float = 600.0) -> int:
    """Deliver every journal that waits for `root` (for all roots if None); returns how many are still left: the exit status is 0 for 0.

    Journals of processes that are alive are left to them. Says on stderr what it did, and who delivers the rest.
    """
    env = settings.read()
    waiting: dict[str, list[spool.Slot]] = {}
    held: dict[str, list[spool.Slot]] = {}
    for slot in spool.leftovers(root, env.spool):
        (held if _is_in_use(slot) else waiting).setdefault(slot.about.root, []).append(slot)
    left = 0
    for name, slots in waiting.items():
        try:
            left += (
                _to_server(name, slots, env, timeout) if name.startswith(("http://", "https://")) else bring_back.bring_back(name, slots)
            )
        except MlLoggerError as error:  # noqa: PERF203 - one root that cannot be reached never stops the others
            say(f"{name}: {error}")
            left += len(slots)
    for name, slots in held.items():
        say(f"{name}: {_held(slots)}")
    if not waiting and not held:
        say("nothing is left to deliver")
    return left


def _held(slots: list[spool.Slot]) -> str:
    """Say which processes have these journals open."""
    owners = sorted({slot.maker for slot in slots})
    what = "1 journal is" if len(slots) == 1 else f"{len(slots)} journals are"
    who = f"process {owners[0]}" if len(owners) == 1 else f"processes {', '.join(map(str, owners))}"
    how = "delivers" if len(owners) == 1 else "deliver"
    return f"{what} held by {who}, which {how} {'it' if len(slots) == 1 else 'them'} {'itself' if len(owners) == 1 else 'themselves'}"


def _to_server(root: str, slots: list[spool.Slot], env: settings.Settings, timeout: float) -> int:
    """Deliver the journals of one server; returns how many are left."""
    carrier = Carrier(WireRoad(Wire(root, env)), env.spool)
    mine = [slot for slot in slots if carrier.adopt(slot)]
    if not mine:
        say(f"{root}: nothing is left that another process does not deliver already")
        return 0
    say(f"{root}: {len(mine)} {'journal waits' if len(mine) == 1 else 'journals wait'}")
    left = carrier.deliver_all(time.monotonic() + timeout)
    say(f"{root}: {len(mine) - left} delivered, {left} left")
    return left


def _is_in_use(slot: spool.Slot) -> bool:
    journal = slot.journal()
    return journal is not None and is_alive(journal)
