"""Networks back in the layouts that they came from, safetensors and v7.3."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress import matfile
from pyoctcompress.errors import FileError, ModelError
from pyoctcompress.exporters import to_safetensors
from pyoctcompress.matfile import StructArray
from pyoctcompress.reference import verbs

from .export_cases import apart, branches, layer, many_kinds


def row(*values):
    return np.array([values], float)


def origin(name, size, permute, **more):
    return {"name": name, "size": row(*size), "permute": row(*permute), **more}


def random(*shape, seed=0, kind=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(kind)


def model_of(layers, layout, file="", size=None):
    model = {"layers": layers, "meta": {"source": {"layout": layout, "file": str(file)}}}
    return model if size is None else {**model, "input_size": row(*size)}


def test_theta(tmp_path):
    """A bias column before the weights; the file is made anew, or filled in."""
    theta = random(3, 5)
    source = {
        "weights": origin("Theta1", (3, 5), (1, 2), part=row(2, 5)),
        "bias": origin("Theta1", (3, 5), (1, 2), part=row(1, 1)),
    }
    dense = layer("dense", "d", weights=theta[:, 1:], bias=theta[:, :1], source=source)
    model = model_of([dense], "theta", tmp_path / "in.mat")
    oc.export(model, tmp_path / "out.mat")
    assert np.array_equal(matfile.load(tmp_path / "out.mat")["Theta1"], theta)
    matfile.save(tmp_path / "in.mat", {"Theta1": theta, "note": "kept"})
    small, _ = verbs.prune(model, sparsity=0.5)
    result = oc.export(small, tmp_path / "out.mat")
    assert result["target"] == "source" and not result["check"]["measured"]
    found = matfile.load(tmp_path / "out.mat")
    assert found["note"] == "kept" and np.array_equal(found["Theta1"][:, :1], theta[:, :1])
    assert np.array_equal(found["Theta1"][:, 1:], small["layers"][0]["weights"])
    dense["weights"], dense["bias"] = theta[:2, 2:], theta[:2, :1]  # a neuron and an input less
    oc.export(model, tmp_path / "out.mat")
    assert matfile.load(tmp_path / "out.mat")["Theta1"].shape == (2, 4)


def simplenn(tmp_path, save=matfile.save):
    w, b = random(3, 3, 2, 4, kind=np.float32), random(1, 4, kind=np.float32)
    moments = np.abs(random(4, 2, kind=np.float32)) + 1
    net = {"layers": [
        {"type": "conv", "name": "c", "weights": [w, b], "pad": 1.0},
        {"type": "bnorm", "weights": [b.T + 1, b.T, moments]},
        {"type": "relu"},
    ]}  # fmt: skip
    save(tmp_path / "in.mat", {"net": net, "epoch": 3.0})
    place = "net.layers{%d}.weights{%d}"
    norm = layer(
        "batchnorm", "n", scale=b.T + 1, offset=b.T, mean=moments[:, :1],
        variance=moments[:, 1:] ** 2 - np.float32(1e-4), epsilon=1e-4,
        source={
            "scale": origin(place % (2, 1), (4, 1), (1, 2)),
            "offset": origin(place % (2, 2), (4, 1), (1, 2)),
            "mean": origin(place % (2, 3), (4, 2), (1, 2), part=row(1, 1)),
            "variance": origin(place % (2, 3), (4, 2), (1, 2), part=row(2, 2), rule="sigma"),
        },
    )  # fmt: skip
    conv = layer(
        "conv2d", "c", weights=w, bias=b.T, padding=1.0,
        source={
            "weights": origin(place % (1, 1), w.shape, (1, 2, 3, 4)),
            "bias": origin(place % (1, 2), (1, 4), (2, 1)),
        },
    )  # fmt: skip
    layers = [conv, norm, layer("relu", "r")]
    return model_of(layers, "simplenn", tmp_path / "in.mat", (5, 5, 2)), net


@pytest.mark.parametrize("save", [matfile.save, matfile.save73])
def test_simplenn(tmp_path, save):
    """Weights, moments with the square root of the variance; all else is kept, v7.3 too."""
    model, net = simplenn(tmp_path, save)
    small, _ = verbs.quantize(model, bits=4, granularity="channel")
    oc.export(small, tmp_path / "out.mat")
    new = (tmp_path / "out.mat").read_bytes()[:10] == b"MATLAB 7.3"
    assert new == (save is matfile.save73)
    found = matfile.load(tmp_path / "out.mat")
    layers = found["net"]["layers"]
    assert found["epoch"] == 3 and layers[0]["pad"] == 1 and layers[2] == {"type": "relu"}
    assert np.array_equal(layers[0]["weights"][0], small["layers"][0]["weights"])
    assert np.array_equal(layers[0]["weights"][1], net["layers"][0]["weights"][1])
    assert np.allclose(layers[1]["weights"][2], net["layers"][1]["weights"][2], rtol=1e-6)
    assert layers[1]["weights"][2].dtype == np.float32


@pytest.mark.parametrize("save", [matfile.save, matfile.save73])
def test_dagnn_and_kernels_in_cells(tmp_path, save):
    """A struct array of parameters; DeepLearnToolbox's cells of kernels, turned around."""
    w = random(2, 2, 1, 3, kind=np.float32)
    params = StructArray([{"name": "f", "value": w}, {"name": "g", "value": 1.0}], (1, 2))
    kernels = [[random(2, 2, seed=j) for j in range(2)]]
    variables = {"net": {"params": params}, "cnn": {"layers": [{"k": kernels, "b": [0.5, 1.5]}]}}
    save(tmp_path / "in.mat", variables)
    source = {"weights": origin("net.params(1).value", w.shape, (1, 2, 3, 4))}
    model = model_of([layer("conv2d", "f", weights=2 * w, source=source)], "dagnn",
                     tmp_path / "in.mat", (4, 4, 1))  # fmt: skip
    oc.export(model, tmp_path / "out.mat")
    found = matfile.load(tmp_path / "out.mat")
    assert np.array_equal(found["net"]["params"][0]["value"][:, :, 0], 2 * w[:, :, 0])
    assert found["net"]["params"][1]["value"] == 1
    ours = np.stack([k[::-1, ::-1] for k in kernels[0]], axis=-1)[:, :, np.newaxis]
    source = {
        "weights": origin("cnn.layers{1}.k", (2, 2, 1, 2), (1, 2, 3, 4), rule="maps"),
        "bias": origin("cnn.layers{1}.b", (1, 2), (2, 1), rule="maps"),
    }
    conv = layer("conv2d", "c", weights=2 * ours, bias=np.array([[1.0], [2.0]]), source=source)
    model = model_of([conv], "deeplearn_cnn", tmp_path / "in.mat", (4, 4, 1))
    oc.export(model, tmp_path / "out.mat")
    found = matfile.load(tmp_path / "out.mat")["cnn"]["layers"][0]
    for new, old in zip(found["k"][0], kernels[0], strict=True):
        assert np.array_equal(new, 2 * old)
    assert found["b"] == [1.0, 2.0]


@pytest.mark.parametrize("archive", [False, True])
def test_keras(tmp_path, archive):
    """Datasets are overwritten in a copy; in a .keras archive too."""
    h5py = pytest.importorskip("h5py")
    kernel = random(3, 3, 2, 4, kind=np.float32)
    inside = "layers/conv/vars/0" if archive else "model_weights/conv/conv/kernel:0"
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        file[inside] = kernel
        file.attrs["model_config"] = "{}"
        file["other"] = np.arange(3)
    path = tmp_path / ("in.keras" if archive else "model.weights.h5")
    if archive:
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("config.json", "{}")
            zipped.write(tmp_path / "model.weights.h5", "model.weights.h5")
    source = {"weights": origin(inside, kernel.shape, (1, 2, 3, 4))}
    model = model_of([layer("conv2d", "c", weights=3 * kernel, source=source)], "keras", path,
                     (5, 5, 2))  # fmt: skip
    out = tmp_path / ("out.keras" if archive else "out.h5")
    oc.export(model, out)
    if archive:
        with zipfile.ZipFile(out) as zipped:
            assert zipped.read("config.json") == b"{}" and len(zipped.namelist()) == 2
            out = zipped.extract("model.weights.h5", tmp_path / "again")
    with h5py.File(out) as file:
        assert np.array_equal(file[inside], 3 * kernel) and file.attrs["model_config"] == "{}"
        assert np.array_equal(file["other"], np.arange(3))


def test_safetensors(tmp_path):
    """Back into a file: other arrays, metadata and half precision stay; judged by safetensors."""
    numpy = pytest.importorskip("safetensors.numpy")
    w = random(4, 2, 3, 3, kind=np.float16)
    held = {"a.count": np.array([7], np.int64), "c.weight": w, "z": random(2, kind=np.float32)}
    numpy.save_file(held, tmp_path / "in.safetensors", metadata={"who": "a test"})
    ours = w.transpose(2, 3, 1, 0).astype(np.float32)
    source = {"weights": origin("c.weight", w.shape, (3, 4, 2, 1))}
    conv = layer("conv2d", "c", weights=2 * ours, source=source)
    model = model_of([conv], "safetensors", tmp_path / "in.safetensors", (5, 5, 2))
    assert oc.export(model, tmp_path / "out.safetensors")["target"] == "source"
    found = numpy.load_file(tmp_path / "out.safetensors")
    assert found["c.weight"].dtype == np.float16 and np.array_equal(found["c.weight"], 2 * w)
    assert np.array_equal(found["z"], held["z"]) and found["a.count"] == 7
    assert to_safetensors.read_header(tmp_path / "out.safetensors")["__metadata__"] == {
        "who": "a test"
    }
    model["meta"]["source"]["file"] = "gone"
    oc.export(model, tmp_path / "new.safetensors")
    assert list(numpy.load_file(tmp_path / "new.safetensors")) == ["c.weight"]


def test_safetensors_for_pytorch(tmp_path):
    """PyTorch's modules give our outputs, images flattened as it does."""
    numpy = pytest.importorskip("safetensors.numpy")
    model, x = branches()
    dense = layer("dense", "d", weights=random(3, 48, kind=np.float32))
    layers = [*model["layers"][:2], layer("flatten", "f"), dense]
    model = {**model, "layers": layers, "outputs": ["d"]}
    oc.export(model, tmp_path / "m.safetensors")
    found = numpy.load_file(tmp_path / "m.safetensors")
    assert set(found) == {"c.weight", "c.bias", "b.weight", "b.bias", "b.running_mean",
                          "b.running_var", "d.weight"}  # fmt: skip
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    t = {name: torch.tensor(array) for name, array in found.items()}
    y = f.conv2d(torch.tensor(x.transpose(3, 2, 0, 1)), t["c.weight"], t["c.bias"], 2, 1)
    y = f.batch_norm(y, t["b.running_mean"], t["b.running_var"], t["b.weight"], t["b.bias"])
    y = (y.flatten(1) @ t["d.weight"].T).numpy().T
    assert apart(y, verbs.predict(model, x)) < 1e-5


def test_v73(tmp_path):
    """A network, and any dict of arrays."""
    pytest.importorskip("h5py")
    model, x = many_kinds()
    model, _ = verbs.quantize(model, bits=8, data=x)
    result = oc.export(model, tmp_path / "m.mat", backend="numpy")
    assert result["target"] == "mat73" and result["check"]["difference"] == 0
    again = matfile.load(tmp_path / "m.mat")
    assert np.array_equal(verbs.predict(again, x), verbs.predict(model, x))
    bag = {"Theta1": random(2, 3), "s": {"a": [1.0, "x"]}}
    result = oc.export(bag, tmp_path / "b.mat")
    assert not result["check"]["measured"]
    assert matfile.load(tmp_path / "b.mat")["s"] == bag["s"]


REAL = [
    ("ng_ex3weights.mat", {"activation": "sigmoid"}),
    ("lenet300.mat", {"activation": "relu"}),
    ("DnCNN_sigma25_Bnorm.mat", {"input_size": [12, 12, 1]}),  # v7.3, with objects in it
    ("ad01.h5", {}),
]


@pytest.mark.parametrize(("name", "options"), REAL)
def test_real_files(tmp_path, shared, name, options):
    """In, pruned, out, in again: the same outputs; the file is as large as before."""
    model, _ = oc.convert(shared / "models" / name, verify=False, **options)
    small, _ = verbs.prune(model, sparsity=0.5)
    result = oc.export(small, tmp_path / name, backend="numpy")
    assert result["target"] == "source" and result["check"]["measured"]
    assert result["check"]["difference"] < 1e-6
    assert abs(result["bytes"] / (shared / "models" / name).stat().st_size - 1) < 0.06


def test_described_layers(tmp_path, shared):
    """PyTorch's names do not say what stands between layers: the same description reads them."""
    layers = ["conv1", "maxpool", 2.0, "conv2", "maxpool", 2.0, "flatten", "fc1", "relu", "fc2"]
    options = {"layers": layers, "input_size": [28, 28, 1], "verify": False}
    model, _ = oc.convert(shared / "models" / "lenet5.mat", **options)
    small, _ = verbs.quantize(model, bits=3, granularity="channel")
    result = oc.export(small, tmp_path / "lenet5.mat", backend="numpy")
    assert not result["check"]["measured"] and "does not say" in result["check"]["reason"]
    oc.export(small, tmp_path / "m.safetensors", target="safetensors", check=False)
    x = random(28, 28, 1, 8, kind=np.float32)
    wanted = verbs.predict(small, x)
    for name in ("lenet5.mat", "m.safetensors"):
        back, _ = oc.convert(tmp_path / name, **options)
        assert apart(verbs.predict(back, x), wanted) < 1e-6, name


def test_refusals(tmp_path):
    model, _ = simplenn(tmp_path)
    layers = model["layers"]
    lost = {**layers[0], "source": {"weights": layers[0]["source"]["weights"]}}
    with pytest.raises(ModelError, match=r"1 arrays of MODEL have no place .*'c'.bias"):
        oc.export({**model, "layers": [lost, *layers[1:]]}, tmp_path / "out.mat")
    nowhere = origin("net.nothing{1}", (3, 3, 2, 4), (1, 2, 3, 4))
    wrong = {**layers[0], "source": {**layers[0]["source"], "weights": nowhere}}
    with pytest.raises(ModelError, match="the source has no"):
        oc.export({**model, "layers": [wrong, *layers[1:]]}, tmp_path / "out.mat")
    fewer = {**layers[0], "weights": layers[0]["weights"][..., :3], "weights_size": row(3, 3, 2, 3),
             "bias": layers[0]["bias"][:3]}  # fmt: skip
    with pytest.raises(ModelError, match=r"other sizes than in .*'c'.weights, 'c'.bias"):
        oc.export({**model, "layers": [fewer, layers[2]]}, tmp_path / "out.mat")
    with pytest.raises(ModelError, match="does not say where its arrays came from"):
        oc.export(model_of([layer("relu", "r")], "", "", (3,)), tmp_path / "out.h5")
    (tmp_path / "in.mat").unlink()
    with pytest.raises(FileError, match="is not there; name it by the option source"):
        oc.export(model, tmp_path / "out.mat")
    assert not list(tmp_path.iterdir())
