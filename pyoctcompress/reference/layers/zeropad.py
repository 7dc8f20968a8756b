"""Surround images by zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array
from .common import Gradients, Layer
from .window import Window, window


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Pad H x W x C x N by ``layer['padding']``."""
    top, bottom, left, right = geometry(layer, list(x.shape[:3])).padding
    return np.pad(x, ((top, bottom), (left, right), (0, 0), (0, 0))), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Cut the padding off the gradient."""
    top, _, left, _ = geometry(layer, list(x.shape[:3])).padding
    return dy[top : top + x.shape[0], left : left + x.shape[1]], {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output; no multiply-accumulates are counted.

    Raises
    ------
    OctcompressError
        ``octcompress:zeropad:badSize``, ``badValue``.
    """
    return [*geometry(layer, in_size).out, in_size[2]], 0.0


def geometry(layer: Layer, in_size: list[int]) -> Window:
    """Let a window of one pixel visit every pixel and the padding."""
    return window("zeropad", {"padding": layer.get("padding")}, [1, 1], in_size)
