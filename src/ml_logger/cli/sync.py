"""`ml-logger sync`: delivers at once what processes of this user left in the spool. Knows no command line."""

from __future__ import annotations

import time

from ml_logger import settings
from ml_logger.bucket import carry
from ml_logger.bucket.mirror import Mirror, unsettled
from ml_logger.client import bring_back, spool
from ml_logger.client.bucket_road import BucketRoad
from ml_logger.client.carrier import Carrier
from ml_logger.client.journal_file import is_alive
from ml_logger.client.roads import Road, WireRoad
from ml_logger.client.wire import Wire
from ml_logger.console import say
from ml_logger.elsewhere import is_bucket
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
    for name in unsettled(env.spool):
        if root in (None, name):
            waiting.setdefault(name, [])
    left = 0
    for name, slots in waiting.items():
        try:
            left += _delivered(name, slots, env, timeout)
        except MlLoggerError as error:  # noqa: PERF203 - one root that cannot be reached never stops the others
            say(f"{name}: {error}")
            left += max(1, len(slots))
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


def _delivered(root: str, slots: list[spool.Slot], env: settings.Settings, timeout: float) -> int:
    """Deliver the journals of one root; returns how many are left."""
    if is_bucket(root):
        return _to_bucket(root, slots, env, timeout)
    if root.startswith(("http://", "https://")):
        return _carried(WireRoad(Wire(root, env)), slots, env, timeout)
    return bring_back.bring_back(root, slots)


def _to_bucket(root: str, slots: list[spool.Slot], env: settings.Settings, timeout: float) -> int:
    """Deliver the journals of a bucket, and files that were saved without one."""
    mirror = Mirror(root, env.spool)
    left = _carried(BucketRoad(mirror), slots, env, timeout)
    if (count := carry.waiting(mirror)[0]) and not left:
        say(f"{root}: {count} files wait")
        carry.settle(mirror)
    return left


def _carried(road: Road, slots: list[spool.Slot], env: settings.Settings, timeout: float) -> int:
    """Deliver journals by `road`; returns how many are left."""
    carrier = Carrier(road, env.spool)
    mine = [slot for slot in slots if carrier.adopt(slot)]
    if not mine:
        if slots:
            say(f"{road.root}: nothing is left that another process does not deliver already")
        return 0
    say(f"{road.root}: {len(mine)} {'journal waits' if len(mine) == 1 else 'journals wait'}")
    left = carrier.deliver_all(time.monotonic() + timeout)
    say(f"{road.root}: {len(mine) - left} delivered, {left} left")
    return left


def _is_in_use(slot: spool.Slot) -> bool:
    journal = slot.journal()
    return journal is not None and is_alive(journal)
