"""Both implementations on whole models."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pyoctcompress.reference import model as graphs
from pyoctcompress.reference import verbs

from . import models
from .harness import Case, compare, needs_octave

pytestmark = needs_octave
LOSSES = ["crossentropy", "binary_crossentropy", "mse", "mae", "huber"]
KINDS = [np.float32, np.float64]
PRODUCTS = {np.float32: 1e-5, np.float64: 1e-12}
# What is computed from products or is a sum of many numbers; all else agrees to the bit.
FIGURES = {"sqnr": 1e-12, "loss": 1e-12}


def case(verb, *args, nargout=2, tolerance=FIGURES, label="", fails=None, **options):
    shown = {name: v for name, v in options.items() if not isinstance(v, np.ndarray)}
    label = f"{verb} {label} {shown}"
    return Case(label, f"nn_{verb}", getattr(verbs, verb), args, options, nargout, tolerance, fails)


NETWORKS = {
    "perceptron": models.perceptron(),
    "perceptron-double": models.perceptron(np.float64),
    "no-softmax": models.perceptron(last=None, hidden="sigmoid"),
    "one-weight": models.perceptron(sizes=(1, 1), last="tanh"),
    "one-weight-double": models.perceptron(np.float64, sizes=(1, 1), last=None),
    "graph": models.graph(),
    "graph-double": models.graph(np.float64),
    "sequence": models.sequence(),
    "images": models.images(),
    "named-output": {**models.graph(), "outputs": ["left"]},
    "mixed-classes": {
        "layers": [
            {"type": "dense", "weights": np.eye(3) / 3, "bias": np.ones((3, 1), np.float32)},
            {"type": "dense", "weights": np.ones((2, 3), np.float32) / 7},
        ]
    },
    "hand-made": {"layers": [{"type": "dense", "weights": np.ones((2, 3)), "bias": None}]},
}


def inputs_of(name, count=7, kind=np.float64):
    random = np.random.RandomState([5])
    shape = {
        "graph": (4, count),
        "graph-double": (4, count),
        "named-output": (4, count),
        "sequence": (3, count, 4),
        "images": (4, 3, 2, count),
        "one-weight": (1, count),
        "one-weight-double": (1, count),
        "mixed-classes": (3, count),
        "hand-made": (3, count),
    }.get(name, (6, count))
    return (3 * random.standard_normal(shape)).astype(kind)


@pytest.mark.parametrize("name", NETWORKS)
def test_predict(name):
    model = NETWORKS[name]
    weights = model["layers"][0].get("weights", np.zeros(1, np.float32))
    first = np.float64 if np.asarray(weights).dtype == np.float64 else np.float32
    kind = np.float32 if name == "mixed-classes" else first
    tolerance = {"": PRODUCTS[kind]}
    cases = []
    for count in (7, 1, 0):
        x = inputs_of(name, count)
        cases += [
            case("predict", model, x, nargout=1, tolerance=tolerance, label=f"{name} {count}"),
            case("predict", model, x, nargout=1, tolerance=tolerance, batch_size=2.0),
            case("predict", model, x.astype(np.float32), nargout=1, tolerance=tolerance),
            case("predict", model, (x * 9).astype(np.int8), nargout=1, tolerance=tolerance),
            case("predict", model, x > 0, nargout=1, tolerance=tolerance),
        ]
    compare(cases)


def test_predict_refuses():
    model = models.perceptron()
    x = models.features(6, 3)
    wrong = [
        np.ones((5, 3)), np.ones((6, 3, 2)), np.zeros((0, 0)), "text", [x], {"x": x}, None,
        np.where(x > 1, np.nan, x), np.where(x > 1, np.inf, x).astype(np.float32), x + 1j, 3.0,
    ]  # fmt: skip
    cases = [case("predict", model, value, nargout=1, fails=True) for value in wrong]
    wrong = [np.ones((4, 3, 1, 2)), np.ones((3, 4, 2)), np.ones((4, 3)), np.ones((4, 3, 2, 1, 2))]
    cases += [case("predict", models.images(), value, nargout=1, fails=True) for value in wrong]
    wrong = [np.ones((3, 2, 5)), np.ones((3, 2)), np.ones((2, 2, 4)), np.ones((3, 2, 4, 2))]
    cases += [case("predict", models.sequence(), value, nargout=1, fails=True) for value in wrong]
    for size in (0.0, 2.5, -1.0, float("nan"), "ten", None):
        cases.append(case("predict", model, x, nargout=1, batch_size=size, fails=True))
    cases.append(case("predict", model, x, nargout=1, batch=2.0, fails=True))
    compare(cases)


def faulty_networks():
    good = models.perceptron()["layers"]
    chain = models.graph()

    def network(*layers, **fields):
        return {"layers": list(layers), **fields}

    return {
        "number": 3.0,
        "text": "model",
        "cell": [1.0],
        "no-layers": {"Theta1": np.ones((2, 2))},
        "empty-layers": {"layers": []},
        "layer-is-number": network(3.0),
        "no-type": network({"name": "a"}),
        "unknown-type": network(good[0], {"type": "blob"}),
        "type-is-number": network(good[0], {"type": 4.0}),
        "no-weights": network({"type": "dense"}),
        "integer-weights": network({"type": "dense", "weights": np.ones((2, 2), np.int8)}),
        "twin-names": network(good[0], {"type": "relu", "name": "fc1"}),
        "no-input-size": network({"type": "relu"}),
        "wrong-input-size": network(*good, input_size=5.0),
        "image-into-dense": network(*good, input_size=np.array([[2.0, 3.0, 1.0]])),
        "sizes-do-not-fit": network(good[0], good[0] | {"name": "again"}),
        "bias-size": network(good[0] | {"bias": np.ones((1, 8), np.float32)}),
        "bias-scalar": network(good[0] | {"bias": 2.0}),
        "unknown-input": network(good[0], {"type": "relu", "name": "r", "inputs": ["fc9"]}),
        "later-input": network({"type": "relu", "name": "r", "inputs": "fc1"}, good[0],
                               input_size=6.0),
        "two-inputs": network(good[0], {"type": "relu", "inputs": ["fc1", "input"]}),
        "unknown-output": {**chain, "outputs": ["left", "nowhere"]},
        "unknown-output-text": {**chain, "outputs": "nowhere"},
    }  # fmt: skip


def test_faulty_networks():
    x = models.features(6, 2)
    y = np.array([[1.0, 2.0]])
    cases = []
    for name, model in faulty_networks().items():
        cases += [
            case("predict", model, x, nargout=1, label=name, fails=True),
            case("evaluate", model, x, y, nargout=1, label=name, fails=True),
        ]
        if name not in ("number", "text", "cell"):
            cases.append(case("quantize", model, data=x, label=name, fails=True))
        if name not in ("number", "text", "cell", "no-layers", "empty-layers", "layer-is-number"):
            cases.append(case("info", model, nargout=1, label=name, fails=True))
    compare(cases)


def test_evaluate():
    x = models.features(6, 11)
    labels = np.random.RandomState([3]).randint(1, 4, (1, 11)).astype(float)
    one_hot = (labels == np.array([[1.0], [2], [3]])).astype(np.uint8)
    forms = [labels, labels.T, labels.astype(np.uint8), labels.astype(np.float32), one_hot,
             one_hot.T, one_hot.astype(bool)]  # fmt: skip
    cases = []
    for last, kind in itertools.product(("softmax", None, "sigmoid"), KINDS):
        model = models.perceptron(kind, last=last)
        tolerance = {"loss": 1e-5 if kind == np.float32 else 1e-12}
        for y in forms:
            cases.append(case("evaluate", model, x, y, nargout=1, tolerance=tolerance))
        for n in (0, 1):
            cases.append(
                case("evaluate", model, x[:, :n], labels[:, :n], nargout=1, tolerance=tolerance)
            )
    ties = {"layers": [{"type": "dense", "weights": np.ones((3, 6), np.float32)}]}
    cases.append(case("evaluate", ties, x, labels, nargout=1, tolerance={"loss": 1e-5}))
    cases.append(case("evaluate", ties, x, labels, nargout=1, batch_size=4.0,
                      tolerance={"loss": 1e-5}))  # fmt: skip
    compare(cases)


def test_evaluate_figures():
    x = models.features(6, 40)
    labels = np.random.RandomState([4]).randint(1, 4, (1, 40)).astype(float)
    targets = models.features(3, 40) > 0
    sizes = {"loss": 1e-5, "mse": 1e-5, "mae": 1e-5, "psnr": 1e-5}
    cases = []
    for last, loss in itertools.product(("softmax", None, "sigmoid"), LOSSES):
        model = models.perceptron(last=last)
        y = labels if loss == "crossentropy" else targets.astype(float)
        cases += [
            case("evaluate", model, x, y, nargout=1, loss=loss, tolerance=sizes, **more)
            for more in ({"top_k": 1.0, "auc": True}, {"top_k": 2.0, "peak": 2.0})
        ]
    ties = {"layers": [{"type": "dense", "weights": np.ones((3, 6), np.float32)}]}
    cases.append(case("evaluate", ties, np.sign(x), labels, nargout=1, auc=True, tolerance=sizes))
    cases.append(case("evaluate", ties, x, labels[:, :1] + 0 * labels, nargout=1, auc=True,
                      tolerance=sizes))  # fmt: skip
    sequence = {**models.sequence(), "outputs": ["t"]}
    cases.append(case("evaluate", sequence, inputs_of("sequence"), inputs_of("sequence")[:2] > 0,
                      nargout=1, loss="binary_crossentropy", tolerance=sizes))  # fmt: skip
    image = {"layers": [{"type": "relu", "name": "r"}], "input_size": np.array([[4.0, 3.0, 2.0]])}
    cases.append(case("evaluate", image, inputs_of("images"), np.abs(inputs_of("images")),
                      nargout=1, loss="mae", peak=3.0, tolerance=sizes))  # fmt: skip
    compare(cases)


def test_evaluate_refuses():
    model = models.perceptron()
    x = models.features(6, 3)
    wrong = [
        np.array([[1.0, 2.0]]), np.array([[0.0, 1.0, 2.0]]), np.array([[1.0, 4.0, 2.0]]),
        np.array([[1.0, 1.5, 2.0]]), np.array([[1.0, np.nan, 2.0]]), np.ones((3, 3)),
        np.ones((3, 2)), np.zeros((3, 3)), np.zeros((0, 0)), np.ones((2, 2, 2)), np.zeros((1, 0)),
        np.array([[1.0, np.inf, 2.0]]), np.array([[0, 0, 1]], np.uint8),
    ]  # fmt: skip
    cases = [case("evaluate", model, x, y, nargout=1, fails=True) for y in wrong]
    y = np.array([[1.0, 2.0, 3.0]])
    cases += [
        case("evaluate", models.graph(), models.features(4, 3), y, nargout=1, fails=True),
        case("evaluate", models.images(), np.ones((4, 3, 2, 3)), y, nargout=1, fails=True),
        case("evaluate", model, np.ones((5, 3)), y, nargout=1, fails=True),
        case("evaluate", model, x, y, nargout=1, batch_size=0.0, fails=True),
        case("evaluate", model, x, y, nargout=1, size=4.0, fails=True),
        case("evaluate", model, x, y, nargout=1, loss="hinge", fails=True),
        case("evaluate", model, x, y, nargout=1, loss="mse", fails=True),
        case("evaluate", model, x, y, nargout=1, top_k=1.5, fails=True),
        case("evaluate", model, x, y, nargout=1, auc="yes", fails=True),
        case("evaluate", model, x, y, nargout=1, peak=0.0, fails=True),
        case(
            "evaluate",
            model,
            x,
            np.full((3, 3), 2.0),
            nargout=1,
            loss="binary_crossentropy",
            fails=True,
        ),
        case("evaluate", model, x, np.full((3, 3), np.nan), nargout=1, loss="mse", fails=True),
    ]
    compare(cases)


def test_labels():
    values = [
        (np.array([[3.0], [1], [2]]), 3), (np.array([[0.0], [1], [0]]), 3),
        (np.array([[1.0, 0.0, 0.0]]), 3), (np.array([[1.0, 1.0, 1.0]]), 3), (1.0, 1), (2.0, 1),
        (np.ones((1, 4)), 1), (np.eye(3), 3), (np.eye(2, 5), 2), (1.0, 3), (True, 1),
        (np.array([[1.0, 0.0]]), 2), (np.array([[2.0, 1.0]]), 2), (np.zeros((0, 3)), 3),
        (np.zeros((3, 0)), 3), (np.eye(4, dtype=np.int8)[:, [0, 3, 3]], 4),
    ]  # fmt: skip
    cases = []
    for y, classes in values:
        args = ["f", y, float(classes)]
        reference = lambda f, y, k: graphs.labels(f, y, int(k))  # noqa: E731
        cases.append(Case(f"{y!r} {classes}", "octcompress.model.labels", reference, args))
    compare(cases)


RULES = [
    {"sparsity": 0.5},
    {"sparsity": 0.77, "scope": "global"},
    {"sparsity": 1.0, "bias": True},
    {"sparsity": 0.0, "scope": "global", "bias": True},
    {"threshold": 0.2},
    {"threshold": 0.3, "scale": "std"},
    {"threshold": 0.4, "scale": "none", "scope": "global"},
    {"threshold": 0.2, "scope": "global", "bias": True},
    {"threshold": 0.5, "scale": "std", "scope": "global"},
]
PRUNABLE = [name for name in NETWORKS if name != "images"]


@pytest.mark.parametrize("name", [*PRUNABLE, "bag"])
def test_prune(name):
    model = models.bag() if name == "bag" else NETWORKS[name]
    compare([case("prune", model, **rule) for rule in RULES])


@pytest.mark.parametrize("name", [*PRUNABLE, "bag"])
def test_quantize(name):
    model = models.bag() if name == "bag" else NETWORKS[name]
    cases = [
        case("quantize", model, bits=float(bits), scheme=scheme, granularity=granularity)
        for bits, scheme, granularity in itertools.product(
            (1, 2, 4, 8, 16), ("symmetric", "affine"), ("tensor", "channel")
        )
    ]
    cases.append(case("quantize", model, bits=3.0, bias=True))
    cases.append(case("quantize", model, bits=3.0, granularity="channel", axis=2.0))
    cases.append(case("quantize", model))
    compare(cases)


def test_layers_by_name_and_number():
    wanted = [
        None, "fc2", ["fc1", "fc3"], ["fc3", "fc1"], 1.0, 5.0, np.array([[1.0, 3.0]]),
        ["fc1", 5.0], [], "", "fc9", 2.0, ["fc1", "softmax"], np.array([[1.0, 9.0]]), [4.0], 1.5,
    ]  # fmt: skip
    model, bag = models.perceptron(), models.bag()
    cases = [case("prune", model, sparsity=0.5, layers=layers) for layers in wanted]
    cases += [case("quantize", model, bits=4.0, layers=layers) for layers in wanted]
    wanted = [None, "Theta1", ["nn.W{1}", "many(2).w"], 2.0, "grid{3}", 99.0, "bias", "many"]
    cases += [case("prune", bag, sparsity=0.5, layers=layers) for layers in wanted]
    cases += [case("quantize", bag, bits=4.0, layers=layers, bias=True) for layers in wanted]
    compare(cases)


def test_no_tensors():
    nothing = [models.images(), {"a": 1.0}, {"t": "text"}, {"b": np.ones((3, 1))}]
    cases = []
    for model in nothing:
        cases += [
            case("prune", model, sparsity=0.5, fails=True),
            case("quantize", model, bits=4.0, fails=True),
            case("info", model, nargout=1),
        ]
    compare(cases)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite_names_the_tensor(value):
    model, bag = models.perceptron(), models.bag()
    model["layers"][2]["weights"][3, 1] = value
    bag["nn"]["W"][2][1, 1, 0] = value
    cases = [
        case("prune", model, sparsity=0.5, fails=True),
        case("quantize", model, bits=4.0, fails=True),
        case("prune", model, sparsity=0.5, layers="fc1", fails=False),
        case("prune", bag, sparsity=0.5, fails=True),
        case("quantize", bag, bits=4.0, fails=True),
    ]
    compare(cases)


def test_prune_then_quantize_then_prune():
    """Promises of both kinds stand side by side, and are written over."""
    for model in (models.perceptron(), models.bag(), models.graph(np.float64)):
        once, _ = verbs.prune(model, sparsity=0.4)
        twice, _ = verbs.quantize(once, bits=3.0, granularity="channel")
        cases = [
            case("quantize", once, bits=3.0, granularity="channel"),
            case("prune", twice, threshold=0.3),
            case("prune", once, sparsity=0.8, scope="global"),
            case("quantize", twice, bits=7.0, scheme="affine"),
            case("info", once, nargout=1),
            case("info", twice, nargout=1),
        ]
        compare(cases)


def test_mixed_classes_are_compared_as_doubles():
    near = 1 + np.arange(1, 5).reshape(2, 2) * 1e-12
    bag = {"A": np.array([[1, 2], [3, 4]], np.float32), "B": near}
    cases = [case("prune", bag, sparsity=s, scope="global") for s in (0.25, 0.375, 0.5, 0.75)]
    cases += [
        case("prune", bag, threshold=0.5, scale=scale, scope="global")
        for scale in ("max", "std", "none")
    ]
    compare(cases)


# Ranges, and so grids, of activations come from products.
CALIBRATED = {np.float32: 1e-5, np.float64: 1e-12}


@pytest.mark.parametrize("name", NETWORKS)
def test_calibration(name):
    if name == "images":
        pytest.skip("has no weights to quantize")
    model = NETWORKS[name]
    kind = np.float64 if name.endswith("double") else np.float32
    names = ("lo", "hi", "scale", "sqnr")
    tolerance = dict.fromkeys(names, CALIBRATED[kind])
    x = inputs_of(name, 40)
    cases = [
        case("quantize", model, bits=8.0, data=x, tolerance=tolerance, **options)
        for options in (
            {},
            {"batch_size": 7.0},
            {"activation_bits": 4.0, "activation_scheme": "symmetric"},
            {"activation_bits": 16.0, "granularity": "channel"},
        )
    ]
    compare(cases)


def test_calibration_is_replaced_by_the_next():
    model = models.perceptron()
    x = models.features(6, 30)
    once, _ = verbs.quantize(model, bits=6.0, data=x)
    tolerance = dict.fromkeys(("lo", "hi", "scale", "sqnr"), 1e-5)
    compare([
        case("quantize", once, bits=6.0, data=x / 2, tolerance=tolerance),
        case("quantize", once, bits=6.0),
        case("info", once, nargout=1),
    ])  # fmt: skip


def test_calibration_refuses():
    model = models.perceptron()
    huge = models.perceptron()
    huge["layers"][0]["weights"] = np.full((8, 6), 3e38, np.float32)
    x = models.features(6, 4)
    compare([
        case("quantize", model, data=np.ones((5, 2)), fails=True),
        case("quantize", model, data=np.where(x > 0, np.nan, x), fails=True),
        case("quantize", model, data=np.zeros((6, 0)), fails=True),
        case("quantize", models.bag(), data=x, fails=True),
        case("quantize", models.bag(), data=np.zeros((6, 0)), fails=True),
        case("quantize", model, output="codes", fails=True),
        case("quantize", huge, data=np.ones((6, 2)), fails=True),
        case("quantize", huge, data=x, fails=True),
    ])  # fmt: skip


def test_predict_on_grids():
    """Equal grids give equal codes but where a product falls beside the middle of two of them."""
    x = models.features(6, 50)
    for kind in KINDS:
        model, _ = verbs.quantize(models.perceptron(kind, last=None), bits=8.0, data=x)
        [answer] = compare([case("predict", model, x, nargout=1, tolerance={"": 0.01})])
        same = answer["value"][0] == verbs.predict(model, x)
        assert same.mean() > 0.98


@pytest.mark.parametrize("name", [*NETWORKS, "bag"])
def test_info(name):
    model = models.bag() if name == "bag" else NETWORKS[name]
    cases = [case("info", model, nargout=1)]
    if name != "images":
        pruned, _ = verbs.prune(model, sparsity=0.6, bias=True)
        small, _ = verbs.quantize(pruned, bits=3.0, bias=True)
        cases += [case("info", pruned, nargout=1), case("info", small, nargout=1)]
    compare(cases)


def test_info_refuses():
    compare([case("info", value, nargout=1, fails=True) for value in (3.0, "text", [1.0], None)])
