# pyright: strict
"""The public names as a type checker sees them; never run. Passes under mypy --strict and pyright strict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ml_logger import (
    LOGGER_USER,
    ROOT,
    RUN,
    USER,
    Color,
    ML_Logger,
    SummaryCache,
    green,
    instr,
    is_stale,
    logger,
    memoize,
    needs_relaunch,
    percent,
)  # fmt: skip

named: str = LOGGER_USER + USER + ROOT
log: ML_Logger = logger

# ── metrics, parameters, text ────────────────────────────────────────────────────────────────────────────────────────
logger.log(loss=0.1, step=3)
logger.log({"eval/acc": 0.5}, some=Color(0.85, "yellow", percent), step=3)
logger.log(10, some_key=green(0.5, percent), silent=["some_key"])
logger.log(metrics={"a": 1}, flush=True, file="dense.pkl")
logger.log_key_value(3, "key", 0.1)
logger.log_metrics({"a": 1}, silent=True)
logger.flush_metrics(silent=True)
logger.store_metrics({"a": 1}, b=2)
logger.store_key_value("a", 1, cache="eval")
logger.log_metrics_summary(key_stats={"a": "min_max"}, silent=True)
peeked: str | None = logger.peek_stored_metrics("a", len=4)
cache: SummaryCache = logger.summary_cache
logger.log_params(Args={"lr": 0.1})
logger.log_parameters(Args={"lr": 0.1})
lr: Any = logger.get_parameters("Args.lr", default=None)
runs: Any = logger.get_exps("*", as_dataframe=False)
columns: Any = logger.read_metrics("loss@mean", x_key="step", path="*/metrics.pkl")
logger.print("text", color="green", sep=" ", end="\n")
logger.log_line("text", file="other.log")
logger.log_text("text", "README.md", dedent=True, overwrite=True)
logger.pprint({"a": 1})

# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────
paths: list[str] = [
    logger.save_pkl({"a": 1}, "a.pkl", append=True), logger.log_data(1, path="b.pkl", overwrite=True), logger.save_json({}, "a.json"),
    logger.save_yaml({}, "a.yaml"), logger.save_csv([], "a.csv"), logger.save_text("", "a.txt"), logger.save_np([1.0], "a.npy"),
    logger.save_npz("a.npz", x=[1.0]), logger.save_h5("a.h5", x=[1.0]), logger.log_jsonl({}, "a.jsonl"), logger.upload_file(__file__),
    logger.upload_buffer(b"x", "a.bin"), logger.upload_dir("src", "code", excludes=["*.pyc"], archive="zip"),
    logger.download_file("a.bin", to="/tmp/"), logger.download_dir("code", to="/tmp/code", unpack=None), logger.make_archive("all"),
    logger.save_image([[0.0]], "a.png", cmap="viridis", normalize="individual"), logger.save_images([[[0.0]]], "grid.png", n_rows=1),
    logger.save_video([], "a.mp4", fps=30), logger.savefig("a.pdf"), logger.log_audio([0.0], "a.wav", rate=8000),
    logger.log_table([{"a": 1}], "t.csv"), logger.log_html("<b>", "p.html"), logger.save_torch({}, "a.pt"),
    logger.save_module(None, "m.pkl"),
    logger.save_variables({}, path="v.pkl", namespace="checkpoints"),
]  # fmt: skip
film: str | None = logger.make_video("frames/*.png", "film.mp4", order=-1)
rows: list[Any] | None = logger.load_pkl("a.pkl", start=1, stop=None, tries=2, delay=0.1)
each: Iterator[Any] = logger.iload_pkl("a.pkl")
text: str | None = logger.load_text("a.txt")
bytes_: bytes = logger.load_file("a.bin").read()
loaded: list[Any] = [
    logger.load_json("a.json"), logger.load_yaml("a.yaml"), logger.load_csv("a.csv"), logger.load_np("a.npy"), logger.load_h5("a.h5:x"),
    logger.load_jsonl("a.jsonl", start=0), logger.load_torch("a.pt", map_location="cpu"), logger.load_module(None, "m.pkl"),
    logger.read_state_dict("m*.pkl"), logger.load_variables("checkpoints/v.pkl"),
]  # fmt: skip
found: list[str] | None = logger.glob("**/*.png", wd="frames", recursive=True, start=0, stop=10)
removed: list[str] = logger.remove("a.pkl", "b*.pkl")
logger.move("a", "b")
logger.duplicate("a", "b", exists_ok=False)
objects: list[str] = logger.glob_s3("bucket/*") + logger.glob_gs("bucket/*")

# ── places, life, time ───────────────────────────────────────────────────────────────────────────────────────────────
configured: ML_Logger = logger.configure("/tmp/x", "a", "b", silent=True)
with logger.Prefix("eval", metrics="eval") as inner:
    inner.print("text", color="green")
with logger.Sync() as waiting:
    waiting.flush(timeout=1.0, durable=True)
with logger.Async(), logger.capture_error("error.log", reraise=True), logger.time("loop"), logger.capture_output():
    logger.alert("title", "text", level="warn")
turn: bool = logger.every(10, "key", start_on=1)
number: int = logger.count("a")
signals: list[Any] = logger.ping("running", interval=10)
logger.job_started(job={"a": 1}, extra={"b": 2})
revision: dict[str, str | None] = logger.rev_info()
changes: str | None = logger.diff()
out, error, code = logger.shell("true")
status: dict[str, Any] = logger.status()
twin: ML_Logger = logger.clone()
place: str = logger.root + logger.prefix + logger.abspath("a") + logger.get_dash_url() + logger.hostname
square: Callable[..., Any] = logger.memoize(abs)
job: Callable[..., Any] = instr(abs, 3)
again: bool = needs_relaunch("a/b") or is_stale("a/b")
kept: Callable[..., Any] = memoize(abs)
project: str = RUN.project
