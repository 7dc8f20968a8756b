"""Elementwise functions: relu, sigmoid, tanh, identity. ``layer['type']`` is the name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array

Layer = dict[str, Any]


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Compute max (x, 0), 1 / (1 + exp (-x)), tanh (x) or x."""
    name = layer["type"]
    if name == "relu":
        return np.maximum(x, 0), None
    if name == "sigmoid":
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-x)), None
    if name == "tanh":
        return np.tanh(x), None
    return x, None


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, dict[str, Array]]:
    """Multiply `dy` by the derivative; that of relu at 0 is 0."""
    name = layer["type"]
    if name == "relu":
        return np.where(y > 0, dy, 0), {}
    if name == "sigmoid":
        return dy * y * (1 - y), {}
    if name == "tanh":
        return dy * (1 - y**2), {}
    return dy, {}


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; no multiply-accumulates are counted."""
    return in_size, 0.0
