"""The verbs of quantization on networks: Octave and NumPy agree."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import (
    nn_calibrate,
    nn_equalize,
    nn_fold,
    nn_mixed,
    nn_sensitivity,
    verbs,
)
from pyoctcompress.reference.quant import choose_grid

from .harness import Case, compare, needs_octave
from .test_quant_integer import layer, network

pytestmark = needs_octave
CLOSE = dict.fromkeys(("weights", "bias", "greatest", "least"), 3e-06)


def normed(kind="float32", count=40):
    rng = np.random.default_rng(5)

    def r(*shape):
        return (rng.random(shape) - 0.4).astype(kind)

    def norm(name, n):
        parts = {key: r(n, 1) for key in ("scale", "offset", "mean")}
        return layer("batchnorm", name, **parts, variance=r(n, 1) + 0.5)

    layers = [
        layer("conv2d", "c", weights=r(3, 3, 2, 4), padding="same"),
        norm("n1", 4),
        layer("relu", "r"),
        layer("conv2d", "dw", weights=r(3, 3, 1, 4), groups=4.0, padding=1.0, bias=r(4, 1)),
        norm("n2", 4),
        layer("leakyrelu", "l", slope=0.1),
        layer("conv2d", "g", weights=r(1, 1, 2, 6), groups=2.0, bias=r(6, 1)),
        layer("maxpool", "p", pool_size=2.0),
        layer("flatten", "f", order="chw"),
        layer("dense", "d", weights=r(3, 36), bias=r(3, 1)),
        norm("n3", 3),
        layer("scale", "s", scale=r(3, 1), offset=r(3, 1)),
    ]
    return {"input_size": np.array([[6.0, 5.0, 2.0]]), "layers": layers}, r(6, 5, 2, count)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_fold(kind):
    model, x = normed(kind)
    named = {**model, "outputs": ["n1", "s"]}
    read = {**model, "layers": [*model["layers"][:3], layer("add", "a", inputs=["n1", "r"])]}
    aside = layer("relu", "o", inputs=["input"])
    norm = {**model["layers"][1], "inputs": [model["layers"][0]["name"]]}
    crossed = {**model, "layers": [model["layers"][0], aside, norm]}
    small, _ = verbs.quantize(model, bits=8)
    cases = [
        Case(str(k), "nn_fold", nn_fold.fold, [m], nargout=2, tolerance=CLOSE)
        for k, m in enumerate([model, named, read, crossed])
    ]
    grid = {"output": choose_grid(x, 4)}
    faulty = [small]
    for k in range(2):
        layers = [dict(part) for part in model["layers"]]
        layers[k]["quantization"] = grid
        faulty.append({**model, "layers": layers})
    cases += [
        Case(f"quantized {k}", "nn_fold", nn_fold.fold, [m], fails=True)
        for k, m in enumerate(faulty)
    ]
    compare(cases)
    folded, info = nn_fold.fold(model)
    assert info["folded"] == ["n1", "n2", "n3", "s"]
    expected = verbs.predict(model, x)
    np.testing.assert_allclose(verbs.predict(folded, x), expected, rtol=1e-4, atol=1e-4)


def test_equalize():
    cases = []
    for kind in ("float32", "float64"):
        model, x = normed(kind)
        model, _ = nn_fold.fold(model)
        for options in (
            {},
            {"iterations": 1.0},
            {"method": "activations", "data": x},
            {"method": "activations", "data": x, "alpha": 1.0, "batch_size": 7.0},
        ):
            label = f"{kind} {list(options)}"
            call = nn_equalize.equalize
            cases.append(Case(label, "nn_equalize", call, [model], options, 2, CLOSE))
        small, _ = nn_equalize.equalize(model)
        expected = verbs.predict(model, x)
        np.testing.assert_allclose(verbs.predict(small, x), expected, rtol=1e-3, atol=1e-3)
    rng = np.random.default_rng(4)
    steps = [
        layer("dense", "d1", weights=rng.random((4, 3))),
        layer("relu", "r"),
        layer("dense", "d2", weights=rng.random((2, 4))),
    ]
    head = [layer("flatten", "f"), layer("dense", "d3", weights=rng.random((2, 4)))]
    for count, layers in ((2.0, [*steps, *head]), (np.nan, steps)):
        sequence = {"input_size": np.array([[3.0, count]]), "layers": layers}
        case = Case(f"{count} steps", "nn_equalize", call, [sequence], {}, 2, CLOSE)
        cases.append(case)
    fault = {"method": "activations"}
    cases.append(Case("no data", "nn_equalize", nn_equalize.equalize, [model], fault, fails=True))
    compare(cases)


def test_calibrate():
    """Every observer, fused or not, static and dynamic."""
    model, x = network()
    close = dict.fromkeys(("lo", "hi", "scale", "zero_point", ""), 1e-05)
    cases = []
    for options in (
        {},
        {"fuse": False},
        {"bits": 4.0, "scheme": "symmetric"},
        {"observer": "average", "batch_size": 7.0},
        {"observer": "percentile", "percentile": 99.0},
        {"activations": "dynamic"},
        {"activations": "none"},
    ):
        call = nn_calibrate.calibrate
        cases.append(Case(str(options), "nn_calibrate", call, [model, x], options, 2, close))
    wrong = {"observer": "max"}
    call = nn_calibrate.calibrate
    cases.append(Case("wrong", "nn_calibrate", call, [model, x], wrong, fails=True))
    compare(cases)


FORMS = [
    {"rounding": "gptq", "granularity": "channel"},
    {"rounding": "gptq", "granularity": "group", "group_size": 5.0, "fit": "range"},
    {"rounding": "gptq", "granularity": "channel", "sparsity": 0.5},
    {"rounding": "obq", "granularity": "channel"},
    {"rounding": "adaround", "steps": 30.0, "granularity": "channel"},
    {"rounding": "gptq", "scheme": "codebook"},
    {"rounding": "gptq", "power2": True, "granularity": "channel"},
    {"scheme": "codebook"},
    {"scheme": "ternary"},
    {"scheme": "binary", "bias_correction": True},
    {"rounding": "stochastic", "seed": 5.0},
    {"rounding": "gptq", "activations": "static", "observer": "mse"},
    {"scheme": "fp8_e4m3", "granularity": "channel", "activations": "dynamic"},
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form.values())))
def test_quantize_with_data(form):
    """A small network in double precision: nearly all codes agree, where products round alike."""
    model, x = normed("float64", 400)
    model, _ = nn_fold.fold(model)
    names = ("scale", "weights", "bias", "sqnr", "output_sqnr", "max_error", "codebook", "lo", "hi")
    close = dict.fromkeys(names, 1e-6)
    options = {"bits": 3.0, "data": x, **form}
    compare([Case(str(form), "nn_quantize", verbs.quantize, [model], options, 2, close)])


def small_classifier(kind, power=5):
    rng = np.random.default_rng(9)

    def r(*shape):
        return (rng.random(shape) - 0.5).astype(kind)

    layers = [
        layer("dense", "a", weights=r(30, 12) ** power),
        layer("relu", "r"),
        layer("dense", "b", weights=r(20, 30)),
        layer("relu", "s"),
        layer("dense", "c", weights=r(3, 20), bias=r(3, 1) / 50),
    ]
    layers[0]["weights"][3, 2] = 1
    model, x = {"layers": layers}, r(12, 200)
    labels = np.argmax(verbs.predict(model, x), axis=0)[np.newaxis] + 1.0
    return model, x, labels


def test_curves_of_images_and_sequences():
    """Curves of layers with a Hessian and without, before a softmax."""
    images = verbs.new("input", [6.0, 6.0, 2.0], "conv2d", [4, 3], "relu", "flatten", "dense", 3)
    images["layers"].append({"type": "softmax", "name": "p"})
    sequences = verbs.new("input", [3.0, np.nan], "lstm", 4, "dense", 2)
    rng = np.random.default_rng(5)
    options = {"bits": 4.0, "sparsity": 0.5, "rank": np.array([[0.3, 0.9]])}
    close = dict.fromkeys(("output_error", "sqnr", "deviation", "outliers", "loss", "bytes"), 1e-4)
    cases = [
        Case(
            kind,
            "nn_sensitivity",
            nn_sensitivity.sensitivity,
            [model, rng.random(shape).astype("float32"), None],
            options,
            1,
            close,
        )
        for kind, model, shape in (
            ("images", images, (6, 6, 2, 50)),
            ("sequences", sequences, (3, 40, 5)),
        )
    ]
    compare(cases)


def test_sensitivity_and_mixed():
    cases = []
    for kind in ("float32", "float64"):
        model, x, y = small_classifier(kind)
        close = dict.fromkeys(("output_error", "sqnr", "deviation", "outliers"), 1e-4)
        bits = np.array([[2.0, 5.0, 8.0]])
        for options in (
            {"bits": bits},
            {"bits": 3.0, "layers": "b", "quantize": {"granularity": "channel"}},
        ):
            for labels in (y, None):
                call = nn_sensitivity.sensitivity
                args = [model, x, labels]
                cases.append(
                    Case(f"{kind} {options}", "nn_sensitivity", call, args, options, 1, close)
                )
        options = {"bits": bits, "sparsity": np.array([[0.3, 0.8]]), "rank": 0.2}
        curves = {**close, **dict.fromkeys(("loss", "bytes"), 1e-4)}
        # The inputs of the layers above depend on each other so much that the inverse of their
        # Hessian makes thousands of a rounding, which differs with the processor's order of sums.
        args = list(small_classifier(kind, power=1))
        cases.append(Case(f"{kind} curves", "nn_sensitivity", call, args, options, 1, curves))
        for options in (
            {"bytes": 550.0},
            {"bytes": 700.0, "quantize": {"granularity": "group", "group_size": 10.0}},
            {"accuracy": 0.02},
            {"accuracy": 0.3, "choices": np.array([[2.0, 4.0]])},
        ):
            args = [model, x, y]
            cases.append(
                Case(f"{kind} {options}", "nn_mixed", nn_mixed.mixed, args, options, 2, close)
            )
    for options in ({}, {"bytes": 10.0}, {"accuracy": 0.0, "choices": 1.0}):
        args = [model, x, y]
        cases.append(Case(str(options), "nn_mixed", nn_mixed.mixed, args, options, 2, fails=True))
    compare(cases)
