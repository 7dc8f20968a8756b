"""Out through every exporter that has an importer, and in again: the same network."""

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress.errors import ModelError
from pyoctcompress.importers import convert

from .export_cases import single_layers

pytest.importorskip("onnx")
pytest.importorskip("tflite")


def numbers(*shape, seed=0):
    return np.random.RandomState([seed, *shape]).standard_normal(shape).astype(np.float32)


def conv(name, *shape, **fields):
    return {"type": "conv2d", "name": name, "weights": 0.3 * numbers(*shape),
            "bias": 0.1 * numbers(shape[3], 1),
            "padding": "same", **fields}  # fmt: skip


def residual(order):
    return [
        conv("c1", 3, 3, 2, 4),
        {"type": "relu", "name": "r1"},
        conv("c2", 3, 3, 4, 4),
        {"type": "add", "name": "sum", "inputs": ["c2", "r1"]},
        {"type": "relu", "name": "r2"},
        {"type": "globalaveragepool", "name": "gap"},
        {"type": "flatten", "name": "f"},
        {"type": "dense", "name": "d", "weights": numbers(3, 4), "bias": numbers(3, 1)},
        {"type": "softmax", "name": "s"},
    ]


def depthwise(order):
    return [
        conv("dw", 3, 3, 1, 2, groups=2.0, stride=2.0),
        {"type": "relu6", "name": "r1"},
        conv("pw", 1, 1, 2, 6),
        {"type": "relu6", "name": "r2"},
        {"type": "maxpool", "name": "p", "pool_size": 2.0, "stride": 2.0},
        {"type": "flatten", "name": "f", "order": order},
        {"type": "dense", "name": "d", "weights": numbers(3, 24), "bias": numbers(3, 1)},
    ]


NETWORKS = {"residual": residual, "depthwise": depthwise}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("ending", ["onnx", "tflite"])
@pytest.mark.parametrize("precision", ["float", "weights", "integer"])
def test_there_and_back(name, ending, precision, tmp_path):
    order = "chw" if ending == "onnx" else "keras"  # else the weights are turned on the way out
    model = {"input_size": np.array([[8.0, 8.0, 2.0]]), "layers": NETWORKS[name](order)}
    x = numbers(8, 8, 2, 40, seed=4)
    if precision != "float":
        data = {"data": x} if precision == "integer" else {}
        model, _ = oc.quantize(model, bits=8, granularity="channel", backend="numpy", **data)
    path = tmp_path / f"m.{ending}"
    oc.export(model, path, precision=precision, check=False, backend="numpy")
    back, info = convert(path)
    assert info["check"]["checked"] or "not installed" in info["check"]["text"]
    weighted = [layer for layer in back["layers"] if "weights" in layer]
    for ours, theirs in zip([one for one in model["layers"] if "weights" in one], weighted,
                            strict=True):  # fmt: skip
        if precision == "float":
            np.testing.assert_allclose(theirs["weights"], ours["weights"], rtol=1e-6)
        else:
            assert np.array_equal(theirs["weights"], ours["weights"])
            grids = [one["quantization"]["weights"] for one in (ours, theirs)]
            assert all(np.array_equal(grids[0][key], grids[1][key]) for key in grids[0])
    before, after = (oc.predict(one, x, backend="numpy") for one in (model, back))
    allowed = 1e-5 if precision != "integer" else 0.02 * np.abs(before).max()
    np.testing.assert_allclose(after.reshape(before.shape), before, atol=allowed)


# What no layer of ours is read from: steps of lstm and gru, lines cut off, other limits than 6.
ONE_WAY = {"tflite": {"lstm", "gru", "hardsigmoid", "transposedconv2d"}, "onnx": set()}


@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_every_layer_there_and_back(ending, tmp_path):
    """The same outputs; a layer that computes nothing is no network, and is refused."""
    path, count = tmp_path / f"m.{ending}", 0
    for label, model, x, wanted in single_layers(every=4):
        kind = model["layers"][0]["type"]
        if kind in ("identity", "dropout", "permute", "reshape"):  # axes may go to other places
            continue
        try:
            oc.export(model, path, check=False, backend="numpy")
        except ModelError:
            continue
        try:
            back, info = convert(path)
        except ModelError as error:
            assert error.tag == "unsupported" and kind in ONE_WAY[ending], label
            continue
        assert info["check"]["checked"] or "not installed" in info["check"]["text"]
        found = oc.predict(back, x, backend="numpy")
        allowed = 1e-4 * max(1, np.abs(wanted).max())
        np.testing.assert_allclose(np.reshape(found, wanted.shape), wanted, atol=allowed)
        count += 1
    assert count > 80
