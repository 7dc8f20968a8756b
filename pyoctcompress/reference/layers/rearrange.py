"""Layers flatten, reshape and permute: the same numbers in another shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..internal import Array, check, describe, fail, is_numeric, number, vector_text
from .common import Gradients, Layer, option

CALLER = "rearrange"

# The dimensions of an image H x W x C x N in the order in which a list of its numbers runs.
ORDERS = {"hwc": (0, 1, 2, 3), "chw": (1, 0, 2, 3), "keras": (2, 1, 0, 3)}
SEQUENCE = (0, 2, 1)


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Rearrange the numbers of each observation."""
    if layer["type"] == "permute":
        return permuted(x, [int(d) - 1 for d in np.ravel(layer["dimensions"])]), None
    order = order_of(layer)
    return from_list(to_list(x, order), output_size(layer, size_of(x)), order), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Put the gradient back where the numbers came from."""
    if layer["type"] == "permute":
        dimensions = [int(d) - 1 for d in np.ravel(layer["dimensions"])]
        return permuted(dy, list(np.argsort(dimensions))), {}
    order = order_of(layer)
    return from_list(to_list(dy, order), size_of(x), order), {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output; no multiply-accumulates are counted.

    Raises
    ------
    OctcompressError
        ``octcompress:rearrange:badSize``, ``badValue``.
    """
    if layer["type"] != "permute":
        order_of(layer)
        return output_size(layer, in_size), 0.0
    dimensions: Any = layer.get("dimensions")
    fine = dimensions is not None and is_numeric(dimensions)
    if not fine or sorted(np.ravel(dimensions)) != list(range(1, len(in_size) + 1)):
        fail(
            CALLER,
            "badValue",
            f"DIMENSIONS must have each of 1 to {len(in_size)} once, for the input is "
            f"[{vector_text(in_size)}], but is {describe(option(layer, 'dimensions', 'absent'))}",
        )
    return [in_size[int(d) - 1] for d in np.ravel(dimensions)], 0.0


def order_of(layer: Layer) -> str:
    """Return the order in which the numbers of an image are read."""
    order = str(option(layer, "order", "hwc")) if "order" in layer else "hwc"
    check(CALLER, "order", option(layer, "order", "hwc"), "choice", list(ORDERS))
    return order


def size_of(x: Array) -> list[int]:
    """Return the size of one observation of a batch."""
    return {2: [x.shape[0]], 3: [x.shape[0], x.shape[-1]], 4: list(x.shape[:3])}[x.ndim]


def output_size(layer: Layer, in_size: list[int]) -> list[int]:
    """Return the size of one observation of the result."""
    count = math.prod(in_size)
    if layer["type"] == "flatten":
        return [count]
    wanted = option(layer, "output_size", "absent")
    if is_numeric(wanted) and np.size(wanted) in (1, 2, 3):
        out = np.ravel(wanted).astype(float)
        if (out == -1).sum() == 1:
            out[out == -1] = count / out[out != -1].prod()
        if (out >= 1).all() and (out == np.trunc(out)).all() and out.prod() == count:
            return [int(n) for n in out]
    fail(
        CALLER,
        "badSize",
        f"OUTPUT_SIZE must be F, [H W C] or [F T] with the {number(count)} numbers of the input "
        f"[{vector_text(in_size)}] (one element may be -1), but is {describe(wanted)}",
    )


def to_list(x: Array, order: str) -> Array:
    """Make each observation a column."""
    if x.ndim == 2:
        return x
    x = x.transpose(SEQUENCE if x.ndim == 3 else ORDERS[order])
    return x.reshape(-1, x.shape[-1], order="F")


def from_list(x: Array, out_size: list[int], order: str) -> Array:
    """Give each column the size of an observation: `to_list` undone."""
    if len(out_size) == 1:
        return x
    places = SEQUENCE if len(out_size) == 2 else ORDERS[order]
    if len(out_size) == 2:
        turned = [out_size[0], out_size[1], x.shape[1]]
    else:
        turned = [*(out_size[d] for d in places[:3]), x.shape[1]]
    return x.reshape(turned, order="F").transpose(np.argsort(places))


def permuted(x: Array, dimensions: list[int]) -> Array:
    """Make dimension i of each observation its dimension ``dimensions[i]``."""
    if x.ndim == 2:
        return x
    own = [0, 2] if x.ndim == 3 else [0, 1, 2]  # where an observation's dimensions stand
    order = list(range(x.ndim))
    for place, d in zip(own, dimensions, strict=True):
        order[place] = own[d]
    return x.transpose(order)
