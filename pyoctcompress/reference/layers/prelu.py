"""Rectifier with a trained slope for negative values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array, describe, fail, one_class, vector_text
from ..internal import size as size_of
from .common import Gradients, Layer, channels_of, option, per_channel, sum_per_channel


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """``max (x, 0) + slope * min (x, 0)``; the slope is one number, or one for each channel [1]_.

    References
    ----------
    .. [1] He et al., Delving deep into rectifiers, ICCV 2015, arXiv:1502.01852.
    """
    x, slope = one_class(x, layer["slope"])
    return np.maximum(x, 0) + per_channel(slope, x) * np.minimum(x, 0), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Differentiate by the slope and the input; at 0 the slope's side counts."""
    x, dy, slope = one_class(x, dy, layer["slope"])
    total = sum_per_channel(dy * np.minimum(x, 0))
    if slope.size == 1:
        total = total.sum(keepdims=True)
    return dy * np.where(x > 0, 1, per_channel(slope, x)), {"slope": total}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; no multiply-accumulates are counted.

    Raises
    ------
    ModelError
        ``octcompress:prelu:badSize``.
    """
    channels = channels_of(in_size)
    slope = option(layer, "slope", None)
    if size_of(slope) not in [(1, 1), (channels, 1)]:
        fail(
            "prelu",
            "badSize",
            f"SLOPE must be a scalar or {channels} x 1, one for each channel of the input "
            f"[{vector_text(in_size)}], but is {describe(slope)}",
        )
    return in_size, 0.0
