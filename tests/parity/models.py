"""Small models for the parity tests."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pyoctcompress.matfile import StructArray


def dense(name, random, out, inputs, kind=np.float32, bias=True):
    layer = {
        "type": "dense",
        "name": name,
        "weights": random.standard_normal((out, inputs)).astype(kind),
    }
    if bias:
        layer["bias"] = (0.1 * random.standard_normal((out, 1))).astype(kind)
    return layer


def perceptron(kind=np.float32, sizes=(6, 8, 5, 3), last="softmax", hidden="relu"):
    """A chain of dense layers with the activation `hidden` between them."""
    random = np.random.RandomState([11])
    layers = []
    for k, (inputs, out) in enumerate(pairwise(sizes)):
        if k > 0:
            layers.append({"type": hidden})
        layers.append(dense(f"fc{k + 1}", random, out, inputs, kind))
    if last:
        layers.append({"type": last, "name": last})
    return {"layers": layers, "classes": ["a", "b", "c"], "meta": {"from": "a test"}}


def graph(kind=np.float32):
    """Two branches that read one layer; three outputs."""
    random = np.random.RandomState([12])
    return {
        "input_size": 4.0,
        "layers": [
            dense("trunk", random, 5, 4, kind),
            {"type": "tanh", "name": "t"},
            {**dense("left", random, 2, 5, kind), "inputs": ["t"]},
            {**dense("right", random, 3, 5, kind, bias=False), "inputs": ["t"]},
            {"type": "sigmoid", "name": "s", "inputs": ["trunk"]},
            {"type": "identity", "name": "seen", "inputs": ["input"]},
        ],
    }


def sequence():
    """A dense layer on every time step of features x N x time."""
    random = np.random.RandomState([13])
    return {
        "input_size": np.array([[3.0, 4.0]]),
        "layers": [dense("step", random, 2, 3), {"type": "tanh", "name": "t"}],
    }


def images(kind=np.float32):
    """Elementwise layers on images of 4 x 3 x 2."""
    return {
        "input_size": np.array([[4.0, 3.0, 2.0]]),
        "layers": [{"type": "relu", "name": "r"}, {"type": "softmax", "name": "p"}],
    }


def bag():
    """No network: named tensors at every depth, and what is no tensor."""
    random = np.random.RandomState([14])
    inner = {"w": random.standard_normal((2, 3)), "n": 4.0}
    grid = np.empty((2, 2), object)
    for place in np.ndindex(grid.shape):
        grid[place] = random.standard_normal((2, 2)).astype(np.float32)
    return {
        "Theta1": random.standard_normal((4, 5)),
        "Theta2": random.standard_normal((3, 5)).astype(np.float32),
        "bias": random.standard_normal((4, 1)),
        "note": "text",
        "count": 3.0,
        "flag": True,
        "integers": np.arange(6, dtype=np.int16).reshape(2, 3),
        "complex": np.array([[1 + 2j, 2], [3, 4]]),
        "mask": np.array([[True, False], [False, True]]),
        "empty": None,
        "nn": {
            "W": [random.standard_normal((3, 2)), "text", random.standard_normal((2, 2, 2))],
            "deep": {"inner": inner},
        },
        "many": StructArray([dict(inner), {"w": random.standard_normal((3, 3)), "n": 1.0}]),
        "grid": grid,
    }


def features(model_inputs, count, kind=np.float64, seed=21):
    return np.random.RandomState([seed]).standard_normal((model_inputs, count)).astype(kind)
