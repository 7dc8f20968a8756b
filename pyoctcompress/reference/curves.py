"""What each layer loses by itself: the reference of ``+octcompress/+search/layer_curves.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import model as graph
from .gram import Stats, input_gram, matrix_weights, weights_matrix
from .internal import Array, is_empty, number, value_array
from .nn_prune import prune
from .nn_quantize import quantize
from .prune import low_rank
from .rounding import quantize_matrix
from .search import coded_bytes, pareto_front
from .surgeon import obs_layer
from .train_data import cut

Curve = dict[str, Any]
CHOICE = ("sparsity", "bits", "rank")
MEASURED = ("loss", "changed", "bytes")


def layer_curves(
    caller: str, model: graph.Model, calibration: Any, probe: Any, grid: Mapping[str, Any]
) -> list[Curve]:
    """Measure what each layer loses, and what it costs in bytes, under every choice for it alone.

    Parameters
    ----------
    model : dict
        A tidy network with one output.
    calibration, probe : arrays
        Inputs that weights are fitted on, and others on which the outputs are compared.
    grid : dict
        sparsity, bits and rank: what to try, ranks in shares of the full one; layers.

    Returns
    -------
    list of dict
        One for each layer: layer, tensor, count, fitted; rows sparsity, bits, rank, loss, changed,
        bytes, and tradeoff, which is measured in Octave only: zeros.
    """
    [last] = cut(caller, model, ("softmax", "logsoftmax")).outputs
    layers = model["layers"][: last + 1]
    model = {**model, "layers": layers, "outputs": [layers[last]["name"]]}
    before = _outputs(caller, model, probe)

    def judge(k: int, layer: graph.Layer) -> tuple[float, float]:
        layers = [*model["layers"][:k], layer, *model["layers"][k + 1 :]]
        after = _outputs(caller, {**model, "layers": layers}, probe)
        changed = np.mean(after.argmax(axis=0) != before.argmax(axis=0))
        return float(np.mean((after - before) ** 2)), float(changed)

    curves = []
    for tensor in graph.select_tensors(caller, model, grid["layers"], False):
        k = tensor.layer - 1
        layer = model["layers"][k]
        if tensor.field != "weights":
            continue
        stats = None
        if layer["type"] in ("dense", "conv2d"):
            stats = input_gram(caller, model, calibration, k, 256)
        curve: Curve = {
            "layer": layer["name"],
            "tensor": tensor.name,
            "count": float(value_array(layer["weights"]).size),
            "fitted": stats is not None,
        }
        rows = [
            (*choice, *judge(k, squeezed), bytes)
            for choice, squeezed, bytes in _choices(model, k, stats, grid)
        ]
        for name, column in zip((*CHOICE, *MEASURED), zip(*rows, strict=True), strict=True):
            curve[name] = np.array([column], dtype=float)
        curve["tradeoff"] = np.zeros((1, len(rows)))
        curves.append(curve)
    return curves


def _outputs(caller: str, model: graph.Model, x: Any) -> Array:
    """Give the network's outputs, a column for each observation."""
    y = graph.predict(caller, model, x, 500)[0].astype(float)
    if y.ndim == 3:
        y = y.transpose(0, 2, 1)
    return y.reshape(-1, y.shape[-1], order="F")


def _choices(
    model: graph.Model, k: int, stats: Stats | None, grid: Mapping[str, Any]
) -> Iterator[tuple[tuple[float, float, float], graph.Layer, float]]:
    """Give each choice, the layer as it makes it, and its bytes."""
    layer = model["layers"][k]
    for share in grid["sparsity"]:
        squeeze = _by_magnitude(model, k, share) if stats is None else _fitted(layer, stats, share)
        for bits in grid["bits"]:
            squeezed = squeeze(bits)
            yield (share, bits, 0.0), squeezed, _bytes(squeezed["weights"])
    if stats is None or stats.gram.shape[2] > 1:
        return
    w = weights_matrix(layer).astype(float)
    dtype = value_array(layer["weights"]).dtype
    centre = stats.total / stats.count
    covariance = stats.gram[:, :, 0] / stats.count - centre @ centre.T
    for share in grid["rank"]:
        rank = max(1, math.floor(share * min(w.shape) + 0.5))
        if rank * sum(w.shape) >= w.size:
            continue
        up, down, _ = low_rank(w, {"rank": rank}, covariance)
        thin = dict(layer)
        if not is_empty(layer.get("bias")):
            bias = value_array(layer["bias"])
            thin["bias"] = (bias + (w - up @ down) @ centre).astype(bias.dtype)
        for bits in grid["bits"]:
            if bits < 4:
                continue
            parts = [
                quantize(part.astype(np.float32), bits=bits, fit="mse")[0] for part in (up, down)
            ]
            thin["weights"] = matrix_weights((parts[0] @ parts[1]).astype(dtype), layer)
            yield (0.0, bits, float(rank)), dict(thin), sum(map(_bytes, parts))


def _by_magnitude(model: graph.Model, k: int, share: float) -> Callable[[float], graph.Layer]:
    """Prune a layer without a Hessian, and say how it is quantized then."""
    if share > 0:
        model, _ = prune(model, layers=[k + 1], sparsity=share)
    return lambda bits: quantize(model, bits=bits, layers=[k + 1])[0]["layers"][k]


def _fitted(layer: graph.Layer, stats: Stats, share: float) -> Callable[[float], graph.Layer]:
    """Prune a layer by optimal brain surgeon, and say how it is quantized then."""
    w = weights_matrix(layer)
    bias = None if is_empty(layer.get("bias")) else value_array(layer["bias"]).astype(float)
    dtype, zeros = w.dtype, None
    rule = math.floor(share * w.size)
    if rule > 0:
        w, bias, zeros, _ = obs_layer(w, bias, stats, rule)
        w = w.astype(dtype)

    def on_grid(bits: float) -> graph.Layer:
        settings = {
            "scheme": "symmetric",
            "axis": 0,
            "group": None,
            "power2": False,
            "fit": "range" if bits > 6 else "hessian",
            "rounding": "gptq",
            "sparsity": 0.0,
            "damping": 0.01,
            "bias_correction": True,
            "zeros": zeros,
        }
        q, moved, *_ = quantize_matrix(w, bias, stats, int(bits), settings)
        squeezed = {**layer, "weights": matrix_weights(q, layer)}
        if moved is not None:
            squeezed["bias"] = moved.astype(value_array(layer["bias"]).dtype)
        return squeezed

    return on_grid


def _bytes(weights: Any) -> float:
    layer = {"type": "dense", "name": "a", "weights": weights}
    return coded_bytes({"layers": [layer]})[0][0]["bytes"]


def table_of_curves(curves: Sequence[Curve]) -> str:
    """Print what no other choice for a layer alone beats."""
    heads = ("sparsity", "bits", "rank", "bytes", "loss", "changed")
    widths = (9, 5, 5, 9, 9, 9)
    columns = " ".join(f"{head:>{n}}" for head, n in zip(heads, widths, strict=True))
    lines = [f"{'tensor':<16} {columns}"]
    for curve in curves:
        for i in pareto_front(curve["loss"], curve["bytes"]):
            row = {name: float(np.ravel(curve[name])[i]) for name in (*CHOICE, *MEASURED)}
            lines.append(
                f"{curve['tensor']:<16} {number(row['sparsity'], '%9.3g')} {row['bits']:5.0f} "
                f"{row['rank']:5.0f} {row['bytes']:9.0f} {number(row['loss'], '%9.2g')} "
                f"{100 * row['changed']:8.2f}%"
            )
    return "\n".join([*lines, "(what no other choice for that layer alone beats)"]) + "\n"
