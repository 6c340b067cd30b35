"""How fast records become durable on a server: real clients over loopback, then their batches replayed. Reads everything back.

Every figure counts points (values of metrics, the step included as no metric) from the first
`log()` to the moment when all is acknowledged, which means on the disk.
"""

from __future__ import annotations

import asyncio
import multiprocessing as mp
import re
import resource
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import asked, report
from bench.serving import Server

METRICS = [f"metric_{n}" for n in range(10)]


def log_steps(root: str, run: str, steps: int, ready: Any, start: Any, times: Any) -> None:
    """Log `steps` rows of ten metrics after `start`, until they are durable; put (log p50, seconds, accepted, acked) into `times`."""
    from ml_logger import ML_Logger

    logger = ML_Logger(run, root=root)
    logger.log_params(config={"lr": 0.1}, silent=True)
    logger.flush(timeout=120)  # a run is in progress: connected, its first records delivered
    ready.release()
    start.wait()
    begun, calls = time.perf_counter(), []
    for step in range(steps):
        values = {name: step * 0.1 + n for n, name in enumerate(METRICS)}
        before = time.perf_counter()
        logger.log(step=step, silent=True, **values)
        calls.append(time.perf_counter() - before)
    logger.flush(timeout=120)
    status = logger.session.status()
    times.put((median(calls), time.perf_counter() - begun, status["accepted"], status["acked"]))
    logger.session.close()


def run_clients(root: str, processes: int, threads: int, steps: int) -> list[tuple[float, float, int, int]]:
    """Start clients, let all begin at once, and return what each measured."""
    context = mp.get_context("spawn")  # each an interpreter of its own, as programs that train are
    ready, start, times = context.Semaphore(0), context.Event(), context.Queue()
    started = [context.Process(target=_threads, args=(root, f"p{i}", threads, steps, ready, start, times)) for i in range(processes)]
    for process in started:
        process.start()
    for _ in range(processes * threads):
        ready.acquire()
    start.set()
    found = [times.get(timeout=300) for _ in range(processes * threads)]
    for process in started:
        process.join()
    return found


def _threads(root: str, name: str, threads: int, steps: int, ready: Any, start: Any, times: Any) -> None:
    if threads == 1:
        log_steps(root, f"bench/{name}", steps, ready, start, times)
        return
    running = [threading.Thread(target=log_steps, args=(root, f"bench/{name}-{n}", steps, ready, start, times)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def count_points(root: Path, runs: int, steps: int) -> int:
    """Return how many points are missing when everything is read back from the files."""
    from ml_logger.safe_fs import SafeRoot
    from ml_logger.store.rundir import RunDir

    expected = runs * steps * len(METRICS)
    found = 0
    for run in sorted((root / "bench").iterdir()):
        parts = [p for log in RunDir(SafeRoot(root), f"bench/{run.name}").refresh().writers for p in log.parts]
        found += sum(len(p) * (len(p.names) - 1) for p in parts)
    return expected - found


def measure_clients(what: str, processes: int, threads: int, steps: int, goal: float | None) -> dict[str, Any]:
    """Measure real clients against a server of their own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        server = Server(Path(name))
        begun = server.cpu_s()
        found = run_clients(server.url, processes, threads, steps)
        cpu = server.cpu_s() - begun
        seconds = max(took for _, took, _, _ in found)
        points = processes * threads * steps * len(METRICS)
        peak = server.peak_mib()
        server.stop()
        lost = count_points(server.root, processes * threads, steps)
    rate = points / seconds
    return {"what": what, "points/s": rate, "goal": goal or "", "lost": lost, "log() p50 µs": median(f[0] for f in found) * 1e6,
            "server CPU s": cpu, "server MiB": peak, "met": (goal is None or rate >= goal) and lost == 0}  # fmt: skip


def log_p50(blocks: int = 40, size: int = 50) -> tuple[float, float]:
    """Return the medians of one `log()` into a directory and to a server, in µs, in turns, so that both see the same machine."""
    from ml_logger import ML_Logger

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        server = Server(Path(name))
        loggers = [ML_Logger("bench/local", root=f"{name}/local"), ML_Logger("bench/remote", root=server.url)]
        calls: list[list[float]] = [[], []]
        for step in range(blocks * size):
            logger, own = (loggers[step // size % 2], calls[step // size % 2])
            values = {name: step * 0.1 + n for n, name in enumerate(METRICS)}
            before = time.perf_counter()
            logger.log(step=step, silent=True, **values)
            own.append(time.perf_counter() - before)
        for logger in loggers:
            logger.session.close()
        server.stop()
    return median(calls[0]) * 1e6, median(calls[1]) * 1e6


# ── replay ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def record_batches(folder: Path, writers: int, batches: int, rows: int) -> list[list[bytes]]:
    """Return the bodies that real carriers would send: for each writer its batches in order."""
    from ml_logger import ML_Logger
    from ml_logger.client.packing import Packer, body_of

    bodies: list[list[bytes]] = []
    for number in range(writers):
        logger = ML_Logger(f"bench/w{number}", root=str(folder))
        packer, at, own = Packer(), 0, []
        for batch in range(batches):
            for row in range(rows):
                step = batch * rows + row
                logger.log(step=step, silent=True, **{name: (step * 37 % 1000) * 0.001 + n for n, name in enumerate(METRICS)})
            (path,) = (folder / f"bench/w{number}").glob("*.mlog")
            packed = packer.pack(path.read_bytes()[at:], at, final=False)
            assert packed is not None
            assert packer.header is not None
            own.append(body_of(packed, 0, packer.header))
            at = packed.hi
        bodies.append(own)
        logger.session.close()
    return bodies


async def replay(url: str, token: str, bodies: list[list[bytes]], paced_s: float = 0.0) -> list[float]:
    """Send each writer's batches over a connection of its own; return how long each took to be acknowledged."""
    host, port = url.removeprefix("http://").split(":")
    took: list[float] = []

    async def one(own: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number, body in enumerate(own):
            begun = time.perf_counter()
            head = (
                f"POST /v1/ingest HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in answer.split(b"\r\n", 1)[0], answer
            await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", answer)[1]))
            took.append(time.perf_counter() - begun)
            if paced_s and number + 1 < len(own):
                await asyncio.sleep(max(0.0, paced_s - took[-1]))
        writer.close()

    await asyncio.gather(*map(one, bodies))
    return took


def measure_replay(what: str, writers: int, batches: int, rows: int, goal: float | None, paced_s: float = 0.0) -> dict[str, Any]:
    """Measure recorded batches, one connection a writer."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        bodies = record_batches(Path(memory), writers, batches, rows)
        server = Server(Path(name))
        cpu = server.cpu_s()
        begun = time.perf_counter()
        took = sorted(asyncio.run(replay(server.url, server.token, bodies, paced_s)))
        seconds, cpu = time.perf_counter() - begun, server.cpu_s() - cpu
        peak = server.peak_mib()
        server.stop()
        lost = count_points(server.root, writers, batches * rows)
    rate = writers * batches * rows * len(METRICS) / seconds
    p99 = took[int(len(took) * 0.99)]
    met = lost == 0 and (rate >= goal if goal else p99 <= 2.0 and peak <= 400)
    return {"what": what, "points/s": rate, "goal": goal or "p99 ≤ 2 s", "lost": lost, "ack p99 s": p99, "server CPU s": cpu,
            "server MiB": peak, "met": met}  # fmt: skip


def main(*, short: bool) -> None:
    """Run all and print the tables."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    steps = 100 if short else 200
    clients = [
        measure_clients(f"64 processes × {steps} steps × 10 metrics", 64, 1, steps, 356_000),
        measure_clients(f"64 processes × {steps * 5} steps × 10 metrics", 64, 1, steps * 5, 400_000),
        measure_clients(f"256 threads in 8 processes × {steps} × 10", 8, 32, steps, None),
    ]
    report("ingest", clients, "peers on the same box: trackio 35,600 points/s, the earlier ml-logger 7,800 with 2,940 of 128,000 lost")
    local, remote = log_p50()
    rows = [
        {
            "what": "log() of 10 metrics, p50 µs",
            "local": local,
            "remote": remote,
            "ratio": remote / local,
            "goal": 1.3,
            "met": remote / local <= 1.3,
        }
    ]
    report("ingest_log", rows)
    replayed = [
        measure_replay("recorded batches of 200 rows over 64 connections", 64, 10 if short else 40, 200, 1_000_000),
        measure_replay("500 workers × 1 batch/s of 10 rows", 500, 5 if short else 20, 10, None, 1.0),
    ]
    report("ingest_replay", replayed)


if __name__ == "__main__":
    main(short=asked("ingest", __doc__, short="a half as many steps").short)
