"""Layers globalmaxpool and globalaveragepool: one value for each channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array
from .common import Gradients, Layer, require_image


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Take the maximum or the mean of each channel of H x W x C x N; gives 1 x 1 x C x N."""
    if layer["type"] == "globalaveragepool":
        return x.mean(axis=(0, 1), keepdims=True), None
    first = x.reshape(-1, *x.shape[2:]).argmax(axis=0)  # in reading order
    return x.max(axis=(0, 1), keepdims=True), first


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Give the gradient to all pixels alike, or to the first of the maxima."""
    height, width = x.shape[:2]
    if layer["type"] == "globalaveragepool":
        return np.broadcast_to(dy / (height * width), x.shape), {}
    place = np.arange(height * width).reshape(height, width, 1, 1)
    return np.where(place == state, dy, 0), {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output; no multiply-accumulates are counted.

    Raises
    ------
    ModelError
        ``octcompress:global_pooling:badSize``.
    """
    require_image("global_pooling", in_size)
    return [1, 1, in_size[2]], 0.0
