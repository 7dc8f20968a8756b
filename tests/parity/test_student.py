"""Students made of their teachers in both implementations."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import verbs

from . import models
from .harness import Case, compare, needs_octave

pytestmark = needs_octave


def case(teacher, fails=None, **options):
    return Case(f"student {options}", "nn_student", verbs.student, [teacher], options, 2, {}, fails)


def scrambled(model):
    """Give batch normalisations statistics that tell channels apart."""
    random = np.random.RandomState([5])
    for layer in model["layers"]:
        for name in ("scale", "variance") if layer["type"] == "batchnorm" else ():
            layer[name] = (random.random_sample(layer[name].shape) + 0.5).astype(np.float32)
    return model


def convolutional():
    """A residual block, depthwise and transposed convolutions, concat, batch norm, flatten."""
    name, same = "name", ["padding", "same"]
    return scrambled(verbs.new(
        "input", [8.0, 8.0, 3.0], "conv2d", [8.0, 3.0, name, "a", *same], "batchnorm",
        "relu", [name, "r"], "conv2d", [8.0, 3.0, *same], "batchnorm", [name, "n"],
        "add", [name, "s", "inputs", ["r", "n"]], "depthwise", [3.0, name, "d", *same],
        "concat", ["inputs", ["s", "d"]], "transposedconv2d", [6.0, 2.0, "stride", 2.0],
        "conv2d", [4.0, 3.0], "flatten", "dense", 10.0, "relu", "dense", 5.0, "softmax",
    ))  # fmt: skip


def residual():
    """Two residual blocks after a stem."""
    layers = ["input", [6.0, 6.0, 2.0], "conv2d", [3.0, 3.0], "relu", ["name", "r0"]]
    for k in (1, 2):
        same = ["padding", "same"]
        layers += ["conv2d", [3.0, 3.0, *same], "batchnorm", "relu", "conv2d", [3.0, 3.0, *same]]
        layers += ["identity", ["name", f"i{k}"], "add", ["inputs", [f"r{k - 1}", f"i{k}"]]]
        layers += ["relu", ["name", f"r{k}"]]
    return scrambled(verbs.new(*layers, "flatten", "dense", 4.0))


@pytest.mark.parametrize("make", [convolutional, residual])
def test_graphs(make):
    model = make()
    cases = [case(model, width=width) for width in (0.0, 0.3, 0.5, 0.9, 1.0)]
    cases += [case(model, bytes=limit) for limit in (3000.0, 9000.0)]
    cases += [case(model, width=0.5, initial="random", seed=3.0)]
    if make is residual:
        cases += [case(model, depth=depth) for depth in (0.7, 0.2)]
        cases += [case(model, depth=0.5, width=0.4)]
    compare(cases)


def test_chains():
    deep = models.perceptron(sizes=(6, 6, 6, 6, 6, 3))
    pruned, _ = verbs.prune(models.perceptron(np.float64), sparsity=0.6)
    grid, _ = verbs.quantize(models.perceptron(), bits=4.0, granularity="channel")
    cases = [case(deep, depth=depth) for depth in (0.0, 0.3, 0.5, 0.8, 1.0)]
    cases += [case(m, width=0.5) for m in (models.perceptron(), pruned, grid, deep)]
    cases += [case(m, width=0.5) for m in (models.graph(), models.sequence(), models.images())]
    recurrent = verbs.new(
        "input", [3.0, 4.0], "dense", 4.0, "lstm", 5.0, "dense", 6.0, "dense", 2.0
    )
    cases += [case(recurrent, width=0.5), case(recurrent, initial="random")]
    compare(cases)


def test_refused():
    model = models.perceptron()
    wrong = [
        {}, {"width": 1.5}, {"depth": -1.0}, {"bytes": 5.0}, {"bytes": 0.0}, {"depth": 0.3},
        {"width": 0.5, "bytes": 100.0}, {"initial": "zero"}, {"size": 1.0}, {"width": "half"},
    ]  # fmt: skip
    cases = [case(model, fails=True, **options) for options in wrong]
    compare([*cases, case(3.0, fails=True, width=0.5)])
