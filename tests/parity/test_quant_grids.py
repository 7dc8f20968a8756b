"""Grids, codes, observers and rounding methods: Octave and NumPy agree."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import quant, rounding
from pyoctcompress.reference.observers import Observer

from .harness import Case, compare, needs_octave

pytestmark = needs_octave
SCHEMES = ["symmetric", "affine", "signed", "unsigned"]
FLOATS = ["bf16", "fp16", "fp8_e4m3", "fp8_e5m2"]
QUANT = "octcompress.quant."


def weights(kind, shape=(6, 20), seed=0):
    w = np.random.default_rng(seed).standard_normal(shape) ** 3
    w.flat[::7] = 0
    return w.astype(kind)


def gram_of(inputs, seed=1):
    rng = np.random.default_rng(seed)
    u = np.tril(np.ones((inputs, inputs))) @ rng.random((inputs, 300))
    return u @ u.T


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_grids(kind):
    """Every kind of grid: its figures, codes and values, to the bit."""
    cases = []
    w = weights(kind)
    for scheme in SCHEMES + FLOATS:
        for bits in (1.0, 2.0, 5.0, 16.0):
            for options in (
                {},
                {"group": 7.0},
                {"power2": True},
                {"fit": "mse"},
                {"fit": "mse", "importance": np.abs(weights("float64", seed=3))},
                {"fit": "mse", "group": 5.0, "power2": True},
            ):
                for axis in (0.0, 2.0):
                    args = [w, bits, scheme, axis]
                    label = f"{scheme} {bits} {axis} {sorted(options)}"
                    name = QUANT + "choose_grid"
                    cases.append(Case(label, name, quant.choose_grid, args, options))
                    grid = quant.choose_grid(*args, **options)
                    for other in ("encode_grid", "snap_to_grid"):
                        function = getattr(quant, other)
                        nargout = 3 if other == "snap_to_grid" else 1
                        args2 = [weights(kind, seed=5), grid]
                        cases.append(Case(label, QUANT + other, function, args2, nargout=nargout))
    compare(cases)


def test_codebooks():
    cases = []
    for kind in ("float32", "float64"):
        w = weights(kind, (30, 40))
        for count in (1.0, 4.0, 16.0, 2000.0):
            for start in ("linear", "density", "random"):
                for zero in (False, True):
                    options = {"start": start, "zero": zero, "seed": 5.0}
                    label = f"{kind} {count} {options}"
                    name = QUANT + "kmeans"
                    cases.append(Case(label, name, rounding.kmeans, [w, count], options, 2))
                    book, _ = rounding.kmeans(w, count, **options)
                    grid = {"bits": 4.0, "scheme": "codebook", "codebook": book, "axis": 0.0}
                    args = [weights(kind, (9, 9), 4), grid]
                    cases.append(Case(label, QUANT + "encode_grid", quant.encode_grid, args))
        heavy = {"weights": np.abs(weights("float64", (30, 40), 8))}
        cases.append(Case("weights", QUANT + "kmeans", rounding.kmeans, [w, 8.0], heavy, 2))
    compare(cases)


@pytest.mark.parametrize("kind", ["minmax", "average", "percentile", "mse", "kl", "histogram"])
def test_observers(kind):
    """Ranges of a stream: both see the same batches."""
    rng = np.random.default_rng(2)
    streams = {
        "relu": [np.maximum(rng.standard_normal((20, 30)), 0) * k for k in (1, 3, 9)],
        "both": [rng.standard_normal((20, 30)) * k for k in (2, 1, 4)],
        "outlier": [np.append(rng.standard_normal(500), 40.0)[:, np.newaxis]],
        "zero": [np.zeros((3, 3))],
    }
    cases = []
    for name, batches in streams.items():
        for bits in (4.0, 8.0):
            for scheme in ("affine", "symmetric"):

                def ours(batches, kind, bits, scheme):
                    observer = Observer(kind)
                    for batch in batches:
                        observer.add(np.asarray(batch))
                    return observer.range(int(bits), scheme)

                args = [batches, kind, bits, scheme]
                label = f"{name} {bits} {scheme}"
                cases.append(Case(label, "observe_stream", ours, args, nargout=2))
    compare(cases)


def test_stochastic():
    cases = []
    for kind in ("float32", "float64"):
        for scheme in SCHEMES:
            w = weights(kind)
            grid = quant.choose_grid(w, 4, scheme, 1)
            args = [w, grid, 7.0]
            name = QUANT + "encode_stochastic"
            cases.append(Case(scheme, name, rounding.encode_stochastic, args))
    compare(cases)


@pytest.mark.parametrize("method", ["gptq", "obq", "adaround"])
def test_rounding(method):
    """The same codes where no decision hangs on the last bits of a matrix product."""
    function = getattr(rounding, method)
    gram = gram_of(20)
    w = weights("float64") / 4
    cases = []
    grids = [
        quant.choose_grid(w, bits, scheme, axis, group=group)
        for bits in (2, 4)
        for scheme in ("symmetric", "affine")
        for axis in (0, 1)
        for group in (None, 6)
    ]
    book = np.array([[-0.5], [-0.1], [0.0], [0.2]])
    codebook = {"bits": 2.0, "scheme": "codebook", "codebook": book, "axis": 0.0}
    extras = [{}, {"zeros": w > 0.1}]
    if method != "adaround":
        grids.append(codebook)
        extras.append({"sparsity": 0.5})
    else:
        extras = [{"steps": 40.0}]
    for k, grid in enumerate(grids):
        for options in extras:

            def ours(w, gram, grid, **options):
                return function(w, gram, grid, **options).codes

            label = f"{k} {sorted(options)}"
            cases.append(Case(label, QUANT + method, ours, [w, gram, grid], options))
    compare(cases)
