"""Enlarge images, by nearest neighbours or bilinear interpolation, as PyTorch's interpolate."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array, check, describe, fail, is_numeric
from .common import Gradients, Layer, option, require_image


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Make each line of the result a weighted sum of lines of the image, H x W x C x N."""
    down, across = maps(layer, x)
    return np.einsum("ph,qw,hwcn->pqcn", down, across, x, optimize=True), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Apply the transposed map."""
    down, across = maps(layer, x)
    return np.einsum("ph,qw,pqcn->hwcn", down, across, dy, optimize=True), {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output; no multiply-accumulates are counted.

    Raises
    ------
    OctcompressError
        ``octcompress:upsample:badSize``, ``badValue``.
    """
    require_image("upsample", in_size)
    given: Any = layer.get("factor")
    fine = given is not None and is_numeric(given) and np.size(given) in (1, 2)
    out = []
    if fine:
        out = [int(n) for n in np.floor(np.array(in_size[:2]) * np.ravel(given))]
    if not fine or min(out) < 1:
        fail(
            "upsample",
            "badValue",
            f"FACTOR must be a positive number or [vertical horizontal], but is {describe(given)}",
        )
    method = option(layer, "method", "nearest")
    check("upsample", "method", method, "choice", ["nearest", "bilinear"])
    return [*out, in_size[2]], 0.0


def maps(layer: Layer, x: Array) -> tuple[Array, Array]:
    """Return the matrices that enlarge columns and rows."""
    factor = np.ravel(layer["factor"]).astype(float)
    method = option(layer, "method", "nearest")
    corners = bool(option(layer, "align_corners", False))
    down = interpolation(x.shape[0], float(factor[0]), method, corners)
    across = interpolation(x.shape[1], float(factor[-1]), method, corners)
    return down.astype(x.dtype), across.astype(x.dtype)


def interpolation(count: int, factor: float, method: str, corners: bool) -> Array:
    """Return the weights of the lines of an image (columns) in each line of the result (rows)."""
    out = int(np.floor(count * factor))
    place = np.arange(out, dtype=float)
    if method == "nearest":
        below = np.minimum(np.floor(place / factor), count - 1).astype(int)
        part = np.zeros(out)
    else:
        if corners:
            place = place * ((count - 1) / max(out - 1, 1))
        else:  # pixels are areas: half-pixel centres
            place = np.maximum((place + 0.5) / factor - 0.5, 0)
        below = np.minimum(np.floor(place), count - 1).astype(int)
        part = place - below
    weights = np.zeros((out, count))
    np.add.at(weights, (np.arange(out), below), 1 - part)
    np.add.at(weights, (np.arange(out), np.minimum(below + 1, count - 1)), part)
    return weights
