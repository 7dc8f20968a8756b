"""Time and memory that a network takes, measured where it runs."""

from __future__ import annotations

import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from pyoctcompress.calling import (
    NOTHING,
    Backend,
    Model,
    argument,
    data_arguments,
    in_memory,
    is_octave,
    loaded,
)
from pyoctcompress.datafile import DataFile
from pyoctcompress.errors import DataError, OctcompressError
from pyoctcompress.exporters import export
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
    X, count = _batch(X, batch_size)
    if is_octave(backend):
        seconds, held = call(
            "octcompress.model.latency",
            argument(model),
            *data_arguments(X, NOTHING, 1),
            "batch_size",
            float(batch_size),
            "repeats",
            float(repeats),
            nargout=2,
            timeout=timeout,
        )
        return {"seconds": float(seconds), "bytes": float(held), "batch": count}
    network = in_memory(model)
    tracemalloc.start()
    try:
        verbs.predict(network, X)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    seconds = _shortest(lambda: verbs.predict(network, X), repeats) / count
    return {"seconds": seconds, "bytes": float(held), "batch": count}


def in_runtimes(
    model: Model, X: Any, *, batch_size: int = 256, repeats: int = 5
) -> list[dict[str, Any]]:
    """Measure the time of an inference in ONNX Runtime and in LiteRT, where they are installed.

    Parameters
    ----------
    model : dict or path
        A network, which is exported to a file that is removed again.
    X, batch_size, repeats
        As for `latency`; LiteRT takes one observation at a time.

    Returns
    -------
    list of dict
        runtime (with the precision), seconds (for an observation), batch; nothing for a runtime
        that is not there, or that cannot hold the network.
    """
    X = _batch(X, batch_size)[0]
    found = []
    with tempfile.TemporaryDirectory(prefix="octcompress-") as folder:
        for target, measure in (("onnx", _in_onnx_runtime), ("tflite", _in_litert)):
            path = os.path.join(folder, f"network.{target}")
            with suppress(ImportError, OctcompressError):
                precision = export(model, path, check=False)["precision"]
                row = measure(path, X, repeats)
                found.append({**row, "runtime": f"{row['runtime']}, {precision}"})
    return found


def _in_onnx_runtime(path: str, X: Any, repeats: int) -> dict[str, Any]:
    import onnxruntime

    from pyoctcompress.exporters.runtimes import onnx_session
    from pyoctcompress.exporters.to_onnx import to_layout

    session = onnx_session(path)
    inputs = {session.get_inputs()[0].name: to_layout(X)}
    count = X.shape[-1] if X.ndim == 4 else X.shape[1]
    seconds = _shortest(lambda: session.run(None, inputs), repeats) / count
    return {
        "runtime": f"ONNX Runtime {onnxruntime.__version__}",
        "seconds": seconds,
        "batch": count,
    }


def _in_litert(path: str, X: Any, repeats: int) -> dict[str, Any]:
    from ai_edge_litert.interpreter import Interpreter

    from pyoctcompress.exporters.to_tflite import to_layout

    interpreter = Interpreter(path)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    interpreter.set_tensor(given["index"], to_layout(X)[:1].astype(given["dtype"]))
    seconds = _shortest(interpreter.invoke, 20 * repeats)
    return {"runtime": f"LiteRT {version('ai-edge-litert')}", "seconds": seconds, "batch": 1}


def _batch(X: Any, batch_size: int) -> tuple[Any, int]:
    """Give the first batch, and how many observations it has."""
    if isinstance(X, DataFile):
        X = loaded(
            DataFile(X.path, X.part, min(X.limit, batch_size), X.input_size, X.pixel_order), None
        )[0]
    X = X[..., :batch_size] if X.ndim == 4 else X[:, :batch_size]
    count = X.shape[3] if X.ndim == 4 else X.shape[1]
    if count == 0:
        raise DataError(
            "latency: X must hold at least one observation", "octcompress:latency:badInput"
        )
    return X, count


def _shortest(run: Callable[[], object], repeats: int) -> float:
    """Time a call, after one that does not count."""
    run()
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best
