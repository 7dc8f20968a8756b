"""nn_new and nn_check in both implementations, and networks that chance has put together."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import verbs

from . import models
from .harness import Case, compare, needs_octave
from .test_layers import batch, small_networks
from .test_models import faulty_networks

pytestmark = needs_octave


def row(*values):
    return np.array([values], float)


def new(*args, fails=None):
    shown = [a if isinstance(a, (str, float, list)) else "..." for a in args]
    return Case(str(shown), "nn_new", verbs.new, list(args), fails=fails)


RECIPES = [
    ("input", 4.0, "dense", 3.0),
    ("input", 784.0, "dense", 30.0, "relu", "dense", 10.0, "softmax"),
    ("input", row(28, 28, 1), "conv2d", [20.0, 5.0], "maxpool", 2.0, "conv2d", [50.0, 5.0],
     "maxpool", [2.0, 2.0], "flatten", "dense", 500.0, "relu", "dense", 10.0),
    ("input", row(8, 8, 16), "conv2d", [16.0, 3.0, "padding", "same", "bias", False], "batchnorm",
     "relu", "conv2d", [16.0, 3.0, "padding", "same", "name", "last"],
     "add", ["inputs", ["last", "input"]]),
    ("input", row(9, 7, 4), "depthwise", 3.0, "depthwise", [row(3, 1), 2.0, "stride", 2.0],
     "prelu", "prelu", 0.1, "globalaveragepool", "flatten", ["keras"],
     "dense", [5.0, "bias", False],
     "classes", ["a", "b", "c", "d", "e"], "seed", 7.0, "initial", "he"),
    ("input", row(4, 4, 6), "transposedconv2d", [4.0, 3.0, "stride", 2.0, "groups", 2.0], "tanh",
     "upsample", 2.0, "zeropad", row(1, 0), "averagepool", [3.0, 1.0, "padding", 1.0],
     "permute", row(2, 1, 3), "reshape", row(-1, 12), "scale", [2.0, 0.5], "initial", "glorot"),
    ("input", row(5, np.nan), "lstm", 3.0, "gru", [4.0, "result", "last"], "dense", 2.0),
    ("input", row(5, 6), "lstm", [3.0, "bias", False], "gru", [2.0, "reset_after", False],
     "dense", 2.0, "leakyrelu", "elu", 0.5, "dropout", 0.1, "logsoftmax"),
    ("input", 6.0, "dense", [4.0, "name", "a"], "sigmoid", ["name", "s"],
     "dense", [4.0, "name", "b", "inputs", "a"], "concat", ["inputs", ["s", "b"], "axis", "F"],
     "multiply", ["inputs", ["s", "b"]], "outputs", ["multiply_5"]),
]  # fmt: skip


def test_new():
    compare([new(*recipe, fails=False) for recipe in RECIPES])


def test_new_refuses():
    wrong = [
        (), ("input",), ("output", 4.0), ("input", 0.0), ("input", "big"),
        ("input", row(1, 2, 3, 4)),
        ("input", row(2.5, 3)), ("input", 4.0, "blob"), ("input", 4.0, 3.0),
        ("input", 4.0, "dense"),
        ("input", 4.0, "dense", 0.0), ("input", 4.0, "dense", 2.5), ("input", 4.0, "dense", ["x"]),
        ("input", 4.0, "dense", [3.0, "colour", "red"]), ("input", 4.0, "dense", [3.0, "name"]),
        ("input", 4.0, "dense", [3.0, 4.0, "name"]), ("input", 4.0, "dense", [3.0, "name", 5.0]),
        ("input", 4.0, "conv2d", [3.0, 3.0]), ("input", row(8, 8, 2), "conv2d", 3.0),
        ("input", row(8, 8, 2), "conv2d", [3.0, 0.0]), ("input", row(8, 8, 2), "dense", 3.0),
        ("input", row(8, 8, 2), "conv2d", [3.0, 3.0, "groups", 2.0]),
        ("input", row(8, 8, 2), "conv2d", [3.0, 9.0]), ("input", 4.0, "relu", "seed", -1.0),
        ("input", 4.0, "relu", "seed", 1.0, "epochs", 2.0), ("input", 4.0, "relu", "seed"),
        ("input", 4.0, "relu", "initial", "zero"), ("input", 4.0, "add"),
        ("input", 4.0, "add", ["inputs", ["input", "there"]]),
        ("input", 4.0, "relu", "outputs", "x"),
        ("input", 4.0, "relu", ["name", "a"], "tanh", ["name", "a"]),
    ]  # fmt: skip
    compare([new(*args, fails=True) for args in wrong])


def check(label, model):
    return Case(label, "nn_check", verbs.check, [model], nargout=2)


def test_check():
    cases = [check(name, model) for name, model in faulty_networks().items()]
    cases += [check(name, model) for name, model in small_networks().items()]
    cases += [check("bag", models.bag()), check("empty", {}), check("good", models.perceptron())]
    good = models.perceptron()["layers"]
    pruned, _ = verbs.quantize(verbs.prune(models.perceptron(), sparsity=0.5)[0], 4)
    cases.append(check("promises", pruned))

    def changed(layer=0, drop=None, **fields):
        layers = [dict(each) for each in pruned["layers"]]
        layers[layer].update(fields)
        layers[layer].pop(drop, None)
        return {**pruned, "layers": layers}

    w = pruned["layers"][0]["weights"]
    wrong = {
        "zeros are gone": changed(weights=w + np.float32(1)),
        "off the grid": changed(weights=w * np.float32(1.01)),
        "no such field": changed(pruning={"kernel": {"zeros": 3.0}}, quantization={"kernel": {}}),
        "nan": changed(weights=np.where(w > 1, np.nan, w).astype(np.float32)),
        "integers": {"layers": [{**good[0], "weights": w.astype(np.int8)}]},
        "misspelt": changed(layer=1, Name="x", names=["a"], weights_sizes=3.0, Input="fc1"),
        "name is a number": changed(name=3.0),
        "called input": changed(name="input"),
        "inputs are numbers": changed(layer=1, inputs=np.array([[1.0]])),
        "no bias": changed(drop="bias"),
        "no weights": changed(drop="weights"),
        "outputs": {**pruned, "outputs": ["fc2", "fc9"]},
        "outputs are numbers": {**pruned, "outputs": 4.0},
        "classes": {**pruned, "classes": ["a", "b"]},
        "classes are numbers": {**pruned, "classes": np.array([[1.0, 2, 3]])},
        "input size": {**pruned, "input_size": 7.0},
        "input size is text": {**pruned, "input_size": "six"},
        "negative variance": {"input_size": 2.0, "layers": [
            {"type": "batchnorm", "scale": np.ones((2, 1)), "offset": np.ones((2, 1)),
             "mean": np.array([[np.inf], [0]]), "variance": np.array([[1.0], [-2]])}]},
        "many": {"layers": [{**good[0], "bias": 3.0}, {"type": "blob"}, {"type": "add"}, good[0]],
                 "input_size": 5.0},
    }  # fmt: skip
    cases += [check(label, model) for label, model in wrong.items()]
    compare(cases)


def random_graph(seed):
    """Layers of many types on images of 6 x 5 x 2 and what comes of them; each reads any before."""
    random = np.random.RandomState([seed])
    args: list = ["input", row(6, 5, 2)]
    names = []
    for k in range(8):
        name = f"l{k}"
        source = names[random.randint(max(0, len(names) - 2), len(names))] if names else "input"
        pick = random.randint(8)
        own = {
            0: ("conv2d", [2.0, 3.0, "padding", "same"]),
            1: ("relu", []),
            2: ("batchnorm", []),
            3: ("depthwise", [3.0, "padding", 1.0]),
            4: ("maxpool", [3.0, 1.0, "padding", 1.0]),
            5: ("hardswish", []),
            6: ("averagepool", [3.0, 1.0, "padding", 1.0]),
            7: ("tanh", []),
        }[pick]
        reads = [source]
        if names and random.random_sample() < 0.3:
            own, reads = ("add", []), [source, names[random.randint(len(names))]]
        args += [own[0], [*own[1], "name", name, "inputs", reads]]
        names.append(name)
    args += ["globalaveragepool", ["name", "g", "inputs", [names[-1]]], "flatten", ["name", "f"]]
    args += ["dense", [3.0, "name", "out"], "outputs", ["out"], "seed", float(seed)]
    return args


@pytest.mark.parametrize("seed", range(6))
def test_random_graphs(seed):
    args = random_graph(seed)
    model = verbs.new(*args)
    double = {**model, "layers": [
        {name: v.astype(float) if isinstance(v, np.ndarray) and v.dtype == np.float32 else v
         for name, v in layer.items()} for layer in model["layers"]]}  # fmt: skip
    x = batch(model, 12)
    y = 1.0 + np.random.RandomState([seed]).randint(0, 3, (1, 12))
    once = {"epochs": 2.0, "batch_size": 5.0, "learning_rate": 0.01, "verbose": False}
    cases = [new(*args), check("graph", model), Case("info", "nn_info", verbs.info, [model])]
    for net, bound in ((model, 2e-5), (double, 1e-11)):
        within = {"": bound, "seconds": np.inf}
        trained = {"": 50 * bound, "seconds": np.inf}
        cases.append(Case("predict", "nn_predict", verbs.predict, [net, x], tolerance=within))
        cases.append(Case("train", "nn_train", verbs.train, [net, x, y], once, 2, trained))
    compare(cases)
