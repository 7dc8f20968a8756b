"""The verb correct: the reference of ``nn_correct.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import erfinv

from . import model as graph
from .gram import input_gram, layer_inputs, matrix_weights, weights_matrix
from .internal import Array, check, fail, is_empty, parse_options, size, value_array
from .nn_shrink import full_size
from .quant import snap_to_grid

CALLER = "nn_correct"
ELEMENTWISE = {
    *("relu", "relu6", "leakyrelu", "prelu", "elu", "gelu", "swish", "hardswish", "sigmoid"),
    *("hardsigmoid", "tanh", "identity", "dropout"),
}


def correct(model: Any, **options: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Repair a compressed network without training.

    Parameters
    ----------
    model : dict
        A network after pruning or quantization.
    data : array, optional
        Calibration inputs.
    original : dict, optional
        The network before its compression.
    methods : str or list of str
        ``scale``, ``bias``, ``batchnorm``; all that data and original allow.
    layers : list of str or int, optional
        For scale and bias; all of type dense and conv2d.
    batch_size : int
        256.

    Returns
    -------
    model : dict
    info : dict
        options; layers, a list of dicts: layer, method, change, known.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_correct:badValue``, ``unknownOption``, ``notModel``, ``badInput``,
        ``unknownLayer``.
    """
    defaults: dict[str, Any] = {
        "data": None,
        "original": None,
        "methods": [],
        "layers": None,
        "batch_size": 256.0,
    }
    options = parse_options(CALLER, defaults, options)
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    model = graph.tidy(CALLER, model)
    methods = methods_of(options, model)
    original: Any = None
    if not is_empty(options["original"]):
        original = graph.tidy(CALLER, options["original"])
        require_same(model, original)
    tensors = graph.select_tensors(CALLER, model, options["layers"], False)
    chosen = sorted({t.layer - 1 for t in tensors})
    chosen = [k for k in chosen if model["layers"][k]["type"] in ("dense", "conv2d")]
    rows = []
    for method in methods:
        places = chosen
        if method == "batchnorm":
            places = [k for k, m in enumerate(model["layers"]) if m["type"] == "batchnorm"]
        for k in places:
            known = True
            if method == "scale":
                change = rescale(model["layers"][k], original["layers"][k])
            elif method == "bias":
                change, known = shift_bias(model, original, k, options)
            else:
                change = estimate(model, k, options)
            name = model["layers"][k]["name"]
            rows.append({"layer": name, "method": method, "change": change, "known": known})
    return model, {"options": options, "layers": rows}


def methods_of(options: Mapping[str, Any], model: graph.Model) -> list[str]:
    """Find what is to be done, and refuse what lacks its data."""
    methods = options["methods"]
    if isinstance(methods, str):
        methods = [methods]
    if is_empty(methods):
        methods = [] if is_empty(options["original"]) else ["scale", "bias"]
        has_norm = any(layer["type"] == "batchnorm" for layer in model["layers"])
        if not is_empty(options["data"]) and has_norm:
            methods.append("batchnorm")
        if not methods:
            fail(
                CALLER,
                "badValue",
                "give ORIGINAL, the network before its compression, or DATA for batchnorm layers "
                "(MODEL must have one)",
            )
    for method in methods:
        check(CALLER, "methods", method, "choice", ["scale", "bias", "batchnorm"])
        if method == "batchnorm" and is_empty(options["data"]):
            fail(CALLER, "badValue", "the method 'batchnorm' needs DATA")
        elif method != "batchnorm" and is_empty(options["original"]):
            fail(
                CALLER,
                "badValue",
                f"the method '{method}' needs ORIGINAL, the network before its compression",
            )
    return list(methods)


def require_same(model: graph.Model, original: graph.Model) -> None:
    """Refuse an original with other layers."""

    def shape(layer: graph.Layer) -> Any:
        return layer["type"], size(layer["weights"]) if "weights" in layer else None

    if [shape(a) for a in model["layers"]] != [shape(b) for b in original["layers"]]:
        fail(
            CALLER,
            "badValue",
            "ORIGINAL must have the same layers with weights of the same sizes as MODEL; correct "
            "before nn_shrink",
        )


def rescale(layer: graph.Layer, original: graph.Layer) -> float:
    """Give each output's weights the norm that they had."""
    w = weights_matrix(layer).astype(float)
    norms = np.sqrt((w**2).sum(axis=1, keepdims=True))
    wanted = np.sqrt((weights_matrix(original).astype(float) ** 2).sum(axis=1, keepdims=True))
    factor = np.divide(wanted, norms, out=np.ones_like(norms), where=norms != 0)
    kind = value_array(layer["weights"]).dtype
    layer["weights"] = matrix_weights((w * factor).astype(kind), layer)
    grid = layer.get("quantization", {}).get("weights")
    if grid is not None:
        if "scale" in grid and np.size(grid["scale"]) == factor.size:
            scale = value_array(grid["scale"])
            grid["scale"] = scale * factor.reshape(scale.shape).astype(scale.dtype)
            layer["weights"] = snap_to_grid(value_array(layer["weights"]), grid)[0]
        else:
            del layer["quantization"]["weights"]
    return float(np.max(np.abs(factor - 1), initial=0))


def shift_bias(
    model: graph.Model, original: graph.Model, k: int, options: Mapping[str, Any]
) -> tuple[float, bool]:
    """Let the bias make up for the mean change of the output."""
    layer = model["layers"][k]
    lost = weights_matrix(original["layers"][k]).astype(float) - weights_matrix(layer).astype(float)
    centre: Array | None
    if is_empty(options["data"]):
        plan = graph.plan(CALLER, model)
        centre = gaussian_mean(model, plan, plan.inputs[k])
        if centre is not None and layer["type"] == "conv2d":
            sizes = full_size(layer)
            each_mean = np.repeat(np.ravel(centre), sizes[0] * sizes[1])
            parts = centre.size // sizes[2]
            centre = each_mean.reshape((-1, parts), order="F")
    else:
        stats = input_gram(CALLER, model, options["data"], k, options["batch_size"])
        centre = stats.total / stats.count
    if centre is None:
        return 0.0, False
    each = lost.shape[0] // centre.shape[1]
    parts_of = [lost[g * each : (g + 1) * each] @ c for g, c in enumerate(centre.T)]
    shift = np.concatenate(parts_of)[:, np.newaxis]
    bias = 0.0 if is_empty(layer.get("bias")) else value_array(layer["bias"]).astype(float)
    layer["bias"] = (bias + shift).astype(value_array(layer["weights"]).dtype)
    return float(np.abs(shift).max()), True


def gaussian_mean(model: graph.Model, plan: graph.Plan, reads: list[int]) -> Array | None:
    """Derive the mean of a layer's output from the batchnorm layer before it; None if unknown."""
    through: list[int] = []
    while True:
        if len(reads) != 1 or reads[0] < 0:
            return None
        [k] = reads
        layer = model["layers"][k]
        if layer["type"] == "batchnorm":
            break
        if layer["type"] in ELEMENTWISE:
            through.insert(0, k)
        elif layer["type"] not in ("averagepool", "globalaveragepool"):
            return None
        reads = plan.inputs[k]
    z = np.sqrt(2) * erfinv(2 * (np.arange(1, 1002) - 0.5) / 1001 - 1)
    scale, offset = value_array(layer["scale"]), value_array(layer["offset"])
    x = offset.astype(float) + np.abs(scale.astype(float)) * z
    for j in through:
        x, _ = plan.types[j].run.forward(model["layers"][j], x, None)
    return x.astype(float).mean(axis=1, keepdims=True)


def estimate(model: graph.Model, k: int, options: Mapping[str, Any]) -> float:
    """Estimate the mean and variance of a batchnorm layer's input anew."""
    layer = model["layers"][k]
    plan = graph.plan(CALLER, model)
    x, ranges = graph.batches(CALLER, model, options["data"], options["batch_size"])
    if not ranges:
        fail(CALLER, "badInput", "DATA must hold at least one observation")
    count, centre, spread = 0, np.zeros((1, 1)), np.zeros((1, 1))
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        values = layer_inputs(plan, model["layers"], batch, k).astype(float)
        values = np.moveaxis(values, 2 if values.ndim == 4 else 0, 0)
        values = values.reshape(values.shape[0], -1)
        n = values.shape[1]
        mean = values.sum(axis=1, keepdims=True) / n
        away = mean - centre
        within = ((values - mean) ** 2).sum(axis=1, keepdims=True)
        spread = spread + within + away**2 * (count * n / (count + n))
        centre = centre + away * (n / (count + n))
        count += n
    old = value_array(layer["mean"])
    layer["mean"] = centre.astype(old.dtype)
    layer["variance"] = (spread / max(count - 1, 1)).astype(value_array(layer["variance"]).dtype)
    return float(np.abs(centre - old.astype(float)).max())
