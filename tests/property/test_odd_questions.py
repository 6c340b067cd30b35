"""Whatever a question holds, if it is one at all: it is answered, or refused in words. Nothing else is raised."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_logger import ML_Logger, queries
from ml_logger.errors import MlLoggerError
from ml_logger.query.engine import Engine
from ml_logger.store.sqlite import open_store

TEXTS = st.sampled_from(
    ["", "lab", "lab/a", "lab/a/metrics.pkl", "lab/a/outputs.log", "..", "/", "//x", "é", "x" * 3000, "**", "[", "loss", "Args.lr", "step",
     "time", "relative", "loss > ", "loss diverged", "sort:-", "run.json", ".ml-logger/state", "(((", "`", '"', "*" * 60, "notes", "\\"]
)  # fmt: skip
WHOLE = st.sampled_from([0, 1, -1, 7, 1000, 2**31, 2**53, -(2**53), 2**53 + 1, 2**64, -(2**70), 10**400])
REAL = st.sampled_from([0.0, -1.0, 0.9, 1.0, 1e6, 1e308, -1e308, 5e-324, 3.5])
FIELD = (
    TEXTS | WHOLE | REAL | st.none() | st.booleans() | st.lists(TEXTS, max_size=2)
    | st.fixed_dictionaries({"kind": st.sampled_from(["none", "ema", "gaussian", "mean"]), "amount": REAL})
    | st.sampled_from(["mean", "median", "iqm", "std", "sem", "ci95", "minmax", "iqr", "rank", "attempt"])
)  # fmt: skip
KINDS = [kind for kind in get_args(queries.AnyQuery) if kind is not queries.ReadFile]  # that is answered with bytes, elsewhere


def fits(kind: type, name: str, value: Any) -> bool:
    """Tell whether a question of this kind takes the value, all else being as usual."""
    usual = {field.name: "lab/a" for field in msgspec.structs.fields(kind) if field.required}
    with contextlib.suppress(msgspec.ValidationError):
        msgspec.convert({"type": kind.__struct_config__.tag, **usual, name: value}, kind)
        return True
    return False


@st.composite
def questions(draw: st.DrawFn) -> Any:
    """Draw the fields of a question of any kind, each of them one that its type lets pass."""
    kind = draw(st.sampled_from(KINDS))
    found: dict[str, Any] = {"type": kind.__struct_config__.tag}
    for field in msgspec.structs.fields(kind):
        if field.required or draw(st.booleans()):
            options = [draw(FIELD) for _ in range(4)]
            passing = [value for value in options if fits(kind, field.name, value)]
            if passing or field.required:
                found[field.name] = passing[0] if passing else draw(TEXTS)
    return found


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("root")
    for key in ("lab/a", "lab/b"):
        logger = ML_Logger(key, root=str(root))
        logger.log_params(Args={"lr": 0.1}, silent=True)
        for step in range(40):
            logger.log(step=step, loss=1 / (step + 1), silent=True)
        logger.log_line("a line")
        logger.close()
    store = open_store(root)
    yield Engine(store, store.root)
    store.close()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(question=questions())
def test_a_question_is_answered_or_refused(engine: Engine, question: dict[str, Any]) -> None:
    with contextlib.suppress(MlLoggerError, msgspec.ValidationError):
        engine.answer(msgspec.convert(question, queries.AnyQuery))


def test_questions_of_every_kind_pass(engine: Engine, tmp_path: Path) -> None:
    """The test above reaches the engine: a question of each kind, as it is without any wish, is one."""
    for kind in KINDS:
        usual = {field.name: 0 if field.name == "position" else "lab/a" for field in msgspec.structs.fields(kind) if field.required}
        with contextlib.suppress(MlLoggerError):
            engine.answer(msgspec.convert({"type": kind.__struct_config__.tag, **usual}, queries.AnyQuery))
    huge = {"type": "list_files", "recursive": True, "start": 10**400}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(huge, queries.AnyQuery)
