"""`ml-logger …`: finds the command, runs it, turns errors into one line and an exit status. Knows no command's insides.

Exit statuses: 0 done · 1 not done (not found, damaged, no answer) · 2 asked wrongly · 130 interrupted · 141 nobody reads on.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from ml_logger.elsewhere import is_bucket
from ml_logger.errors import MissingExtraError, MlLoggerError, StoreLockedError, UsageError

COMMANDS: dict[str, dict[str, str]] = {
    "look": {
        "serve": "show a directory of runs in the browser, and take in what others log",
        "open": "open the dashboard of a server that runs",
        "ls": "list runs: all, or those that match a query",
        "cat": "print the rows of a run as JSON lines, or a file",
        "export": "write a run as jsonl, csv, pkl or parquet",
        "du": "show how much room runs take",
    },
    "change": {
        "rm": "move runs or files to the trash (kept for seven days)",
        "mv": "rename a run, a folder or a file",
        "cp": "copy a run, a folder or a file",
        "gc": "delete for good what is old in the trash, and leftovers",
        "seal": "make the journals of finished runs small (nothing is lost)",
        "render": "write parameters.pkl and outputs.log again from the journals",
    },
    "keep": {
        "sync": "deliver what waits in this machine's spool",
        "fsck": "check journals for damage (--repair mends them)",
        "backup": "write a root into one file, while it is in use",
        "restore": "make a root from such a file",
        "upload": "send files to a root",
        "download": "fetch files from a root",
    },
    "let in": {
        "login": "keep the token of a server on another machine",
        "token": "mint, list and revoke tokens, rotate keys",
    },
}
_MODULES = {
    "cat": "export", "sync": "deliver", "mv": "rm", "cp": "rm", "restore": "backup", "open": "enter", "login": "enter",
    "upload": "transfer", "download": "transfer",
}  # fmt: skip
EXAMPLES = """examples:
  ml-logger ./runs                    the dashboard of ./runs, at an address that it prints
  ml-logger ls 'lr < 0.1 sort:loss'   the best runs with a small learning rate
  ml-logger export alice/mnist/1 --format csv > mnist.csv
  ml-logger COMMAND --help            all about one command"""


_NOBODY_READS = 141
"""The exit status that a shell expects of a program whose output nobody reads on."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message}\n({self.prog} --help shows what it understands)\n")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its status."""
    given = list(sys.argv[1:] if argv is None else argv)
    status = _guarded(given)
    if given[:1] == ["serve"] or _is_place(given):
        from ml_logger.server.serving import leave

        leave(status)
    sys.exit(status)


def _guarded(given: list[str]) -> int:
    try:
        status = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; the signal stays ignored: a client that hangs up would end a server with it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NOBODY_READS
    except (UsageError, StoreLockedError, MissingExtraError) as error:
        print(f"ml-logger: {error}", file=sys.stderr)
        return 2
    except MlLoggerError as error:
        print(f"ml-logger: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"ml-logger: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _run(given: list[str]) -> int:
    if not given or given[0] in ("-h", "--help", "help"):
        print(help_text())
        return 0
    if given[0] in ("-V", "--version"):
        print(f"ml-logger {version('ml-logger')}")
        return 0
    if given[0] in _names():
        return run_command(given[0], given[1:])
    if _is_place(given):
        return run_command("serve", [*given, "--or-open"])
    near = difflib.get_close_matches(given[0], _names(), 1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    raise UsageError(f"{given[0]!r} is neither a command nor a directory{hint} (ml-logger --help lists the commands)")


def _is_place(given: list[str]) -> bool:
    """Tell whether the line is the short form `ml-logger DIR`."""
    return bool(given) and given[0] not in _names() and not given[0].startswith("-") and (os.path.isdir(given[0]) or is_bucket(given[0]))


def run_command(name: str, rest: list[str]) -> int:
    """Run one command; its module has `flags(parser, name)` and `run(arguments)`."""
    module = importlib.import_module(f"ml_logger.cli.{_MODULES.get(name, name)}")
    parser = Parser(f"ml-logger {name}", description=f"{_summary(name)[0].upper()}{_summary(name)[1:]}.", allow_abbrev=False)
    module.flags(parser, name)
    return int(module.run(parser.parse_args(rest)))


def help_text() -> str:
    """Return what `ml-logger --help` prints."""
    lines = ["usage: ml-logger DIR            the dashboard of a directory", "       ml-logger COMMAND …", ""]
    for group, commands in COMMANDS.items():
        lines.append(f"{group}:")
        lines += [f"  {name:<10}{summary}" for name, summary in commands.items()]
    roots = "Where runs are: --root, else $ML_LOGGER_ROOT, else ./runs; a directory, or the address of a server or bucket."
    return "\n".join([*lines, "", roots, "", EXAMPLES])


def _names() -> list[str]:
    return [name for commands in COMMANDS.values() for name in commands]


def _summary(name: str) -> str:
    return next(commands[name] for commands in COMMANDS.values() if name in commands)


if __name__ == "__main__":
    main()
