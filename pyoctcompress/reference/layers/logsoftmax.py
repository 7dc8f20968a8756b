"""Logarithm of the softmax over the channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array
from .common import Gradients, Layer, channel_axis


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """``x - max (x) - log (sum (exp (x - max (x))))``, so that large x do not overflow."""
    axis = channel_axis(x)
    y = x - x.max(axis=axis, keepdims=True)
    return y - np.log(np.exp(y).sum(axis=axis, keepdims=True)), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """``dx = dy - exp (y) * sum (dy)``."""
    return dy - np.exp(y) * dy.sum(axis=channel_axis(x), keepdims=True), {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; no multiply-accumulates are counted."""
    return in_size, 0.0
