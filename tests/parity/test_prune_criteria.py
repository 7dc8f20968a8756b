"""Pruning in both implementations: criteria, structures, scopes, amounts, shrinking, low rank."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pyoctcompress.reference import nn_correct, nn_lowrank, nn_shrink, prune, verbs

from . import models
from .harness import Case, compare, needs_octave

pytestmark = needs_octave
FIGURES = {"limit": 1e-9, "weights": 1e-9, "bias": 1e-9}
MODEL = models.perceptron(np.float64, sizes=(6, 16, 12, 3))
RANDOM = np.random.RandomState([21])
X = np.maximum(RANDOM.standard_normal((6, 40)), 0)
X[3] = 0  # an input that is dead
Y = RANDOM.randint(1, 4, (1, 40)).astype(float)


def case(label="", model=MODEL, tolerance=FIGURES, fails=None, **options):
    shown = {name: v for name, v in options.items() if not isinstance(v, np.ndarray)}
    options = {name: v for name, v in options.items() if v is not None}
    call = Case(f"{label} {shown}", "nn_prune", verbs.prune, [model], options, 2, tolerance, fails)
    return call


@pytest.mark.parametrize("criterion", ["taylor", "movement", "obd", "wanda", "random"])
def test_criteria(criterion):
    compare(
        [
            case(criterion=criterion, sparsity=s, scope=scope, data=X, labels=Y, batch_size=16.0)
            for s in (0.3, 0.8)
            for scope in ("layer", "global", "row")
        ]
    )


@pytest.mark.parametrize("criterion", ["taylor", "obd", "wanda", "obs"])
def test_a_layer_that_no_output_reads(criterion):
    """Before the output or behind it, as that of an auxiliary classifier."""
    aside = models.dense("aside", np.random.RandomState([1]), 4, 16, np.float64)
    aside["inputs"] = ["fc1"]
    first, rest = MODEL["layers"][:1], [dict(part) for part in MODEL["layers"][1:]]
    rest[0]["inputs"] = ["fc1"]
    compare(
        [
            case(
                model={**MODEL, "layers": layers, "outputs": ["softmax"]},
                criterion=criterion, sparsity=0.4, scope=scope, data=X, labels=Y, batch_size=16.0,
            )
            for layers in ([*first, aside, *rest], [*first, *rest, aside])
            for scope in ("layer", "global")
        ]
    )  # fmt: skip


@pytest.mark.parametrize("method", ["exact", "blocked"])
def test_surgeon(method):
    rules = [{"sparsity": s} for s in (0.0, 0.5, 0.8, 1.0)]
    rules += [{"structure": "2:4"}, {"structure": "1:3"}, {"sparsity": 0.5, "structure": "column"}]
    rules += [{"sparsity": 0.5, "structure": "block", "block": np.array([[2.0, 3.0]])}]
    rules += [{"sparsity": 0.6, "scope": scope} for scope in ("global", "erk", "lamp")]
    rules += [{"sparsity": {"fc1": 0.5, "fc3": 0.25}}]
    compare([case(criterion="obs", method=method, data=X, **rule) for rule in rules])


@pytest.mark.parametrize("structure", ["row", "neuron", "column", "channel", "block"])
def test_structures(structure):
    scopes = ["layer", "global", "lamp", "erk"]
    amounts = [{"sparsity": 0.4}, {"keep": 5.0}, {"threshold": 0.6}]
    compare(
        [
            case(structure=structure, scope=scope, norm=norm, **amount)
            for scope, norm, amount in itertools.product(scopes, ["l1", "l2"], amounts)
        ]
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_arrays(kind):
    arrays = [
        RANDOM.standard_normal((8, 12)).astype(kind),
        np.round(3 * RANDOM.standard_normal((5, 7))).astype(kind),  # many equal ones
        RANDOM.standard_normal((3, 2, 4, 6)).astype(kind),
    ]
    structures = ["weight", "row", "column", "channel", "block"]
    cases = [
        case(f"array {k}", w, structure=structure, sparsity=s)
        for (k, w), structure, s in itertools.product(enumerate(arrays), structures, [0.3, 0.75])
    ]
    cases += [case(f"array {k}", w, structure="2:4") for k, w in enumerate(arrays)]
    cases += [case(f"array {k}", w, criterion="random", keep=7.0) for k, w in enumerate(arrays)]
    cases += [case("", w, criterion="fpgm", structure="row", sparsity=0.4) for w in arrays]
    compare(cases)


def test_an_array_with_data_is_a_layer():
    w = RANDOM.standard_normal((5, 6))
    close = {**FIGURES, "": 1e-9}
    compare([case("array", w, close, criterion=c, data=X, sparsity=0.5) for c in ("wanda", "obs")])


def test_amounts():
    table = np.array([["fc1", 0.9], ["fc2", 0.25]], dtype=object)
    cases = [
        case(target_macs=100.0),
        case(target_macs=100.0, structure="neuron", scope="global"),
        case(target_bytes=900.0, scope="lamp"),
        case(target_bytes=400.0, model=RANDOM.standard_normal((9, 9))),
        case(sparsity={"fc2": 0.5}),
        case(sparsity=table),
        case(sparsity={"fc2": 0.5}, scope="row"),
        case(keep=20.0, scope="erk"),
    ]
    compare(cases)


def test_what_is_refused():
    cases = [
        case(sparsity=0.5, criterion="magic"),
        case(sparsity=0.5, structure="4:2"),
        case(sparsity=0.5, structure="2:4"),
        case(sparsity=0.5, keep=3.0),
        case(sparsity=0.5, criterion="obs"),
        case(sparsity=0.5, criterion="taylor", data=X),
        case(sparsity=0.5, criterion="taylor", data=X, labels=Y[:, :3]),
        case(sparsity=0.5, criterion="batchnorm"),
        case(sparsity=0.5, criterion="batchnorm", structure="row"),
        case(sparsity=0.5, criterion="obs", structure="row", data=X),
        case(sparsity=0.5, criterion="obs", data=X[:3]),
        case(sparsity=0.5, criterion="obs", data=X[:, :0]),
        case(sparsity=0.5, criterion="movement", before=models.perceptron()),
        case(sparsity=0.5, criterion="wanda", data=X, model={"A": np.ones((2, 3))}),
        case(sparsity=0.5, scope="row", structure="row"),
        case(sparsity=0.5, bias=True, structure="row"),
        case(sparsity=0.5, structure="filter"),
        case(sparsity=0.5, block=np.array([[1.0, 0.0]]), structure="block"),
        case(sparsity=0.5, norm="l3"),
        case(sparsity=0.5, method="fast"),
        case(sparsity=0.5, damping=0.0),
        case(sparsity={"fc1": 0.5}, scope="global"),
        case(sparsity={"fc9": 0.5}),
        case(sparsity={"fc1": 1.5}),
        case(target_macs=1.0, structure="neuron"),
    ]
    for each in cases:
        each.fails = True
    compare(cases)


def test_schedules():
    schedule = {"initial": 0.1, "final": 0.9, "begin_step": 10.0, "end_step": 47.0}
    schedule |= {"frequency": 5.0, "power": 2.5, "rounds": 4.0}
    cases = []
    for name in ("polynomial", "agp", "linear", "oneshot", "iterative"):
        each = {**schedule, "schedule": name}
        for step in range(0, 60, 1):
            cases.append(
                Case(
                    f"{name} {step}",
                    "octcompress.prune.scheduled_sparsity",
                    lambda step, s: prune.scheduled_sparsity(int(step), s),
                    [float(step), each],
                    nargout=2,
                    tolerance={"": 1e-12},
                )
            )
    compare(cases)


def convolutions(order):
    random = np.random.RandomState([22])
    w = random.standard_normal((3, 3, 2, 5)) * (random.random_sample((1, 1, 2, 5)) < 0.6)
    v = random.standard_normal((3, 30)) * (random.random_sample((3, 30)) < 0.4)
    vector = {
        name: random.random_sample((5, 1)) for name in ("scale", "offset", "mean", "variance")
    }
    return {
        "input_size": np.array([[8.0, 7.0, 2.0]]),
        "layers": [
            {"type": "conv2d", "name": "c", "weights": w, "bias": random.standard_normal((5, 1))},
            {"type": "batchnorm", "name": "n", **vector},
            {"type": "maxpool", "name": "p", "pool_size": 2.0},
            {"type": "flatten", "name": "f", "order": order},
            {"type": "relu", "name": "r"},
            {"type": "dense", "name": "d", "weights": v},
        ],
    }


def test_shrink():
    dead = {**MODEL, "layers": [dict(layer) for layer in MODEL["layers"]]}
    w = dead["layers"][0]["weights"].copy()
    w[[1, 4, 9]] = 0
    dead["layers"][0]["weights"] = w
    v = dead["layers"][2]["weights"].copy()
    v[:, [0, 5]] = 0
    v[3] = 0
    dead["layers"][2]["weights"] = v
    some = [verbs.prune(MODEL, sparsity=s, structure="row")[0] for s in (0.2, 0.6, 1.0)]
    some += [verbs.quantize(some[1], bits=6.0, granularity="channel")[0], models.graph(np.float64)]
    some += [verbs.prune(models.graph(np.float64), sparsity=0.9)[0], dead, models.sequence()]
    some += [verbs.quantize(some[1], bits=3.0, scheme="codebook")[0]]
    some += [verbs.prune(MODEL, structure="2:4")[0]]
    some += [verbs.quantize(some[1], bits=4.0, granularity="group", group_size=2.0)[0]]
    some += [convolutions(order) for order in ("hwc", "chw", "keras")]
    small = {"": 1e-12}
    compare(
        [
            Case(f"model {k} {o}", "nn_shrink", nn_shrink.shrink, [m], o, 2, small)
            for k, m in enumerate(some)
            for o in ({}, {"sort": True})
        ]
        + [Case("options", "nn_shrink", nn_shrink.shrink, [MODEL], {"sort": 2.0}, fails=True)]
    )


def test_shrink_keeps_the_outputs():
    for sparsity in (0.2, 0.6, 0.9):
        pruned, _ = verbs.prune(MODEL, sparsity=sparsity, structure="row", scope="global")
        small, info = nn_shrink.shrink(pruned)
        assert info["parameters"][0, 1] < info["parameters"][0, 0]
        np.testing.assert_allclose(verbs.predict(small, X), verbs.predict(pruned, X), atol=1e-12)
        small, _ = nn_shrink.shrink(pruned, sort=True)
        np.testing.assert_allclose(verbs.predict(small, X), verbs.predict(pruned, X), atol=1e-12)


def test_low_rank():
    w = RANDOM.standard_normal((7, 9))
    x = RANDOM.standard_normal((9, 30)) * np.linspace(0.1, 3, 9)[:, np.newaxis]
    cases = []
    for rule in ({"rank": 3.0}, {"energy": 0.8}, {"budget": 0.6}, {"rank": 20.0}):
        for more in ([], [x @ x.T]):
            cases.append(
                Case(
                    f"{rule} {len(more)}",
                    "octcompress.prune.low_rank",
                    prune.low_rank,
                    [w, rule, *more],
                    nargout=3,
                    tolerance={"": 1e-9},
                )
            )
    compare(cases)


def test_lowrank_verb():
    rules = [{"rank": 2.0}, {"energy": 0.7}, {"budget": 0.5}, {"rank": 2.0, "layers": "fc2"}]
    rules += [{"rank": 2.0, "energy": 0.5}, {}, {"energy": 1.5}, {"rank": 1.0, "layers": "fc9"}]
    close = {"": 1e-9}
    cases = []
    for model, x in ((MODEL, X), (models.graph(np.float64), X[:4])):
        for rule in rules:
            for more in ({}, {"data": x, "batch_size": 7.0}):
                label = f"{rule} {list(more)}"
                options = {**rule, **more}
                args = (label, "nn_lowrank", nn_lowrank.lowrank, [model], options, 2, close)
                cases.append(Case(*args))
    compare(cases)


def test_correct_verb():
    pruned, _ = verbs.prune(MODEL, sparsity=0.6)
    grids, _ = verbs.quantize(pruned, bits=4.0, granularity="channel")
    close = {"": 1e-9}
    cases = []
    for model in (pruned, grids):
        for more in (
            {"original": MODEL},
            {"original": MODEL, "data": X, "batch_size": 7.0},
            {"original": MODEL, "data": X, "methods": "bias", "layers": "fc2"},
            {"original": MODEL, "methods": ["bias", "scale"]},
            {},
            {"data": X},
            {"methods": "batchnorm"},
            {"methods": "scale"},
            {"original": models.perceptron()},
            {"original": MODEL, "methods": "magic"},
        ):
            call = Case(str(list(more)), "nn_correct", nn_correct.correct, [model], more, 2, close)
            cases.append(call)
    compare(cases)
