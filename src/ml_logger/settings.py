"""Settings from the environment, read in one place; knows no default root and opens nothing but says where things are.

This is the only file that reads `os.environ`. Values are read when asked, never at import.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ml_logger.errors import SettingsError

CHILD_RUN = "_ML_LOGGER_CHILD_RUN"
"""Exported by a process that logs, honoured only in its `multiprocessing` children (walls: run identity)."""


_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][\w.-]*):\d{1,5}(/.*)?")


class Settings(NamedTuple):
    """What the environment says; None where it says nothing."""

    root: str | None
    user: str
    prefix: str | None
    token: str | None
    spool: str | None
    exit_timeout: float | None
    allow_plaintext: bool
    child_run: str | None
    launch: str
    rank: int
    color: bool | None = None
    """True with FORCE_COLOR, False with NO_COLOR, else None: colours on a terminal only."""
    token_source: str = ""
    """Where the token came from, in words; messages name this and never the token."""


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; raises `SettingsError` that names the variable for a value that can't be used."""
    token_name = next((name for name in ("ML_LOGGER_TOKEN", "ML_LOGGER_ACCESS_TOKEN") if environ.get(name)), "")
    return Settings(
        root=checked_root(environ.get("ML_LOGGER_ROOT") or "", "ML_LOGGER_ROOT") or None,
        user=environ.get("ML_LOGGER_USER") or _user(environ),
        prefix=environ.get("ML_LOGGER_PREFIX") or None,
        token=environ.get(token_name) or None,
        spool=environ.get("ML_LOGGER_SPOOL") or None,
        exit_timeout=_seconds(environ, "ML_LOGGER_EXIT_TIMEOUT"),
        allow_plaintext=environ.get("ML_LOGGER_ALLOW_PLAINTEXT", "") not in ("", "0"),
        child_run=environ.get(CHILD_RUN) or None,
        launch=_launch(environ),
        rank=_rank(environ),
        color=True if environ.get("FORCE_COLOR") else False if environ.get("NO_COLOR") else None,
        token_source=token_name and f"the variable {token_name}, which goes before a login",
    )


def checked_root(text: str, setting: str = "root") -> str:
    """Return `text`; raises `SettingsError` for `host:port` where no such directory exists: it would silently become one."""
    if _HOST_PORT.fullmatch(text) and not os.path.exists(text):
        raise SettingsError(setting, text, f"did you mean http://{text}? (./{text} is the directory)")
    return text


def _user(environ: Mapping[str, str]) -> str:
    for name in ("USER", "LOGNAME", "USERNAME"):
        if environ.get(name):
            return environ[name]
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "user"


def _seconds(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise SettingsError(name, text, "must be a number of seconds ≥ 0")
    return value


def _launch(environ: Mapping[str, str]) -> str:
    """Name the launch that all ranks share: torchrun's run id, SLURM's or MPI's job and restart."""
    if environ.get("TORCHELASTIC_RUN_ID"):
        restart = environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        return f"torchrun-{environ['TORCHELASTIC_RUN_ID']}-{environ.get('MASTER_PORT', '')}-{restart}"
    if environ.get("SLURM_JOB_ID") and environ.get("SLURM_PROCID") is not None:
        task = environ.get("SLURM_ARRAY_TASK_ID", "")
        return f"slurm-{environ['SLURM_JOB_ID']}-{task}-{environ.get('SLURM_RESTART_COUNT', '0')}"
    for name in ("OMPI_MCA_orte_hnp_uri", "PMIX_NAMESPACE", "PMI_JOBID"):
        if environ.get(name):
            return f"mpi-{environ[name]}"
    return ""


def _rank(environ: Mapping[str, str]) -> int:
    for name in ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK"):
        if environ.get(name, "").isdigit():
            return int(environ[name])
    return 0


def export_child_run(value: str) -> None:
    """Let `multiprocessing` children of this process find its run."""
    os.environ[CHILD_RUN] = value


def forget_child_run() -> None:
    """Take the variable away in a process that it does not concern, so that its own children don't follow it."""
    os.environ.pop(CHILD_RUN, None)


def variable(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the value of a variable that a user named with ``$NAME``, or None."""
    return environ.get(name)


def allows_plain_buckets(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether buckets may be reached over plain http, as the clouds' own variables say."""
    return any(environ.get(name, "").lower() in ("1", "true", "yes") for name in ("AWS_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP"))


def config_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of keys and tokens: `$XDG_CONFIG_HOME/ml_logger`, not created here."""
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "ml_logger"


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's cache directory for spools and indexes, not created here."""
    if sys.platform == "darwin" and not environ.get("XDG_CACHE_HOME"):
        return Path.home() / "Library" / "Caches" / "ml_logger"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ml_logger"


def temp_dirs(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the places for a spool after the configured one and the cache, in order of preference."""
    uid = os.getuid() if hasattr(os, "getuid") else 0
    listed = [Path(environ[name]) for name in ("TMPDIR",) if environ.get(name)]
    return [*listed, Path(f"/var/tmp/ml-logger-{uid}"), Path("/dev/shm")]  # noqa: S108 - walls: the spool's order
