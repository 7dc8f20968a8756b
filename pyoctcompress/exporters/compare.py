"""An exported network in its own runtime, beside ours."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress import api
from pyoctcompress.calling import loaded
from pyoctcompress.datafile import DataFile
from pyoctcompress.exporters import runtimes
from pyoctcompress.exporters.constants import CALLER
from pyoctcompress.exporters.network import Network
from pyoctcompress.exporters.to_source import Written
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import Array, share, value_array

_RANDOM = 16  # observations
_STEPS = 8  # of a sequence of any length

Run = Callable[[Path, Network, Array], tuple[list[Array], str]]
_RUNTIMES: dict[str, Run] = {
    "onnx": runtimes.run_onnx,
    "tflite": runtimes.run_tflite,
    "c": runtimes.run_c,
    "mat73": runtimes.run_mat73,
    "source": runtimes.run_source,
}


def compare(
    target: str,
    path: Path,
    model: Any,
    network: Any,
    data: Any,
    labels: Any,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Run a file and our own network on the same inputs.

    Parameters
    ----------
    model : dict
        The network that was written.
    network : Network
        As the target has it; anything else is not compared.
    data, labels
        As `export` takes them.
    settings : dict
        backend and timeout of our own computation.
    options : dict
        Those that the file was written with.

    Returns
    -------
    dict
        The field check of `export`'s result.
    """
    if isinstance(network, Written) and network.layout:
        network = Network(network.model, graph.plan(CALLER, network.model), "float")
    if target not in _RUNTIMES or not isinstance(network, Network):
        return {"measured": False, "reason": "the file holds arrays, which are no network"}
    x, y = observations(network, data, labels)
    try:
        theirs, runtime = _RUNTIMES[target](path, network, x)
    except runtimes.Missing as missing:
        return {"measured": False, "reason": str(missing)}
    arithmetic: dict[str, Any] = {}
    if network.precision == "integer" and target in ("tflite", "c"):
        # LiteRT's default kernels (XNNPACK) round once.
        default = "single" if target == "tflite" else "double"
        rounding = options.get("requantization") or default
        arithmetic = {"arithmetic": "integer", "requantization": rounding}
    kept = model if target == "mat73" else as_written(model, network.precision)
    ours = api.predict(kept, x, **settings, **arithmetic)
    ours = [value_array(each) for each in (ours if isinstance(ours, list) else [ours])]
    theirs = [each.reshape(own.shape) for each, own in zip(theirs, ours, strict=True)]
    count = x.shape[graph.observation_axis(x)]
    largest = max((float(abs(own).max()) for own in ours if own.size), default=0.0)
    apart = max(
        (float(abs(own - each).max()) for own, each in zip(ours, theirs, strict=True) if own.size),
        default=0.0,
    )
    found: dict[str, Any] = {
        "measured": True,
        "runtime": runtime,
        "observations": count,
        "inputs": "random" if data is None else "data",
        "difference": apart / largest if largest else apart,
    }
    if len(ours) == 1 and ours[0].ndim == 2 and ours[0].shape[0] > 1:
        own, other = ours[0].argmax(axis=0), theirs[0].argmax(axis=0)
        found["agreement"] = share(int((own == other).sum()), count)
        if y is not None:
            wanted = graph.labels(CALLER, y, ours[0].shape[0]).ravel() - 1
            found["accuracy"] = share(int((own == wanted).sum()), count)
            found["accuracy_there"] = share(int((other == wanted).sum()), count)
    return found


def observations(network: Network, data: Any, labels: Any) -> tuple[Array, Any]:
    """Return the inputs, single, with all their dimensions, and the labels."""
    size = network.input_size
    if isinstance(data, DataFile):
        data, labels = loaded(data, None)
    if data is None:
        random = np.random.default_rng(0)
        known = [_STEPS if n != n else n for n in size]
        shape = [*known, _RANDOM] if len(known) == 3 else [known[0], _RANDOM, *known[1:]]
        data = random.random(shape, np.float32)
    x, _ = graph.batches(CALLER, network.model, data, 256)
    return x.astype(np.float32), labels


def as_written(model: Any, precision: str) -> Any:
    """Return the network with the grids that a precision keeps."""
    model = graph.tidy(CALLER, model)
    if precision == "integer":
        return model
    model.pop("quantization", None)
    for layer in model["layers"]:
        grids = {k: v for k, v in layer.get("quantization", {}).items() if k != "output"}
        layer.pop("quantization", None)
        if grids:
            layer["quantization"] = grids
    return model


def report(result: Mapping[str, Any]) -> str:
    """Lay out what `export` found, for people."""
    kinds = {
        "float": "in floating point",
        "weights": "weights as integers",
        "integer": "weights and activations as integers",
    }
    precision = result["precision"]
    head = f"{', '.join(result['files'])}: {result['bytes']:,} bytes, {result['target']}"
    lines = [f"{head}, {kinds.get(precision, precision)}", *map("note: {}".format, result["notes"])]
    found = result["check"]
    if not found["measured"]:
        return "\n".join([*lines, f"the outputs were not measured: {found['reason']}"])
    inputs = "random inputs" if found["inputs"] == "random" else "observations"
    lines.append(
        f"{found['runtime']} on {found['observations']} {inputs}: outputs differ by at most "
        f"{found['difference']:.2g} of the largest"
    )
    if "agreement" in found:
        lines.append(f"the same class  {100 * found['agreement']:.2f}%")
    if "accuracy" in found:
        lines.append(f"accuracy here   {100 * found['accuracy']:.2f}%")
        lines.append(f"accuracy there  {100 * found['accuracy_there']:.2f}%")
    return "\n".join(lines)
