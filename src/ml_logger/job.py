"""Jobs as earlier releases had them: `RUN` names a run, `instr` turns a function into a logged job. Knows no scheduler."""

from __future__ import annotations

import datetime as dt
import inspect
import itertools
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_logger import settings
from ml_logger.errors import NotFoundError
from ml_logger.logger import ML_Logger

_counter = itertools.count(1)
_ENDED = ("completed", "errored")


class RUN:
    """Names of the job that `instr` makes; change the class attributes, in one place of a script."""

    server: str | None = None
    username: str | None = None
    project: str = Path.cwd().name
    prefix: str = "{username}/{project}/{now:%Y/%m-%d}/{file_stem}/{job_name}"
    job_name: str = "{now:%H.%M.%S}/{job_counter}"
    job_counter: int = 0
    now: dt.datetime | None = None
    readme: str | None = None
    script_root: str = ""
    resume: bool = True
    debug: bool = False

    @classmethod
    def path_of(cls, file: str, *, count: bool = True) -> str:
        """Return the prefix of a job in the script `file`, with everything filled in; counts the jobs."""
        cls.job_counter = next(_counter) if count else cls.job_counter
        fields: dict[str, Any] = {
            "username": cls.username or settings.read().user,
            "project": cls.project,
            "now": cls.now or dt.datetime.now(),  # noqa: DTZ005 - the user's own clock names his runs
            "file_stem": Path(file).stem,
            "job_counter": cls.job_counter,
        }
        fields["job_name"] = cls.job_name.format(**fields)
        return cls.prefix.format(**fields)


def instr(
    fn: Callable[..., Any],
    *args: Any,
    __file: str | None = None,
    __create_job: bool = True,
    __count: bool = True,
    __diff: bool = True,
    __silent: bool = False,
    **kwargs: Any,
) -> Callable[..., Any]:
    """Return a job without arguments that runs `fn(*args, **kwargs)`, logged from start to end.

    Now: the run is configured and, with `__create_job`, the script, git revision and diff, arguments and `RUN.readme` are kept, and
    the job is `created`. When called: `started`, then `completed`, or `traceback.err` and `errored`, and the error goes on.
    """
    file = __file or inspect.getsourcefile(fn) or "script"
    logger = _shared_logger()
    prefix = RUN.path_of(file, count=__count)
    logger.configure(prefix, root=RUN.server, silent=__silent)
    if __create_job:
        _create(logger, file, {"fn": logger.fn_info(fn), "args": list(args), "kwargs": kwargs}, diff=__diff)

    def job(*more: Any, **others: Any) -> Any:
        logger.configure(prefix, root=RUN.server, silent=True)
        logger.job_started()
        try:
            result = fn(*args, *more, **{**kwargs, **others})
        except BaseException:
            logger.log_text(traceback.format_exc(), "traceback.err")
            logger.job_errored()
            logger.flush()
            raise
        logger.job_completed()
        logger.flush()
        return result

    return job


def _create(logger: ML_Logger, file: str, about: dict[str, Any], *, diff: bool) -> None:
    """Keep what a job is made of."""
    if os.path.isfile(file):
        logger.upload_file(file)
    logger.job_created(revision=logger.rev_info(), **about)
    if diff:
        logger.diff()
    if RUN.readme:
        logger.log_text(RUN.readme, "README.md", overwrite=True)


def _shared_logger() -> ML_Logger:
    import ml_logger

    return ml_logger.logger


def is_stale(prefix: str, stale_limit: float = 5, logger: ML_Logger | None = None) -> bool:
    """Tell whether the run `prefix` has not ended and was silent for `stale_limit` minutes; raises `NotFoundError`."""
    from ml_logger.queries import GetRun

    found = (logger or _shared_logger()).session.ask(GetRun(prefix.lstrip("/"))).row
    if found is None:
        raise NotFoundError(f"run {prefix}")
    age = dt.datetime.now(dt.timezone.utc).timestamp() - found.updated
    return found.status not in _ENDED and age > 60 * stale_limit


def needs_relaunch(prefix: str, stale_limit: float = 5, logger: ML_Logger | None = None) -> bool:
    """Tell whether a job should be started again: there is no run, it ended badly, or it is stale."""
    from ml_logger.queries import GetRun

    try:
        found = (logger or _shared_logger()).session.ask(GetRun(prefix.lstrip("/"))).row
        return found is None or found.status in ("errored", "lost") or is_stale(prefix, stale_limit, logger)
    except NotFoundError:
        return True


def memoize(function: Callable[..., Any], cache_dir: str = ".cache") -> Callable[..., Any]:
    """Return `function` with its results kept on this machine: `logger.memoize`."""
    return _shared_logger().memoize(function, cache_dir)
