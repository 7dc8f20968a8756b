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
    from .layers import window  # needs the convolution of the reference

    return window.unrolled(layer, x)


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
