"""Both implementations on arrays: grids, codes, masks and refusals agree to the bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pyoctcompress.reference import prune, quant, verbs

from .arrays import awkward, refused
from .harness import Case, compare, needs_octave

pytestmark = needs_octave
KINDS = [np.float32, np.float64]
# Figures that are sums or logarithms of many numbers.
FIGURES = {"sqnr": 1e-11}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_quantize(kind, scheme):
    cases = []
    for k, (name, w) in enumerate(awkward(kind).items()):
        # All numbers of bits for some arrays, for the others two of three.
        for bits in range(1, 17):
            if name not in ("random", "halves", "ties") and (bits + k) % 3 == 0:
                continue
            cases.append(quantize_case(name, w, float(bits), scheme, bits % (w.ndim + 2)))
    compare(cases)


def quantize_case(name, w, bits, scheme, axis):
    options = {"bits": bits, "scheme": scheme}
    if axis > 0:
        options |= {"granularity": "channel", "axis": float(axis)}
    if bits % 3 == 0:
        options["output"] = "codes"
    label = f"{name} {options}"
    return Case(label, "nn_quantize", verbs.quantize, [w], options, 2, FIGURES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_functions_of_grids(kind, scheme):
    def call(label, name, *args, nargout=1):
        reference = getattr(quant, name)
        return Case(
            f"{name} {label}", f"octcompress.quant.{name}", reference, args, nargout=nargout
        )

    cases = []
    for (shape, w), bits in itertools.product(awkward(kind).items(), (1, 2, 3, 8, 16)):
        axis = float((bits + 1) % (w.ndim + 1))
        grid = quant.choose_grid(w, bits, scheme, axis)
        beyond = (w * kind(1.3)).astype(kind) if np.all(np.abs(w) < 1e30) else w
        codes = quant.encode_grid(w, grid)
        label = f"{shape} {bits} bits axis {axis}"
        cases += [
            call(label, "choose_grid", w, float(bits), scheme, axis),
            call(label, "encode_grid", beyond, grid),
            call(label, "decode_grid", codes, grid),
            call(label, "decode_grid", codes, grid, "double"),
            call(label, "snap_to_grid", beyond, grid, nargout=2),
        ]
    compare(cases)


@pytest.mark.parametrize("kind", KINDS)
def test_prune(kind):
    rules = [{"sparsity": s} for s in (0.0, 0.1, 0.34, 0.5, 0.999, 1.0)]
    rules += [
        {"threshold": t, "scale": scale}
        for t, scale in itertools.product((0.0, 0.2, 1.0, 1.5), ("max", "std", "none"))
    ]
    cases = [
        Case(f"{name} {rule}", "nn_prune", verbs.prune, [w], rule, 2)
        for (name, w), rule in itertools.product(awkward(kind).items(), rules)
    ]
    compare(cases)


@pytest.mark.parametrize("kind", KINDS)
def test_smallest_mask(kind):
    random = np.random.RandomState([3])
    groups = [[w for w in awkward(kind).values() if w.size], [np.ones((3, 3), kind)] * 3]
    groups += [[np.round(random.random_sample((7, 5)) * 4).astype(kind) for _ in range(3)]]
    cases = []
    for k, group in enumerate(groups):
        scores = [np.abs(w) for w in group]
        total = sum(s.size for s in scores)
        for count in (0, 1, 2, total // 3, total // 2, total - 1, total):
            cases.append(
                Case(
                    f"group {k}, {count} of {total}",
                    "octcompress.prune.smallest_mask",
                    lambda s, n: prune.smallest_mask(s, int(n)),
                    [scores, float(count)],
                )
            )
    compare(cases)


@pytest.mark.parametrize("verb", ["prune", "quantize"])
def test_refused_arrays(verb):
    options = {"prune": {"sparsity": 0.5}, "quantize": {"bits": 4.0}}[verb]
    reference = getattr(verbs, verb)
    cases = [
        Case(name, f"nn_{verb}", reference, [w], options, 2, fails=True)
        for name, w in refused().items()
    ]
    functions = [
        ("encode_grid", quant.encode_grid, [quant.choose_grid(1.0, 8)]),
        ("choose_grid", quant.choose_grid, [8.0]),
    ]
    cases += [
        Case(f"{function} {name}", f"octcompress.quant.{function}", call, [w, *more], fails=True)
        for name, w in refused().items()
        for function, call, more in functions
    ]
    compare(cases)


NUMBERS = {
    "zero": 0.0,
    "negative": -1.0,
    "half": 0.5,
    "seventeen": 17.0,
    "huge": 1e300,
    "nan": float("nan"),
    "inf": float("inf"),
    "single": np.array([[2.5]], np.float32),
    "int8": np.array([[4]], np.int8),
    "flag": True,
    "text": "four",
    "empty-text": "",
    "long-text": "x" * 61,
    "row": np.array([[1.0, 2.5, np.nan]]),
    "long-row": np.arange(7.0).reshape(1, 7),
    "matrix": np.ones((2, 3)),
    "complex": 1 + 2j,
    "cell": ["a", 4.0],
    "struct": {"a": 1.0},
    "empty": None,
}


def test_refused_values_of_prune():
    w = np.array([[1.0, -2.0, 3.0]])
    cases = []
    for (label, value), name in itertools.product(
        NUMBERS.items(), ("threshold", "sparsity", "scale", "scope", "bias")
    ):
        options = {name: value}
        if name not in ("threshold", "sparsity"):
            options["sparsity"] = 0.5
        cases.append(Case(f"{name} {label}", "nn_prune", verbs.prune, [w], options, 2))
    for options in ({}, {"sparsity": 0.5, "threshold": 0.5}, {"sparsty": 1.0}, {"bits": 4.0}):
        cases.append(Case(str(options), "nn_prune", verbs.prune, [w], options, 2, fails=True))
    compare(cases)


def test_refused_values_of_quantize():
    w = np.array([[1.0, -2.0, 3.0]])
    names = ("bits", "scheme", "granularity", "axis", "bias", "activation_bits",
             "activation_scheme", "batch_size", "output")  # fmt: skip
    cases = []
    for (label, value), name in itertools.product(NUMBERS.items(), names):
        options = {name: value, "granularity": "channel"} if name == "axis" else {name: value}
        cases.append(
            Case(f"{name} {label}", "nn_quantize", verbs.quantize, [w], options, 2, FIGURES)
        )
    for options in ({"bit": 4.0}, {"sparsity": 1.0}):
        cases.append(Case(str(options), "nn_quantize", verbs.quantize, [w], options, 2, fails=True))
    compare(cases)


def test_refused_values_of_choose_grid():
    w = np.array([[1.0, -2.0, 3.0]])
    name = "octcompress.quant.choose_grid"
    cases = []
    for label, value in NUMBERS.items():
        cases += [
            Case(f"bits {label}", name, quant.choose_grid, [w, value]),
            Case(f"scheme {label}", name, quant.choose_grid, [w, 4.0, value]),
            Case(f"axis {label}", name, quant.choose_grid, [w, 4.0, "affine", value]),
        ]
    compare(cases)
