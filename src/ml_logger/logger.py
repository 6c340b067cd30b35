"""The public object: a table of contents over the families of methods, and where it logs to. Has no logic of its own to speak of."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import secrets
import shlex
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ml_logger import settings
from ml_logger.client.directory import DirectoryDestination
from ml_logger.client.plain_rows import PlainRows
from ml_logger.console import say
from ml_logger.errors import SettingsError
from ml_logger.methods.alerts import AlertMethods
from ml_logger.methods.arguments import names_wrong_arguments
from ml_logger.methods.base import as_name
from ml_logger.methods.buckets import BucketMethods
from ml_logger.methods.capture import CaptureMethods
from ml_logger.methods.checkpoints import CheckpointMethods
from ml_logger.methods.data import DataMethods
from ml_logger.methods.files import FileMethods
from ml_logger.methods.lifecycle import LifecycleMethods
from ml_logger.methods.media import MediaMethods
from ml_logger.methods.metrics import MetricMethods
from ml_logger.methods.params import ParamMethods
from ml_logger.methods.provenance import ProvenanceMethods
from ml_logger.methods.text import TextMethods
from ml_logger.methods.timing import TimingMethods
from ml_logger.records import METRICS_TABLE
from ml_logger.session import Place, Session

DEFAULT_ROOT = "./runs"
DEFAULT_PREFIX = "{user}/{project}/{now:%Y/%m-%d}/{name}"

LAUNCH_PREFIX = "{user}/{project}/{launch}"
"""The same for all ranks of a launch, and for a requeue of it."""

_ADJECTIVES = "amber brisk calm lunar mossy polar quiet vivid bold clear dusty eager fresh gentle humble keen"
_NOUNS = "otter cedar delta quartz heron maple comet fjord ember grove pebble raven sage tundra willow zephyr"


@names_wrong_arguments
class ML_Logger(  # noqa: N801 - the README's name
    MetricMethods,
    ParamMethods,
    TextMethods,
    TimingMethods,
    DataMethods,
    FileMethods,
    MediaMethods,
    CheckpointMethods,
    BucketMethods,
    CaptureMethods,
    AlertMethods,
    ProvenanceMethods,
    LifecycleMethods,
):
    """Log to a directory or to a server with the same calls; see `configure` for where."""

    __slots__ = ("__dict__", "__weakref__")

    metric_filename = METRICS_TABLE
    log_filename = "outputs.log"

    def __init__(self, prefix: str | None = "", *prefixae: str, **options: Any) -> None:
        """Log below `prefix`; takes what `configure` takes, and is silent about it."""
        options.setdefault("silent", True)
        self.configure(prefix, *prefixae, **options)

    def configure(
        self,
        prefix: str | None = None,
        *prefixae: str,
        root: str | os.PathLike[str] | None = None,
        user: str | None = None,
        access_token: str | None = None,
        asynchronous: bool | None = None,
        silent: bool = False,
        summary_cache_opts: dict[str, Any] | None = None,
        metrics_pkl: bool = False,
        system_metrics: bool | float = False,
        capture_output: bool | str = False,
        **aliases: Any,
    ) -> ML_Logger:
        """Start a run (or, with the key of an existing one, a new attempt of it) and say where its data goes.

        The first positional is the root if it is absolute, `file://`, `http(s)://`, `s3://` or `gs://`; all others are parts of the
        prefix, with `{user}`, `{now:%Y-%m-%d}` and `$NAME` filled in. `root_dir`, `log_directory`, `log_dir` and `data_dir`
        are other names of `root`. With `asynchronous=False` every call waits until the server has it. `metrics_pkl=True` keeps a real
        `metrics.pkl` in a directory (there is always one to read through ml-logger).

        `system_metrics=True` logs what the machine does every 10 s (or every so many seconds), `capture_output=True` keeps stdout and
        stderr in `outputs.log` (or in the file that it names); both until the run ends.
        """
        root, prefixae = _root_of(prefix, prefixae, root, aliases)
        env = settings.read()
        env = env._replace(user=user or env.user)
        if access_token:
            env = env._replace(token=access_token, token_source="the argument access_token")  # noqa: S106 - words
        inherited = None if root or prefixae else inherited_run(env)
        chosen_root = str(root or (inherited or {}).get("root") or self._old_root() or env.root or DEFAULT_ROOT)
        key = join_prefix(prefixae, env) if prefixae else (inherited or {}).get("run") or self._default_key(prefix, env)
        old = getattr(self, "session", None)
        self.session = session = Session(expand_root(chosen_root), key, env=env)
        session.asynchronous = asynchronous is not False
        if metrics_pkl and isinstance(session.destination, DirectoryDestination):
            session.plain_rows = PlainRows(session.destination.files, key)
        session.attempt = (inherited or {}).get("attempt")
        session.state["summary_cache_opts"] = summary_cache_opts or {}
        if summary_cache_opts:
            self._cache()  # says now what is wrong with them
        if old is not None:
            old.close()
        if not silent:
            self._say_where()
        self._start_captures(system_metrics, capture_output)
        return self

    def _start_captures(self, system_metrics: bool | float, capture_output: bool | str) -> None:
        if system_metrics:
            self.start_system_metrics(*([] if system_metrics is True else [system_metrics]))
        if capture_output:
            self.start_capture(*([] if capture_output is True else [capture_output]))

    def _old_root(self) -> str | None:
        old = getattr(self, "session", None)
        return old.root if old is not None else None

    def _default_key(self, prefix: str | None, env: settings.Settings) -> str:
        old = getattr(self, "session", None)
        if prefix == "":
            return ""
        if old is not None:
            return old.run
        return join_prefix((env.prefix or (LAUNCH_PREFIX if env.launch else DEFAULT_PREFIX),), env)

    def _say_where(self) -> None:
        session = self.session
        server = session.root.startswith("http")
        look = self.get_dash_url() if server else _look_command(session.root)
        lines = ["✓ created a new logging client", f"Dashboard: {look}", f"Log_directory: {session.root}"]
        session.printer.text("\n".join(lines) + "\n")

    # ── places ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def root(self) -> str:
        """The root: a path or an http address."""
        return self.session.root

    @property
    def prefix(self) -> str:
        """The current prefix: the run's key, or a path below it inside `Prefix`."""
        return self.session.place.prefix

    @contextlib.contextmanager
    def Prefix(self, *parts: str, metrics: str | bool | None = None, sep: str = "/") -> Iterator[ML_Logger]:  # noqa: N802
        """Let names start at a sub-path inside the block (`..` goes up, `/x` starts at the root), in this thread or task only.

        `metrics="eval"` puts `eval/` before the names of metrics; `metrics=False` takes such a name away.
        """
        place = self.session.place
        name = place.metrics if metrics is None else f"{str(metrics).removesuffix(sep)}{sep}" if metrics else ""
        with self.session.placed(Place(self.session.key(*map(as_name, parts)) if any(parts) else place.prefix, name)):
            yield self

    PrefixContext = Prefix

    @contextlib.contextmanager
    def Sync(self, clean: bool = False, **_: Any) -> Iterator[ML_Logger]:  # noqa: N802 - the README's name
        """Inside the block every call waits until its record is acknowledged."""
        del clean
        session = self.session
        before, session.asynchronous = session.asynchronous, False
        try:
            yield self
        finally:
            session.asynchronous = before

    SyncContext = Sync

    @contextlib.contextmanager
    def Async(self, clean: bool = False, **_: Any) -> Iterator[ML_Logger]:  # noqa: N802 - the README's name
        """Inside the block no call waits."""
        del clean
        session = self.session
        before, session.asynchronous = session.asynchronous, True
        try:
            yield self
        finally:
            session.asynchronous = before

    AsyncContext = Async

    def abspath(self, *parts: str) -> str:
        """Return the path below the root that `parts` name, with a leading slash."""
        return "/" + self.session.key(*parts)

    def get_dash_url(self, path: str | None = None) -> str:
        """Return the address of this run (or of `path` in it) in the dashboard."""
        key = self.session.key(path) if path else self.prefix
        base = _address(self.root) if self.root.startswith("http") else "http://localhost:8081"
        return f"{base.rstrip('/').replace('0.0.0.0', 'localhost')}/r/{quote(key, safe=_IN_ADDRESSES)}"  # noqa: S104 - read, not bound

    @staticmethod
    def truncate(path: str, depth: int = -1) -> str:
        """Return the last parts of `path`: `truncate("a/b/c", -2)` is `b/c`."""
        return "/".join(path.split("/")[depth:])

    @staticmethod
    def stem(path: str) -> str:
        """Return `path` without its extension."""
        return os.path.splitext(path)[0]

    # ── the object ───────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> dict[str, Any]:
        """Return counters: accepted, journaled, acked, dropped, duplicates (records), spool_bytes, state."""
        return self.session.status()

    def close(self) -> None:
        """End the run's rows and its journal, and deliver what is left, within the exit timeout."""
        self.session.close()

    def clone(self) -> ML_Logger:
        """Return another logger with the same root and prefix, and a journal of its own; so do `copy`, `deepcopy` and `pickle`."""
        return _again(self.root, self.session.run, self.session.launch, asynchronous=self.session.asynchronous)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let what holds a logger be copied, and sent to another process, which logs to the same run as a writer of its own."""
        return partial(_again, asynchronous=self.session.asynchronous), (self.root, self.session.run, self.session.launch)

    def __enter__(self) -> ML_Logger:
        """Return the logger."""
        return self

    def __exit__(self, *_: object) -> None:
        """End open rows."""
        self.flush()

    def __repr__(self) -> str:
        """Show root and prefix."""
        return f'ML_Logger(root="{self.root}", prefix="{self.prefix}")'

    def __str__(self) -> str:
        """Say where the data goes."""
        return f"logging data to {'/'.join(part for part in (_address(self.root).rstrip('/'), self.prefix) if part)}"


def _again(root: str, run: str, launch: str, *, asynchronous: bool) -> ML_Logger:
    """Return a logger to the same run: a further writer of the same attempt."""
    logger = ML_Logger(run, root=root, asynchronous=asynchronous)
    logger.session.launch = launch
    return logger


def _address(root: str) -> str:
    """Return the root as pages and people name it: a server's address without the fingerprint that pins its certificate."""
    return root.partition("#")[0] if root.startswith("http") else root


def _look_command(root: str) -> str:
    """Return the command that shows the directory or bucket `root`, to be pasted where the program was started."""
    if "://" in root:
        return f"ml-logger ls --root {shlex.quote(root)}"
    near = os.path.relpath(root)
    return f"ml-logger {shlex.quote(root if near.startswith('..') else near)}"


def default_logger() -> ML_Logger:
    """Return the logger of a process that configured none; it says on stderr where its data goes when it first writes."""
    logger = ML_Logger(None)
    session = logger.session
    if session.attempt is None:  # else a child of the process that has said it
        look = "" if session.root.startswith("http") else f"; look at it with: {_look_command(session.root)}"
        session.first_write = lambda: say(f"{logger}{look}")
    return logger


_IN_ADDRESSES = "/!$&'()*+,;=:@~"

_ROOT_ALIASES = ("root_dir", "log_directory", "log_dir", "logdir", "data_dir")
_IGNORED = ("buffer_size", "max_workers", "register_experiment")


def _root_of(prefix: str | None, prefixae: tuple[str, ...], root: Any, aliases: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Sort out which argument is the root, and which are parts of the prefix."""
    for name in _ROOT_ALIASES:
        root = aliases.pop(name, None) or root
    unknown = [name for name in aliases if name not in _IGNORED]
    if unknown:
        raise SettingsError(unknown[0], str(aliases[unknown[0]]), "configure has no such argument")
    if root is not None and not isinstance(root, (str, os.PathLike)):
        raise SettingsError("root", repr(root), f"must be a path or an address, not {type(root).__name__}")
    parts = tuple(str(part) for part in (prefix, *prefixae) if part not in (None, ""))
    if parts and (parts[0].startswith("/") or "://" in parts[0]):
        root, parts = root or parts[0], parts[1:] if not root else (parts[0].lstrip("/"), *parts[1:])
    return root, parts


def expand_root(root: str) -> str:
    """Return `root` with `$NAME` and `~` filled in; a relative path becomes absolute; 0.0.0.0 means this machine."""
    if root.startswith("$"):
        root = settings.variable(root[1:]) or root
    settings.checked_root(root)
    if root.startswith(("http://", "https://")):
        return (root.rstrip("/") if urlsplit(root).netloc else root).replace("://0.0.0.0", "://127.0.0.1")
    if "://" in root and not root.startswith("file://"):
        return root if root.endswith("://") else root.rstrip("/")
    return str(Path(root.removeprefix("file://")).expanduser().absolute())


def join_prefix(parts: tuple[str, ...], env: settings.Settings) -> str:
    """Join parts of a prefix; `$NAME` (if it is set), `{user}`, `{USER}`, `{project}`, `{now:…}` and `{name}` filled in."""
    words = [_VARIABLE.sub(lambda found: settings.variable(found[1]) or "", part).strip("/") for part in parts]
    return "/".join(_fill(word, env) for word in words if word)


_VARIABLE = re.compile(r"^\$([A-Za-z_]\w*)(?=/|$)")


def _fill(text: str, env: settings.Settings) -> str:
    if "{" not in text:
        return text
    now = dt.datetime.now()  # noqa: DTZ005 - the user's own clock names his runs
    fields = {
        "user": env.user,
        "USER": env.user,
        "now": now,
        "project": Path.cwd().name or "project",
        "name": readable_name(now),
        "launch": launch_name(env.launch, now),
    }
    try:
        return text.format(**fields)
    except (KeyError, IndexError, ValueError):
        return text


def launch_name(launch: str, now: dt.datetime) -> str:
    """Return a name that all ranks of a launch agree on, and its restarts too; `launch` ends in the number of the restart."""
    name = launch.rpartition("-")[0] if launch.startswith(("torchrun-", "slurm-")) else launch
    if name.startswith("torchrun-none-"):  # torchrun was given no id: its agent's process tells launches apart
        name = f"torchrun-{now:%Y%m%d}-{os.getppid()}"
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("-_.") or "launch"


def readable_name(now: dt.datetime) -> str:
    """Return a name that is unique enough to be a run's, and can be said aloud: `14.03.22-calm-otter-481`."""
    return f"{now:%H.%M.%S}-{secrets.choice(_ADJECTIVES.split())}-{secrets.choice(_NOUNS.split())}-{secrets.randbelow(1000):03d}"


def inherited_run(env: settings.Settings) -> dict[str, Any] | None:
    """Return the run of the parent process, in a child that `multiprocessing` started; else None."""
    if env.child_run is None:
        return None
    if not _is_child():
        settings.forget_child_run()
        return None
    try:
        found = json.loads(env.child_run)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_child() -> bool:
    """Tell whether `multiprocessing` started this process, also while it still imports the parent's main module."""
    process = sys.modules.get("multiprocessing.process")  # a child has imported it
    return process is not None and (process.parent_process() is not None or hasattr(process.current_process(), "_inheriting"))
