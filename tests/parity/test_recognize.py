"""Networks in other layouts: Octave and the reference make the same of them."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.matfile import StructArray
from pyoctcompress.reference import verbs
from pyoctcompress.reference.recognize import recognize

from .harness import Case, compare, needs_octave

pytestmark = needs_octave
PRODUCTS = {"": 1e-5}


def numbers(*shape, kind=np.float64, seed=3):
    return np.random.RandomState([seed, *shape]).standard_normal(shape).astype(kind)


def simplenn(kind=np.float32):
    conv = {
        "type": "conv",
        "name": "c1",
        "weights": [numbers(3, 3, 1, 4, kind=kind), numbers(1, 4, kind=kind)],
        "stride": np.array([[1.0, 1.0]]),
        "pad": 1.0,
    }
    moments = np.abs(numbers(4, 2, kind=kind)) + kind(0.1)
    grouped = {
        "type": "conv",
        "name": "c2",
        "weights": [numbers(2, 2, 2, 6, kind=kind), []],
        "stride": 2.0,
        "pad": np.array([[0.0, 1, 0, 1]]),
        "dilate": 1.0,
    }
    turned = {
        "type": "convt",
        "name": "up",
        "weights": [numbers(2, 2, 3, 6, kind=kind), numbers(1, 3, kind=kind)],
        "upsample": 2.0,
        "crop": 0.0,
        "numGroups": 1.0,
    }
    layers = [
        conv,
        {"type": "bnorm", "name": "bn", "weights": [numbers(4, 1, kind=kind),
         numbers(4, 1, kind=kind), moments]},
        {"type": "relu", "leak": 0.1},
        {"type": "pool", "method": "avg", "pool": np.array([[2.0, 2.0]]), "stride": 2.0,
         "pad": np.array([[0.0, 1, 0, 1]])},
        {"type": "dropout", "rate": 0.5},
        grouped,
        {"type": "sigmoid"},
        turned,
        {"type": "pool", "method": "max", "pool": 2.0, "stride": 4.0, "pad": 0.0},
        {"type": "softmaxloss"},
    ]  # fmt: skip
    meta = {"inputSize": np.array([[6.0, 6.0, 1.0]])}
    return {"net": {"layers": layers, "meta": meta}}


def old_simplenn():
    conv = {"type": "conv", "filters": numbers(4, 4, 2, 3), "biases": numbers(1, 3), "stride": 1.0,
            "pad": 0.0}  # fmt: skip
    return {
        "layers": [conv, {"type": "softmax"}],
        "normalization": {"imageSize": np.array([[4.0, 4.0, 2.0]])},
    }


def dagnn(as_cells=False):
    def layer(name, kind, inputs, output, params=(), **block):
        block = {k: np.array([v], float) if isinstance(v, list) else v for k, v in block.items()}
        return {"name": name, "type": f"dagnn.{kind}", "inputs": list(inputs),
                "outputs": [output], "params": list(params), "block": block}  # fmt: skip

    layers = [
        layer("c1", "Conv", ["data"], "x1", ["f1", "b1"], stride=[1, 1], pad=[1, 1, 1, 1]),
        layer("r1", "ReLU", ["x1"], "x2", leak=0.0),
        layer("c2", "Conv", ["x2"], "x3", ["f2"], stride=[1, 1], pad=1.0),
        layer("s", "Sum", ["x3", "x2"], "x4", numInputs=2.0),
        layer("bn", "BatchNorm", ["x4"], "x5", ["g", "o", "m"], epsilon=1e-5),
        layer("cat", "Concat", ["x5", "x1"], "x6", dim=3.0),
        layer("sc", "Scale", ["x6"], "x7", ["k", "d"]),
        layer("p", "Pooling", ["x7"], "x8", poolSize=[2, 2], method="max", stride=[2, 2], pad=0.0),
        layer("sig", "Sigmoid", ["x8"], "x9", x=1.0),
        layer("loss", "Loss", ["x9", "label"], "objective", loss="softmaxlog"),
    ]
    values = {"f1": numbers(3, 3, 2, 2), "b1": numbers(1, 2), "f2": numbers(3, 3, 1, 2),
              "g": numbers(2, 1), "o": numbers(2, 1), "m": np.abs(numbers(2, 2)),
              "k": numbers(1, 1, 4), "d": numbers(1, 1, 4)}  # fmt: skip
    params = [{"name": k, "value": v, "trainMethod": "gradient"} for k, v in values.items()]
    meta = {"normalization": {"imageSize": np.array([[4.0, 4.0, 2.0, 1.0]])}}
    if as_cells:
        return {"layers": layers, "params": params, "meta": meta}
    return {"layers": StructArray(layers), "params": StructArray(params), "meta": meta}


def deeplearn_nn(activation="tanh_opt", output="softmax", dropout=0.25):
    return {"nn": {"size": np.array([[3.0, 4.0, 2.0]]), "n": 3.0, "output": output,
            "activation_function": activation, "dropoutFraction": dropout,
            "W": [numbers(4, 4), numbers(2, 5)]}}  # fmt: skip


def deeplearn_cnn():
    layers = [
        {"type": "i"},
        {"type": "c", "outputmaps": 2.0, "k": [[numbers(3, 3), numbers(3, 3, seed=4)]],
         "b": [0.1, -0.2]},
        {"type": "s", "scale": 2.0, "b": [0.0, 0.0]},
    ]  # fmt: skip
    return {"cnn": {"layers": layers, "ffW": numbers(3, 18), "ffb": numbers(3, 1)}}


def toolbox():
    def cells(*rows):
        grid = np.empty((len(rows), len(rows[0])), object)
        for place in np.ndindex(grid.shape):
            grid[place] = rows[place[0]][place[1]]
        return grid

    nothing = np.zeros((0, 0))
    inputs = {"processFcns": ["fixunknowns", "removeconstantrows", "mapminmax", "mapstd"],
              "processSettings": [[], {"remove": []},
                                  {"xoffset": numbers(2, 1), "gain": numbers(2, 1), "ymin": -1.0},
                                  {"xmean": numbers(2, 1), "xstd": np.full((2, 1), 2.0),
                                   "ymean": 0.0, "ystd": 1.0}]}  # fmt: skip
    outputs = {"processFcns": ["mapminmax"],
               "processSettings": [{"xoffset": 10.0, "gain": 0.1, "ymin": -1.0}]}  # fmt: skip
    return {"net": {
        "IW": cells([numbers(3, 2)], [nothing]),
        "LW": cells([nothing, nothing], [numbers(1, 3), nothing]),
        "b": [numbers(3, 1), 0.5],
        "layers": [{"transferFcn": "tansig"}, {"transferFcn": "purelin"}],
        "inputs": [inputs],
        "outputs": [nothing, outputs],
    }}  # fmt: skip


LENET = {
    "conv1_weight": numbers(4, 1, 5, 5, kind=np.float32),
    "conv1_bias": numbers(1, 4, kind=np.float32),
    "bn_running_mean": numbers(1, 4, kind=np.float32),
    "bn_running_var": np.abs(numbers(1, 4, kind=np.float32)),
    "bn_weight": numbers(1, 4, kind=np.float32),
    "fc1_weight": numbers(5, 64, kind=np.float32),
    "fc1_bias": numbers(1, 5, kind=np.float32),
    "fc2_weight": numbers(3, 5, kind=np.float32),
    "test_acc": 0.5,
}
ORDER = ["conv1", ["padding", 1.0, "stride", 2.0], "bn", "relu", "maxpool", [2.0, 1.0], "flatten",
         "fc1", "tanh", "dropout", 0.5, "fc2", "softmax"]  # fmt: skip
BOTH = {"a_weight": numbers(4, 3), "a_bias": numbers(1, 4), "b_weight": numbers(1, 4)}
PAIRS = [{"w": numbers(4, 3), "b": numbers(1, 4)}, {"w": numbers(2, 4), "b": numbers(1, 2)}]
TURNED = StructArray([{"W": numbers(3, 4), "bias": numbers(1, 4), "act": "logsig"},
                      {"W": numbers(4, 2), "bias": numbers(1, 2), "act": "softmax"}])  # fmt: skip
RECURRENT = {"r_weight_ih_l0": numbers(12, 2), "r_weight_hh_l0": numbers(12, 3),
             "r_bias_ih_l0": numbers(1, 12), "r_bias_hh_l0": numbers(1, 12),
             "g_weight_ih_l0": numbers(6, 3), "g_weight_hh_l0": numbers(6, 2),
             "p_weight": numbers(1, 2)}  # fmt: skip

# name: (variables, options, size of a batch; None where it stays a bag)
LAYOUTS = {
    "theta": ({"Theta1": numbers(4, 4), "Theta2": numbers(2, 5)}, {}, (3, 5)),
    "theta that is no chain": ({"Theta1": numbers(4, 4), "Theta2": numbers(2, 4)}, {}, None),
    "theta with a gap": ({"Theta1": numbers(4, 4), "Theta3": numbers(2, 5)}, {}, None),
    "theta and more": ({"Theta1": numbers(4, 4), "Theta2": numbers(2, 5), "X": 3.0}, {}, None),
    "simplenn": (simplenn(), {}, (6, 6, 1, 3)),
    "simplenn in double": (simplenn(np.float64), {}, (6, 6, 1, 3)),
    "simplenn by an option": (
        {"net": {"layers": simplenn()["net"]["layers"]}},
        {"input_size": np.array([[8.0, 6.0, 1.0]])},
        (8, 6, 1, 2),
    ),
    "simplenn without a size": ({"net": {"layers": simplenn()["net"]["layers"]}}, {}, None),
    "old simplenn": (old_simplenn(), {}, (4, 4, 2, 3)),
    "simplenn with what is unknown": (
        {"layers": [{"type": "conv"}, {"type": "pdist", "name": "d"}, {"type": "normalize"}]},
        {"input_size": np.array([[8.0, 6.0, 1.0]])},
        None,
    ),
    "dagnn": (dagnn(), {}, (4, 4, 2, 3)),
    "dagnn in cells": ({"net": dagnn(True)}, {}, (4, 4, 2, 3)),
    "deeplearn nn": (deeplearn_nn(), {}, (3, 4)),
    "deeplearn nn of sigmoids": (deeplearn_nn("sigm", "linear", 0.0), {}, (3, 4)),
    "deeplearn nn of what is unknown": (deeplearn_nn("radbas"), {}, None),
    "deeplearn cnn": (deeplearn_cnn(), {}, (8, 8, 1, 2)),
    "network": (toolbox(), {}, (2, 5)),
    "pytorch": (LENET, {"layers": ORDER, "input_size": np.array([[11.0, 11.0, 1.0]])},
                (11, 11, 1, 2)),
    "pytorch without an order": (LENET, {}, None),
    "pytorch without a size": (LENET, {"layers": ORDER}, None),
    "pytorch, a chain": (BOTH, {"activation": "relu"}, (3, 2)),
    "pytorch, no chain": (LENET, {"activation": "relu"}, None),
    "recurrent": (RECURRENT, {"layers": ["r", "g", ["result", "last"], "p", ["type", "prelu"]],
                              "input_size": np.array([[2.0, np.nan]])}, (2, 3, 4)),
    "pairs": ({"net": PAIRS}, {"activation": "tanh"}, (3, 2)),
    "pairs without an activation": ({"net": PAIRS}, {}, None),
    "pairs of rows": ({"net": TURNED}, {}, (3, 2)),
    "compressed as tensors": ({**deeplearn_nn(), "octcompress_promises": [{"tensor": "nn.W{1}"}]},
                              {}, None),
    "ours": ({"layers": [{"type": "relu"}], "input_size": 3.0}, {}, None),
    "a bag": ({"w": numbers(3, 3), "text": "abc", "cell": [1.0, {"x": 1.0}]}, {}, None),
}  # fmt: skip


def case(name):
    found, options, _ = LAYOUTS[name]

    def reference(found, options):
        return recognize(found, **options)

    return Case(name, "octcompress.model.recognize", reference, [found, options], {}, 2)


def test_the_same_network_in_both():
    compare([case(name) for name in LAYOUTS])


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_becomes_a_network(name):
    found, options, shape = LAYOUTS[name]
    model, report = recognize(found, **options)
    if shape is None:
        assert model is found
        assert bool(report["reason"]) == (report["layout"] not in ("", "octcompress"))
    else:
        assert report["reason"] == "" and model["meta"]["source"]["layout"] == report["layout"]


def test_the_same_outputs_in_both():
    cases = []
    for name, (found, options, shape) in LAYOUTS.items():
        if shape is not None:
            model = recognize(found, **options)[0]
            x = numbers(*shape, seed=9)
            cases.append(Case(name, "nn_predict", verbs.predict, [model, x], {}, 1, PRODUCTS))
    compare(cases)


def test_wrong_options():
    wrong = [
        {"layers": ["conv2"]},
        {"layers": [3.0]},
        {"layers": ["maxpool"]},
        {"layers": ["fc1", ["type", "relu"]]},
        {"layer": ["fc1"]},
    ]
    compare([
        Case(str(options), "octcompress.model.recognize",
             lambda found, options: recognize(found, **options), [LENET, options], {}, 2, {}, True)
        for options in wrong
    ])  # fmt: skip


def arrays_by_name(found, name):
    """Follow a recorded name into the variables."""
    place = found
    for step in (
        name.replace("}", "").replace(")", "").replace("{", ".").replace("(", ".").split(".")
    ):
        if "," in step:
            place = place[tuple(int(n) - 1 for n in step.split(","))]
        else:
            place = place[int(step) - 1 if step.isdigit() else step]
    return np.asarray(place)


@pytest.mark.parametrize("name", [n for n in LAYOUTS if LAYOUTS[n][2] is not None])
def test_what_is_recorded_leads_back(name):
    """ours = reshape (permute (theirs, permute), our size), by layer.source alone."""
    found, options, _ = LAYOUTS[name]
    model = recognize(found, **options)[0]
    checked = 0
    for layer in model["layers"]:
        for field, record in layer.get("source", {}).items():
            if "rule" in record:
                continue
            theirs = arrays_by_name(found, record["name"])
            shape = record["size"].astype(int).ravel()
            theirs = theirs.reshape(shape, order="F")
            ours = theirs.transpose(record["permute"].astype(int).ravel() - 1)
            if "part" in record:
                first, last = record["part"].astype(int).ravel()
                ours = ours[:, first - 1 : last]
            wanted = np.asarray(layer[field])
            assert np.array_equal(ours.reshape(wanted.shape, order="F"), wanted), (field, record)
            checked += 1
    assert checked or name == "ours"
