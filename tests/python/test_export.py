"""The verb export and its command: targets, comparison, errors."""

from __future__ import annotations

import json
import os
import shutil
import sys

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress.cli import main
from pyoctcompress.errors import FileError, ModelError, OctcompressError, OptionError
from pyoctcompress.exporters import runtimes

from .export_cases import layer, many_kinds

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def quantized():
    model, x = many_kinds()
    return oc.quantize(model, 8, granularity="channel", data=x, backend="numpy")[0], x


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("m.onnx", "onnxruntime"),
        ("m.tflite", "ai_edge_litert"),
        pytest.param("m.c", "", marks=needs_cc),
    ],
)
@pytest.mark.parametrize("precision", ["float", "weights", "integer"])
def test_measured(tmp_path, quantized, name, package, precision):
    """Each file is run in its runtime, and gives what we give."""
    if package:
        pytest.importorskip(package)
    model, x = quantized
    path = tmp_path / name
    labels = np.arange(x.shape[3])[np.newaxis] % 4 + 1.0
    result = oc.export(model, path, precision=precision, data=x, labels=labels, backend="numpy")
    found = result["check"]
    assert found["measured"] and found["observations"] == x.shape[3]
    assert found["agreement"] == 1 and found["accuracy"] == found["accuracy_there"]
    # ONNX Runtime multiplies float activations by int8 weights in 8 bits, its sums may fall
    # half-way between two codes, and the last layer's results stay off the grid.
    rough = precision != "float" and name == "m.onnx"
    assert found["difference"] < (0.02 if rough else 1e-5)
    if name != "m.onnx":
        assert precision != "integer" or found["difference"] == 0
    assert result["bytes"] == sum(os.path.getsize(file) for file in result["files"])
    assert {os.path.basename(f) for f in result["files"]} == set(os.listdir(tmp_path))


@needs_cc
def test_random_inputs_and_a_path(tmp_path, quantized):
    oc.save(tmp_path / "m.mat", quantized[0])
    result = oc.export(tmp_path / "m.mat", tmp_path / "n.c", name="my-net", backend="numpy")
    assert result["check"]["inputs"] == "random" and result["check"]["difference"] == 0
    assert "void my_net_run (const int8_t" in (tmp_path / "n.h").read_text()
    again = oc.export(tmp_path / "m.mat", tmp_path / "n.c", check=False)
    assert not again["check"]["measured"]


@pytest.mark.parametrize("name", ["m.onnx", "m.tflite", "m.c"])
def test_without_a_runtime(tmp_path, quantized, name, monkeypatch):
    """The file is written, and it is said that it was not measured."""
    for module in ("onnxruntime", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(runtimes.shutil, "which", lambda name: None)
    result = oc.export(quantized[0], tmp_path / name, backend="numpy")
    assert not result["check"]["measured"] and result["check"]["reason"]
    assert (tmp_path / name).exists()


def test_without_a_package(tmp_path, quantized, monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(OctcompressError, match=r"needs the package tflite; .*octcompress\[convert"):
        oc.export(quantized[0], tmp_path / "m.tflite")


def test_errors(tmp_path, quantized):
    model = quantized[0]
    plain, _ = many_kinds()
    with pytest.raises(OptionError, match=r"PATH must end in one of '\.onnx'.*'.*m\.foo'"):
        oc.export(model, tmp_path / "m.foo")
    with pytest.raises(OptionError, match=r"TARGET must be one of 'onnx', .* but is 'x'"):
        oc.export(model, tmp_path / "m.c", target="x")
    with pytest.raises(OptionError, match="no option 'opset' for c; the options are precision"):
        oc.export(model, tmp_path / "m.c", opset=17)
    with pytest.raises(OptionError, match="PRECISION must be one of"):
        oc.export(model, tmp_path / "m.c", precision="int8")
    with pytest.raises(ModelError, match="needs weights on a grid, but no layer has one"):
        oc.export(plain, tmp_path / "m.c", precision="weights")
    weights, _ = oc.quantize(plain, 8, backend="numpy")
    with pytest.raises(ModelError, match="needs activations on grids"):
        oc.export(weights, tmp_path / "m.c", precision="integer")
    dynamic, _ = oc.quantize(plain, 8, activations="dynamic", backend="numpy")
    for name in ("m.c", "m.tflite"):
        with pytest.raises(ModelError, match=r"'input' \(the network's input\): its grid must be"):
            oc.export(dynamic, tmp_path / name, precision="integer")
    with pytest.raises(ModelError, match="is not a network, but a bag of arrays: Theta1, a;"):
        oc.export({"Theta1": np.ones((2, 3)), "a": 1.0}, tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="must have INPUT_SIZE"):
        oc.export({"layers": [layer("relu", "r")]}, tmp_path / "m.onnx")
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        oc.export(model, tmp_path / "none" / "m.c", check=False)
    (tmp_path / "m.tflite").mkdir()
    with pytest.raises(FileError, match="cannot be written: Is a directory"):
        oc.export(model, tmp_path / "m.tflite", check=False)
    assert os.listdir(tmp_path) == ["m.tflite"]


@needs_cc
def test_command(tmp_path, quantized, capsys):
    oc.save(tmp_path / "m.mat", quantized[0])
    oc.save(tmp_path / "d.mat", {"X": quantized[1], "Y": np.ones((1, quantized[1].shape[3]))})
    command = ["export", str(tmp_path / "m.mat"), str(tmp_path / "n.c"), "--backend", "numpy"]
    assert main([*command, "--data", str(tmp_path / "d.mat")]) == 0
    text = capsys.readouterr().out
    assert "weights and activations as integers" in text and "accuracy there" in text
    assert "outputs differ by at most 0 of the largest" in text
    assert main([*command, "--json", "--no-check", "--storage", "packed"]) == 0
    assert json.loads(capsys.readouterr().out)["check"]["measured"] is False
    assert main([*command[:2], str(tmp_path / "n.xyz")]) == 1
    assert "PATH must end in" in capsys.readouterr().err
