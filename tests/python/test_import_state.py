"""PyTorch's state_dict and safetensors in, held to the modules that they came from."""

import json

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress import FileError, ModelError, OctcompressError, OptionError, SessionError
from pyoctcompress.importers import convert

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")
nn = torch.nn


def network():
    torch.manual_seed(3)
    net = nn.Sequential()
    net.add_module("conv1", nn.Conv2d(2, 4, 3, stride=2, padding=1))
    net.add_module("bn1", nn.BatchNorm2d(4))
    net.add_module("act1", nn.PReLU(4))
    net.add_module("up", nn.ConvTranspose2d(4, 3, 2, stride=2))
    net.add_module("pool", nn.MaxPool2d(2))
    net.add_module("flat", nn.Flatten())
    net.add_module("fc", nn.Linear(3 * 4 * 3, 5))
    net[1].running_mean.normal_(), net[1].running_var.uniform_(0.5, 2)
    return net.eval()


LAYERS = ["conv1", {"stride": 2, "padding": 1}, "bn1", "act1", "up",
          {"type": "transposedconv2d", "stride": 2}, "maxpool", 2, "flatten", "fc"]  # fmt: skip
SIZE = [8, 6, 2]


@pytest.fixture(params=["pt", "checkpoint", "old pt", "safetensors"])
def file(request, tmp_path):
    state = network().state_dict()
    if request.param == "safetensors":
        safetensors.save_file(state, tmp_path / "m.safetensors")
        return tmp_path / "m.safetensors"
    if request.param == "checkpoint":
        state = {"epoch": 3, "state_dict": state}
    torch.save(state, tmp_path / "m.pt", _use_new_zipfile_serialization=request.param != "old pt")
    return tmp_path / "m.pt"


def test_against_the_module(file):
    model, info = convert(file, layers=LAYERS, input_size=SIZE, module=network())
    assert info["check"]["checked"] and info["check"]["difference"] < 1e-5
    assert info["layout"] == ("safetensors" if file.suffix == ".safetensors" else "pytorch")
    kinds = [layer["type"] for layer in model["layers"]]
    assert kinds == ["conv2d", "batchnorm", "prelu", "transposedconv2d", "maxpool", "flatten",
                     "dense"]  # fmt: skip
    record = model["layers"][0]["source"]["weights"]
    assert (record["name"], record["permute"].tolist()) == ("conv1.weight", [[3, 4, 2, 1]])
    assert model["layers"][0]["source"]["bias"]["size"].tolist() == [[4]]


@pytest.mark.parametrize("form", ["yaml", "json", "dict"])
def test_a_description_in_a_file(form, tmp_path):
    safetensors.save_file(network().state_dict(), tmp_path / "m.safetensors")
    described = {"layers": LAYERS, "input_size": SIZE, "mean": 0.5, "std": [2.0, 4.0]}
    given = described
    if form != "dict":
        import yaml

        text = yaml.safe_dump(described) if form == "yaml" else json.dumps(described)
        given = tmp_path / f"layers.{form}"
        given.write_text(text)
    model, _ = convert(tmp_path / "m.safetensors", layers=given)
    first = model["layers"][0]
    assert first["name"] == "normalize" and first["scale"].tolist() == [[0.5], [0.25]]
    x = np.random.RandomState([2]).standard_normal((*SIZE, 3)).astype(np.float32)
    t = (torch.from_numpy(x.transpose(3, 2, 0, 1).copy()) - 0.5) / torch.tensor([[2.0], [4.0]])[
        ..., None
    ]
    with torch.no_grad():
        expected = network()(t).numpy().T
    np.testing.assert_allclose(oc.predict(model, x, backend="numpy"), expected, atol=1e-5)


def test_a_wrong_description_is_noticed(file):
    with pytest.raises(ModelError, match="the outputs differ") as caught:
        convert(file, layers=[*LAYERS[:6], "relu", *LAYERS[6:]], input_size=SIZE, module=network())
    assert caught.value.tag == "wrongResult"
    model, info = convert(file, layers=[*LAYERS[:6], "relu", *LAYERS[6:]], input_size=SIZE)
    assert "no module to run" in info["check"]["text"] and len(model["layers"]) == 8


def test_a_chain_of_dense_layers_needs_only_the_activation(tmp_path):
    net = nn.Sequential(*[m for k in range(11) for m in (nn.Linear(4, 4), nn.ReLU())][:-1])
    safetensors.save_file(net.state_dict(), tmp_path / "m.safetensors")  # sorts 10 before 2
    model, info = convert(tmp_path / "m.safetensors", activation="relu", module=net)
    assert info["check"]["checked"]
    assert [layer["name"] for layer in model["layers"][:4:2]] == ["0", "2"]


def test_types_of_numbers(tmp_path):
    w = torch.tensor([[1.5, -2.0], [0.25, 3.0]])
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        torch.save({"a.weight": w.to(kind)}, tmp_path / "m.pt")
        safetensors.save_file({"a.weight": w.to(kind)}, tmp_path / "m.safetensors")
        for name in ("m.pt", "m.safetensors"):
            model, _ = convert(tmp_path / name, activation="relu")
            wanted = np.float64 if kind == torch.float64 else np.float32
            assert model["layers"][0]["weights"].dtype == wanted
            assert np.array_equal(model["layers"][0]["weights"], w.numpy())


def test_without_a_description(file):
    with pytest.raises(OptionError, match=r"give the option layers.*conv1.weight \[4, 2, 3, 3\]"):
        convert(file)
    with pytest.raises(OptionError, match="LAYERS must name arrays of the file"):
        convert(file, layers=["conv2"])
    with pytest.raises(OptionError, match="MODEL must have INPUT_SIZE"):
        convert(file, layers=LAYERS)
    with pytest.raises(OptionError, match="there is no option 'order'"):
        convert(file, order=LAYERS)
    with pytest.raises(OptionError, match="LAYERS must be a list"):
        convert(file, layers=3)
    with pytest.raises(FileError, match="cannot be read as YAML"):
        convert(file, layers="nowhere.yaml")


def test_what_no_layer_computes(tmp_path):
    torch.save(nn.LayerNorm(4).state_dict() | {"fc.weight": torch.ones(2, 4)}, tmp_path / "a.pt")
    torch.save({"norm.weight": torch.ones(4), "norm.bias": torch.ones(4)}, tmp_path / "m.pt")
    with pytest.raises(ModelError, match="looks like a LayerNorm"):
        convert(tmp_path / "m.pt", layers=["norm"], input_size=4)
    torch.save({"a.weight": torch.ones(2, 2).to_sparse()}, tmp_path / "m.pt")
    with pytest.raises(ModelError, match="weight is a Tensor, no full tensor"):
        convert(tmp_path / "m.pt", activation="relu")


def test_a_file_cannot_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    torch.save({"a": Evil()}, tmp_path / "m.pt")
    with pytest.raises(FileError, match="weights_only"):
        convert(tmp_path / "m.pt", activation="relu")
    assert not (tmp_path / "made").exists()
    torch.save(network(), tmp_path / "m.pt")
    with pytest.raises(FileError, match=r"save the model's state_dict \(\)"):
        convert(tmp_path / "m.pt", activation="relu")


def test_without_torch(tmp_path, monkeypatch):
    torch.save({"a.weight": torch.ones(2, 2)}, tmp_path / "m.pt")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(SessionError, match="pip install torch"):
        convert(tmp_path / "m.pt", activation="relu")
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    (tmp_path / "m.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    with pytest.raises(SessionError, match=r"pip install octcompress\[convert\]"):
        convert(tmp_path / "m.safetensors", activation="relu")


def test_damaged_by_chance(tmp_path):
    state = {"a.weight": torch.ones(3, 3), "b.weight": torch.ones(2, 3)}
    torch.save(state, tmp_path / "m.pt")
    safetensors.save_file(state, tmp_path / "m.safetensors")
    random = np.random.RandomState([5])
    for name in ("m.pt", "m.safetensors"):
        content = (tmp_path / name).read_bytes()
        bad = (tmp_path / name).with_stem("bad")
        for _ in range(40):
            data = bytearray(content)
            for _ in range(random.randint(1, 8)):
                data[random.randint(0, len(data))] = random.randint(0, 256)
            if random.rand() < 0.3:
                del data[random.randint(20, len(data)) :]
            bad.write_bytes(data)
            try:
                convert(bad, activation="relu")
            except OctcompressError as error:
                assert error.identifier.startswith("octcompress:convert:"), error
