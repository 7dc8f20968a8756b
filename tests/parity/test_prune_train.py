"""Pruning inside training, in both implementations."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import nn_prune_train, verbs

from . import models
from .harness import Case, compare, needs_octave

pytestmark = needs_octave
MODEL = models.perceptron(np.float64, sizes=(6, 10, 8, 3))
X = models.features(6, 60, np.float64)
Y = 1.0 + (X[:1] + X[1:2] > 0) + (X[2:3] > 0.5)
CLOSE = {"": 1e-8, "seconds": np.inf}
SHORT = {"epochs": 3.0, "batch_size": 10.0, "frequency": 3.0, "sparsity": 0.6, "verbose": False}


def case(model=MODEL, fails=None, **options):
    options = {**SHORT, **options}
    call = nn_prune_train.prune_train
    args = [model, X, Y]
    return Case(str(options), "nn_prune_train", call, args, options, 2, CLOSE, fails)


@pytest.mark.parametrize("schedule", ["polynomial", "agp", "linear", "oneshot", "iterative"])
def test_schedules(schedule):
    starts = [{}, {"begin_step": 5.0, "end_step": 12.0}, {"initial_sparsity": 0.3, "power": 1.5}]
    compare([case(schedule_prune=schedule, **start) for start in starts])


def test_what_goes_with_them():
    quantized, _ = verbs.quantize(MODEL, bits=6.0)
    compare(
        [
            case(regrowth=True),
            case(regrowth=True, optimizer="adam", schedule_prune="oneshot"),
            case(rewind=0.0, schedule_prune="iterative", rounds=2.0),
            case(rewind=4.0, optimizer="adam"),
            case(distill=0.7, temperature=2.0),
            case(distill=0.7, teacher=models.perceptron(np.float64, (6, 3), None)),
            case(prune=["criterion", "movement"]),
            case(prune=["scope", "layer", "structure", "neuron"]),
            case(prune=["layers", "fc2", "scope", "lamp"]),
            case(validation=0.25),
            case(quantized, end_step=8.0),
            case(weight_decay=0.01, optimizer="adamw"),
        ]
    )


def test_what_is_refused():
    cases = [
        case(sparsity=2.0),
        case(schedule_prune="often"),
        case(frequency=0.0),
        case(prune=["keep", 3.0]),
        case(prune=["criterion", "magic"]),
        case(checkpoint="x.mat"),
        case(distill=0.5, loss="mse"),
        case(distill=0.5, teacher=models.perceptron(sizes=(6, 2), last=None)),
        case(regrowth=3.0),
        case(loss="magic"),
    ]
    for each in cases:
        each.fails = True
    compare(cases)
