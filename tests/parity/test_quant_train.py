"""Quantization-aware training with learned steps, in both implementations."""

from __future__ import annotations

import numpy as np

from pyoctcompress.reference import nn_quantize_train, verbs

from . import models
from .harness import Case, compare, needs_octave

pytestmark = needs_octave
MODEL = models.perceptron(np.float64, sizes=(6, 10, 8, 3))
X = models.features(6, 60, np.float64)
Y = 1.0 + (X[:1] + X[1:2] > 0) + (X[2:3] > 0.5)
CLOSE = {"": 1e-7, "seconds": np.inf}
SHORT = {"epochs": 3.0, "batch_size": 10.0, "verbose": False}


def case(model=MODEL, fails=None, **options):
    options = {**SHORT, **options}
    call = nn_quantize_train.quantize_train
    return Case(str(options), "nn_quantize_train", call, [model, X, Y], options, 2, CLOSE, fails)


def normalised():
    ones, zeros = np.ones((10, 1)), np.zeros((10, 1))
    norm = {"type": "batchnorm", "scale": ones, "offset": zeros, "mean": zeros, "variance": ones}
    layers = MODEL["layers"]
    return {**MODEL, "layers": [layers[0], {**norm, "name": "norm"}, *layers[1:]]}


def test_learned_steps():
    pruned, _ = verbs.prune(MODEL, sparsity=0.5)
    starts = [
        verbs.quantize(MODEL, bits=bits, scheme=scheme, granularity=granularity, group_size=4)[0]
        for bits, scheme, granularity in (
            (3, "symmetric", "channel"),
            (1, "symmetric", "tensor"),
            (4, "affine", "group"),
            (8, "fp8_e4m3", "tensor"),
        )
    ]
    starts += [verbs.quantize(model, bits=2, scheme="codebook")[0] for model in (MODEL, pruned)]
    cases = [case(start) for start in starts]
    cases += [case(start, optimizer="adam", learning_rate=0.003) for start in starts]
    cases += [
        case(starts[0], learn_scales=False),
        case(starts[0], learn_after=7.0),
        case(starts[0], scale_rule="gradient"),
        case(starts[2], scale_rule="gradient", optimizer="adam"),
        case(starts[1], scale_rule="gradient", nesterov=True),
        case(starts[4], scale_rule="gradient"),
        case(starts[5], scale_rule="gradient"),
        case(normalised(), fold=False, freeze=True, quantize={"bits": 4.0}),
        case(normalised(), fold=False, quantize={"bits": 4.0}),
        case(starts[0], validation=0.25),
        case(quantize={"bits": 4.0}),
        case(pruned, quantize={"bits": 4.0, "granularity": "channel"}),
        case(learn_scales=3.0, fails=True),
        case(loss="hinge", fails=True),
        case(scale_rule="sum", fails=True),
        case(freeze="yes", fails=True),
    ]
    compare(cases)
