"""Distillation in both implementations."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import distill, verbs

from . import models
from .harness import Case, compare, needs_octave
from .test_train import KINDS, data, tolerance

pytestmark = needs_octave


def case(teacher, student, x, y, kind=np.float32, fails=None, **options):
    options = {"verbose": False, **options}
    shown = {name: v for name, v in options.items() if not isinstance(v, (np.ndarray, list))}
    args = [teacher, student, x, y]
    return Case(
        f"distill {shown}", "nn_distill", verbs.distill, args, options, 2, tolerance(kind), fails
    )


def test_losses():
    random = np.random.RandomState([1])
    cases = []
    # At high temperatures the loss of singles is a small difference of large numbers.
    for kind, bound in ((np.float64, 1e-12), (np.float32, 2e-3)):
        a, b = random.standard_normal((2, 4, 6)).astype(kind)
        within = {"": bound}
        pairs = [(a, b), (1000 * a, b), (a, a), (a[:, :1], b[:, :1]), (a[:1], b[:1])]
        for t, s in pairs:
            name = "octcompress.distill.mse"
            cases.append(Case("mse", name, distill.mse, [t, s], nargout=2, tolerance=within))
            for temperature in (0.5, 1.0, 4.0, 100.0):
                name, args = "octcompress.distill.kl", [t, s, temperature]
                cases.append(Case("kl", name, distill.kl, args, nargout=2, tolerance=within))
    x = np.ones((3, 2))
    for args in (
        [x, x[:2], 1.0],
        [x, x, 0.0],
        [x, x, None],
        [x, x, "hot"],
        [np.ones((2, 2, 2))] * 3,
    ):
        args = [*args[:2], 1.0] if isinstance(args[2], np.ndarray) else args
        cases.append(Case("kl", "octcompress.distill.kl", distill.kl, args, nargout=2, fails=True))
    args = [x, x.T]
    cases.append(Case("mse", "octcompress.distill.mse", distill.mse, args, nargout=2, fails=True))
    compare(cases)


@pytest.mark.parametrize("kind", KINDS)
def test_distill(kind):
    x, y = data()
    teacher = models.perceptron(kind)
    student = models.perceptron(kind, sizes=(6, 4, 3), hidden="tanh")
    pruned, _ = verbs.prune(teacher, sparsity=0.7)
    bare = models.perceptron(kind, sizes=(6, 3), last=None)
    once = {"epochs": 2.0, "batch_size": 16.0, "learning_rate": 0.02}
    cases = [
        case(teacher, student, x, None, kind, **once),
        case(teacher, student, x, None, kind, loss="kl", **once),
        case(teacher, student, x, y, kind, loss="kl", temperature=2.0, alpha=0.7, **once),
        case(teacher, student, x, y, kind, alpha=0.0, **once),
        case(teacher, student, x, y, kind, alpha=1.0, optimizer="adam", epochs=1.0),
        case(teacher, pruned, x, y, kind, validation=0.2, **once),
        case(teacher, bare, x, None, kind, validation=0.2, **once),
        case(bare, student, x, None, kind, validation_data=[x[:, :9]], **once),
        case(teacher, student, x, y, kind, validation_data=[x[:, :9], y[:, :9]],
             monitor="accuracy", **once),
        case(models.perceptron(np.float64), student, x, y, kind, **once),
    ]  # fmt: skip
    compare(cases)


def test_refused():
    x, y = data(12)
    teacher, student = models.perceptron(), models.perceptron(sizes=(6, 3))
    narrow, short = models.perceptron(sizes=(5, 3)), models.perceptron(sizes=(6, 2))
    one = models.perceptron(sizes=(6, 1), last=None)
    inputs = [
        (3.0, student), (teacher, {"Theta1": np.ones((2, 2))}), (teacher, narrow), (teacher, short),
        (models.graph(), student), (teacher, models.sequence()),
    ]  # fmt: skip
    cases = [case(t, s, x, y, fails=True) for t, s in inputs]
    wrong = [
        {"loss": "hinge"}, {"temperature": 0.0}, {"alpha": 1.5}, {"alpha": "half"}, {"rate": 0.1},
        {"epochs": -1.0}, {"validation_data": [x]}, {"temperature": float("nan")},
    ]  # fmt: skip
    cases += [case(teacher, student, x, y, fails=True, **options) for options in wrong]
    huge = models.perceptron()
    huge["layers"][2]["weights"] = np.full((5, 8), 3e38, np.float32)
    cases += [
        case(teacher, student, x, None, alpha=0.5, fails=True),
        case(teacher, student, x, None, monitor="accuracy", validation=0.5, fails=True),
        case(one, one, x, None, loss="kl", fails=True),
        case(teacher, student, x, y + 3, fails=True),
        case(teacher, student, x[:5], y, fails=True),
        case(teacher, student, np.where(x > 1, np.nan, x), y, fails=True),
        case(huge, student, x, y, fails=True),
    ]
    compare(cases)
