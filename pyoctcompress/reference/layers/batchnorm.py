"""Batch normalisation of each channel, with its running statistics."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..internal import Array, fail, one_class, scalar, vector_text
from ..internal import size as size_of
from .common import Gradients, Layer, channels_of, given, option, per_channel, sum_per_channel

FIELDS = ("scale", "offset", "mean", "variance")


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Normalise: ``scale * (x - mean) / sqrt (variance + epsilon) + offset`` [1]_.

    ``layer['frozen']`` (False): training computes as inference does, and leaves the running
    statistics alone. Otherwise in training mean and variance are those of the batch, the variance
    over M values divided by M; the running variance takes the one divided by M - 1, as PyTorch
    does.

    References
    ----------
    .. [1] Ioffe and Szegedy, Batch normalization, ICML 2015, arXiv:1502.03167.
    """
    x, scale, offset, mean, variance = one_class(x, *(layer[name] for name in FIELDS))
    epsilon = scalar(option(layer, "epsilon", 1e-5))
    training = random is not None and not bool(option(layer, "frozen", False))
    state: dict[str, Any] = {"training": training, "statistics": {}}
    if training:
        count = x.size // mean.size
        centre = sum_per_channel(x) / count
        spread = sum_per_channel((x - per_channel(centre, x)) ** 2) / count
        momentum = scalar(option(layer, "momentum", 0.1))
        unbiased = spread * (count / max(count - 1, 1))
        kind = layer["mean"].dtype
        state["statistics"] = {
            "mean": ((1 - momentum) * mean + momentum * centre).astype(kind),
            "variance": ((1 - momentum) * variance + momentum * unbiased).astype(kind),
        }
        mean, variance = centre, spread
    state["mean"], state["inverse"] = mean, 1 / np.sqrt(variance + epsilon)
    normal = (x - per_channel(mean, x)) * per_channel(state["inverse"], x)
    return per_channel(scale, x) * normal + per_channel(offset, x), state


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Differentiate by scale, offset and input; in training through the batch's statistics."""
    x, dy, scale, mean, inverse = one_class(x, dy, layer["scale"], state["mean"], state["inverse"])
    normal = (x - per_channel(mean, x)) * per_channel(inverse, x)
    gradients = {"scale": sum_per_channel(dy * normal), "offset": sum_per_channel(dy)}
    dx = None
    if need_dx:
        dx = dy
        if state["training"]:
            count = x.size // mean.size
            dx = dx - per_channel(gradients["offset"] / count, x)
            dx = dx - normal * per_channel(gradients["scale"] / count, x)
        dx = per_channel(scale * inverse, x) * dx
    return dx, gradients


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; one multiply-accumulate for each value.

    Raises
    ------
    ModelError
        ``octcompress:batchnorm:badSize``.
    """
    channels = channels_of(in_size)
    for name in FIELDS:
        if name not in layer or size_of(layer[name]) != (channels, 1):
            fail(
                "batchnorm",
                "badSize",
                f"{name.upper()} must be {channels} x 1, one for each channel of the input "
                f"[{vector_text(in_size)}], but is {given(layer, name)}",
            )
    return in_size, float(math.prod(in_size))
