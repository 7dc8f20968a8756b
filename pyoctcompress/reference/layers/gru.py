"""Gated recurrent unit over a sequence [1]_.

Three blocks of U rows in PyTorch's order: reset gate, update gate, candidate.

.. [1] Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014,
   arXiv:1406.1078.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..internal import Array
from . import recurrence
from .common import Gradients, Layer, option
from .recurrence import sigmoid


def forward(layer: Layer, x: Array, random: Any) -> tuple[Array, Any]:
    """Run over the steps of F x N x T; gives the states U x N x T, or the last one.

    With a = weights * x (t) + bias and b = recurrent_weights * h (t-1) + recurrent_bias, in blocks:
    ``r = sigmoid (a1 + b1)``, ``z = sigmoid (a2 + b2)``, ``n = tanh (a3 + r * b3)``,
    ``h (t) = (1 - z) * n + z * h (t-1)``. Without ``layer['reset_after']`` (true) b3 is
    recurrent_weights3 * (r * h (t-1)) + recurrent_bias3, not multiplied by r.
    """
    x, weights, recurrent, bias, recurrent_bias = recurrence.parameters(
        layer, recurrence.turned(layer, x)
    )
    after = bool(option(layer, "reset_after", True))
    u1, u2, u3 = np.split(recurrent, 3)
    c1, c2, c3 = np.split(recurrent_bias, 3)
    h = np.zeros((recurrent.shape[1], x.shape[1]), x.dtype)
    steps = []
    for t in range(x.shape[2]):
        a1, a2, a3 = np.split(weights @ x[:, :, t] + bias, 3)
        r, z = sigmoid(a1 + u1 @ h + c1), sigmoid(a2 + u2 @ h + c2)
        b3 = u3 @ (h if after else r * h) + c3
        n = np.tanh(a3 + (r * b3 if after else b3))
        before, h = h, (1 - z) * n + z * h
        steps.append((r, z, n, b3, before, h))
    states = np.stack([step[-1] for step in steps], axis=2)
    return recurrence.result(layer, states), (steps, states)


def backward(
    layer: Layer, x: Array, y: Array, dy: Array, state: Any, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Differentiate through the steps, from the last to the first."""
    steps, states = state
    after = bool(option(layer, "reset_after", True))
    dh = recurrence.by_states(layer, dy, x.shape[2])
    units = dh.shape[0]
    u = layer["recurrent_weights"].astype(dy.dtype)
    d_input = np.zeros((3 * units, *dh.shape[1:]), dh.dtype)
    d_recurrent = np.zeros_like(d_input)
    d_candidate = np.zeros((units, units), dh.dtype)  # by u3, without reset_after
    d_h = np.zeros_like(dh[:, :, 0])
    for t in reversed(range(len(steps))):
        r, z, n, b3, before, _ = steps[t]
        d_h = d_h + dh[:, :, t]
        d_n = d_h * (1 - z) * (1 - n**2)
        d_z = d_h * (before - n) * z * (1 - z)
        if after:
            d_r = d_n * b3 * r * (1 - r)
            d_b = np.concatenate([d_r, d_z, d_n * r])
            d_before = u.T @ d_b
        else:
            through = u[2 * units :].T @ d_n
            d_r = through * before * r * (1 - r)
            d_b = np.concatenate([d_r, d_z, d_n])
            d_candidate += d_n @ (r * before).T
            d_before = u[: 2 * units].T @ d_b[: 2 * units] + through * r
        d_input[:, :, t] = np.concatenate([d_r, d_z, d_n])
        d_recurrent[:, :, t] = d_b
        d_h = d_h * z + d_before
    x = recurrence.turned(layer, x)
    dx, gradients = recurrence.gradients_of(layer, x, states, d_input, d_recurrent, need_dx)
    if not after:
        gradients["recurrent_weights"][2 * units :] = d_candidate
    return dx, gradients


def size(layer: Layer, in_size: list[int]) -> tuple[list[int], float]:
    """Return the size of the output and the multiply-accumulates of one observation."""
    return recurrence.size(layer, in_size, "gru", 3)
