"""From samples to a sound file. Knows no logger."""

from __future__ import annotations

import io
import wave
from typing import Any

from ml_logger.errors import UnsupportedValueError
from ml_logger.media.images import to_array

_HINT = "sound is N or N×channels, floats in [-1, 1] or int16"


def wav(samples: Any, rate: int, key: str) -> tuple[bytes, float]:
    """Return a .wav file of 16 bits and its length in seconds; `samples` are N or N×channels, floats in [−1, 1] or int16."""
    import numpy as np

    array = to_array(samples, key, hint=_HINT)
    if array.ndim not in (1, 2) or not array.size or (array.dtype.kind != "f" and array.dtype != np.int16):
        raise UnsupportedValueError(key, f"{array.dtype} of shape {array.shape}", _HINT)
    if array.dtype.kind == "f":
        array = np.rint(np.clip(np.nan_to_num(array), -1, 1) * 32767)
    array = array.astype("<i2").reshape(len(array), -1)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(array.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array.tobytes())
    return out.getvalue(), len(array) / rate
