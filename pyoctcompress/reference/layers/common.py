"""What several layer types share."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..internal import Array, describe, fail, is_empty, size, value_array, vector_text

Layer = Mapping[str, Any]
Gradients = dict[str, Array]


def channel_axis(x: Array) -> int:
    """Return the dimension that the channels are: 2 of images H x W x C x N, 0 of all else."""
    return 2 if x.ndim == 4 else 0


def channels_of(in_size: list[int]) -> int:
    """Return the number of channels of an image, or of features."""
    return in_size[-1] if len(in_size) == 3 else in_size[0]


def per_channel(value: Any, x: Array) -> Array:
    """Shape a value for each channel (or one for all) to meet a batch."""
    shape = [1] * x.ndim
    shape[channel_axis(x)] = -1
    return value_array(value).reshape(shape)


def sum_per_channel(x: Array) -> Array:
    """Sum over all but the channels, C x 1."""
    axis = channel_axis(x)
    return x.sum(axis=tuple(d for d in range(x.ndim) if d != axis))[:, np.newaxis]


def option(layer: Layer, name: str, default: Any) -> Any:
    """Return a field of a layer, or a default where it is left out."""
    return default if is_empty(layer.get(name)) else layer[name]


def given(layer: Layer, name: str) -> str:
    """Describe a field, or say that it is absent."""
    return describe(layer[name]) if name in layer else "absent"


def require_image(caller: str, in_size: list[int]) -> None:
    """Refuse anything but images."""
    if len(in_size) != 3:
        fail(
            caller,
            "badSize",
            "the input must be an image [height width channels], but has the size "
            f"[{vector_text(in_size)}]",
        )


def weights_size(layer: Layer, dims: int) -> list[int]:
    """Return the full size of a layer's weights: Octave drops trailing ones.

    Raises
    ------
    ModelError
        ``octcompress:weights_size:badSize`` where weights_size says otherwise.
    """
    weights = layer["weights"]
    full = list(size(weights))
    if not is_empty(layer.get("weights_size")):
        full = [int(n) for n in np.ravel(layer["weights_size"])]
    full += [1] * (dims - len(full))
    count = math.prod(size(weights))
    if math.prod(full) != count or len(full) > dims:
        fail(
            "weights_size",
            "badSize",
            f"WEIGHTS has {count} elements, {describe(weights)}, but must have {dims} dimensions, "
            f"and WEIGHTS_SIZE says [{vector_text(full)}]",
        )
    return full
