"""Layers and networks of them in both implementations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pyoctcompress import matfile
from pyoctcompress.reference import layers as table
from pyoctcompress.reference import verbs
from pyoctcompress.reference.internal import value_array

from .harness import Case, compare, needs_octave

pytestmark = needs_octave
VECTORS = matfile.load(Path(__file__).parents[1] / "vectors" / "layers.mat")["cases"]
PRODUCTS = {np.float32: 1e-5, np.float64: 1e-12}


def in_class(layer, kind):
    return {
        name: value.astype(kind) if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        else value
        for name, value in layer.items()
    }  # fmt: skip


def network(layer, in_size, kind):
    """One layer behind dense weights that are there to choose the class."""
    layer = in_class(layer, kind) | {"name": "tested"}
    in_size = value_array(in_size).reshape(1, -1)
    return {"input_size": in_size, "layers": [layer], "outputs": ["tested"]}


def test_every_type_is_known_to_both():
    names = Case("types", "octcompress.layers.types", lambda: list(table.TYPES))
    compare([names])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_vectors_through_predict(kind):
    """Inference of every layer that reads one input, with one and with several observations."""
    cases = []
    for vector in VECTORS:
        layer = vector["layer"]
        if table.TYPES[layer["type"]].several or ("weights" not in layer and kind == np.float64):
            continue
        model = network(layer, vector["in_size"][0], kind)
        x = value_array(vector["x"][0])
        bound = {"": 3 * PRODUCTS[kind]}
        # One observation alone is a shape of its own in Octave; in double that is enough.
        for count in (1,) if kind == np.float64 else (1, len(x)):
            part = x[:, :, :, :count] if x.ndim == 4 else x[:, :count]
            label = f"{vector['label']}, {count}"
            cases.append(Case(label, "nn_predict", verbs.predict, [model, part], tolerance=bound))
        if kind == np.float32:
            cases.append(Case(vector["label"], "nn_info", verbs.info, [model]))
    compare(cases)


def weights(random, *shape):
    return (random.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)


def column(random, count, around=0.0):
    return (around + 0.1 * random.standard_normal((count, 1))).astype(np.float32)


def conv(random, kernel, inputs, filters, **options):
    """A convolution; without a bias before a norm, whose gradient would be nothing but rounding."""
    groups = options.get("groups", 1)
    w = weights(random, kernel, kernel, inputs // int(groups), filters)
    return {"type": "conv2d", "weights": w, "weights_size": np.array([w.shape], float),
            "bias": column(random, filters), **options}  # fmt: skip


def norm(random, channels):
    return {
        "type": "batchnorm",
        "scale": column(random, channels, 1.0),
        "offset": column(random, channels),
        "mean": column(random, channels),
        "variance": column(random, channels, 1.0),
    }


def small_networks():
    """LeNet, a residual network, a depthwise one, an autoencoder, a recurrent one."""
    random = np.random.RandomState([31])

    def dense(out, inputs):
        w = np.ascontiguousarray(weights(random, inputs, out).T)
        return {"type": "dense", "weights": w, "bias": column(random, out)}

    pool = {"type": "maxpool", "pool_size": 2.0}
    image = np.array([[8.0, 6.0, 2.0]])
    return {
        "lenet": {
            "input_size": image,
            "layers": [
                conv(random, 3, 2, 4, padding="same"), {"type": "relu"}, pool,
                conv(random, 2, 4, 6, padding=1.0), {"type": "tanh"},
                {"type": "averagepool", "pool_size": 2.0, "stride": 1.0, "padding": 1.0},
                {"type": "dropout", "rate": 0.25}, {"type": "flatten", "order": "chw"},
                dense(3, 6 * 6 * 5), {"type": "softmax"},
            ],
        },
        "residual": {
            "input_size": image,
            "layers": [
                {**conv(random, 3, 2, 4, padding=1.0, bias=None), "name": "first"},
                {**norm(random, 4), "name": "n"},
                {"type": "relu", "name": "r"},
                {**conv(random, 3, 4, 4, padding=1.0), "name": "second"},
                {"type": "add", "name": "sum", "inputs": ["second", "r"]},
                {"type": "hardswish", "name": "h"},
                {"type": "concat", "name": "wide", "inputs": ["h", "first"]},
                {"type": "globalaveragepool", "name": "g"},
                {"type": "flatten", "name": "f"},
                {**dense(3, 8), "name": "out"},
            ],
        },
        "depthwise": {
            "input_size": image,
            "layers": [
                conv(random, 3, 2, 4, groups=2.0, stride=2.0, bias=None,
                     padding=np.array([[1.0, 0, 1, 1]])),
                norm(random, 4), {"type": "relu6"}, conv(random, 1, 4, 5),
                {"type": "prelu", "slope": column(random, 5, 0.25)},
                {"type": "globalmaxpool"}, {"type": "flatten"}, dense(3, 5),
            ],
        },
        "recurrent": {
            "input_size": np.array([[4.0, 5.0]]),
            "layers": [
                {"type": "lstm", "weights": weights(random, 4, 12).T.copy(),
                 "recurrent_weights": weights(random, 3, 12).T.copy(), "bias": column(random, 12)},
                {"type": "gru", "weights": weights(random, 3, 6).T.copy(), "reverse": True,
                 "recurrent_weights": weights(random, 2, 6).T.copy(), "result": "last",
                 "bias": column(random, 6), "recurrent_bias": column(random, 6)},
                dense(3, 2),
            ],
        },
    }  # fmt: skip


def images_to_images():
    random = np.random.RandomState([32])
    w = weights(random, 2, 2, 2, 3)
    return {
        "input_size": np.array([[8.0, 6.0, 2.0]]),
        "layers": [
            conv(random, 3, 2, 3, padding="same"),
            {"type": "elu"},
            {"type": "maxpool", "pool_size": 2.0},
            {"type": "transposedconv2d", "weights": w, "stride": 2.0, "bias": column(random, 2)},
            {"type": "sigmoid", "name": "out"},
        ],
    }


def in_double(model):
    layers = [in_class(layer, np.float64) for layer in model["layers"]]
    return {**model, "layers": layers}


def batch(model, count, seed=8):
    in_size = [int(n) for n in np.ravel(model["input_size"])]
    shape = (*in_size, count) if len(in_size) == 3 else (in_size[0], count, in_size[1])
    return np.random.RandomState([seed]).standard_normal(shape)


@pytest.mark.parametrize("name", ["lenet", "residual", "depthwise", "recurrent"])
def test_networks(name):
    model = small_networks()[name]
    x = batch(model, 20)
    y = 1.0 + np.random.RandomState([2]).randint(0, 3, (1, 20))
    cases = []
    for net, bound in ((model, 1e-5), (in_double(model), 1e-11)):
        within = {"": bound, "seconds": np.inf}
        trained = {"": 5e-4 if bound == 1e-5 else 1e-9, "seconds": np.inf}
        once = {"epochs": 3.0, "batch_size": 7.0, "seed": 4.0, "verbose": False}

        def train(bound=trained, net=net, once=once, **options):
            options = {**once, **options}
            args = [net, x, y]
            return Case(f"train {options}", "nn_train", verbs.train, args, options, 2, bound)

        cases += [
            Case("predict", "nn_predict", verbs.predict, [net, x], {"batch_size": 6.0}, 1, within),
            Case("evaluate", "nn_evaluate", verbs.evaluate, [net, x, y], {}, 1, within),
            Case("info", "nn_info", verbs.info, [net]),
            train(learning_rate=0.02),
            train(optimizer="adam", learning_rate=0.001, weight_decay=0.01),
        ]
        if name == "lenet":
            cases.append(train(augmentation={"flip": "both", "shift": 1.0}, learning_rate=0.02))
    compare(cases)


def test_images_to_images():
    model = images_to_images()
    x = batch(model, 9)
    target = np.random.RandomState([3]).random_sample(x.shape)
    cases = []
    for net, bound in ((model, 5e-4), (in_double(model), 1e-9)):
        within = {"": bound, "seconds": np.inf}
        cases.append(Case("predict", "nn_predict", verbs.predict, [net, x], tolerance=within))
        for loss in ("mse", "binary_crossentropy"):
            options = {"loss": loss, "epochs": 2.0, "batch_size": 4.0, "verbose": False}
            args = [net, x, target]
            cases.append(Case(loss, "nn_train", verbs.train, args, options, 2, within))
    compare(cases)


def faulty_layers():
    """Layers that do not fit their input of 6 x 5 x 4, and options that make no sense."""
    random = np.random.RandomState([9])
    c = conv(random, 3, 4, 5)
    one = np.ones((4, 1), np.float32)
    n = {"type": "batchnorm", "scale": one, "offset": one, "mean": one, "variance": one}
    p = {"type": "maxpool", "pool_size": 2.0}
    t = {"type": "transposedconv2d", "weights": np.ones((2, 2, 3, 4), np.float32)}
    lstm = {"type": "lstm", "weights": np.ones((8, 3), np.float32),
            "recurrent_weights": np.ones((8, 2), np.float32)}  # fmt: skip
    wrong = [
        conv(random, 3, 3, 5), conv(random, 9, 4, 5), {**c, "bias": one}, {**c, "groups": 3.0},
        {**c, "groups": 2.0}, {**c, "groups": 0.0}, {**c, "groups": "two"}, {**c, "stride": 0.0},
        {**c, "stride": 1.5}, {**c, "stride": "one"}, {**c, "stride": np.ones((1, 3))},
        {**c, "padding": -1.0}, {**c, "padding": "valid"}, {**c, "padding": np.ones((1, 3))},
        {**c, "dilation": 9.0}, {**c, "dilation": np.array([[1.0, 0.0]])},
        {**c, "weights_size": np.array([[3.0, 3, 4, 4]])},
        {**c, "weights_size": np.array([[3.0, 3, 4, 5, 1]])},
        {**n, "scale": np.ones((3, 1))}, {**n, "mean": np.ones((1, 4))},
        {name: value for name, value in n.items() if name != "variance"},
        {"type": "maxpool"}, {**p, "pool_size": 0.0}, {**p, "pool_size": "big"},
        {**p, "pool_size": np.ones((1, 3))}, {**p, "pool_size": 9.0}, {**p, "padding": 2.0},
        {**p, "stride": -1.0}, {"type": "averagepool", "pool_size": 2.5},
        {**t, "weights": np.ones((2, 2, 3, 5), np.float32)}, {**t, "padding": 9.0},
        {**t, "output_padding": 1.0}, {**t, "output_padding": "x"}, {**t, "bias": one},
        {**t, "groups": 3.0},
        {"type": "flatten", "order": "whc"}, {"type": "reshape"},
        {"type": "reshape", "output_size": np.array([[7.0]])},
        {"type": "reshape", "output_size": np.array([[-1.0, 7.0]])},
        {"type": "reshape", "output_size": np.array([[-1.0, -1.0]])},
        {"type": "permute"}, {"type": "permute", "dimensions": np.array([[1.0, 2, 2]])},
        {"type": "permute", "dimensions": np.array([[2.0, 1]])},
        {"type": "dropout", "rate": 1.0}, {"type": "dropout", "rate": -0.5},
        {"type": "upsample"}, {"type": "upsample", "factor": 0.01},
        {"type": "upsample", "factor": 2.0, "method": "cubic"},
        {"type": "zeropad", "padding": np.array([[1.0, -1.0]])},
        {"type": "scale", "scale": np.ones((3, 1))}, {"type": "scale", "offset": np.ones((6, 5))},
        {"type": "prelu"}, {"type": "prelu", "slope": np.ones((3, 1))},
        {"type": "leakyrelu", "slope": "steep"}, {"type": "gelu", "approximate": "yes"},
        {"type": "elu", "alpha": np.nan}, lstm, {"type": "add"},
        {"type": "add", "inputs": ["input", "nowhere"]},
        {"type": "subtract", "inputs": ["input", "input", "input"]},
        {"type": "concat", "inputs": ["input", "input"], "axis": "T"},
        {"type": "dense", "weights": np.ones((2, 120), np.float32)},
    ]  # fmt: skip
    sequence = [
        lstm, {**lstm, "weights": np.ones((7, 4), np.float32)},
        {name: value for name, value in lstm.items() if name != "recurrent_weights"},
        {**lstm, "weights": np.ones((8, 4), np.float32), "bias": np.ones((4, 1))},
        {**lstm, "weights": np.ones((8, 4), np.float32), "result": "first"},
        c, n | {"mean": 1.0}, p, {"type": "globalmaxpool"}, {"type": "upsample", "factor": 2.0},
    ]  # fmt: skip
    image = np.array([[6.0, 5.0, 4.0]])
    return [(layer, image) for layer in wrong] + [
        (layer, np.array([[4.0, 7.0]])) for layer in sequence
    ]


def test_faulty_layers():
    cases = []
    for layer, in_size in faulty_layers():
        model = {"input_size": in_size, "layers": [{**layer, "name": "l"}]}
        shown = {name: v for name, v in layer.items() if not isinstance(v, np.ndarray)}
        cases.append(Case(str(shown), "nn_info", verbs.info, [model], fails=True))
    compare(cases)
