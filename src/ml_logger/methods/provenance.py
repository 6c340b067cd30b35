"""Where results come from: the git revision and its changes, the host, the scheduler's job. Runs git on this machine only."""

from __future__ import annotations

import socket
import subprocess

from ml_logger import settings
from ml_logger.methods.base import Methods
from ml_logger.records import Text


class ProvenanceMethods(Methods):
    """Code and machine."""

    __slots__ = ()

    def diff(self, diff_directory: str = ".", diff_filename: str = "index.diff", ref: str = "HEAD", verbose: bool = False) -> str | None:
        """Keep the difference of the working tree to `ref` in `diff_filename` and return it; None outside of a git repository."""
        text = _git(diff_directory, "diff", ref, "--binary")
        if text is None:
            return None
        self.session.emit(Text(text, self._key(diff_filename), overwrite=True))
        if verbose:
            self.session.printer.text(text)
        return text

    def rev_info(self) -> dict[str, str | None]:
        """Return {hash, branch} of the current directory's repository; None values outside of one."""
        return {"hash": self.__head__, "branch": self.__current_branch__}

    @staticmethod
    def git_rev(branch: str = "HEAD") -> str | None:
        """Return the hash that `branch` names, or None."""
        return _line(".", "rev-parse", "--verify", branch)

    @staticmethod
    def git_tags() -> list[str]:
        """Return the tags of the current commit."""
        return (_git(".", "tag", "--points-at", "HEAD") or "").split()

    @property
    def __head__(self) -> str | None:
        """The hash of the current commit."""
        return self.git_rev()

    @property
    def __current_branch__(self) -> str | None:
        """The current branch."""
        return _line(".", "rev-parse", "--abbrev-ref", "HEAD")

    @property
    def __tags__(self) -> list[str]:
        """The tags of the current commit."""
        return self.git_tags()

    @property
    def __status__(self) -> str | None:
        """What `git status --short` says."""
        return _git(".", "status", "--short")

    @property
    def hostname(self) -> str:
        """The full name of this host."""
        return socket.getfqdn()

    @property
    def slurm_job_id(self) -> str | None:
        """The id of the SLURM job, if this is one."""
        return settings.variable("SLURM_JOB_ID")

    @property
    def is_preempted(self) -> bool:
        """Tell whether SLURM restarted this job after a preemption."""
        return (settings.variable("SLURM_RESTART_COUNT") or "0") != "0"


def _git(folder: str, *arguments: str) -> str | None:
    """Return what git prints, or None if there is no git or no repository."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False, timeout=30)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _line(folder: str, *arguments: str) -> str | None:
    text = _git(folder, *arguments)
    return text.strip() or None if text is not None else None
