"""Networks as ONNX: every layer, every grid, in ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.errors import ModelError, OptionError
from pyoctcompress.exporters import onnx_file, to_onnx
from pyoctcompress.importers import convert
from pyoctcompress.reference import verbs
from pyoctcompress.reference.quant import encode_grid

from .export_cases import apart, branches, layer, many_kinds, single_layers

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")


def run(path, x, exact=False):
    """Run a file; `exact`: without the runtime's own approximations."""
    onnx.checker.check_model(path, full_check=True)
    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    if exact:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options)
    name = session.get_inputs()[0].name
    return [to_onnx.from_layout(y) for y in session.run(None, {name: to_onnx.to_layout(x)})]


def weighted(model):
    return [one for one in model["layers"] if "weights" in one]


@pytest.mark.parametrize("opset", [13, 23])
def test_every_layer(tmp_path, opset):
    """All vectors, in the oldest and in a new opset."""
    path, count = tmp_path / "m.onnx", 0
    for label, model, x, wanted in single_layers(every=1 if opset == 23 else 3):
        to_onnx.write(model, path, opset=opset)
        assert apart(run(path, x)[0], wanted) < 3e-6, label
        count += 1
    assert count > 100


def test_several_inputs_and_outputs(tmp_path):
    model, x = branches()
    to_onnx.write(model, tmp_path / "m.onnx")
    found = run(tmp_path / "m.onnx", x)
    for y, wanted in zip(found, verbs.predict(model, x), strict=True):
        assert apart(y, wanted) < 1e-5
    assert [o.name for o in onnx.load(tmp_path / "m.onnx").graph.output] == ["y1", "y2"]


def test_flatten_is_absorbed(tmp_path):
    """Columns are permuted instead of images, where only dense layers see the order."""
    model, x = branches()
    model = {**model, "layers": model["layers"][:12], "outputs": ["y1"]}
    to_onnx.write(model, tmp_path / "m.onnx")
    assert "Transpose" not in [n.op_type for n in onnx.load(tmp_path / "m.onnx").graph.node]
    assert apart(run(tmp_path / "m.onnx", x)[0], verbs.predict(model, x)) < 1e-5


GRIDS = [
    ({"bits": 8}, 17, "INT8"),
    ({"bits": 8, "granularity": "channel"}, 17, "INT8"),
    ({"bits": 8, "scheme": "affine", "granularity": "channel"}, 17, "INT8"),
    ({"bits": 8, "scheme": "unsigned"}, 17, "UINT8"),
    ({"bits": 4, "granularity": "channel"}, 17, "INT8"),
    ({"bits": 4, "granularity": "channel"}, 21, "INT4"),
    ({"bits": 3, "scheme": "unsigned"}, 21, "UINT4"),
    ({"bits": 12, "granularity": "channel"}, 21, "INT16"),
    ({"bits": 4, "scheme": "codebook"}, 17, "UINT8"),
    ({"scheme": "fp16"}, 17, "FLOAT16"),
]


@pytest.mark.parametrize(("options", "opset", "kind"), GRIDS)
def test_weights(tmp_path, options, opset, kind):
    """The integers in the file are ours, and so are the outputs."""
    model, x = many_kinds()
    model, _ = verbs.quantize(model, **options)
    network = to_onnx.write(model, tmp_path / "m.onnx", opset=opset)
    assert network.precision == "weights" and not network.notes
    assert apart(run(tmp_path / "m.onnx", x, exact=True)[0], verbs.predict(model, x)) < 1e-5
    back, info = convert(tmp_path / "m.onnx")
    assert info["check"]["checked"]
    for own, one in zip(weighted(model), weighted(back), strict=True):
        assert np.array_equal(own["weights"], one["weights"]), own["name"]
        grid = one["quantization"]["weights"]  # of more bits, or scales, where the file has them
        if "codebook" in grid or grid["scheme"] == "fp16":
            assert grid["scheme"] == options["scheme"]
        else:
            assert grid["scheme"] in ("symmetric", "affine")
    graph = onnx.load(tmp_path / "m.onnx").graph
    held = {t.name: t for t in graph.initializer}
    place = {"codebook": "places", "fp16": "half"}.get(options.get("scheme"), "codes")
    codes = held[f"c1_weights_{place}"]
    assert onnx.TensorProto.DataType.Name(codes.data_type) == kind
    if place != "half":
        own = model["layers"][0]
        ours = encode_grid(own["weights"], own["quantization"]["weights"])
        theirs = onnx.numpy_helper.to_array(codes).astype(int)
        assert np.array_equal(theirs, ours.transpose(3, 2, 0, 1))
    if place == "codes":
        assert held["c1_weights_scale"].dims == [6]  # for each channel, also one for the tensor
        node = next(n for n in graph.node if n.output[0] == "d_weights")
        assert node.attribute[0].i == 1  # a dense layer is MatMul, with a scale for each column


def test_groups_of_scales(tmp_path):
    rng = np.random.default_rng(0)
    w = rng.standard_normal((5, 24)).astype(np.float32)
    model = {"layers": [layer("dense", "d", weights=w)]}
    model, _ = verbs.quantize(model, bits=4, granularity="group", group_size=8)
    x = rng.standard_normal((24, 7)).astype(np.float32)
    network = to_onnx.write(model, tmp_path / "m.onnx", opset=21)
    assert not network.notes
    assert apart(run(tmp_path / "m.onnx", x, exact=True)[0], verbs.predict(model, x)) < 1e-5
    back, _ = convert(tmp_path / "m.onnx")
    promise, own = (one["layers"][0]["quantization"]["weights"] for one in (back, model))
    assert all(np.array_equal(promise[field], own[field]) for field in own)
    assert np.array_equal(back["layers"][0]["weights"], model["layers"][0]["weights"])
    network = to_onnx.write(model, tmp_path / "m.onnx", opset=17)
    assert "'d' are written in floating point" in network.notes[0]


@pytest.mark.parametrize("options", [{}, {"granularity": "channel"}, {"activation_bits": 5}])
def test_activations(tmp_path, options):
    """QDQ after every layer but the last: what nn_predict gives without the last grid."""
    model, x = many_kinds()
    if "activation_bits" in options:
        model["layers"] = model["layers"][:-1]
    model, _ = verbs.quantize(model, data=x, **options)
    network = to_onnx.write(model, tmp_path / "m.onnx")
    assert network.precision == "integer"
    nodes = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert nodes.count("QuantizeLinear") > 10 and nodes[-1] != "DequantizeLinear"
    del model["layers"][-1]["quantization"]["output"]
    wanted = verbs.predict(model, x)
    difference = abs(run(tmp_path / "m.onnx", x)[0] - wanted) / abs(wanted).max()
    # Some products fall half-way between two codes.
    assert np.median(difference) < 1e-5 and difference.max() < 0.05


@pytest.mark.parametrize("opset", [17, 21])
def test_too_large_for_one_file(tmp_path, opset, monkeypatch):
    """Large constants stand in a second file, as the others' readers and ours expect them."""
    model, x = many_kinds()
    model, _ = verbs.quantize(model, bits=8, data=x)
    path = tmp_path / "m.onnx"
    to_onnx.write(model, path, opset=opset, precision="weights")
    whole, bytes_before = run(path, x, exact=True), path.stat().st_size
    monkeypatch.setattr(onnx_file, "_LARGEST", bytes_before // 2)
    monkeypatch.setattr(onnx_file, "_APART", 100)
    network = to_onnx.write(model, path, opset=opset, precision="weights")
    assert [file.name for file in network.files] == ["m.onnx", "m.onnx.data"]
    assert path.stat().st_size < bytes_before
    for y, wanted in zip(run(path, x, exact=True), whole, strict=True):
        assert np.array_equal(y, wanted)
    back, info = convert(path)
    assert info["check"]["checked"]
    for own, one in zip(weighted(model), weighted(back), strict=True):
        assert np.array_equal(own["weights"], one["weights"]) and one["quantization"]["weights"]


def test_recurrent_weights(tmp_path):
    """Rows of the gates, and their scales, in ONNX's order."""
    rng = np.random.default_rng(1)
    for kind, gates in (("lstm", 4), ("gru", 3)):
        w, u = (rng.standard_normal((gates * 5, n)).astype(np.float32) for n in (3, 5))
        recurrent = layer(kind, "r", weights=w, recurrent_weights=u, result="last")
        model = {"input_size": np.array([[3.0, np.nan]]), "layers": [recurrent]}
        model, _ = verbs.quantize(model, bits=8, granularity="channel")
        x = rng.standard_normal((3, 4, 6)).astype(np.float32)
        to_onnx.write(model, tmp_path / "m.onnx")
        assert apart(run(tmp_path / "m.onnx", x, exact=True)[0], verbs.predict(model, x)) < 1e-5


def test_refusals(tmp_path):
    model = many_kinds()[0]
    dynamic, _ = verbs.quantize(model, activations="dynamic")
    with pytest.raises(ModelError, match=r"cannot hold \d+ layers of MODEL:\n  'input'.*dynamic"):
        to_onnx.write(dynamic, tmp_path / "m.onnx", precision="integer")
    with pytest.raises(OptionError, match="OPSET must be from 13 to"):
        to_onnx.write(model, tmp_path / "m.onnx", opset=7)
    assert not list(tmp_path.iterdir())
