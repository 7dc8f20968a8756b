"""The models that the project ships, and foreign files beside it, in both implementations."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress import load
from pyoctcompress.datafile import data
from pyoctcompress.reference import verbs

from .harness import ROOT, Case, compare, needs_octave

pytestmark = needs_octave
MODELS = sorted((ROOT / "examples" / "models").glob("*.mat"))
MNIST = sorted((ROOT / "examples" / "data").glob("*mnist*.mat"))
# Named tensors that are no network of ours; beside the repository, where they are there.
FOREIGN = [ROOT.parent / "shared" / "models" / "ng_ex3weights.mat"]


def verb(name, *args, tolerance=None, nargout=2, **options):
    within = {"sqnr": 1e-9, **(tolerance or {})}
    label = f"{name} {list(options)}"
    return Case(label, f"nn_{name}", getattr(verbs, name), args, options, nargout, within)


@pytest.mark.parametrize("file", MODELS, ids=[file.stem for file in MODELS])
def test_shipped_models(file):
    if not MNIST:
        pytest.skip("the examples' data are not there")
    model = load(file)
    x, y = data(MNIST[0], "test", limit=200)
    pruned, _ = verbs.prune(model, sparsity=0.9, scope="global")
    ranges = dict.fromkeys(("lo", "hi", "scale"), 1e-5)
    compare([
        verb("info", model, nargout=1),
        verb("prune", model, sparsity=0.9, scope="global"),
        verb("prune", model, threshold=0.2),
        verb("quantize", pruned, bits=4.0, granularity="channel"),
        verb("quantize", model, bits=8.0, scheme="affine"),
        verb("quantize", model, data=x, tolerance=ranges),
        verb("predict", model, x, nargout=1, tolerance={"": 1e-5}),
        verb("evaluate", model, x, y, nargout=1, tolerance={"loss": 1e-5}),
    ])  # fmt: skip


@pytest.mark.parametrize("file", FOREIGN, ids=[file.stem for file in FOREIGN])
def test_foreign_files(file):
    if not file.exists():
        pytest.skip(f"{file.name} is not there")
    model = {name: v for name, v in load(file).items() if isinstance(v, np.ndarray | float | str)}
    compare([
        verb("info", model, nargout=1),
        verb("prune", model, sparsity=0.5),
        verb("prune", model, threshold=0.1, scope="global"),
        verb("quantize", model, bits=5.0, granularity="channel"),
    ])  # fmt: skip
