"""Softmax over the channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array
from .common import channel_axis

Layer = dict[str, Any]


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """``exp (x - max (x)) / sum (exp (x - max (x)))``, so that large x do not overflow."""
    axis = channel_axis(x)
    y = np.exp(x - x.max(axis=axis, keepdims=True))
    return y / y.sum(axis=axis, keepdims=True), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, dict[str, Array]]:
    """``dx = y * (dy - sum (dy * y))``."""
    return y * (dy - (dy * y).sum(axis=channel_axis(x), keepdims=True)), {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; no multiply-accumulates are counted."""
    return in_size, 0.0
