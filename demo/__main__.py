"""Run the sweep, show it in the dashboard while it trains, and check what came back; knows nothing of training.

DEMO_EXIT=1 ends with status 0 once all is read back and right. REMOTE=1 sends the sweep over HTTP, with the server
killed and started again in the middle. PORT=… chooses the port.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import ml_logger
from demo.plan import EPOCHS, GRID, run_key

DATA = Path(".demo/runs").resolve()
WORKERS = 2
console = Console()


def main() -> int:
    """Return 0 if every point, parameter and file of the sweep was read back."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    port, remote = free_port(int(os.environ.get("PORT", "8081"))), bool(os.environ.get("REMOTE"))
    with contextlib.ExitStack() as stack:
        server = Server(port)
        stack.callback(server.stop)
        console.print(f"\n  Dashboard: [bold cyan]{server.address}[/]", soft_wrap=True)
        console.print(f"  [dim]open it now and watch {len(GRID)} networks train: it takes 2 to 6 minutes[/]\n")
        root = f"http://127.0.0.1:{port}" if remote else str(DATA)
        failures = sweep(root, server if remote else None)
        failures += check()
        if failures:
            console.print("\n".join(f"[red]✗[/] {failure}" for failure in failures))
            return 1
        show_best()
        if not os.environ.get("DEMO_EXIT"):
            console.print("\n  The dashboard stays; [dim]Ctrl-C ends it[/]")
            console.print(f"  [bold cyan]{server.open_address()}[/]", soft_wrap=True)
            with contextlib.suppress(KeyboardInterrupt):
                server.process.wait()
    return 0


class Server:
    """The server as a user starts it: a process of its own."""

    def __init__(self, port: int) -> None:
        """Start it on `port` and wait until it is ready."""
        self.port = port
        self.log = (DATA.parent / "server.log").open("a")
        self.start()
        self.address = self.open_address()

    def start(self) -> None:
        """Start the process and wait for its readiness, at most 20 s."""
        command = [sys.executable, "-m", "ml_logger.server", "--data-dir", str(DATA), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while not is_ready(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start; its log is {self.log.name}")
            time.sleep(0.05)

    def open_address(self) -> str:
        """Return an address that signs the browser in, once."""
        command = [sys.executable, "-m", "ml_logger", "open", "--print", "--port", str(self.port)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[-1]

    def kill(self) -> None:
        """Take the process away without a word, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End the process politely."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.log.close()


def is_ready(port: int) -> bool:
    """Tell whether the server on `port` answers that it is ready."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
        sock.sendall(f"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        return b" 200 " in sock.recv(64)
    return False


def free_port(wanted: int) -> int:
    """Return `wanted` or the next port that nobody listens on."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)):
                return port
    raise SystemExit(f"ports {wanted} … {wanted + 49} are all in use; choose one with PORT=…")


def sweep(root: str, server: Server | None) -> list[str]:
    """Train the whole grid, two runs at a time; with a `server`, kill and restart it half way. Return what failed."""
    waiting, running, failures = list(GRID), [], []
    with Progress(TextColumn("  training"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("", total=len(GRID))
        while waiting or running:
            while waiting and len(running) < WORKERS:
                running.append(start_run(root, waiting.pop(0)))
            for process in [p for p in running if p.poll() is not None]:
                running.remove(process)
                progress.advance(task)
                failures += [f"a run failed: {' '.join(process.args[3:])}"] if process.returncode else []
            if server and len(waiting) == len(GRID) // 2:
                progress.console.print("  [yellow]killing the server (SIGKILL) and starting it again …[/]")
                server.kill()
                time.sleep(1)
                server, _ = None, server.start()
            time.sleep(0.05)
    return failures


def start_run(root: str, setting: tuple[float, int, int]) -> subprocess.Popen[bytes]:
    """Start one training process; its output goes to a log beside the data."""
    with (DATA.parent / "train.log").open("ab") as log:
        command = [sys.executable, "-m", "demo.train", root, *map(str, setting)]
        return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})


FILES = ("README.md", "figures/confusion.png", "videos/weights.mp4", "samples/0000.png", "files/train.py", "outputs.log")


def check() -> list[str]:
    """Read the sweep back from the disk and return what is not as it was logged."""
    subprocess.run([sys.executable, "-m", "ml_logger", "sync"], check=False, capture_output=True)
    wrong, points = [], 0
    reader = ml_logger.ML_Logger(root=str(DATA), prefix="", silent=True)
    for setting in GRID:
        key = run_key(*setting)
        loss = reader.read_metrics("eval/loss", path=f"/{key}/metrics.pkl", as_numpy=True)
        points += 4 * len(loss)
        wrong += [f"{key}: {len(loss)} of {EPOCHS} epochs"] if len(loss) != EPOCHS else []
        lr = reader.read_params("Args.lr", path=f"/{key}/parameters.pkl")
        wrong += [f"{key}: lr is {lr}"] if lr != setting[0] else []
        wrong += [f"{key}: {name} is missing or empty" for name in FILES if not is_filled(DATA / key / name)]
    verdict = "" if wrong else "  [green]✓[/] nothing lost"
    console.print(f"  read back: {len(GRID)} runs, {points:,} points, {len(GRID) * len(FILES)} files{verdict}")
    return wrong


def is_filled(path: Path) -> bool:
    """Tell whether `path` is a file with something in it."""
    return path.is_file() and path.stat().st_size > 0


def show_best() -> None:
    """Print mean and spread over seeds of the best settings."""
    reader = ml_logger.ML_Logger(root=str(DATA), prefix="", silent=True)
    rows = []
    for (lr, hidden), group in itertools.groupby(GRID, key=lambda setting: setting[:2]):
        final = [float(reader.read_metrics("eval/accuracy", path=f"/{run_key(*s)}/metrics.pkl", as_numpy=True)[-1]) for s in group]
        rows.append((sum(final) / len(final), min(final), max(final), lr, hidden))
    table = Table(title="eval/accuracy over seeds", title_justify="left", box=None, padding=(0, 2))
    for name in ("lr", "hidden", "mean", "min … max"):
        table.add_column(name, justify="right")
    for mean, low, high, lr, hidden in sorted(rows, reverse=True)[:5]:
        table.add_row(f"{lr:g}", str(hidden), f"{mean:.1%}", f"{low:.1%} … {high:.1%}")
    console.print(table)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
