"""Multiply and add constants: y = scale * x + offset. Training leaves them alone."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

from ..internal import Array, describe, fail, one_class, value_array, vector_text
from ..internal import size as size_of
from .common import Gradients, Layer, channels_of, per_channel


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Scale and shift; each constant is a scalar, C x 1, or of an image's size."""
    if "scale" in layer:
        x, factor = one_class(x, shaped(layer["scale"], x))
        x = factor * x
    if "offset" in layer:
        x, offset = one_class(x, shaped(layer["offset"], x))
        x = x + offset
    return x, None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Scale the gradient."""
    if "scale" in layer:
        dy, factor = one_class(dy, shaped(layer["scale"], dy))
        dy = factor * dy
    return dy, {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; no multiply-accumulates are counted.

    Raises
    ------
    ModelError
        ``octcompress:scale:badSize``.
    """
    channels = channels_of(in_size)
    for name in ("scale", "offset"):
        if name not in layer:
            continue
        full = [*size_of(layer[name]), 1][:3]
        if full not in ([1, 1, 1], [channels, 1, 1]) and full != in_size:
            fail(
                "scale",
                "badSize",
                f"{name.upper()} must be a scalar, {channels} x 1, or of the input's size "
                f"[{vector_text(in_size)}], but is {describe(layer[name])}",
            )
    return in_size, 0.0


def shaped(value: Any, x: Array) -> Array:
    """Shape a constant to meet a batch."""
    value = value_array(value)
    if value.shape[1] == 1 and value.ndim == 2:
        return per_channel(value, x)
    return value.reshape(x.shape[:3])[..., None]
