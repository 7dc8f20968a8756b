"""Set random elements to zero in training, and nothing in inference."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array, check, scalar
from ..train import random_uniform
from .common import Gradients, Layer, option


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Drop the share ``layer['rate']`` (0.5); what stays is divided by 1 - rate [1]_.

    An element stays where a uniform number is at least the rate. The numbers are drawn in the
    order of Octave's engine: for images C x W x N x H.

    References
    ----------
    .. [1] Srivastava et al., Dropout, JMLR 15, 2014.
    """
    if random is None:
        return x, None
    rate = scalar(option(layer, "rate", 0.5))
    if x.ndim == 4:
        height, width, channels, count = x.shape
        u = random_uniform(random, (channels, width, count, height)).transpose(3, 1, 0, 2)
    else:
        u = random_uniform(random, x.shape)
    kept = (u >= rate).astype(x.dtype) / (1 - rate)
    return x * kept, kept


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Let the gradient through where nothing was dropped."""
    return (dy if state is None else dy * state), {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; no multiply-accumulates are counted.

    Raises
    ------
    OptionError
        ``octcompress:dropout:badValue``.
    """
    most = 1 - float(np.finfo(np.float64).eps)
    check("dropout", "rate", option(layer, "rate", 0.5), "number", (0, most))
    return in_size, 0.0
