"""Time and memory that a network takes, measured where it runs."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

from pyoctcompress.api import (
    _NOTHING,
    Backend,
    Model,
    _argument,
    _data,
    _in_memory,
    _is_octave,
    _loaded,
)
from pyoctcompress.datafile import DataFile
from pyoctcompress.errors import DataError
from pyoctcompress.octave import call
from pyoctcompress.reference import verbs


def latency(
    model: Model,
    X: Any,
    *,
    batch_size: int = 256,
    repeats: int = 5,
    backend: Backend = "octave",
    timeout: float | None = None,
) -> dict[str, float]:
    """Measure the time and the memory of an inference.

    Parameters
    ----------
    model : dict or path
        A network.
    X : array or DataFile
        Inputs as for `predict`; the first batch of them is used.
    batch_size : int
        Observations at a time.
    repeats : int
        How often the batch is computed, after a first time that does not count.
    backend : {'octave', 'numpy'}
        What is measured.
    timeout : float, optional
        Seconds after which Octave is stopped.

    Returns
    -------
    dict
        seconds (for an observation: the shortest of the repeats, divided by the batch), bytes (that
        the first inference held at the most; NaN where the system does not tell), batch.

    Raises
    ------
    DataError
        ``octcompress:latency:badInput``: no observations.
    """
    if isinstance(X, DataFile):
        X = _loaded(
            DataFile(X.path, X.part, min(X.limit, batch_size), X.input_size, X.pixel_order), None
        )[0]
    X = X[..., :batch_size] if X.ndim == 4 else X[:, :batch_size]
    count = X.shape[3] if X.ndim == 4 else X.shape[1]
    if count == 0:
        raise DataError(
            "latency: X must hold at least one observation", "octcompress:latency:badInput"
        )
    if _is_octave(backend):
        seconds, held = call(
            "octcompress.model.latency",
            _argument(model),
            *_data(X, _NOTHING, 1),
            "batch_size",
            float(batch_size),
            "repeats",
            float(repeats),
            nargout=2,
            timeout=timeout,
        )
        return {"seconds": float(seconds), "bytes": float(held), "batch": count}
    network = _in_memory(model)
    tracemalloc.start()
    try:
        verbs.predict(network, X)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        verbs.predict(network, X)
        best = min(best, time.perf_counter() - begin)
    return {"seconds": best / count, "bytes": float(held), "batch": count}
