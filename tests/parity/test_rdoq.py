"""Rounding for bytes and error together: Octave and NumPy agree."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import model as graph
from pyoctcompress.reference import nn_rdoq, rate, verbs

from .harness import Case, compare, needs_octave
from .test_quant_integer import layer

pytestmark = needs_octave
# Grids, weights and bytes agree to the bit.
CLOSE = dict.fromkeys(("coded_bits", "output_error", "tradeoff"), 1e-6)


def matrices():
    random = np.random.RandomState([5])
    u = np.tril(np.ones((12, 12))) @ (random.random_sample((12, 300)) - 0.5)
    w = (random.random_sample((20, 12)) - 0.5) ** 3
    return w, u @ u.T / 300


def network(kind="float64"):
    random = np.random.RandomState([7])

    def r(*shape):
        return (random.random_sample(shape) - 0.5).astype(kind)

    layers = [
        layer("conv2d", "c", weights=r(3, 3, 2, 6), bias=r(6, 1), groups=2.0),
        layer("relu", "r"),
        layer("maxpool", "p", pool_size=2.0),
        layer("flatten", "f"),
        layer("dense", "d", weights=r(9, 36), bias=r(9, 1)),
        layer("prelu", "q", slope=r(9, 1)),
        layer("dense", "e", weights=r(4, 9)),
        layer("softmax", "s"),
    ]
    return {"input_size": np.array([[8.0, 6.0, 4.0]]), "layers": layers}, r(8, 6, 4, 120)


def prices(codes, most, context):
    """Give `code_bits` as Octave does: sizes as a column."""
    zero, other, sizes = rate.code_bits(codes, int(most), context)
    return zero, other, sizes[:, np.newaxis]


def test_code_bits():
    codes = np.round(4 * (np.random.RandomState([1]).random_sample((9, 14)) - 0.5) ** 3 * 8)
    cases = [
        Case(
            f"{context}",
            "octcompress.quant.code_bits",
            prices,
            [codes * k, 6.0, context],
            nargout=3,
            tolerance={"": 1e-13},
        )
        for context in (False, True)
        for k in (0.0, 1.0)
    ]
    compare(cases)


def layer_of(w, gram, price, **options):
    """Give `rdoq` as Octave does: the codes and info."""
    found = rate.rdoq(w, gram, price, **options)
    return found.codes, {"step": found.step, "bits": found.bits, "loss": found.loss}


def test_layer():
    w, gram = matrices()
    price = 1e-5 * (1 + np.arange(20.0)[:, np.newaxis])
    zeros = np.zeros(w.shape, bool)
    zeros[2, :5] = True
    two = np.stack([gram[:6, :6], gram[6:, 6:]], axis=2)
    cases = [
        Case(f"{k}", "octcompress.quant.rdoq", layer_of, args, options, 2, {"": 1e-9})
        for k, (args, options) in enumerate(
            [
                ([w, gram, 1e-5], {}),
                ([w, gram, price], {"coarseness": 1.6, "zeros": zeros}),
                ([w, gram, price], {"step": 0.03, "feed": 1.0, "sweeps": 2.0, "context": False}),
                ([w[:, :6], two, price], {"damping": 0.1}),
            ]
        )
    ]
    cases.append(
        Case(
            "unknown", "octcompress.quant.rdoq", layer_of, [w, gram, 1.0], {"stp": 1.0}, fails=True
        )
    )
    compare(cases)


def sensitivity(model, x, batch_size, seed):
    """Give `output_sensitivity` as Octave does: 0 where a layer has no influence."""
    model = graph.tidy("f", model)
    found, power = rate.output_sensitivity("f", model, x, batch_size, seed)
    return [found.get(k, 0.0) for k in range(len(model["layers"]))], power


def test_output_sensitivity():
    model, x = network()
    model = graph.tidy("f", model)
    image = {**model, "layers": model["layers"][:3]}
    several = {**model, "outputs": ["r", "s"]}
    name = "octcompress.quant.output_sensitivity"
    cases = [
        Case(
            label,
            name,
            lambda _, *rest: sensitivity(*rest),
            ["f", m, x, 50.0, 3.0],
            nargout=2,
            tolerance={"": 1e-10},
        )
        for label, m in (("classes", model), ("image", image), ("several", several))
    ]
    compare(cases)


@pytest.mark.parametrize(
    "options",
    [
        {"tradeoff": 1e-3},
        {"tradeoff": 3e-3, "layers": ["c", "d"], "coarseness": 1.2, "damping": 0.02, "seed": 4.0},
        {"bytes": 900.0, "runs": 3.0},
        {"max_drop": 0.2, "runs": 3.0, "held_out": 0.25},
        {"data": None, "tradeoff": 1e-3},
    ],
    ids=lambda options: "-".join(options),
)
def test_verb(options):
    model, x = network()
    pruned, _ = verbs.prune(model, sparsity=0.2, layers=["c"])
    options = {"data": x, **options}
    compare([Case("", "nn_rdoq", nn_rdoq.rdoq, [pruned], options, 2, CLOSE)])


def test_without_a_network():
    random = np.random.RandomState([2])
    bag = {
        "A": random.random_sample((20, 10)) - 0.5,
        "B": (1e4 * (random.random_sample((3, 4, 9)) - 0.5)).astype(np.float32),
        "b": random.random_sample((6, 1)),
        "note": "text",
    }
    model, x = network("float32")
    other = {"layers": [layer("dense", "i", weights=np.eye(3))]}
    y = random.random_sample((3, 60))
    faults = [
        (bag, {"data": x}),
        (model, {"bytes": 9.0, "max_drop": 0.1}),
        (model, {"max_drop": 0.1}),
        (model, {"tradeoff": 0.0}),
        (model, {"bytes": 20.0, "runs": 1.0}),
        (other, {"data": y, "max_drop": 0.0, "tradeoff": 50.0, "runs": 1.0}),
        (model, {"data": x[..., :0]}),
        (model, {"byte": 3.0}),
        (3.0, {}),
    ]
    cases = [Case("bag", "nn_rdoq", nn_rdoq.rdoq, [bag], {"tradeoff": 1e-3}, 2, CLOSE)]
    cases += [Case(str(list(o)), "nn_rdoq", nn_rdoq.rdoq, [m], o, 2, fails=True) for m, o in faults]
    compare(cases)
