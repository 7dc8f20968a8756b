"""Recipes, allocation and prediction: Octave and NumPy agree."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyoctcompress.reference import search, verbs

from .harness import Case, compare, needs_octave, run_octave

pytestmark = needs_octave


def test_fronts_and_allocation():
    rng = np.random.default_rng(1)
    cases = []
    for layers, choices, most in ((1, 5, 2000.0), (3, 6, 2000.0), (6, 8, 40.0)):
        loss = np.sort(rng.random((layers, choices)), axis=1)[:, ::-1].copy()
        bytes = np.round(np.cumsum(rng.random((layers, choices)), axis=1) * 500)
        loss[-1, 1] = np.nan
        cases.append(
            Case(
                f"{layers} layers",
                "octcompress.search.allocate",
                search.allocate,
                [loss, bytes, most],
                nargout=3,
            )
        )
    loss, bytes = np.round(4 * rng.random((1, 60))), np.round(9 * rng.random((1, 60)))
    loss[0, 5] = np.inf
    cases.append(
        Case(
            "front",
            "octcompress.search.pareto_front",
            lambda *args: np.array([search.pareto_front(*args)], float) + 1,
            [loss, bytes],
        )
    )
    compare(cases)


def test_prediction():
    rng = np.random.default_rng(2)
    model = verbs.new("input", 12.0, "dense", 30.0, "relu", "dense", 4.0)
    cases = [
        Case(
            "error",
            "octcompress.search.predicted_error",
            search.predicted_error,
            [3 * rng.random((1, 200)), np.array([[0.0, 0.1], [2.0, 50.0]])],
            tolerance={"": 1e-12},
        )
    ]
    pruned, _ = verbs.prune(model, sparsity=0.8)
    for name, m in {
        "float": model,
        "pruned": pruned,
        "grid": verbs.quantize(pruned, bits=3)[0],
    }.items():
        cases.append(
            Case(
                name,
                "octcompress.search.coded_bytes",
                search.coded_bytes,
                [m],
                nargout=3,
                tolerance={"": 1e-12, "bytes": 1e-12},
            )
        )
    compare(cases)


RECIPES = [
    [{"step": "prune", "sparsity": {"a": 0.5, "b": 2.0}}, {"step": "fold"}],
    [{"step": "prune", "sparsity": "much"}, {"step": "shrink", "bits": 3.0}],
    [{"step": "prun"}, {"step": "train", "epochs": 1.5}, {"bits": 3.0}],
    [{"step": "quantize", "bits": 40.0, "rounding": "up", "layers": ["a", "z"]}],
    [{"step": "lowrank", "rank": 3.0, "data": True}, {"step": "quantize", "layers": "b_down"}],
    [{"step": "prune", "structure": "2:4"}, {"step": "prune", "structure": "row"}],
    [{"step": "correct", "methods": ["bias", "weights"]}, {"step": "quantize", "bits": {"q": 3.0}}],
    "tiny",
    "tny",
]


@pytest.mark.parametrize("training", [True, False])
def test_faults_of_recipes(training):
    cases = []
    for recipe in [*RECIPES, *([{**step}] for step in search.ready_recipes()["tiny"])]:
        text = recipe if isinstance(recipe, str) else json.dumps(recipe)
        cases.append(
            Case(
                text,
                "octcompress.search.check_recipe",
                search.check_recipe,
                [text, ["a", "b"], training],
                nargout=2,
            )
        )
    answers = run_octave(cases)
    for case, recipe, answer in zip(cases, RECIPES, answers, strict=False):
        _, faults = search.check_recipe(recipe, ["a", "b"], training)
        assert list(answer["value"][1]) == faults, case.label


def test_ready_recipes():
    cases = [
        Case(name, "octcompress.search.ready_recipe", search.ready_recipe, [name])
        for name in search.ready_recipes()
    ]
    cases.append(Case("none", "octcompress.search.ready_recipe", search.ready_recipe, ["int5"]))
    for case, answer in zip(cases, run_octave(cases), strict=True):
        if case.label == "none":
            assert answer["identifier"] == "octcompress:ready_recipe:unknown"
        else:
            steps = list(answer["value"][0])
            expected = search.ready_recipe(case.label)
            assert [step["step"] for step in steps] == [step["step"] for step in expected]
            assert [sorted(step) for step in steps] == [sorted(step) for step in expected]
