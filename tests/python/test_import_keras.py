"""Keras in: files as Keras 2 and 3 lay them out, and PyTorch as the judge of what they compute."""

import json
import sys
import types
import zipfile

import h5py
import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress import FileError, ModelError, OctcompressError, OptionError
from pyoctcompress.importers import convert
from pyoctcompress.matfile import hdf5

torch = pytest.importorskip("torch")
F = torch.nn.functional


def numbers(*shape, seed=0):
    return np.random.RandomState([seed, *shape]).standard_normal(shape).astype(np.float32)


def layer(kind, name, *arrays, reads=None, **config):
    return {"class_name": kind, "config": {"name": name, **config}, "arrays": arrays,
            "reads": reads}  # fmt: skip


def write_keras2(path, layers, shape, functional=False, outputs=None, version="2.4.0"):
    """As model.save ('m.h5') of TensorFlow's Keras 2."""
    described = [{"class_name": one["class_name"], "config": dict(one["config"])} for one in layers]
    if functional:
        first = {"class_name": "InputLayer", "name": "in", "inbound_nodes": [],
                 "config": {"name": "in", "batch_input_shape": [None, *shape]}}  # fmt: skip
        for one, source in zip(described, layers, strict=True):
            one["name"] = one["config"]["name"]
            one["inbound_nodes"] = [[[name, 0, 0, {}] for name in source["reads"]]]
        config = {"name": "m", "layers": [first, *described], "input_layers": [["in", 0, 0]],
                  "output_layers": [[name, 0, 0] for name in outputs]}  # fmt: skip
        model = {"class_name": "Functional", "config": config}
    else:
        described[0]["config"]["batch_input_shape"] = [None, *shape]
        model = {"class_name": "Sequential", "config": {"name": "m", "layers": described}}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(model)
        root = file.create_group("model_weights")
        for one in layers:
            name = one["config"]["name"]
            group = root.create_group(name)
            names = [f"{name}/weight_{k}:0" for k in range(len(one["arrays"]))]
            group.attrs["weight_names"] = [text.encode() for text in names]
            for text, array in zip(names, one["arrays"], strict=True):
                group[text] = array
    return path


def write_keras3(path, layers, shape, functional=False, outputs=None, by_name=False, **zipped):
    """As model.save ('m.keras') of Keras 3: a zip of the configuration and the weights."""
    kinds = {}
    weights = path.with_suffix(".weights.h5")
    with h5py.File(weights, "w") as file:
        for one in layers:
            kind = one["class_name"].replace("2D", "2d").replace("LSTM", "lstm")
            kind = "".join(f"_{c.lower()}" if c.isupper() and k else c.lower()
                           for k, c in enumerate(kind))  # fmt: skip
            kind = {"g_r_u": "gru", "re_l_u": "re_lu", "p_re_l_u": "p_re_lu"}.get(kind, kind)
            count = kinds.get(kind, 0)
            kinds[kind] = count + 1
            called = one["config"]["name"] if by_name else f"{kind}_{count}" if count else kind
            group = file.create_group(f"layers/{called}")
            recurrent = kind in ("lstm", "gru")
            place = group.create_group("cell/vars" if recurrent else "vars")
            for k, array in enumerate(one["arrays"]):
                place[str(k)] = array
    described = []
    for one in layers:
        entry = {"module": "keras.layers", "class_name": one["class_name"],
                 "config": dict(one["config"])}  # fmt: skip
        if functional:
            entry["name"] = one["config"]["name"]
            tensors = [
                {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
                for name in one["reads"]
            ]
            args = tensors if len(tensors) == 1 else [tensors]
            entry["inbound_nodes"] = [{"args": args, "kwargs": {}}]
        described.append(entry)
    first = {"class_name": "InputLayer", "name": "in", "inbound_nodes": [],
             "config": {"batch_shape": [None, *shape], "name": "in"}}  # fmt: skip
    config = {"name": "m", "layers": [first, *described]}
    if functional:
        config["input_layers"] = ["in", 0, 0]
        found = [[name, 0, 0] for name in outputs]
        config["output_layers"] = found[0] if len(found) == 1 else found
    kind = "Functional" if functional else "Sequential"
    module = "keras.src.models.functional" if functional else "keras"
    described = {"module": module, "class_name": kind, "config": config,
                 "compile_config": {"optimizer": {"module": "keras.optimizers",
                                                  "class_name": "Adam"}}}  # fmt: skip
    with zipfile.ZipFile(path, "w", **zipped) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.4.1"}))
        archive.writestr("config.json", json.dumps(described))
        archive.write(weights, "model.weights.h5")
    weights.unlink()
    return path


WRITERS = {
    "h5": lambda folder, *a, **k: write_keras2(folder / "m.h5", *a, **k),
    "keras": lambda folder, *a, **k: write_keras3(folder / "m.keras", *a, **k),
    "keras by name": lambda folder, *a, **k: write_keras3(
        folder / "m.keras", *a, by_name=True, **k
    ),
}


def nchw(x):
    """Ours, H W C N, for PyTorch."""
    return torch.from_numpy(np.ascontiguousarray(x.transpose(3, 2, 0, 1)))


def same_pad(x, kernel, stride):
    """Keras's padding 'same'."""
    amounts = []
    for length, k in zip(x.shape[:1:-1], kernel[::-1], strict=True):
        missing = max((-(-length // stride) - 1) * stride + k - length, 0)
        amounts += [missing // 2, missing - missing // 2]
    return amounts


def oihw(kernel):
    return torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))


@pytest.mark.parametrize("writer", WRITERS)
def test_a_convolutional_chain(writer, tmp_path):
    c1, b1, d, p, b2 = (numbers(3, 2, 3, 4), numbers(4), numbers(3, 3, 4, 2), numbers(1, 1, 8, 5),
                        numbers(5))  # fmt: skip
    w, b = numbers(20, 3), numbers(3)
    bn = [numbers(5, seed=k) for k in range(3)] + [np.abs(numbers(5, seed=4))]
    layers = [
        layer("Conv2D", "c1", c1, b1, strides=[2, 2], padding="same", activation="relu"),
        layer("SeparableConv2D", "sep", d, p, b2, padding="same", use_bias=True,
              activation="linear"),
        layer("BatchNormalization", "bn", *bn, epsilon=0.01, axis=[3]),
        layer("LeakyReLU", "leaky", negative_slope=0.2),
        layer("MaxPooling2D", "mp", pool_size=[2, 2], strides=[2, 2], padding="same"),
        layer("Dropout", "drop", rate=0.5),
        layer("Flatten", "flat"),
        layer("Dense", "out", w, b, activation="softmax"),
    ]  # fmt: skip
    model, info = convert(WRITERS[writer](tmp_path, layers, [7, 8, 3]))
    assert info["layout"] == "keras" and "not checked" in info["check"]["text"]
    x = numbers(7, 8, 3, 5)
    t = nchw(x)
    t = F.relu(F.conv2d(F.pad(t, same_pad(t, (3, 2), 2)), oihw(c1), torch.from_numpy(b1), 2))
    depth = torch.from_numpy(np.ascontiguousarray(d.reshape(3, 3, 1, 8).transpose(3, 2, 0, 1)))
    t = F.conv2d(F.conv2d(t, depth, padding=1, groups=4), oihw(p), torch.from_numpy(b2))
    t = F.batch_norm(t, *(torch.from_numpy(bn[k]) for k in (2, 3, 0, 1)), eps=0.01)
    t = F.max_pool2d(F.leaky_relu(t, 0.2), 2, ceil_mode=True)
    t = t.permute(0, 2, 3, 1).reshape(5, -1)
    expected = F.softmax(t @ torch.from_numpy(w) + torch.from_numpy(b), 1).numpy().T
    found = oc.predict(model, x, backend="numpy")
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(oc.predict(model, x), expected, atol=1e-5)  # in Octave


@pytest.mark.parametrize("writer", WRITERS)
def test_a_graph_with_two_outputs(writer, tmp_path):
    k1, k2 = numbers(3, 3, 2, 2), numbers(3, 3, 2, 2, seed=1)
    k3, bias = numbers(2, 2, 3, 2), numbers(3)
    layers = [
        layer("Conv2D", "a", k1, reads=["in"], padding="same", use_bias=False),
        layer("Conv2D", "b", k2, reads=["a"], padding="same", use_bias=False, dilation_rate=[1, 1]),
        layer("Add", "sum", reads=["b", "in"]),
        layer("Concatenate", "cat", reads=["sum", "a"], axis=-1),
        layer("GlobalAveragePooling2D", "gap", reads=["cat"]),
        layer("Conv2DTranspose", "up", k3, bias, reads=["sum"], strides=[2, 2], padding="same"),
    ]
    path = WRITERS[writer](tmp_path, layers, [5, 4, 2], functional=True, outputs=["gap", "up"])
    model, _ = convert(path)
    x = numbers(5, 4, 2, 3)
    t = nchw(x)
    a = F.conv2d(t, oihw(k1), padding=1)
    total = F.conv2d(a, oihw(k2), padding=1) + t
    gap = torch.cat([total, a], 1).mean((2, 3)).numpy().T
    kernel = torch.from_numpy(np.ascontiguousarray(k3.transpose(3, 2, 0, 1)))
    up = F.conv_transpose2d(total, kernel, torch.from_numpy(bias), 2).numpy().transpose(2, 3, 1, 0)
    found = oc.predict(model, x, backend="numpy")
    np.testing.assert_allclose(found[0], gap, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[1], up, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("writer", ["h5", "keras"])
def test_recurrent(kind, writer, tmp_path):
    gates, units = (4 if kind == "LSTM" else 3), 3
    kernel, inner = numbers(5, gates * units), numbers(units, gates * units)
    bias = numbers(gates * units) if kind == "LSTM" else numbers(2, gates * units)
    layers = [
        layer(kind, "r1", kernel, inner, bias, return_sequences=True),
        layer(kind, "r2", numbers(3, gates * units, seed=2), inner, bias),
    ]
    model, _ = convert(WRITERS[writer](tmp_path, layers, [None, 5]))
    x = numbers(5, 2, 6)  # features, observations, steps
    # PyTorch's blocks: LSTM i f g o are Keras's; GRU r z n are Keras's z r h.
    order = [0, 1, 2, 3] if kind == "LSTM" else [1, 0, 2]

    def rows(array):
        return torch.from_numpy(
            np.ascontiguousarray(
                array.T.reshape(gates, units, -1)[order].reshape(gates * units, -1)
            )
        )

    t = torch.from_numpy(np.ascontiguousarray(x.transpose(2, 1, 0)))
    for one in layers:
        run = getattr(torch.nn, kind)(t.shape[2], units)
        k, i, b = one["arrays"]
        pair = (b, 0 * b) if kind == "LSTM" else (b[0], b[1])
        with torch.no_grad():
            run.weight_ih_l0.copy_(rows(k))
            run.weight_hh_l0.copy_(rows(i))
            run.bias_ih_l0.copy_(rows(pair[0][None])[:, 0])
            run.bias_hh_l0.copy_(rows(pair[1][None])[:, 0])
            t, _ = run(t)
    np.testing.assert_allclose(oc.predict(model, x, backend="numpy"), t[-1].numpy().T, atol=1e-5)


def test_the_rest_of_the_layers(tmp_path):
    """Those whose parameters are only copied: their fields."""
    layers = [
        layer("Rescaling", "scaled", scale=0.5, offset=[1.0, 2.0]),
        layer("ZeroPadding2D", "pad", padding=[[1, 2], [3, 4]]),
        layer("UpSampling2D", "up", size=[2, 3], interpolation="bilinear"),
        layer("DepthwiseConv2D", "dw", numbers(2, 2, 2, 1), use_bias=False, strides=[1, 1],
              activation="hard_sigmoid"),
        layer("PReLU", "prelu", np.abs(numbers(1, 1, 2)), shared_axes=[1, 2]),
        layer("ELU", "elu", alpha=0.5),
        layer("ReLU", "six", max_value=6.0),
        layer("Activation", "silu", activation="silu"),
        layer("AveragePooling2D", "ap", pool_size=[2, 2], strides=None, padding="valid"),
        layer("GlobalMaxPooling2D", "gmp", keepdims=True),
        layer("Reshape", "shape", target_shape=[-1]),
        layer("Softmax", "soft"),
    ]  # fmt: skip
    model, _ = convert(write_keras2(tmp_path / "m.h5", layers, [6, 5, 2]))
    by_name = {one["name"]: one for one in model["layers"]}
    assert by_name["scaled"]["offset"].tolist() == [[1], [2]]
    assert by_name["pad"]["padding"].tolist() == [[1, 2, 3, 4]]
    assert by_name["up"]["factor"].tolist() == [[2, 3]]
    assert by_name["dw"]["groups"] == 2 and by_name["dw_activation"]["alpha"] == 0.2
    assert by_name["prelu"]["slope"].shape == (2, 1)
    assert by_name["six"]["type"] == "relu6" and by_name["silu"]["type"] == "swish"
    assert by_name["ap"]["stride"] == 2
    assert oc.predict(model, numbers(6, 5, 2, 3), backend="numpy").shape == (2, 3)
    model, _ = convert(write_keras3(tmp_path / "m.keras", layers, [6, 5, 2]))
    assert "alpha" not in {one["name"]: one for one in model["layers"]}["dw_activation"]


def test_where_the_arrays_came_from(tmp_path):
    w = numbers(4, 3)
    path = write_keras2(tmp_path / "m.h5", [layer("Dense", "out", w, numbers(3))], [4])
    model, _ = convert(path)
    record = model["layers"][0]["source"]["weights"]
    with h5py.File(path) as file:
        theirs = file[record["name"]][()]
    assert np.array_equal(theirs.transpose(record["permute"].astype(int).ravel() - 1),
                          model["layers"][0]["weights"])  # fmt: skip
    assert model["meta"]["source"] == {"layout": "keras", "file": str(path)}


def test_everything_unknown_is_named_at_once(tmp_path):
    layers = [
        layer("Embedding", "e1"),
        layer("MultiHeadAttention", "mha"),
        layer("Dense", "d", numbers(4, 2), numbers(2), activation="exponential"),
    ]
    path = write_keras2(tmp_path / "m.h5", layers, [4])
    with pytest.raises(ModelError, match=r"Embedding \(e1\); MultiHeadAttention \(mha\)"):
        convert(path)
    path = write_keras2(tmp_path / "m.h5", layers[2:], [4])
    with pytest.raises(ModelError, match=r"Dense \(d\): the activation exponential"):
        convert(path)


def test_missing_arrays_are_named(tmp_path):
    path = write_keras2(tmp_path / "m.h5", [layer("Dense", "d", numbers(4, 2))], [4])
    with pytest.raises(ModelError, match=r"Dense \(d\): 1 arrays in the file, where 2 must be"):
        convert(path)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"d"]
        file["d/kernel:0"] = numbers(4, 2)
    with pytest.raises(FileError, match="the weights of a Keras model, but not its layers"):
        convert(tmp_path / "w.h5")


def test_open_sizes_are_asked_for(tmp_path):
    conv = layer("Conv2D", "c", numbers(3, 3, 1, 2), numbers(2))
    path = write_keras2(tmp_path / "m.h5", [conv], [None, None, 1])
    with pytest.raises(OptionError, match="input_size"):
        convert(path)
    assert convert(path, input_size=[9, 8, 1])[0]["input_size"].tolist() == [[9, 8, 1]]


def test_hostile_archives(tmp_path):
    path = write_keras3(tmp_path / "m.keras", [layer("Dense", "d", numbers(4, 2), numbers(2))], [4])
    content = path.read_bytes()
    for cut in (40, len(content) // 2, len(content) - 8):
        (tmp_path / "cut.keras").write_bytes(content[:cut])
        with pytest.raises(OctcompressError):
            convert(tmp_path / "cut.keras")
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", bytes(80 << 20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(FileError, match="says that it has 83886080 bytes") as caught:
        convert(tmp_path / "bomb.keras")
    assert caught.value.tag == "tooLarge"
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileError, match="no model of Keras or PyTorch"):
        convert(tmp_path / "other.keras")


def test_damaged_by_chance(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "_SECONDS", 2)  # some make the HDF5 library run for ever
    layers = [layer("Dense", "d", numbers(4, 2), numbers(2)), layer("Softmax", "s")]
    content = write_keras2(tmp_path / "m.h5", layers, [4]).read_bytes()
    random = np.random.RandomState([5])
    for _ in range(15):
        data = bytearray(content)
        for _ in range(random.randint(1, 30)):
            data[random.randint(0, len(data))] = random.randint(0, 256)
        (tmp_path / "bad.h5").write_bytes(data)
        try:
            convert(tmp_path / "bad.h5")
        except OctcompressError as error:
            assert error.identifier.startswith("octcompress:convert:")


class ActedKeras(types.ModuleType):
    """A module that loads one file: a dense layer with a relu, in Keras's orientation."""

    __version__ = "3.acted"

    def __init__(self, weights, bias):
        super().__init__("keras")
        self.models = self
        self.weights, self.bias = weights, bias

    def load_model(self, path, compile):
        assert path.endswith(("m.h5", "m.keras")) and compile is False
        return self

    def predict(self, x, verbose):
        return np.maximum(x @ self.weights + self.bias, 0)


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_the_check_where_keras_is_installed(writer, tmp_path, monkeypatch):
    weights, bias = numbers(5, 4), numbers(4)
    path = writer(tmp_path, [layer("Dense", "d", weights, bias, activation="relu")], [5])
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    monkeypatch.setitem(sys.modules, "keras", ActedKeras(weights, bias))
    check = convert(path)[1]["check"]
    assert check["checked"] and check["difference"] < 1e-6
    assert check["text"].startswith("checked against Keras 3.acted: the outputs differ by")
    assert convert(path, verify=False)[1]["check"]["text"] == "not checked: not asked for"
    monkeypatch.setitem(sys.modules, "keras", ActedKeras(weights, bias + 1))
    with pytest.raises(ModelError, match="differ from those of Keras 3") as caught:
        convert(path)
    assert caught.value.tag == "wrongResult"
    some = np.where(np.arange(4) == 1, np.float32(np.nan), bias)
    monkeypatch.setitem(sys.modules, "keras", ActedKeras(weights, some))
    with pytest.raises(ModelError, match="by inf of the largest"):
        convert(path)
    monkeypatch.setitem(sys.modules, "keras", ActedKeras(weights, bias * np.nan))
    assert "gives no finite numbers" in convert(path)[1]["check"]["text"]
    monkeypatch.setitem(sys.modules, "keras", None)
    check = convert(path)[1]["check"]
    assert check["text"] == "not checked: Keras is not installed (pip install keras)"


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ({"module": "os", "class_name": "system", "config": {}}, "os.system"),
        ({"module": "keras.utils", "class_name": "get_file"}, "keras.utils.get_file"),
        ({"class_name": "__lambda__", "config": {"value": "4w"}}, "keras.__lambda__"),
        ([{"inner": {"module": "builtins", "class_name": "function"}}], "builtins.function"),
    ],
)
def test_keras_is_not_asked_where_it_might_run_code(what, named, tmp_path, monkeypatch):
    one = layer("Dense", "d", numbers(5, 4), numbers(4), activation="relu", kernel_initializer=what)
    monkeypatch.setitem(sys.modules, "keras", None)
    text = convert(write_keras3(tmp_path / "m.keras", [one], [5]))[1]["check"]["text"]
    assert text == f"not checked: loading it in Keras may run code: it names {named}"
