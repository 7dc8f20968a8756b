"""Two-dimensional convolution (cross-correlation, as everywhere in this field)."""

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

CALLER = "conv2d"


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Multiply each window of `x`, H x W x C x N, with the weights, and add the bias."""
    g = geometry(layer, list(x.shape[:3]))
    return correlate(x, shaped_weights(layer), layer.get("bias"), g, groups_of(layer)), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Differentiate by the weights, the bias and the input."""
    g, groups = geometry(layer, list(x.shape[:3])), groups_of(layer)
    gradients = {"weights": as_stored(by_weights(x, dy, g, groups), layer)}
    if not is_empty(layer.get("bias")):
        gradients["bias"] = sum_per_channel(dy)
    dx = spread(dy, shaped_weights(layer), None, g, groups) if need_dx else None
    return dx, gradients


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output and the multiply-accumulates of one observation.

    Raises
    ------
    OctcompressError
        ``octcompress:conv2d:badSize``, ``badValue``.
    """
    require_image(CALLER, in_size)
    w, g = shaped_weights(layer), geometry(layer, in_size)
    check(CALLER, "groups", option(layer, "groups", 1), "integer", (1, in_size[2]))
    groups, filters = groups_of(layer), w.shape[3]
    if w.shape[2] * groups != in_size[2] or filters % groups != 0:
        fail(
            CALLER,
            "badSize",
            f"WEIGHTS is {w.shape[0]} x {w.shape[1]} x {w.shape[2]} x {filters} with {groups} "
            f"groups, so the input must have {w.shape[2] * groups} channels and the output a "
            f"multiple of {groups}, but the input is [{vector_text(in_size)}]",
        )
    check_bias(CALLER, layer, filters)
    return [*g.out, filters], float(math.prod(g.out) * w.size)


def geometry(layer: Layer, in_size: list[int]) -> Window:
    """Work out where the windows lie."""
    return window(CALLER, layer, list(shaped_weights(layer).shape[:2]), in_size)
