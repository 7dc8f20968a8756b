"""Fully connected layer: y = weights * x + bias."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import internal
from ..internal import Array, describe, fail, one_class, vector_text

Layer = dict[str, Any]


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """``y = weights * x + bias``; `x` is in x N, or in x N x T: each time step alone."""
    weights, x = one_class(layer["weights"], x)
    y = np.tensordot(weights, x, axes=(1, 0))
    if has_bias(layer):
        y, bias = one_class(y, layer["bias"])
        y = y + bias.reshape((-1,) + (1,) * (x.ndim - 1))
    return y, None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, dict[str, Array]]:
    """``dweights = dy * x'``, ``dbias`` = the sum over the observations, ``dx = weights' * dy``."""
    weights, x, dy = one_class(layer["weights"], x, dy)
    observations = tuple(range(1, x.ndim))
    gradients = {"weights": np.tensordot(dy, x, axes=(observations, observations))}
    if has_bias(layer):
        gradients["bias"] = dy.sum(axis=observations)[:, np.newaxis]
    dx = np.tensordot(weights, dy, axes=(0, 0)) if need_dx else None
    return dx, gradients


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output and the multiply-accumulates of one observation.

    Raises
    ------
    ModelError
        ``octcompress:dense:badSize``.
    """
    outputs, inputs = internal.size(layer["weights"])
    if len(in_size) > 2 or in_size[0] != inputs:
        fail(
            "dense",
            "badSize",
            f"WEIGHTS is {outputs} x {inputs}, so each observation must have {inputs} features, "
            f"but it has [{vector_text(in_size)}]; an image needs a flatten layer before",
        )
    if has_bias(layer) and internal.size(layer["bias"]) != (outputs, 1):
        fail("dense", "badSize", f"BIAS must be {outputs} x 1, but is {describe(layer['bias'])}")
    steps = in_size[1:]
    return [outputs, *steps], float(outputs * inputs * math.prod(steps))


def has_bias(layer: Layer) -> bool:
    """Whether the layer has a bias that is not empty."""
    return "bias" in layer and np.size(layer["bias"]) > 0
