"""TensorFlow Lite in: files that LiteRT runs, with our grids and theirs alike."""

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress import ModelError, OctcompressError
from pyoctcompress.importers import convert

pytest.importorskip("ai_edge_litert")
tflite = pytest.importorskip("tflite")


def numbers(*shape, seed=0):
    return np.random.RandomState([seed, *shape]).standard_normal(shape).astype(np.float32)


def network():
    layers = [
        {"type": "conv2d", "name": "c", "weights": numbers(3, 3, 2, 4), "bias": numbers(4, 1),
         "padding": "same", "stride": 2.0},
        {"type": "relu6", "name": "r6"},
        {"type": "conv2d", "name": "dw", "weights": numbers(3, 3, 1, 4), "bias": numbers(4, 1),
         "padding": "same", "groups": 4.0},
        {"type": "relu", "name": "r"},
        {"type": "add", "name": "a", "inputs": ["r6", "r"]},
        {"type": "averagepool", "name": "ap", "pool_size": 2.0, "stride": 2.0},
        {"type": "concat", "name": "cat", "inputs": ["ap", "ap"]},
        {"type": "flatten", "name": "f", "order": "keras"},
        {"type": "dense", "name": "d", "weights": numbers(3, 32), "bias": numbers(3, 1)},
        {"type": "softmax", "name": "s"},
    ]  # fmt: skip
    return {"input_size": np.array([[8.0, 8.0, 2.0]]), "layers": layers}


def quantized(granularity):
    return oc.quantize(network(), bits=8, granularity=granularity, data=numbers(8, 8, 2, 40),
                       backend="numpy")[0]  # fmt: skip


def written(model, path):
    oc.export(model, path, check=False, backend="numpy")
    return path


def test_float(tmp_path):
    model, info = convert(written(network(), tmp_path / "m.tflite"))
    assert info["check"]["checked"] and info["check"]["difference"] < 1e-5
    x = numbers(8, 8, 2, 5, seed=1)
    np.testing.assert_allclose(
        oc.predict(model, x, backend="numpy"), oc.predict(network(), x, backend="numpy"), atol=1e-6
    )


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_integers_stay_integers(granularity, tmp_path):
    """Weights, grids and every output code are the same as before."""
    ours = quantized(granularity)
    model, info = convert(written(ours, tmp_path / "m.tflite"))
    assert info["check"]["checked"]
    theirs = [layer for layer in model["layers"] if "weights" in layer]
    weighted = [layer for layer in ours["layers"] if "weights" in layer]
    for a, b in zip(weighted, theirs, strict=True):
        assert np.array_equal(a["weights"], b["weights"])
        for key in ("scale", "zero_point", "bits", "axis", "scheme"):
            old, new = (one["quantization"]["weights"][key] for one in (a, b))
            assert np.array_equal(old, new), key
    assert np.array_equal(model["quantization"]["input"]["scale"],
                          ours["quantization"]["input"]["scale"])  # fmt: skip
    x = numbers(8, 8, 2, 20, seed=2)
    before, after = (
        oc.predict(one, x, backend="numpy", arithmetic="integer") for one in (ours, model)
    )
    assert np.array_equal(before, after)


def test_damaged_by_chance(tmp_path):
    content = written(quantized("channel"), tmp_path / "m.tflite").read_bytes()
    random = np.random.RandomState([5])
    refused = 0
    for k in range(80):
        data = bytearray(content)
        for _ in range(random.randint(1, 10)):
            data[random.randint(8, len(data))] = random.randint(0, 256)
        if k % 4 == 0:
            del data[random.randint(20, len(data)) :]
        (tmp_path / "bad.tflite").write_bytes(data)
        try:
            convert(tmp_path / "bad.tflite", verify=False)
        except OctcompressError as error:
            assert error.identifier.startswith("octcompress:convert:")
            refused += 1
    assert refused > 10


def test_unknown_operators_are_named(tmp_path, monkeypatch):
    from pyoctcompress.importers import tflite_layers

    path = written(network(), tmp_path / "m.tflite")
    fewer = {
        name: run for name, run in tflite_layers.LAYERS.items() if name not in ("ADD", "SOFTMAX")
    }
    monkeypatch.setattr(tflite_layers, "LAYERS", fewer)
    with pytest.raises(ModelError, match=r"ADD \(operator 2\); SOFTMAX \(operator \d+\)"):
        convert(path)
