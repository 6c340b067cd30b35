"""What a server does with very many runs: indexing them, being ready, resting, and answering for the run table over HTTP.

    python -m bench.fixtures many DIR [--scale 0.1]
    python -m bench.catalog DIR [--index-dir DIR]

The index is made first if there is none. Times are those of a client on the same machine, connection kept open, JSON not parsed;
"first" is the first question of its kind after the start, the rest are medians of repetitions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import report
from bench.serving import Server

ROUNDS = 15
REST_S = 60.0
_INDEX = """
import resource, sys, time
from ml_logger.store.sqlite import open_store
start = time.perf_counter(), time.process_time()
with open_store(sys.argv[1], sys.argv[2], on_progress=lambda done, runs: None) as store:
    runs = len(store.snapshot())
print(runs, time.perf_counter() - start[0], time.process_time() - start[1], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def indexed(root: Path, index: Path) -> list[dict[str, Any]]:
    """Make the index in a process of its own, and say what it cost."""
    if (index / "index.sqlite").exists():
        return []
    done = subprocess.run([sys.executable, "-c", _INDEX, str(root), str(index)], capture_output=True, text=True, check=True)
    runs, wall, cpu, peak = map(float, done.stdout.split())
    size = (index / "index.sqlite").stat().st_size
    return [
        row(f"first indexing of {runs:,.0f} runs, runs/s", runs / wall, None),
        row("… CPU ms a run", cpu / runs * 1e3, None),
        row("… peak memory, MiB", peak, None),
        row("… index, KiB a run", size / runs / 1024, None),
    ]


def questions(server: Server) -> list[tuple[str, dict[str, Any], float | None]]:
    """Return what is asked, and the goals in ms; names are those of the fixture."""
    page = json.loads(server.ask({"type": "search_runs", "limit": 1}))
    params = [column["name"] for column in page["columns"] if column["kind"] == "param" and column["numeric"]]
    metrics = [column["name"] for column in page["columns"] if column["kind"] == "metric" and column["numeric"]]
    key, shown, runs = page["rows"][0]["key"], [*params[:3], *metrics[:5]], page["total"]
    p, m, n = next(name for name in params if name.endswith("p1")), metrics[0], metrics[-1]
    folder = key.rpartition("/")[0]

    def search(q: str = "", limit: int = 100, **more: Any) -> dict[str, Any]:
        return {"type": "search_runs", "q": q, "limit": limit, **more}

    return [
        (f"a page of 200 of {runs:,} runs, everything of each", search(limit=200, offset=runs // 2), 30),
        ("… with 8 columns", search(limit=200, offset=runs // 2, columns=shown), 30),
        ("… of a folder, with 8 columns", search(limit=200, prefix=folder, columns=shown), 30),
        ("1,000 runs with parameters and last values", search(limit=1000), 20),
        ("filter of 2, sort, top 100, 8 columns", search(f"`{p}` < 0.5 `{m}` > 0.25 sort:-`{n}`", columns=shown), 20),
        ("regular expression on name", search("name:/-0[0-9]*77$/", columns=shown), 50),
        ("part of a name", search("name:o-000", columns=shown), 50),
        ("full text, two words", search("hopper adam", columns=shown), 20),
        ("a word of the notes", search("looked", columns=shown), 20),
        ("a tag", search("tag:tag7", columns=shown), 20),
        ("nothing found, and the nearest query", search(f"`{p}` < -5 `{m}` > 0.25", columns=shown), None),
        ("groups by a parameter, mean and std of 8 columns", search(limit=0, group_by=[params[0]], columns=shown), None),
        ("completion of a name", {"type": "complete", "q": "p", "position": 1}, 20),
        ("completion of a value, with histogram", {"type": "complete", "q": f"`{p}` < ", "position": len(p) + 5}, 20),
        ("completion of a value of name", {"type": "complete", "q": "name:pp", "position": 7}, 50),
        ("names of all metrics", {"type": "list_metrics"}, None),
        ("one run", {"type": "get_run", "key": key}, 20),
    ]


def asked(server: Server) -> list[dict[str, Any]]:
    """Measure every question: once, then again and again."""
    found = []
    for what, question, goal in questions(server):
        first = _ms(server, question)
        before = server.cpu_s()
        spent = [_ms(server, question) for _ in range(ROUNDS)]
        cpu = (server.cpu_s() - before) / ROUNDS * 1e3
        found.append(row(what, median(spent), goal, first=first, cpu=cpu))
        print(found[-1], flush=True)
    return found


def _ms(server: Server, question: dict[str, Any]) -> float:
    start = time.perf_counter()
    server.ask(question)
    return (time.perf_counter() - start) * 1e3


def row(what: str, value: float, goal: float | None, first: float | str = "", cpu: float | str = "") -> dict[str, Any]:
    """Return a line of the report."""
    return {
        "what": what,
        "measured": value,
        "first": first,
        "CPU": cpu,
        "goal": "" if goal is None else f"≤ {goal:g}",
        "met": goal is None or value <= goal,
    }


def resting(server: Server, rest_s: float) -> list[dict[str, Any]]:
    """Measure a server that nobody asks, once its first look at the root is over."""
    used = -1.0
    while server.cpu_s() - used > 0.1:
        used = server.cpu_s()
        time.sleep(3)
    before, start = server.cpu_s(), time.perf_counter()
    time.sleep(rest_s)
    share = (server.cpu_s() - before) / (time.perf_counter() - start) * 100
    memory, own = server.memory_mib()
    return [row("at rest: memory, MiB", memory, 400), row("… of that its own", own, None), row("… CPU, % of a core", share, 2)]


def main() -> None:
    """Measure all on one root."""
    parser = argparse.ArgumentParser("python -m bench.catalog", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, metavar="DIR")
    parser.add_argument("--index-dir", type=Path)
    parser.add_argument("--name", default="catalog", help="of the report (default: %(default)s)")
    parser.add_argument("--rest", type=float, default=REST_S, help="seconds that the server rests (default: %(default)g)")
    found = parser.parse_args()
    index = found.index_dir or found.root / ".ml-logger/index"
    rows = indexed(found.root, index)
    with tempfile.TemporaryDirectory(prefix="ml-logger-bench-") as name:
        server = Server(Path(name), found.root, "--index-dir", str(index))
        try:
            rows.append(row("ready after start, s", server.started_s, 2))
            rows += resting(server, found.rest)
            rows += asked(server)
            rows.append(row("after all questions: memory, MiB", server.memory_mib()[0], 2048))
        finally:
            server.stop()
    report(found.name, rows, note="ms over loopback; CPU: the server's for one answer, ms; others as said")


if __name__ == "__main__":
    main()
