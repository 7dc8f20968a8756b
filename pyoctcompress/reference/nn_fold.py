"""The verb fold: the reference of ``nn_fold.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, fail, is_empty, plain, scalar, value_array
from .quant import channel_axis

CALLER = "nn_fold"
WEIGHTED = ("dense", "conv2d", "transposedconv2d")


def fold(model: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Fold batch normalisations into the layers before them.

    Returns
    -------
    model : dict
        The same predictions with fewer layers.
    info : dict
        folded and kept: lists of names.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_fold:notModel``, ``quantized`` (names the layer).

    References
    ----------
    .. [1] Jacob et al., Quantization and training of neural networks, CVPR 2018,
       arXiv:1712.05877, section 3.2.
    """
    model = graph.tidy(CALLER, model)
    plan = graph.plan(CALLER, model)
    layers = model["layers"]
    readers = [0] * len(layers)
    for reads in plan.inputs:
        for source in reads:
            if source >= 0:
                readers[source] += 1
    stands_for = list(range(len(layers)))
    folded: list[str] = []
    kept: list[str] = []
    for k, layer in enumerate(layers):
        if layer["type"] not in ("batchnorm", "scale"):
            continue
        source = plan.inputs[k][0]
        target = stands_for[source] if source >= 0 else -1
        alone = target >= 0 and readers[source] == 1 and source not in plan.outputs
        if not alone or layers[target]["type"] not in WEIGHTED:
            kept.append(layer["name"])
            continue
        layers[target] = merged(layers[target], layer)
        stands_for[k] = target
        folded.append(layer["name"])

    names = [layer["name"] for layer in layers]
    left = [k for k in range(len(layers)) if stands_for[k] == k]
    for place, k in enumerate(left):
        reads = plan.inputs[k]
        moved = [stands_for[r] if r >= 0 else r for r in reads]
        before = [left[place - 1] if place else -1]
        if moved != before and (moved != reads or "inputs" not in layers[k]):
            layers[k]["inputs"] = [names[r] if r >= 0 else "input" for r in moved]
        elif "inputs" in layers[k] and moved != reads:
            layers[k] = {key: part for key, part in layers[k].items() if key != "inputs"}
    outputs = [stands_for[k] for k in plan.outputs]
    if not is_empty(model.get("outputs")) or outputs != sorted(outputs):
        model["outputs"] = [names[k] for k in outputs]  # in the order that they had
    model["layers"] = [layers[k] for k in left]
    return model, {"folded": folded, "kept": kept}


def column(layer: graph.Layer, name: str, default: float) -> Array:
    """Return a parameter of a normalisation as a column in double."""
    if is_empty(layer.get(name)):
        return np.full((1, 1), default)
    return value_array(layer[name]).astype(np.float64).reshape(-1, 1)


def merged(layer: graph.Layer, norm: graph.Layer) -> graph.Layer:
    """Multiply and move a layer's outputs as the normalisation after it does."""
    for owner, field, verb in (
        (layer, "weights", "are"),
        (layer, "output", "is"),
        (norm, "output", "is"),
    ):
        if field in owner.get("quantization", {}):
            fail(
                CALLER,
                "quantized",
                f"the {field} of layer '{owner['name']}' {verb} quantized; fold '{norm['name']}' "
                "before nn_quantize",
            )
    factor, shift = column(norm, "scale", 1.0), column(norm, "offset", 0.0)
    if norm["type"] == "batchnorm":
        epsilon = 1e-5 if is_empty(norm.get("epsilon")) else scalar(norm["epsilon"])
        factor = factor / np.sqrt(column(norm, "variance", 1.0) + epsilon)
        shift = shift - factor * column(norm, "mean", 0.0)
    w = value_array(layer["weights"])
    bias = column(layer, "bias", 0.0)
    if layer["type"] == "transposedconv2d":
        out = max(bias.size, factor.size, shift.size)
        scaled = transposed_rows(layer, w, factor)
    else:
        axis = channel_axis(layer, "weights")
        full = w.reshape(w.shape + (1,) * (axis - w.ndim))
        shape = [1] * full.ndim
        shape[axis - 1] = -1
        out = full.shape[axis - 1]
        scaled = (full.astype(np.float64) * factor.reshape(shape)).astype(w.dtype)
    moved = (bias * factor + shift) * np.ones((out, 1))
    return {**layer, "weights": plain(scaled), "bias": plain(moved.astype(w.dtype))}


def transposed_rows(layer: graph.Layer, w: Array, factor: Array) -> Array:
    """Multiply the outputs of a transposed convolution; a group's inputs see its outputs only."""
    groups = 1 if is_empty(layer.get("groups")) else int(scalar(layer["groups"]))
    w = w.reshape(w.shape + (1,) * (4 - w.ndim))
    sizes: list[int] = list(w.shape)
    each, inputs = sizes[2], sizes[3] // groups
    factor = np.broadcast_to(factor, (each * groups, 1))
    parts = []
    for g in range(groups):
        part = w[:, :, :, g * inputs : (g + 1) * inputs].astype(np.float64)
        parts.append(part * factor[g * each : (g + 1) * each].reshape(1, 1, -1, 1))
    return np.concatenate(parts, axis=3).astype(w.dtype)
