"""Every error goes over the wire and comes back as the same class with the same words."""

from __future__ import annotations

import copy
import pickle

import pytest

from ml_logger import errors
from ml_logger.errors import from_wire, to_wire

SAMPLES = [
    errors.InvalidKeyError("a\x00", "no", 1),
    errors.UnsupportedValueError("loss", "builtins.object", "give a number"),
    errors.ArgumentError("flush", "timeout", "float | None", "str"),
    errors.StateMismatchError("w.pkl", ["0.weight"], ["weight"], ["bias (3,) in place of (4,)"]),
    errors.SettingsError("ML_LOGGER_ROOT", "ftp://x", "must be a path or an http address"),
    errors.QuerySyntaxError("lr <", 4, "a value is missing", "lr < 1"),
    errors.ConflictError("report x"),
    errors.MissingExtraError("pandas", "read_metrics"),
    errors.NotFoundError("run a/b", "see `ml-logger ls`"),
    errors.ServerUnreachableError("http://x", "refused"),
    errors.ServerBusyError("full", 30.0, 507),
    errors.AuthenticationError("token expired"),
    errors.RejectedError("too large", 413),
    errors.DeliveryError(3, "the spool"),
    errors.NotWrittenError("run/a.pkl", "/data/runs", "No space left on device"),
    errors.CorruptFrameError("a.mlog", 8, "checksum differs"),
    errors.StoreLockedError("index/lock", "process 7"),
    errors.IndexFaultError("index", "disk is full"),
    errors.IncompatibleFormatError("a.mlog", 9, 1),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda e: type(e).__name__)
def test_round_trip(error: errors.MlLoggerError) -> None:
    back = from_wire(to_wire(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert to_wire(back) == to_wire(error)
    assert 400 <= error.http_status < 600


@pytest.mark.parametrize("error", SAMPLES, ids=lambda e: type(e).__name__)
def test_an_error_leaves_a_worker_process(error: errors.MlLoggerError) -> None:
    for back in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(back) is type(error)
        assert str(back) == str(error)
        assert back.fields == error.fields


def test_every_leaf_is_sampled() -> None:
    def leaves(cls: type) -> set[type]:
        return set().union(*map(leaves, cls.__subclasses__())) if cls.__subclasses__() else {cls}

    assert leaves(errors.MlLoggerError) <= {type(error) for error in SAMPLES}


@pytest.mark.parametrize("body", [{}, {"error": "NoSuchClass", "message": "x"}, {"error": "NotFoundError", "surprise": 1}, {"error": 3}])
def test_a_strange_body_is_still_an_error(body: dict[str, object]) -> None:
    assert isinstance(from_wire(body), errors.MlLoggerError)
