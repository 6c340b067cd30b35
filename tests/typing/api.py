"""The public names as a type checker sees them; never run. Passes under mypy --strict and pyright strict."""

from __future__ import annotations

from typing import Any

from ml_logger import LOGGER_USER, ROOT, USER, Color, ML_Logger, SummaryCache, green, logger, percent

named: str = LOGGER_USER + USER + ROOT
log: ML_Logger = logger

logger.log(loss=0.1, step=3)
logger.log({"eval/acc": 0.5}, some=Color(0.85, "yellow", percent), step=3)
logger.log(10, some_key=green(0.5, percent), silent=["some_key"])
logger.log(metrics={"a": 1}, flush=True, file="dense.pkl")
logger.log_key_value(3, "key", 0.1)
logger.log_metrics({"a": 1}, silent=True)
logger.store_metrics({"a": 1}, b=2)
logger.log_metrics_summary(key_stats={"a": "min_max"}, silent=True)
peeked: str | None = logger.peek_stored_metrics("a", len=4)
cache: SummaryCache = logger.summary_cache

logger.log_params(Args={"lr": 0.1})
lr: Any = logger.get_parameters("Args.lr", default=None)
columns: Any = logger.read_metrics("loss@mean", x_key="step", path="*/metrics.pkl")

configured: ML_Logger = logger.configure("/tmp/x", "a", "b", silent=True)
with logger.Prefix("eval", metrics="eval") as inner:
    inner.print("text", color="green")
with logger.Sync() as waiting:
    waiting.flush(timeout=1.0, durable=True)

turn: bool = logger.every(10)
number: int = logger.count("a")
status: dict[str, Any] = logger.status()
twin: ML_Logger = logger.clone()
