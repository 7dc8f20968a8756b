"""The Python API: both backends, paths and arrays, options as Python users write them."""

import math

import numpy as np
import pytest

import pyoctcompress as oc

BACKENDS = pytest.mark.parametrize("backend", ["octave", "numpy"])


@pytest.fixture
def model():
    random = np.random.default_rng(0)
    weights = [random.standard_normal(shape).astype(np.float32) for shape in ((8, 6), (3, 8))]
    layers = [
        {"type": "dense", "name": "a", "weights": weights[0], "bias": np.ones((8, 1), np.float32)},
        {"type": "relu", "name": "r"},
        {"type": "dense", "name": "b", "weights": weights[1]},
        {"type": "softmax", "name": "s"},
    ]
    return {"layers": layers, "input_size": 6.0, "meta": {"note": "ä", "k": np.int8([[1, 2]])}}


@pytest.fixture
def data():
    random = np.random.default_rng(1)
    X = random.random((6, 90), np.float32)
    return X, (X[:3].argmax(axis=0) + 1.0).reshape(1, -1)


@pytest.fixture
def data_file(data, tmp_path):
    file = tmp_path / "data.mat"
    oc.save(file, {"X": data[0], "Y": data[1]})
    return file


def test_load_and_save(model, tmp_path):
    report = oc.save(tmp_path / "m.mat", model)
    assert report["bytes"] == (tmp_path / "m.mat").stat().st_size
    back = oc.load(tmp_path / "m.mat")
    assert back["format"] == "octcompress"
    assert back["version"] == 1
    assert back["meta"]["note"] == "ä"
    assert np.array_equal(back["layers"][0]["weights"], model["layers"][0]["weights"])
    assert "format" not in model, "the user's model is left as it was"
    smaller = oc.save(tmp_path / "z.mat", {"w": np.zeros((100, 100))}, compress=True)
    assert smaller["bytes"] < 1000


def test_load_fills_in_what_may_be_left_out(tmp_path):
    oc.save(tmp_path / "m.mat", {"Theta": np.eye(2)})
    assert list(oc.load(tmp_path / "m.mat")) == ["Theta"]
    layers = [{"type": "dense", "weights": np.ones((2, 5), np.float32)}]
    oc.save(tmp_path / "m.mat", {"layers": layers})
    back = oc.load(tmp_path / "m.mat")
    assert back["layers"][0]["name"] == "dense_1"
    assert back["input_size"] == 5


def test_save_refuses_what_is_no_model(tmp_path):
    with pytest.raises(oc.OptionError, match="MODEL must be a dict, but is a ndarray"):
        oc.save(tmp_path / "m.mat", np.eye(2))
    with pytest.raises(oc.OptionError, match=r"layers\[0\]\.f is a"):
        oc.save(tmp_path / "m.mat", {"layers": [{"f": print}]})


@BACKENDS
def test_prune(model, backend):
    small, info = oc.prune(model, sparsity=0.5, backend=backend)
    assert info["zeros"] == 36
    assert info["options"]["sparsity"] == 0.5
    weights = small["layers"][0]["weights"]
    assert weights.dtype == np.float32
    magnitudes = np.sort(np.abs(model["layers"][0]["weights"]), axis=None)
    assert np.array_equal(np.sort(np.abs(weights[weights != 0])), magnitudes[24:])
    assert small["layers"][0]["pruning"]["weights"]["zeros"] == 24
    assert small["meta"]["note"] == "ä"
    assert np.count_nonzero(model["layers"][0]["weights"]) == 48


@BACKENDS
def test_options_as_python_has_them(model, backend):
    by_name = oc.prune(model, sparsity=0.5, layers=["b"], backend=backend)[0]
    for layers in ([3], (3,), 3, range(3, 4), np.array([3])):
        by_number = oc.prune(model, sparsity=0.5, layers=layers, backend=backend)[0]
        assert np.array_equal(by_name["layers"][2]["weights"], by_number["layers"][2]["weights"])
        assert by_number["layers"][0]["weights"].all()
    both = oc.prune(model, sparsity=0.5, layers=None, bias=True, backend=backend)[1]
    assert len(both["layers"]) == 3


@BACKENDS
def test_arrays(backend):
    w = np.array([[1.0, -3.0], [2.0, 0.5]])
    pruned, info = oc.prune(w, threshold=0.4, backend=backend)
    assert pruned.tolist() == [[0, -3], [2, 0]]
    assert info["mask"].tolist() == [[False, True], [True, False]]
    codes, info = oc.quantize(w.astype(np.float32), 4, codes=True, backend=backend)
    assert codes.dtype == np.int8
    assert codes.tolist() == [[2, -7], [5, 1]]
    values, _ = oc.quantize(w.astype(np.float32), bits=4, backend=backend)
    scale = np.float32(3 / 7)
    assert values.dtype == np.float32
    assert np.array_equal(values, codes.astype(np.float32) * scale)


@BACKENDS
def test_files_in_and_out(model, backend, tmp_path):
    file, out = tmp_path / "m.mat", tmp_path / "out.mat"
    oc.save(file, model)
    path, info = oc.quantize(file, 4, backend=backend, output=out, compress=True)
    assert path == out
    assert {row["bits"] for row in info["layers"]} == {4}
    loaded = oc.load(out)
    direct = oc.quantize(model, 4, backend=backend)[0]
    assert np.array_equal(loaded["layers"][0]["weights"], direct["layers"][0]["weights"])
    assert oc.info(str(out), backend=backend)["rows"][0]["bits"] == 4
    in_memory, _ = oc.quantize(file, 4, backend=backend)
    assert in_memory["meta"]["note"] == "ä"


@BACKENDS
def test_predict_and_evaluate(model, data, data_file, backend):
    X, Y = data
    probabilities = oc.predict(model, X, backend=backend, batch_size=32)
    hidden = np.maximum(model["layers"][0]["weights"] @ X + 1, 0)
    logits = model["layers"][2]["weights"] @ hidden
    expected = np.exp(logits) / np.exp(logits).sum(axis=0)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    report = oc.evaluate(model, X, Y, backend=backend)
    correct = int((expected.argmax(axis=0) + 1 == Y).sum())
    assert (report["correct"], report["count"]) == (correct, 90)
    assert report["accuracy"] == correct / 90
    from_file = oc.evaluate(model, oc.DataFile(data_file, limit=50), backend=backend)
    assert from_file["count"] == 50
    assert oc.predict(model, oc.DataFile(data_file), backend=backend).shape == (3, 90)


@BACKENDS
def test_calibration_from_an_array_and_from_a_file(model, data, data_file, backend):
    from_array = oc.quantize(model, data=data[0], backend=backend)[0]
    from_file = oc.quantize(model, data=oc.DataFile(data_file), backend=backend)[0]
    grid = from_array["layers"][1]["quantization"]["output"]
    assert grid["bits"] == 8
    assert grid == from_file["layers"][1]["quantization"]["output"]


def test_data_and_labels_of_a_criterion_from_one_file(model, data, data_file):
    file = oc.DataFile(data_file)
    options = {"sparsity": 0.5, "criterion": "taylor"}
    from_file = oc.prune(model, data=file, labels=file, **options)[0]
    from_arrays = oc.prune(model, data=data[0], labels=data[1], **options)[0]
    a, b = (m["layers"][0]["weights"] for m in (from_file, from_arrays))
    assert np.array_equal(a, b)
    assert np.count_nonzero(a) == 24


@BACKENDS
def test_train_keeps_the_zeros_and_reports_progress(model, data, backend):
    X, Y = data
    small = oc.prune(model, sparsity=0.5, backend="numpy")[0]
    seen = []
    trained, info = oc.train(
        small,
        X,
        Y,
        epochs=3,
        batch_size=32,
        backend=backend,
        progress=lambda *event: seen.append(event),
    )
    assert [event[1:3] for event in seen] == [(1, 3), (2, 3), (3, 3)]
    assert "loss" in seen[0][3]
    before, after = (m["layers"][0]["weights"] for m in (small, trained))
    assert np.array_equal(before == 0, after == 0)
    assert not np.array_equal(before, after)
    assert info["epochs"] == 3
    assert np.ravel(info["history"]["loss"])[-1] < np.ravel(info["history"]["loss"])[0]


@BACKENDS
def test_distill_without_labels(model, data, backend):
    student = oc.prune(model, sparsity=0.5, backend="numpy")[0]
    options = {"epochs": 5, "loss": "kl", "temperature": 3, "backend": backend}
    taught, info = oc.distill(model, student, data[0], **options)
    assert info["options"]["loss"] == "kl"

    def distance(m):
        outputs = [oc.predict(n, data[0], backend="numpy") for n in (model, m)]
        return np.abs(outputs[0] - outputs[1]).mean()

    assert distance(taught) < distance(student)


@BACKENDS
def test_distill_from_several_teachers(model, data, backend, tmp_path):
    file = tmp_path / "teacher.mat"
    oc.save(file, model)
    student = oc.student(model, width=0.5, backend=backend)[0]
    options = {"epochs": 2, "backend": backend, "cache": tmp_path / "outputs.mat"}
    taught, info = oc.distill([model, file], student, data[0], teacher_weights=[1, 2], **options)
    assert np.ravel(info["history"]["teacher_loss"]).size == 2
    again, _ = oc.distill([model, file], student, data[0], teacher_weights=[1, 2], **options)
    assert np.array_equal(taught["layers"][0]["weights"], again["layers"][0]["weights"])
    with pytest.raises(oc.OctcompressError, match="holds the outputs of another teacher"):
        oc.distill([model, student], student, data[0], **options)


@BACKENDS
def test_distill_without_data(model, backend):
    options = {"epochs": 1, "backend": backend}
    with pytest.raises(oc.OctcompressError, match="no batch normalisation that remembers"):
        oc.distill(model, model, **options)
    draw = {"count": 20, "mean": 0, "deviation": 1, "steps": 2}
    _, info = oc.distill(model, model, draw=draw, **options)
    assert info["steps"] == 1


@BACKENDS
def test_train_from_files_to_a_file(model, data_file, backend, tmp_path):
    oc.save(tmp_path / "m.mat", model)
    path, _ = oc.train(
        tmp_path / "m.mat",
        oc.DataFile(data_file),
        epochs=1,
        backend=backend,
        output=tmp_path / "o.mat",
    )
    assert path == tmp_path / "o.mat"
    assert oc.load(path)["layers"][2]["weights"].shape == (3, 8)


def test_checkpoints_are_where_python_is(model, data, tmp_path, monkeypatch):
    oc.info(model)  # Octave has started, in another folder
    monkeypatch.chdir(tmp_path)
    oc.train(model, *data, epochs=1, checkpoint="state.mat")
    assert (tmp_path / "state.mat").is_file()
    resumed = oc.train(model, *data, epochs=2, resume="state.mat")[1]
    assert resumed["epochs"] == 2


@BACKENDS
@pytest.mark.parametrize(
    ("verb", "options", "tag", "kind"),
    [
        ("prune", {"sparsty": 0.5}, "unknownOption", oc.OptionError),
        ("prune", {"sparsity": 2}, "badValue", oc.OptionError),
        ("prune", {"sparsity": 0.5, "layers": ["nosuch"]}, "unknownLayer", oc.ModelError),
        ("quantize", {"bits": 17}, "badValue", oc.OptionError),
    ],
)
def test_errors_are_the_same_on_both_backends(model, backend, verb, options, tag, kind):
    with pytest.raises(kind) as caught:
        getattr(oc, verb)(model, backend=backend, **options)
    assert caught.value.identifier == f"octcompress:nn_{verb}:{tag}"
    assert caught.value.octave == (backend == "octave")
    with pytest.raises(kind) as other:
        getattr(oc, verb)(model, backend="numpy", **options)
    # The list of known options is longer in Octave.
    assert caught.value.message.partition(";")[0] == other.value.message.partition(";")[0]


def test_an_unknown_backend(model):
    with pytest.raises(oc.OptionError, match="BACKEND must be one of 'octave', 'numpy'"):
        oc.prune(model, sparsity=0.5, backend="matlab")


def test_ctrl_c_gives_what_there_is(model, data):
    def interrupt(task, done, total, figures):
        if done == 3:
            raise KeyboardInterrupt

    trained, info = oc.train(model, *data, epochs=100000, progress=interrupt)
    assert info == {"stopped": "interrupted"}
    assert not np.array_equal(trained["layers"][0]["weights"], model["layers"][0]["weights"])


# ----------------------------------------------------------------------------------------- data

PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 12)  # two images of 2 x 3 x 2, one in a row
DATA = {
    "train and test": {
        "train_x": PIXELS, "train_y": np.eye(2), "test_x": PIXELS[:1], "test_y": np.eye(2)[1:]},
    "class numbers": {"test_x": PIXELS, "test_y": np.array([[2], [1]], np.uint8),
                      "train_x": PIXELS, "train_y": np.array([[2.0], [1.0]])},
    "X and Y": {"X": np.arange(12.0).reshape(4, 3), "Y": np.array([1.0, 2.0, 1.0])},
    "one-hot columns": {"X": np.ones((4, 3), np.int16), "Y": np.array([[1, 0, 0], [0, 1, 1]])},
    "targets": {"X": np.ones((4, 3)), "Y": np.array([[0.5, 1, 2], [0, 1, 3]])},
    "no labels": {"X": np.ones((4, 3), np.float32)},
    "images": {"X": np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2),
               "Y": np.array([[1.0, 2.0]])},
    "logical": {"X": np.array([[True, False], [False, True]])},
}  # fmt: skip


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    "options",
    [{}, {"part": "train"}, {"limit": 1}, {"input_size": (2, 3, 2)},
     {"input_size": (2, 3, 2), "pixel_order": "column"}],
    ids=str,
)  # fmt: skip
def test_data_is_what_nn_data_gives(name, options, tmp_path):
    from pyoctcompress.octave import call

    oc.save(tmp_path / "d.mat", DATA[name])
    given = {k: np.array([v], float) if k == "input_size" else v for k, v in options.items()}
    part = given.pop("part", "test")
    pairs = [item for pair in given.items() for item in pair]
    try:
        expected = call("nn_data", str(tmp_path / "d.mat"), part, *pairs, nargout=2)
    except oc.OctcompressError as error:
        with pytest.raises(type(error)) as caught:
            oc.data(tmp_path / "d.mat", **options)
        assert caught.value.identifier == error.identifier
        assert caught.value.message == error.message
        return
    X, Y = oc.data(tmp_path / "d.mat", **options)
    got = (X, np.zeros((0, 0)) if Y is None else Y)
    for ours, theirs in zip(got, expected, strict=True):
        theirs = np.atleast_2d(theirs)
        while theirs.ndim < ours.ndim:
            theirs = theirs[..., None]  # Octave drops the last dimension of one image
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert np.array_equal(ours, theirs)


def test_data_refuses(tmp_path):
    oc.save(tmp_path / "d.mat", {"A": 1.0})
    with pytest.raises(oc.FileError, match="must hold test_x and test_y, or X and Y"):
        oc.data(tmp_path / "d.mat")
    with pytest.raises(oc.FileError, match="nn_data: there is no file"):
        oc.data(tmp_path / "no.mat")
    with pytest.raises(oc.OptionError, match="PART must be one of 'test', 'train'"):
        oc.data(tmp_path / "d.mat", "tset")
    with pytest.raises(oc.OptionError, match="there is no option 'limt'"):
        oc.data(tmp_path / "d.mat", limt=3)
    oc.save(tmp_path / "d.mat", {"X": "text"})
    with pytest.raises(oc.FileError, match=r"the inputs in .* must be numbers"):
        oc.data(tmp_path / "d.mat")


# ----------------------------------------------------------------------------- crosscheck, doctor


def test_crosscheck(model, data):
    seen = []
    report = oc.crosscheck(model, *data, progress=lambda *event: seen.append(event))
    assert report["ok"], report
    steps = {step["step"]: step for step in report["steps"]}
    assert len(steps) == len(seen) - 1 == 12
    for name in ("prune sparsity 0.9 global", "quantize 4 bits channel", "info"):
        assert steps[name]["identical"] and steps[name]["allowed"] == 0
    assert 0 < steps["train 1 epoch"]["allowed"] < 0.01


def test_crosscheck_of_tensors_only():
    report = oc.crosscheck({"Theta1": np.eye(3), "note": "x"})
    assert report["ok"]
    assert [step["step"] for step in report["steps"]][-1] == "quantize 4 bits affine"


def test_crosscheck_sees_a_difference(model, monkeypatch):
    from pyoctcompress.reference import verbs

    def broken(model, **options):
        result, info = true_prune(model, **options)
        result["layers"][2]["weights"][0, 0] += 1e-6
        return result, info

    true_prune = verbs.prune
    monkeypatch.setattr(verbs, "prune", broken)
    report = oc.crosscheck(model)
    wrong = [step for step in report["steps"] if not step["ok"]]
    assert {step["step"].split()[0] for step in wrong} == {"prune"}
    assert wrong[0]["where"] == "layers[2].weights"
    assert 0 < wrong[0]["difference"] < math.inf


def test_doctor_finds_all_well():
    report = oc.doctor()
    names = [check["name"] for check in report["checks"]]
    assert names[:5] == ["Python", "numpy", "scipy", "oct2py", "tqdm"]
    by_name = {check["name"]: check for check in report["checks"]}
    assert by_name["self-test"]["ok"], by_name["self-test"]
    assert "GFLOP/s" in by_name["matrix product"]["found"]
    assert all(bool(check["advice"]) != check["ok"] for check in report["checks"])


def test_doctor_without_octave(monkeypatch):
    monkeypatch.setenv("OCTAVE_EXECUTABLE", "/nowhere/octave")
    report = oc.doctor()
    assert not report["ok"]
    (wrong,) = (check for check in report["checks"] if not check["ok"])
    assert wrong["name"] == "Octave program"
    assert "install octave" in wrong["advice"]
