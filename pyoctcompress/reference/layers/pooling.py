"""Layers maxpool and averagepool."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array, describe, fail, is_numeric, vector_text
from .common import Gradients, Layer, option
from .window import Window, on_image, padded, window

CALLER = "pooling"


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Take the maximum or the mean of each window; `x` is H x W x C x N.

    The maximum of a window that reaches over the image is that of its pixels. Of equal maxima the
    first in reading order (row by row) gets the gradient, as in PyTorch.
    """
    g = geometry(layer, list(x.shape[:3]))
    if layer["type"] == "maxpool":
        x, rows, columns = padded(x, g, -np.inf)
        parts = np.stack([x[rows[i]][:, columns[j]] for i, j in np.ndindex(*g.kernel)])
        return parts.max(axis=0), parts.argmax(axis=0)
    x, rows, columns = padded(x, g)
    total = np.zeros((*g.out, *x.shape[2:]), x.dtype)
    for i, j in np.ndindex(*g.kernel):
        total += x[rows[i]][:, columns[j]]
    return total / pixels(layer, g).astype(x.dtype), None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Give the gradient to the maxima, or to all pixels of each window alike."""
    g = geometry(layer, list(x.shape[:3]))
    dx, rows, columns = padded(np.zeros_like(x, dtype=dy.dtype), g)
    if layer["type"] != "maxpool":
        dy = dy / pixels(layer, g).astype(dy.dtype)
    for k, (i, j) in enumerate(np.ndindex(*g.kernel)):
        part = np.where(state == k, dy, 0) if layer["type"] == "maxpool" else dy
        dx[rows[i][:, np.newaxis], columns[j]] += part
    return on_image(dx, g), {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output; no multiply-accumulates are counted.

    Raises
    ------
    OctcompressError
        ``octcompress:pooling:badSize``, ``badValue``.
    """
    value: Any = layer.get("pool_size")
    fine = value is not None and is_numeric(value) and np.size(value) in (1, 2)
    if fine:
        numbers = np.ravel(value).astype(float)
        fine = bool((numbers >= 1).all() and (numbers == np.trunc(numbers)).all())
    if not fine:
        fail(
            CALLER,
            "badValue",
            "POOL_SIZE must be a positive whole number or [height width], but is "
            f"{describe(option(layer, 'pool_size', 'absent'))}",
        )
    g = geometry(layer, in_size)
    empty = any(
        (lines[0] >= length).any() or (lines[-1] < 0).any()
        for lines, length in ((g.rows, g.image[0]), (g.columns, g.image[1]))
    )
    if empty:
        fail(
            CALLER,
            "badSize",
            f"PADDING [{vector_text(g.padding)}] is so wide that a window of {g.kernel[0]} x "
            f"{g.kernel[1]} holds no pixel of the image",
        )
    return [*g.out, in_size[2]], 0.0


def geometry(layer: Layer, in_size: list[int]) -> Window:
    """Work out where the windows lie."""
    kernel = [int(n) for n in np.ravel(layer["pool_size"])]
    kernel = [kernel[0], kernel[-1]]
    return window(CALLER, layer, kernel, in_size, np.array([kernel]))


def pixels(layer: Layer, g: Window) -> Array:
    """Count the pixels that each window's mean is over, with or without the padding."""
    counts = []
    for d, lines in enumerate((g.rows, g.columns)):
        first, last = 0, g.image[d]
        if option(layer, "count_include_pad", False):
            first, last = -g.padding[2 * d], last + g.padding[2 * d + 1]
        counts.append(((lines >= first) & (lines < last)).sum(axis=0))
    return np.outer(*counts)[:, :, np.newaxis, np.newaxis]
