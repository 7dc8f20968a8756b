"""Elementwise functions; ``layer['type']`` is the name, and a few have a parameter.

relu, relu6, leakyrelu (slope 0.01), elu (alpha 1), gelu (approximate 'none' or 'tanh') [1]_, swish,
hardswish, sigmoid, hardsigmoid (alpha 1/6, beta 1/2), tanh, identity. The derivative at a kink is
that of the side away from the identity: 0 for relu at 0.

.. [1] Hendrycks and Gimpel, Gaussian error linear units, 2016, arXiv:1606.08415.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import erf

from ..internal import Array, check, scalar
from .common import Gradients, Layer, option
from .recurrence import sigmoid

ROOT = math.sqrt(2 / math.pi)


def number(layer: Layer, name: str, default: float) -> float:
    """Return a parameter of a layer."""
    return scalar(option(layer, name, default))


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Compute the function."""
    return value(layer, x), None


def value(layer: Layer, x: Array) -> Array:
    """Compute the function's value."""
    match layer["type"]:
        case "relu":
            return np.maximum(x, 0)
        case "relu6":
            return np.clip(x, 0, 6)
        case "leakyrelu":
            return np.maximum(x, 0) + number(layer, "slope", 0.01) * np.minimum(x, 0)
        case "elu":
            return np.maximum(x, 0) + number(layer, "alpha", 1) * np.expm1(np.minimum(x, 0))
        case "gelu" if option(layer, "approximate", "none") == "tanh":
            return 0.5 * x * (1 + np.tanh(ROOT * (x + 0.044715 * x**3)))
        case "gelu":
            return 0.5 * x * (1 + erf(x / math.sqrt(2)))
        case "swish":
            return x * sigmoid(x)
        case "hardswish":
            return x * np.clip(x + 3, 0, 6) / 6
        case "sigmoid":
            return sigmoid(x)
        case "hardsigmoid":
            return np.clip(number(layer, "alpha", 1 / 6) * x + number(layer, "beta", 0.5), 0, 1)
        case "tanh":
            return np.tanh(x)
    return x


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Multiply `dy` by the derivative."""
    return dy * slope(layer, x, y), {}


def slope(layer: Layer, x: Array, y: Array) -> Array:
    """Compute the function's derivative, of the input `x` and the output `y`."""
    one = x.dtype.type(1)
    match layer["type"]:
        case "relu":
            return (y > 0) * one
        case "relu6":
            return ((y > 0) & (y < 6)) * one
        case "leakyrelu":
            return np.where(x > 0, one, x.dtype.type(number(layer, "slope", 0.01)))
        case "elu":
            return np.where(x > 0, one, number(layer, "alpha", 1) * np.exp(np.minimum(x, 0)))
        case "gelu" if option(layer, "approximate", "none") == "tanh":
            t = np.tanh(ROOT * (x + 0.044715 * x**3))
            inner = ROOT * (1 + 3 * 0.044715 * x**2)
            return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner
        case "gelu":
            density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
            return 0.5 * (1 + erf(x / math.sqrt(2))) + x * density
        case "swish":
            s = sigmoid(x)
            return s + y * (1 - s)
        case "hardswish":
            return np.where(x >= 3, one, np.where(x > -3, x / 3 + 0.5, 0 * one))
        case "sigmoid":
            return y * (1 - y)
        case "hardsigmoid":
            return ((y > 0) & (y < 1)) * x.dtype.type(number(layer, "alpha", 1 / 6))
        case "tanh":
            return 1 - y**2
    return np.ones_like(x)


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Keep the size; no multiply-accumulates are counted.

    Raises
    ------
    OptionError
        ``octcompress:activation:badValue``.
    """
    for name in ("slope", "alpha", "beta"):
        if name in layer:
            check("activation", name, layer[name], "number", (-math.inf, math.inf))
    if "approximate" in layer:
        check("activation", "approximate", layer["approximate"], "choice", ["none", "tanh"])
    return in_size, 0.0
