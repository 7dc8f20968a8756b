"""Transposed convolution: the adjoint of conv2d, which enlarges by its stride."""

from __future__ import annotations

import math
from typing import Any

from ..internal import Array, check, fail, is_empty, vector_text
from .common import Gradients, Layer, option, require_image, sum_per_channel
from .window import (
    Window,
    as_stored,
    by_weights,
    check_bias,
    correlate,
    groups_of,
    shaped_weights,
    spread,
    window,
)

CALLER = "transposedconv2d"


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Add the weights times each pixel of `x` where its window lies on the result."""
    g = geometry(layer, list(x.shape[:2]))
    return spread(x, shaped_weights(layer), layer.get("bias"), g, groups_of(layer)), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Differentiate by the weights, the bias and the input."""
    g, groups = geometry(layer, list(x.shape[:2])), groups_of(layer)
    gradients = {"weights": as_stored(by_weights(dy, x, g, groups), layer)}
    if not is_empty(layer.get("bias")):
        gradients["bias"] = sum_per_channel(dy)
    dx = correlate(dy, shaped_weights(layer), None, g, groups) if need_dx else None
    return dx, gradients


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output and the multiply-accumulates of one observation.

    Raises
    ------
    OctcompressError
        ``octcompress:transposedconv2d:badSize``, ``badValue``.
    """
    require_image(CALLER, in_size)
    w, g = shaped_weights(layer), geometry(layer, in_size[:2])
    check(CALLER, "groups", option(layer, "groups", 1), "integer", (1, in_size[2]))
    groups = groups_of(layer)
    filters = w.shape[2] * groups
    if w.shape[3] != in_size[2] or in_size[2] % groups != 0:
        fail(
            CALLER,
            "badSize",
            f"WEIGHTS is {w.shape[0]} x {w.shape[1]} x {w.shape[2]} x {w.shape[3]} with {groups} "
            f"groups, so the input must have {w.shape[3]} channels, a multiple of {groups}, but "
            f"is [{vector_text(in_size)}]",
        )
    check_bias(CALLER, layer, filters)
    return [*g.image, filters], float(math.prod(in_size[:2]) * w.size)


def geometry(layer: Layer, in_size: list[int]) -> Window:
    """Work out where the windows of the convolution from the result to the input lie."""
    kernel = list(shaped_weights(layer).shape[:2])
    return window(CALLER, layer, kernel, [*in_size, 1], transposed=True)
