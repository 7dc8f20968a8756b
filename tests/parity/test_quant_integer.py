"""Integer inference: the same integers in Octave and in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import integer, verbs

from .harness import Case, compare, needs_octave

pytestmark = needs_octave
QUANT = "octcompress.quant."


def layer(kind, name, **fields):
    return {"type": kind, "name": name, **fields}


def network(kind="float32"):
    rng = np.random.default_rng(3)

    def r(*shape):
        return (rng.random(shape) - 0.5).astype(kind)

    def names(*given):
        return {"inputs": list(given)}

    layers = [
        layer("conv2d", "c1", weights=r(3, 3, 4, 6), bias=r(6, 1), padding="same"),
        layer("relu6", "r1"),
        layer("conv2d", "dw", weights=r(3, 3, 1, 6), bias=r(6, 1), groups=6.0, padding=1.0),
        layer("relu", "r2"),
        layer("add", "a", **names("r1", "r2")),
        layer("subtract", "s", **names("a", "r2")),
        layer("multiply", "m", **names("a", "s")),
        layer("zeropad", "z", padding=1.0),
        layer("maxpool", "p", pool_size=3.0, stride=2.0, padding="same"),
        layer("averagepool", "v", pool_size=3.0, stride=2.0, padding="same", **names("z")),
        layer("concat", "k", **names("p", "v")),
        layer("transposedconv2d", "t", weights=r(2, 2, 3, 12), stride=2.0),
        layer("leakyrelu", "lr", slope=0.2),
        layer("hardswish", "hs"),
        layer("sigmoid", "g"),
        layer("globalaveragepool", "ga"),
        layer("flatten", "f"),
        layer("dense", "d", weights=r(4, 3), bias=r(4, 1)),
        layer("softmax", "o"),
    ]
    return {"input_size": np.array([[9.0, 8.0, 4.0]]), "layers": layers}, r(9, 8, 4, 20)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_networks(kind):
    """Every kind of layer, per tensor and per channel, both roundings: identical to the bit."""
    model, x = network(kind)
    cases = []
    for options in (
        {},
        {"granularity": "channel"},
        {"scheme": "affine", "activation_scheme": "symmetric"},
        {"bits": 4, "granularity": "channel", "fuse": False},
    ):
        small, _ = verbs.quantize(model, data=x, **options)
        if options.get("activation_scheme") == "symmetric":
            small["layers"] = small["layers"][:-1]
        for rounding in ("double", "single", "litert"):
            more = {"arithmetic": "integer", "requantization": rounding}
            for batch in (256.0, 7.0):
                given = {**more, "batch_size": batch}
                cases.append(
                    Case(f"{options} {given}", "nn_predict", verbs.predict, [small, x], given)
                )
    compare(cases)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_prelu_bilinear_and_logsoftmax(kind):
    """What has rules of its own: identical to the bit, and near the floating point network."""
    rng = np.random.default_rng(7)
    w, slope = (rng.standard_normal(n).astype(kind) for n in ((1, 1, 3, 4), (4, 1)))
    x = rng.standard_normal((5, 4, 3, 12)).astype(kind)
    cases = []
    for form in (
        {"factor": 2.0},
        {"factor": np.array([[3.0, 1.0]])},
        {"factor": 1.5, "align_corners": True},
    ):
        layers = [
            layer("conv2d", "c", weights=w),
            layer("prelu", "p", slope=slope),
            layer("upsample", "u", method="bilinear", **form),
            layer("prelu", "q", slope=np.array([[0.25]], kind)),
            layer("logsoftmax", "o"),
        ]
        model = {"input_size": np.array([[5.0, 4, 3]]), "layers": layers}
        model, _ = verbs.quantize(model, data=x)
        for rounding in ("double", "single"):
            integers = {"arithmetic": "integer", "requantization": rounding}
            cases.append(Case(f"{form}", "nn_predict", verbs.predict, [model, x], integers))
            assert abs(verbs.predict(model, x, **integers) - verbs.predict(model, x)).max() < 0.2
    compare(cases)


def test_softmax_of_images():
    """Softmax is over the channels, wherever they stand."""
    rng = np.random.default_rng(5)
    w = rng.standard_normal((1, 1, 3, 4)).astype(np.float32)
    layers = [layer("conv2d", "c", weights=w), layer("softmax", "s")]
    x = rng.standard_normal((2, 5, 3, 6)).astype(np.float32)
    model, _ = verbs.quantize({"input_size": np.array([[2.0, 5, 3]]), "layers": layers}, data=x)
    exact = verbs.predict(model, x)
    integers = {"arithmetic": "integer"}
    assert abs(verbs.predict(model, x, **integers) - exact).max() < 0.02
    compare([Case("images", "nn_predict", verbs.predict, [model, x], integers)])


def test_fixed_point():
    rng = np.random.default_rng(1)
    a = rng.integers(-(2**31), 2**31, (40, 1)).astype(float)
    b = rng.integers(-(2**31), 2**31, (1, 40)).astype(float)
    real = np.exp(rng.uniform(-30, 22, (50, 1)))
    codes = rng.integers(-128, 128, (10, 30)).astype(float)
    cases = [
        Case("high", QUANT + "high_multiply", integer.high_multiply, [a, b]),
        Case("multiplier", QUANT + "fixed_multiplier", integer.fixed_multiplier, [real], nargout=2),
    ]
    sums = rng.integers(-(2**20), 2**20, (50, 60)).astype(float)
    m, s = integer.fixed_multiplier(np.exp(rng.uniform(-12, 2, (50, 1))))
    for rounding in ("double", "single"):
        args = [sums, m, s, rounding]
        cases.append(Case(rounding, QUANT + "fixed_multiply", integer.fixed_multiply, args))
    for scale in (0.003, 0.05, 0.7, 3.0):
        args = [codes, scale]
        cases.append(Case("softmax", QUANT + "integer_softmax", integer.integer_softmax, args))
        args = [*args, "single"]
        cases.append(Case("logarithm", QUANT + "integer_softmax", integer.integer_softmax, args))
    compare(cases)


def test_refusals():
    """What cannot be computed in integers: the same messages."""
    model, x = network()
    integers = {"arithmetic": "integer"}
    plain, _ = verbs.quantize(model, bits=8)
    wide, _ = verbs.quantize(model, bits=8, data=x, activation_bits=9)
    book, _ = verbs.quantize(model, bits=4, scheme="codebook", data=x, activations="static")
    norm = {"type": "batchnorm", "name": "b"}
    for name in ("scale", "offset", "mean", "variance"):
        norm[name] = np.ones((4, 1), np.float32)
    first = {"input_size": model["input_size"], "layers": [norm, *model["layers"][:2]]}
    first, _ = verbs.quantize(first, bits=8, data=x)
    cases = [
        Case("plain", "nn_predict", verbs.predict, [plain, x], integers, fails=True),
        Case("wide", "nn_predict", verbs.predict, [wide, x], integers, fails=True),
        Case("book", "nn_predict", verbs.predict, [book, x], integers, fails=True),
        Case("norm", "nn_predict", verbs.predict, [first, x], integers, fails=True),
        Case("word", "nn_predict", verbs.predict, [plain, x], {"arithmetic": "int"}, fails=True),
    ]
    compare(cases)
