"""Put several inputs side by side along one dimension."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..internal import Array, check, fail, one_class, vector_text
from .common import Gradients, Layer, option

# By the number of dimensions of an observation: the names of its axes, and where they stand.
NAMES = {1: "F", 2: "FT", 3: "HWC"}
PLACES = {1: (0,), 2: (0, 2), 3: (0, 1, 2)}


def forward(layer: Layer, x: list[Array], random: Any) -> tuple[Array, Any]:
    """Join the inputs along ``layer['axis']``, the channels unless given."""
    dims = x[0].ndim - 1
    return np.concatenate(one_class(*x), axis=PLACES[dims][axis_of(layer, dims)]), None


def backward(
    layer: Layer, x: list[Array], y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[list[Array], Gradients]:
    """Give each input its part of the gradient."""
    dims = x[0].ndim - 1
    axis = PLACES[dims][axis_of(layer, dims)]
    ends = np.cumsum([each.shape[axis] for each in x])[:-1]
    return list(np.split(dy, ends, axis=axis)), {}


def size(layer: Layer, in_sizes: list[list[int]]) -> tuple[list[int], float]:
    """Return the size of the output; no multiply-accumulates are counted.

    Raises
    ------
    OctcompressError
        ``octcompress:concat:badSize``, ``badValue``.
    """
    out = list(in_sizes[0])
    place = axis_of(layer, len(out))
    for other in in_sizes[1:]:
        fits = len(other) == len(out) and all(
            a == b or d == place or (math.isnan(a) and math.isnan(b))
            for d, (a, b) in enumerate(zip(other, out, strict=True))
        )
        if not fits:
            shown = "], [".join(vector_text(each) for each in in_sizes)
            fail(
                "concat",
                "badSize",
                "the inputs must have the same size except along the axis, but they have "
                f"[{shown}]",
            )
        out[place] += other[place]
    return out, 0.0


def axis_of(layer: Layer, dims: int) -> int:
    """Return where the axis stands in the size of an observation."""
    names = NAMES[dims]
    axis = option(layer, "axis", "C" if dims == 3 else "F")
    check("concat", "axis", axis, "choice", list(names))
    return names.index(axis)
