"""The verb equalize: the reference of ``nn_equalize.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import model as graph
from .gram import layer_groups, layer_inputs, matrix_weights, weights_matrix
from .internal import Array, check, fail, is_empty, parse_options, plain, scalar, size, value_array

CALLER = "nn_equalize"
PASSING = (
    *("relu", "leakyrelu", "maxpool", "averagepool", "globalmaxpool", "globalaveragepool"),
    *("flatten", "dropout", "identity"),
)


@dataclass
class Pair:
    """Two layers, and for each input of the second the channel of the first (from 0)."""

    first: int
    second: int
    channel: Array


def equalize(model: Any, **options: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Rescale channels between layers so that the weights quantize better.

    Parameters
    ----------
    model : dict
        A network.
    method : str
        ``weights`` (default) [1]_, or ``activations``: their range moves into the weights that
        read them [2]_.
    data : array, optional
        For ``activations``: calibration inputs.
    alpha : float
        For ``activations``: how much of the range moves (0.5).
    iterations : int
        For ``weights``: passes over all pairs, at most (20).
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    model : dict
    info : dict
        options; pairs: a list of dicts, first, second, greatest and least factor.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_equalize:notModel``, ``badValue``, ``unknownOption``, ``badInput``,
        ``quantized``.

    References
    ----------
    .. [1] Nagel et al., Data-free quantization through weight equalization and bias correction,
       ICCV 2019, arXiv:1906.04721.
    .. [2] Xiao et al., SmoothQuant, ICML 2023, arXiv:2211.10438.
    """
    defaults = {
        "method": "weights",
        "data": None,
        "alpha": 0.5,
        "iterations": 20,
        "batch_size": 256,
    }
    options = parse_options(CALLER, defaults, options)
    check(CALLER, "method", options["method"], "choice", ["weights", "activations"])
    check(CALLER, "alpha", options["alpha"], "number", (0, 1))
    check(CALLER, "iterations", options["iterations"], "integer", (1, math.inf))
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    model = graph.tidy(CALLER, model)
    plan = graph.plan(CALLER, model)
    smooth = options["method"] == "activations"
    if smooth and size(options["data"]) == (0, 0):
        fail(CALLER, "badValue", "METHOD 'activations' needs DATA: calibration inputs")
    layers = model["layers"]
    pairs = find_pairs(layers, plan)
    ranges = activation_ranges(model, plan, pairs, options) if smooth else []
    total = [np.ones(np.unique(pair.channel).size) for pair in pairs]
    alpha = scalar(options["alpha"])
    for _ in range(1 if smooth else int(scalar(options["iterations"]))):
        largest = 1.0
        for p, pair in enumerate(pairs):
            read = channel_maximum(input_ranges(layers[pair.second]), pair.channel)
            with np.errstate(divide="ignore", invalid="ignore"):
                if smooth:
                    s = ranges[p] ** alpha / read ** (1 - alpha)
                else:
                    s = np.sqrt(output_ranges(layers[pair.first]) / read)
            s[~(np.isfinite(s) & (s > 0))] = 1
            layers[pair.first] = scale_outputs(layers[pair.first], 1 / s)
            layers[pair.second] = scale_inputs(layers[pair.second], s[pair.channel])
            total[p] = total[p] * s
            largest = max(largest, s.max(), (1 / s).max())
        if largest < 1.001:
            break
    rows = [
        {
            "first": layers[pair.first]["name"],
            "second": layers[pair.second]["name"],
            "greatest": float(total[p].max()),
            "least": float(total[p].min()),
        }
        for p, pair in enumerate(pairs)
    ]
    return model, {"options": options, "pairs": rows}


def is_weighted(layer: graph.Layer) -> bool:
    """Whether a layer can be one of a pair; quantized ones are refused."""
    yes = layer["type"] in ("dense", "conv2d")
    if yes and "weights" in layer.get("quantization", {}):
        fail(
            CALLER,
            "quantized",
            f"the weights of layer '{layer['name']}' are quantized; equalize before nn_quantize",
        )
    return yes


def find_pairs(layers: list[graph.Layer], plan: graph.Plan) -> list[Pair]:
    """Find layers with weights and the ones that alone read them."""
    readers: list[list[int]] = [[] for _ in layers]
    for k, reads in enumerate(plan.inputs):
        for source in reads:
            if source >= 0:
                readers[source].append(k)
    pairs = []
    for first, layer in enumerate(layers):
        if not is_weighted(layer):
            continue
        k, through = first, []

        def one_reader(k: int) -> bool:
            return len(readers[k]) == 1 and k not in plan.outputs

        while one_reader(k) and layers[readers[k][0]]["type"] in PASSING:
            k = readers[k][0]
            through.append(k)
        if one_reader(k) and is_weighted(layers[readers[k][0]]):
            channel = channel_of_inputs(layers, plan, first, through)
            pairs.append(Pair(first, readers[k][0], channel))
    return pairs


def channel_of_inputs(
    layers: list[graph.Layer], plan: graph.Plan, first: int, through: list[int]
) -> Array:
    """Send the numbers of the first layer's channels through the layers between.

    A one is sent with each, for the zeros around an image make an average smaller.
    """
    sizes = plan.sizes[first]
    channels = np.arange(1.0, sizes[2 if len(sizes) == 3 else 0] + 1)
    value = np.stack([channels, np.ones_like(channels)], axis=1)
    if len(sizes) == 3:
        value = np.broadcast_to(value, (sizes[0], sizes[1], *value.shape)).copy()
    elif len(sizes) == 2:  # NaN: any number of steps, one will do
        steps = 1 if math.isnan(sizes[1]) else int(sizes[1])
        value = np.repeat(value[:, :, np.newaxis], steps, axis=2)
    for k in through:
        value = plan.types[k].run.forward(layers[k], value, None)[0]
    if value.ndim == 4:
        value = value[0, 0]
    if value.ndim == 3:
        value = value[:, :, 0]
    return np.round(value[:, 0] / value[:, 1]).astype(np.intp) - 1


def channel_maximum(values: Array, channel: Array) -> Array:
    """Find the greatest value of each channel."""
    result = np.zeros(channel.max() + 1)
    np.maximum.at(result, channel, values)
    return result


def output_ranges(layer: graph.Layer) -> Array:
    """Find the greatest weight of each output."""
    return np.abs(weights_matrix(layer)).max(axis=1).astype(np.float64)


def by_input(layer: graph.Layer) -> Array:
    """Give a convolution's weights as kh * kw x inputs x outputs of a group."""
    s = [*(int(n) for n in np.ravel(layer["weights_size"])), 1, 1][:4]
    groups = layer_groups(layer)
    w = value_array(layer["weights"]).reshape(s[0] * s[1], s[2], s[3] // groups, groups, order="F")
    return w.transpose(0, 1, 3, 2).reshape(s[0] * s[1], s[2] * groups, -1, order="F")


def input_ranges(layer: graph.Layer) -> Array:
    """Find the greatest weight that reads each input."""
    if layer["type"] == "dense":
        return np.abs(value_array(layer["weights"])).max(axis=0).astype(np.float64)
    return np.abs(by_input(layer)).max(axis=(0, 2)).astype(np.float64)


def scale_outputs(layer: graph.Layer, factor: Array) -> graph.Layer:
    """Multiply each output of a layer."""
    m = weights_matrix(layer)
    scaled = (m.astype(np.float64) * factor[:, np.newaxis]).astype(m.dtype)
    layer = {**layer, "weights": plain(matrix_weights(scaled, layer))}
    if not is_empty(layer.get("bias")):
        bias = value_array(layer["bias"])
        layer["bias"] = plain((bias.astype(np.float64) * factor[:, np.newaxis]).astype(bias.dtype))
    return layer


def scale_inputs(layer: graph.Layer, factor: Array) -> graph.Layer:
    """Multiply what a layer makes of each input."""
    w = value_array(layer["weights"])
    if layer["type"] == "dense":
        return {**layer, "weights": plain((w.astype(np.float64) * factor).astype(w.dtype))}
    s = [*(int(n) for n in np.ravel(layer["weights_size"])), 1, 1][:4]
    groups = layer_groups(layer)
    scaled = by_input(layer).astype(np.float64) * factor[:, np.newaxis]
    scaled = scaled.reshape(s[0] * s[1], s[2], groups, s[3] // groups, order="F")
    scaled = scaled.transpose(0, 1, 3, 2).reshape(w.shape, order="F")
    return {**layer, "weights": plain(scaled.astype(w.dtype))}


def activation_ranges(
    model: graph.Model, plan: graph.Plan, pairs: list[Pair], options: dict[str, Any]
) -> list[Array]:
    """Find the greatest activation of each channel that a pair's second layer reads."""
    x, ranges = graph.batches(CALLER, model, options["data"], options["batch_size"])
    if not ranges:
        fail(CALLER, "badInput", "DATA must hold at least one observation")
    seen = [np.zeros(pair.channel.size) for pair in pairs]
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        for p, pair in enumerate(pairs):
            read = np.abs(layer_inputs(plan, model["layers"], batch, pair.second))
            axes = (0, 1, 3) if read.ndim == 4 else tuple(range(1, read.ndim))
            seen[p] = np.maximum(seen[p], read.max(axis=axes).astype(np.float64))
    return [channel_maximum(s, pair.channel) for s, pair in zip(seen, pairs, strict=True)]
