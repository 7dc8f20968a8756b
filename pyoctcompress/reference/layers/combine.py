"""Layers add, subtract and multiply: elementwise work on several inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..internal import Array, fail, one_class, vector_text
from .common import Gradients, Layer


def forward(layer: Layer, x: list[Array], random: Any) -> tuple[Array, Any]:
    """Combine the inputs; a size of 1 is stretched to that of the others."""
    operate = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}[layer["type"]]
    y, *rest = one_class(*aligned(x))
    for other in rest:
        y = operate(y, other)
    return y, None


def backward(
    layer: Layer, x: list[Array], y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[list[Array], Gradients]:
    """Give each input its gradient, summed where it was stretched."""
    inputs = aligned(x)
    dx = []
    for i, each in enumerate(inputs):
        d = -dy if layer["type"] == "subtract" and i == 1 else dy
        if layer["type"] == "multiply":
            for k, other in enumerate(inputs):
                d = d if k == i else d * other
        stretched = tuple(k for k in range(d.ndim) if each.shape[k] == 1 and d.shape[k] > 1)
        dx.append(d.sum(axis=stretched, keepdims=True).reshape(x[i].shape))
    return dx, {}


def size(layer: Layer, in_sizes: list[list[int]]) -> tuple[list[int], float]:
    """Return the size of the output; no multiply-accumulates are counted.

    Raises
    ------
    ModelError
        ``octcompress:combine:badSize``.
    """
    dims = max(len(each) for each in in_sizes)
    out, *rest = [full_size(each, dims) for each in in_sizes]
    for other in rest:
        fits = len(other) == len(out) and all(
            a == b or 1 in (a, b) or (math.isnan(a) and math.isnan(b))
            for a, b in zip(other, out, strict=True)
        )
        if not fits:
            shown = "], [".join(vector_text(each) for each in in_sizes)
            fail(
                "combine",
                "badSize",
                f"the inputs must have one size, or 1 where they differ, but they have [{shown}]",
            )
        out = [b if a == 1 else a for a, b in zip(out, other, strict=True)]
    return out, 0.0


def full_size(own: list[int], dims: int) -> list[int]:
    """Take features beside an image for an image of one pixel, beside a sequence for one step."""
    if len(own) == 1 and dims == 3:
        return [1, 1, own[0]]
    if len(own) == 1 and dims == 2:
        return [own[0], 1]
    return own


def aligned(x: list[Array]) -> list[Array]:
    """Give all inputs as many dimensions as the largest has."""
    dims = max(each.ndim for each in x)
    if dims == 4:
        return [each if each.ndim == 4 else each[np.newaxis, np.newaxis] for each in x]
    return [each if each.ndim == dims else each[..., np.newaxis] for each in x]
