"""Every layer of the NumPy reference against what PyTorch computed (tests/vectors)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pyoctcompress import matfile
from pyoctcompress.reference import layers as table
from pyoctcompress.reference.internal import size, value_array

CASES = matfile.load(Path(__file__).parents[1] / "vectors" / "layers.mat")["cases"]
# The vectors are rounded to single; the reference computes in double.
TOLERANCE = 1e-6


def in_double(value):
    return (
        value.astype(float) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
    )


def batch(x, in_size):
    """Give a batch all its dimensions: the file has dropped trailing ones."""
    x = value_array(x).astype(float)
    dims = {1: 2, 2: 3, 3: 4}[len(in_size)]
    return x.reshape(x.shape + (1,) * (dims - x.ndim))


def distance(ours, theirs):
    theirs = value_array(theirs).astype(float)
    ours = value_array(ours)
    assert size(ours) == size(theirs)
    largest = max(1.0, np.abs(theirs).max(initial=0))
    return np.abs(ours.reshape(theirs.shape) - theirs).max(initial=0) / largest


@pytest.mark.parametrize("case", CASES, ids=[case["label"] for case in CASES])
def test_layer(case):
    entry = table.TYPES[case["layer"]["type"]]
    layer = {name: in_double(value) for name, value in case["layer"].items()}
    for name in entry.trained + entry.statistics:
        if name in layer:
            layer[name] = value_array(layer[name])
    in_sizes = [[int(n) for n in np.ravel(each)] for each in case["in_size"]]
    x = [batch(each, s) for each, s in zip(case["x"], in_sizes, strict=True)]
    several = entry.several
    out_size, macs = entry.run.size(layer, in_sizes if several else in_sizes[0])
    assert macs >= 0
    random = np.random.RandomState([1]) if case["training"] else None
    inputs = x if several else x[0]
    y, state = entry.run.forward(layer, inputs, random)
    dy = batch(case["dy"], out_size)
    dx, gradients = entry.run.backward(layer, inputs, y, dy, state, True)

    assert y.shape == dy.shape
    assert distance(y, case["y"]) < TOLERANCE
    for ours, theirs in zip(dx if several else [dx], case["dx"], strict=True):
        assert distance(ours, theirs) < TOLERANCE
    assert set(gradients) == set(case["gradients"])
    for name, theirs in case["gradients"].items():
        assert distance(gradients[name], theirs) < TOLERANCE
    for name, theirs in case["statistics"].items():
        assert distance(state["statistics"][name], theirs) < TOLERANCE


@pytest.mark.parametrize("case", CASES, ids=[case["label"] for case in CASES])
def test_single_stays_single(case):
    entry = table.TYPES[case["layer"]["type"]]
    layer = dict(case["layer"])
    for name in entry.trained + entry.statistics:
        if name in layer:
            layer[name] = value_array(layer[name]).astype(np.float32)
    in_sizes = [[int(n) for n in np.ravel(each)] for each in case["in_size"]]
    x = [batch(each, s).astype(np.float32) for each, s in zip(case["x"], in_sizes, strict=True)]
    inputs = x if entry.several else x[0]
    random = np.random.RandomState([1]) if case["training"] else None
    y, state = entry.run.forward(layer, inputs, random)
    dx, gradients = entry.run.backward(layer, inputs, y, np.ones_like(y), state, True)
    arrays = [y, *(dx if entry.several else [dx]), *gradients.values()]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


def test_dropout():
    run = table.TYPES["dropout"].run
    layer = {"type": "dropout", "rate": 0.25}
    x = np.ones((6, 5, 4, 30))
    y, kept = run.forward(layer, x, np.random.RandomState([3]))
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert abs((y == 0).mean() - 0.25) < 0.03
    dx, _ = run.backward(layer, x, y, x, kept, True)
    np.testing.assert_array_equal(dx, y)
    np.testing.assert_array_equal(run.forward(layer, x, None)[0], x)
