"""Long short-term memory over a sequence [1]_.

Four blocks of U rows in PyTorch's order: input gate, forget gate, cell candidate, output gate.

.. [1] Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array
from . import recurrence
from .common import Gradients, Layer
from .recurrence import sigmoid


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Run over the steps of F x N x T; gives the states U x N x T, or the last one.

    ``c (t) = sigmoid (f) * c (t-1) + sigmoid (i) * tanh (g)``, ``h (t) = sigmoid (o) * tanh (c)``.
    """
    x, weights, recurrent, bias, recurrent_bias = recurrence.parameters(
        layer, recurrence.turned(layer, x)
    )
    h = c = np.zeros((recurrent.shape[1], x.shape[1]), x.dtype)
    steps = []
    for t in range(x.shape[2]):
        a = weights @ x[:, :, t] + bias + recurrent @ h + recurrent_bias
        i, f, g, o = np.split(a, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        before, c = c, f * c + i * g
        h = o * np.tanh(c)
        steps.append((i, f, g, o, before, c, h))
    states = np.stack([step[-1] for step in steps], axis=2)
    return recurrence.result(layer, states), (steps, states)


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Differentiate through the steps, from the last to the first."""
    steps, states = state
    dh = recurrence.by_states(layer, dy, x.shape[2])
    recurrent = layer["recurrent_weights"].astype(dy.dtype)
    d = np.zeros((4 * dh.shape[0], *dh.shape[1:]), dh.dtype)
    d_h = d_c = np.zeros_like(dh[:, :, 0])
    for t in reversed(range(len(steps))):
        i, f, g, o, before, c, _ = steps[t]
        d_h = d_h + dh[:, :, t]
        tanh_c = np.tanh(c)
        d_c = d_c + d_h * o * (1 - tanh_c**2)
        d[:, :, t] = np.concatenate(
            [
                d_c * g * i * (1 - i),
                d_c * before * f * (1 - f),
                d_c * i * (1 - g**2),
                d_h * tanh_c * o * (1 - o),
            ]
        )
        d_c = d_c * f
        d_h = recurrent.T @ d[:, :, t]
    return recurrence.gradients_of(layer, recurrence.turned(layer, x), states, d, d, need_dx)


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output and the multiply-accumulates of one observation."""
    return recurrence.size(layer, in_size, "lstm", 4)
