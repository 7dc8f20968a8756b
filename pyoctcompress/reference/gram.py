"""Sums of products of a layer's inputs: the reference of ``+model/input_gram.m`` and its parts."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, fail, is_empty, scalar, value_array


@dataclass
class Stats:
    """What `input_gram` gives, of one or several groups of inputs (the last dimension).

    gram : d x d x groups, the sum of u u'; total : d x groups, the sum of u; count : columns of u;
    cross and total_reference : the sum of u_reference u' and of u_reference.
    """

    gram: Array
    total: Array
    count: float
    cross: Array | None = None
    total_reference: Array | None = None

    def group(self, g: int) -> Stats:
        """Return the sums of one group: d x d and d x 1."""
        return Stats(
            self.gram[:, :, g],
            self.total[:, g : g + 1],
            self.count,
            None if self.cross is None else self.cross[:, :, g],
            None if self.total_reference is None else self.total_reference[:, g : g + 1],
        )


def weights_matrix(layer: graph.Layer, weights: Any = None) -> Array:
    """Give a dense or conv2d layer's weights as a matrix with one row for each output unit."""
    w = value_array(layer["weights"] if weights is None else weights)
    if layer["type"] == "conv2d":
        w = w.reshape(-1, int(np.ravel(layer["weights_size"])[-1]), order="F").T
    return w


def matrix_weights(w: Array, layer: graph.Layer) -> Array:
    """Undo `weights_matrix`."""
    if layer["type"] == "conv2d":
        return w.T.reshape(value_array(layer["weights"]).shape, order="F")
    return w


def layer_inputs(plan: graph.Plan, layers: list[graph.Layer], x: Array, k: int) -> Array:
    """Return what layer k (from 0) reads on a batch."""
    _, trace = graph.forward(plan, layers, x)
    source = plan.inputs[k][0]
    return x if source < 0 else trace.values[source]


def unrolled_inputs(layer: graph.Layer, x: Array) -> Array:
    """Unroll a layer's input: columns are what its weights are multiplied with, d x n x groups.

    The rows are ordered as the columns of `weights_matrix`: the kernel's height fastest.
    """
    if layer["type"] == "dense":
        return x.reshape(x.shape[0], -1, 1, order="F")
    return unrolled_windows(layer, x)


def unrolled_windows(layer: graph.Layer, x: Array) -> Array:
    """Unroll the windows of a convolution over images H x W x C x N."""
    kernel = [int(n) for n in np.ravel(layer["weights_size"])[:2]]
    stride, dilation = pair(layer.get("stride")), pair(layer.get("dilation"))
    reach = [(kernel[d] - 1) * dilation[d] + 1 for d in (0, 1)]
    padding = layer.get("padding")
    if isinstance(padding, str):
        out = [-(-x.shape[d] // stride[d]) for d in (0, 1)]
        missing = [max((out[d] - 1) * stride[d] + reach[d] - x.shape[d], 0) for d in (0, 1)]
        pads = [(m // 2, m - m // 2) for m in missing]
    else:
        given = [0] if is_empty(padding) else [int(n) for n in np.ravel(np.asarray(padding))]
        four = {1: given * 4, 2: [given[0]] * 2 + [given[-1]] * 2, 4: given}[len(given)]
        pads = [(four[0], four[1]), (four[2], four[3])]
        out = [(x.shape[d] + sum(pads[d]) - reach[d]) // stride[d] + 1 for d in (0, 1)]
    x = np.pad(x, [*pads, (0, 0), (0, 0)])
    parts = np.empty((kernel[0], kernel[1], x.shape[2], *out, x.shape[3]), x.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = i * dilation[0], j * dilation[1]
            rows = slice(top, top + (out[0] - 1) * stride[0] + 1, stride[0])
            columns = slice(left, left + (out[1] - 1) * stride[1] + 1, stride[1])
            parts[i, j] = np.moveaxis(x[rows, columns], 2, 0)
    groups = layer_groups(layer)
    u = parts.reshape(kernel[0] * kernel[1] * x.shape[2] // groups, groups, -1, order="F")
    return np.swapaxes(u, 1, 2)


def pair(value: Any) -> list[int]:
    """Give a stride or dilation as two numbers, 1 where it is left out."""
    given = [1] if is_empty(value) else [int(n) for n in np.ravel(np.asarray(value))]
    return given * 2 if len(given) == 1 else given


def input_gram(
    caller: str,
    model: graph.Model,
    x: Any,
    k: int,
    batch_size: Any = 256,
    reference: graph.Model | None = None,
) -> Stats:
    """Sum the products of the inputs of layer `k` (from 0) over calibration data.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:badLayer`` (not dense or conv2d), ``badInput``, ``notFinite``.
    """
    layer = model["layers"][k]
    if layer["type"] not in ("dense", "conv2d"):
        fail(
            caller,
            "badLayer",
            f"layer {k + 1} ('{layer['name']}') is of type {layer['type']}, but only dense and "
            "conv2d layers have an input Hessian; leave it out with LAYERS",
        )
    plan = graph.plan(caller, model)
    x, ranges = graph.batches(caller, model, x, batch_size)
    if not ranges:
        fail(caller, "badInput", "DATA must hold at least one observation")
    sums: list[Any] = [0, 0, 0, 0, 0]
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        u = unrolled_inputs(layer, layer_inputs(plan, model["layers"], batch, k))
        sums[0] = sums[0] + products(u, u)
        sums[1] = sums[1] + u.sum(axis=1, dtype=np.float64)
        sums[2] += u.shape[1]
        if reference is not None:
            r = unrolled_inputs(layer, layer_inputs(plan, reference["layers"], batch, k))
            sums[3] = sums[3] + products(r, u)
            sums[4] = sums[4] + r.sum(axis=1, dtype=np.float64)
    if not np.all(np.isfinite(sums[0])):
        fail(
            caller,
            "notFinite",
            f"the input of layer '{layer['name']}' is not finite on DATA; scale the inputs as in "
            "training",
        )
    if reference is None:
        return Stats(sums[0], sums[1], float(sums[2]))
    return Stats(sums[0], sums[1], float(sums[2]), sums[3], sums[4])


def products(a: Array, b: Array) -> Array:
    """Multiply each group's inputs: d x d x groups double."""
    return np.stack([(a[:, :, g] @ b[:, :, g].T) for g in range(a.shape[2])], axis=2).astype(float)


def layer_groups(layer: graph.Layer) -> int:
    """Return the number of groups of a convolution."""
    return 1 if is_empty(layer.get("groups")) else int(scalar(layer["groups"]))
