"""Other layouts in .mat files through `convert`, MATLAB's objects, and the models of shared/."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress import FileError, ModelError, OptionError, matfile
from pyoctcompress.cli import main
from pyoctcompress.importers import convert
from pyoctcompress.octave import lend
from tests.parity.test_recognize import LAYOUTS
from tests.python import hdf5_writer

MATIO = pytest.importorskip("matio")


def numbers(*shape, seed=0):
    return np.random.RandomState([seed, *shape]).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("kind", ["v6", "v7.3"])
@pytest.mark.parametrize("name", ["theta", "simplenn", "dagnn", "deeplearn nn", "network"])
def test_layouts_in_files(name, kind, tmp_path):
    """The same network out of each kind of file, in Octave and in Python."""
    found, options, _ = LAYOUTS[name]
    path = tmp_path / "m.mat"
    if kind == "v6":
        matfile.save(path, found)
    else:
        hdf5_writer.write(path, found)
    model, info = convert(path, tmp_path / "out.mat", **options)
    assert info["kind"] == "network" and info["reason"] == ""
    loaded = oc.load(model)
    assert loaded["meta"]["source"] == {"layout": info["layout"], "file": str(path)}
    if kind == "v6":
        direct = oc.load(path, **options)
        direct["meta"] = loaded["meta"]
        assert oc.info(direct, backend="numpy")["text"] == oc.info(model)["text"]


def test_a_bag_says_why(tmp_path):
    found, _, _ = LAYOUTS["simplenn without a size"]
    matfile.save(tmp_path / "m.mat", found)
    model, info = convert(tmp_path / "m.mat")
    assert (info["kind"], info["layout"]) == ("tensors", "simplenn")
    assert "input_size" in info["reason"] and "net" in model
    with pytest.raises(OptionError, match="no network, so its input cannot be scaled"):
        convert(tmp_path / "m.mat", mean=0.5)


def test_what_cannot_be_read_is_told_and_left_out(tmp_path):
    hdf5_writer.write(tmp_path / "m.mat", {"w": numbers(3, 4)})
    import h5py

    with h5py.File(tmp_path / "m.mat", "r+") as file:
        item = file.create_dataset("gpu", data=np.ones((1, 6), np.uint32))
        item.attrs["MATLAB_class"] = np.bytes_("gpuArray")
        item.attrs["MATLAB_object_decode"] = np.int32(1)
    model, info = convert(tmp_path / "m.mat")
    assert set(model) == {"w", "gpu"} and model["gpu"].size == 0
    assert info["left_out"] == ["gpu: a MATLAB object (or string, table, containers.Map)"]


def test_normalization_reaches_branches(tmp_path):
    """Layers that read 'input' by its name read the scaled one afterwards."""
    layers = [
        {"type": "conv2d", "name": "c", "weights": numbers(1, 1, 2, 2), "inputs": ["input"]},
        {"type": "add", "name": "a", "inputs": ["c", "input"]},
    ]
    matfile.save(tmp_path / "m.mat", {"layers": layers, "input_size": np.array([[4.0, 4, 2]])})
    plain, _ = convert(tmp_path / "m.mat")
    x = numbers(4, 4, 2, 3)
    for options in ({"mean": [0.5, 1.0], "std": 2.0}, {"scale": 0.5, "offset": [-0.25, -0.5]}):
        scaled, _ = convert(tmp_path / "m.mat", **options)
        shift = np.array([0.5, 1.0], np.float32).reshape(1, 1, 2, 1)
        expected = oc.predict(plain, (x - shift) / 2, backend="numpy")
        np.testing.assert_allclose(oc.predict(scaled, x, backend="numpy"), expected, atol=1e-6)
    with pytest.raises(OptionError, match="not both"):
        convert(tmp_path / "m.mat", mean=1, scale=2)
    with pytest.raises(OptionError, match="STD must not be 0"):
        convert(tmp_path / "m.mat", std=0)
    with pytest.raises(ModelError, match="OFFSET must be a scalar"):
        convert(tmp_path / "m.mat", mean=[1, 2, 3])


# ------------------------------------------------------------------------------ MATLAB's objects


def matlab_layer(kind, name, **fields):
    """A layer as MATLAB saves it: an object whose one property is the struct of saveobj."""
    from matio.utils.matclass import MatlabOpaque

    state = {"Version": np.array([[1.0]]), "Name": name, **fields}
    return MatlabOpaque({"any": state}, f"nnet.cnn.layer.{kind}")


def learnable(array):
    return {"Version": np.array([[2.0]]), "Value": array}


def matlab_layers():
    batch = {name: np.abs(numbers(1, 1, 4, seed=k)) for k, name in
             enumerate(("TrainedMean", "TrainedVariance"))}  # fmt: skip
    return [
        matlab_layer("ImageInputLayer", "in", InputSize=np.array([[6.0, 5.0, 2.0]]),
                     Normalization={"Type": "zerocenter", "AverageImage": numbers(6, 5, 2)}),
        matlab_layer("Convolution2DLayer", "c1", Stride=np.array([[1.0, 1.0]]),
                     PaddingMode="same", Weights=learnable(numbers(3, 3, 2, 4)),
                     Bias=learnable(numbers(1, 1, 4))),
        matlab_layer("BatchNormalizationLayer", "bn", Epsilon=np.array([[1e-4]]), **batch,
                     Offset=learnable(numbers(1, 1, 4)), Scale=learnable(numbers(1, 1, 4))),
        matlab_layer("ReLULayer", "r"),
        matlab_layer("AdditionLayer", "sum", NumInputs=np.array([[2.0]])),
        matlab_layer("MaxPooling2DLayer", "p", PoolSize=np.array([[2.0, 2.0]]),
                     Stride=np.array([[2.0, 2.0]]), PaddingMode="manual",
                     PaddingSize=np.array([[0.0, 0, 0, 1]])),
        matlab_layer("FullyConnectedLayer", "fc", Weights=learnable(numbers(3, 3, 4, 5)),
                     Bias=learnable(numbers(1, 1, 5))),
        matlab_layer("SoftmaxLayer", "s"),
    ]  # fmt: skip


def plain(layer, **state):
    return {"class": layer.classname, "any": {**layer.properties["any"], **state}}


def test_a_directed_graph_of_layers(tmp_path, monkeypatch):
    """A DAGNetwork whose connections are numbers, or a table of names; what it computes."""
    from pyoctcompress.importers import matlab_objects

    layers = [plain(layer) for layer in matlab_layers()]
    names = [layer["any"]["Name"] for layer in layers]
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (1, 4), (4, 5), (5, 6), (6, 7)]
    by_number = np.array([[s + 1, 1, d + 1, 1 + (s == 1)] for s, d in pairs], float)
    by_name = [{"Source": names[s], "Destination": f"sum/in{1 + (s == 1)}" if d == 4 else names[d]}
               for s, d in pairs]  # fmt: skip
    outputs = []
    for table in (by_number, by_name):
        net = {"class": "DAGNetwork", "any": {"Layers": layers, "Connections": table}}
        monkeypatch.setattr(matlab_objects, "_objects", lambda path, net=net: {"net": net})
        model = matlab_objects.read(tmp_path / "m.mat")
        assert [layer["type"] for layer in model["layers"]] == [
            "scale", "conv2d", "batchnorm", "relu", "add", "maxpool", "flatten", "dense",
            "softmax"]  # fmt: skip
        assert model["layers"][4]["inputs"] == ["r", "c1"]
        outputs.append(oc.predict(model, numbers(6, 5, 2, 3), backend="numpy"))
    assert np.array_equal(*outputs)
    # The dense layer of height x width x channels x outputs reads MATLAB's order of the image.
    dense = model["layers"][7]["weights"]
    assert np.array_equal(dense[2], numbers(3, 3, 4, 5)[..., 2].ravel(order="F"))


def test_unknown_layers_are_named_at_once(tmp_path, monkeypatch):
    from pyoctcompress.importers import matlab_objects

    layers = [plain(layer) for layer in matlab_layers()]
    layers[3]["class"] = "nnet.cnn.layer.CrossChannelNormalizationLayer"
    layers[5]["class"] = "my.own.Layer"
    net = {"class": "SeriesNetwork", "any": {"Layers": layers}}
    monkeypatch.setattr(matlab_objects, "_objects", lambda path: {"net": net})
    with pytest.raises(ModelError, match=r"CrossChannelNormalizationLayer \(r\); Layer \(p\)"):
        matlab_objects.read(tmp_path / "m.mat")


def test_a_damaged_object_file_does_not_take_us_along(tmp_path, shared):
    content = (shared / "models" / "seriesnetwork_digits.mat").read_bytes()
    random = np.random.RandomState([3])
    for k in range(4):
        data = bytearray(content)
        for _ in range(20):
            data[random.randint(200, len(data))] = random.randint(0, 256)
        (tmp_path / "bad.mat").write_bytes(data if k else content[: len(content) // 2])
        with pytest.raises(FileError):
            convert(tmp_path / "bad.mat")


# --------------------------------------------------------------------------- the models of shared/


@pytest.fixture(scope="module")
def mnist(root):
    return root / "examples" / "data" / "mnist.mat"


MNIST = ["conv1", "relu", "conv2", "relu", "conv3", "relu", "norm1", "flatten", "fc1", "relu",
         "fc2", "norm2"]  # fmt: skip
LENET5 = ["conv1", "maxpool", 2, "conv2", "maxpool", 2, "flatten", "fc1", "relu", "fc2"]


@pytest.mark.parametrize(
    ("name", "options", "accuracy"),
    [
        ("lenet300.mat", {"activation": "relu"}, 0.9845),
        ("lenet5.mat", {"layers": LENET5, "input_size": [28, 28, 1]}, 0.9931),
        ("fyh620_lenet.onnx", {"mean": 0.1307, "std": 0.3081}, 0.9813),
        ("mnist.safetensors", {"layers": MNIST, "input_size": [28, 28, 1], "mean": 0.1307,
                               "std": 0.3081}, 0.9917),
    ],
)  # fmt: skip
def test_known_figures(name, options, accuracy, shared, mnist, tmp_path):
    model, _ = convert(shared / "models" / name, tmp_path / "m.mat", **options)
    size = oc.load(model)["input_size"]
    data = oc.DataFile(mnist, "test", input_size=[28, 28, 1] if np.size(size) == 3 else [])
    assert oc.evaluate(model, data)["accuracy"] == accuracy


@pytest.mark.parametrize(
    ("name", "options", "layers", "layout"),
    [
        ("ad01.h5", {}, 28, "keras"),
        ("DnCNN_sigma25_Bnorm.mat", {"input_size": [40, 40, 1]}, 48, "simplenn"),
        ("seriesnetwork_digits.mat", {}, 15, "matlab"),
        ("ng_ex3weights.mat", {}, 4, "theta"),
    ],
)
def test_the_other_models(name, options, layers, layout, shared):
    model, info = convert(shared / "models" / name, **options)
    assert (info["layers"], info["layout"]) == (layers, layout)
    size = [int(n) for n in np.ravel(model["input_size"])]
    y = oc.predict(model, np.abs(numbers(*size, 2)), backend="numpy")
    assert np.isfinite(y).all()


def test_dncnn_finds_the_noise(shared):
    """DnCNN gives the noise of an image: a smooth one with known noise tells that it is right."""
    model, _ = convert(shared / "models" / "DnCNN_sigma25_Bnorm.mat", input_size=[40, 40, 1])
    down, across = np.mgrid[0:40, 0:40] / 40.0
    clean = (0.5 + 0.3 * np.sin(3 * down) * np.cos(2 * across)).astype(np.float32)
    noise = numbers(40, 40, seed=8) * np.float32(25 / 255)
    found = oc.predict(model, (clean + noise)[..., None, None], backend="numpy").reshape(40, 40)
    assert np.std(found - noise) < 0.25 * np.std(noise)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("DnCNN_sigma25_Bnorm.mat", "version73"),
        ("seriesnetwork_digits.mat", "objects"),
        ("ad01.h5", "foreignHdf5"),
        ("fyh620_lenet.onnx", "badFile"),
        ("mnist.safetensors", "badFile"),
    ],
)
def test_octave_names_the_command_for_what_it_cannot_read(name, tag, shared):
    with lend() as session, pytest.raises(FileError, match="octcompress convert IN OUT") as e:
        session.call("nn_load", str(shared / "models" / name))
    assert e.value.tag == tag
    try:
        oc.load(shared / "models" / name)  # Python does not take half of it either
    except FileError as error:
        assert "octcompress convert" in error.message
    else:
        pytest.fail("it was read")


def test_what_must_be_refused(shared):
    with pytest.raises(ModelError, match=r"no layer of ours computes: If \(/model/decoder/If") as e:
        convert(shared / "models" / "silero_vad_16k_op15.onnx")
    assert e.value.tag == "unsupported"


# ----------------------------------------------------------------------------------- the command


def test_command(tmp_path, capsys):
    found, _, _ = LAYOUTS["pytorch"]
    matfile.save(tmp_path / "m.mat", found)
    source, target = str(tmp_path / "m.mat"), str(tmp_path / "out.mat")
    order = "conv1,bn,relu,flatten,fc1"
    assert main(["convert", source, target]) == 0
    out = capsys.readouterr().out
    assert "no network, but named tensors" in out
    assert "why: its arrays are named as PyTorch's" in out and "conv1, bn, fc1, fc2" in out
    text = main(["convert", source, target, "--layers", order, "--input-size", "8,8,1",
                 "--mean", "0.1307", "--std", "0.3081"])  # fmt: skip
    assert text == 0
    out = capsys.readouterr().out
    assert "variables," in out and "6 layers," in out and "not checked" in out
    assert oc.load(target)["layers"][0]["name"] == "normalize"
    assert main(["convert", source, target, "--layers", order, "--input-size", "9,8,1",
                 "--json"]) == 0  # fmt: skip
    assert json.loads(capsys.readouterr().out)["kind"] == "tensors"
    assert main(["convert", str(tmp_path / "no.onnx"), target]) == 1
    assert "there is no file" in capsys.readouterr().err


def test_nothing_is_imported_before_it_is_needed():
    code = (
        "import sys, pyoctcompress, pyoctcompress.importers\n"
        "heavy = {'h5py', 'onnx', 'torch', 'tflite', 'flatbuffers', 'matio', 'safetensors',"
        " 'onnxruntime', 'ai_edge_litert', 'yaml'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"hello, world, this is prose" * 10, "not a .mat file"),
        (b"\x1f\x8b\x08" + bytes(100), "gunzip"),
    ],
)
def test_files_that_are_something_else(content, message, tmp_path):
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        convert(tmp_path / "m.bin")
    assert caught.value.identifier.startswith("octcompress:convert:")
    with pytest.raises(FileError, match="is a folder"):
        convert(tmp_path)
