"""The command line as a user types it."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress.cli import main
from tests.e2e.commands import children, environment, run, run_alone, run_json, start, until

HEADS = ["layer", "type", "shape", "parameters", "nonzeros", "bits", "bytes", "MACs"]
BACKENDS = pytest.mark.parametrize("backend", ["octave", "numpy"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model, a student and data files of three easy classes."""
    folder = tmp_path_factory.mktemp("cli")
    random = np.random.default_rng(0)

    def dense(out, inputs):
        weights = random.standard_normal((out, inputs)).astype(np.float32) / inputs**0.5
        return {"type": "dense", "weights": weights, "bias": np.zeros((out, 1), np.float32)}

    oc.save(folder / "model.mat", {"layers": [dense(20, 12), {"type": "relu"}, dense(3, 20)]})
    oc.save(folder / "student.mat", {"layers": [dense(4, 12), {"type": "relu"}, dense(3, 4)]})
    labels = np.arange(300) % 3
    pixels = random.integers(0, 90, (300, 12))
    pixels[np.arange(300), labels] += 120
    one_hot = np.eye(3, dtype=np.uint8)[labels]
    rows = pixels.astype(np.uint8)
    oc.save(
        folder / "data.mat",
        {"train_x": rows[:240], "train_y": one_hot[:240], "test_x": rows[240:],
         "test_y": one_hot[240:]},
    )  # fmt: skip
    oc.train(
        folder / "model.mat",
        oc.DataFile(folder / "data.mat", "train"),
        epochs=20,
        batch_size=30,
        learning_rate=0.05,
        output=folder / "model.mat",
        backend="numpy",
    )
    return folder


# ------------------------------------------------------------------------------------ the commands


@BACKENDS
def test_info(folder, backend):
    output, _ = run("info", folder / "model.mat", "--backend", backend)
    lines = output.splitlines()
    assert lines[0].split() == HEADS
    assert lines[1].split()[:5] == ["dense_1", "dense", "20", "x", "12"]
    assert lines[-1] == f"{folder / 'model.mat'}: {(folder / 'model.mat').stat().st_size:,} bytes"
    found = run_json("info", folder / "model.mat", "--backend", backend)
    assert found["totals"]["parameters"] == 20 * 13 + 3 * 21


@BACKENDS
def test_prune(folder, backend, tmp_path):
    out = tmp_path / "out.mat"
    args = ["prune", folder / "model.mat", "-o", out, "--sparsity", "0.9", "--scope", "global"]
    output, errors = run(*args, "--backend", backend)
    assert "nonzeros" in output and "bytes on disk" in output
    assert errors == ""
    weights = [oc.load(out)["layers"][k]["weights"] for k in (0, 2)]
    assert sum(np.count_nonzero(w) for w in weights) == 300 - 270
    found = run_json(*args, "--backend", backend)
    assert found["before"]["nonzeros"] > 300
    assert found["info"]["zeros"] == 270
    assert found["after"]["file_bytes"] == out.stat().st_size


def test_both_backends_write_the_same_weights(folder, tmp_path):
    for verb, options in (
        ("prune", ["--threshold", "0.2", "--scale", "max"]),
        ("quantize", ["--bits", "4", "--granularity", "channel"]),
    ):
        for backend in ("octave", "numpy"):
            out = tmp_path / f"{backend}.mat"
            run(verb, folder / "model.mat", "-o", out, *options, "--backend", backend)
        a, b = (oc.load(tmp_path / f"{name}.mat") for name in ("octave", "numpy"))
        for k in (0, 2):
            assert a["layers"][k]["weights"].tobytes() == b["layers"][k]["weights"].tobytes()


def test_layers_and_other_options(folder, tmp_path):
    out = tmp_path / "out.mat"
    options = ["--sparsity", "0.5", "--layers", "dense_3", "--bias", "--set", "scope=global"]
    found = run_json("prune", folder / "model.mat", "-o", out, *options)
    assert [row["tensor"] for row in found["info"]["layers"]] == ["dense_3.weights", "dense_3.bias"]
    assert found["info"]["options"]["scope"] == "global"
    found = run_json("prune", folder / "model.mat", "-o", out, "--sparsity", "0.5", "--layers", "1")
    assert [row["tensor"] for row in found["info"]["layers"]] == ["dense_1.weights"]


@BACKENDS
def test_quantize_with_data(folder, backend, tmp_path):
    out = tmp_path / "out.mat"
    args = ["quantize", folder / "model.mat", "-o", out, "--bits", "4", "--granularity", "channel"]
    run(*args, "--data", folder / "data.mat", "--backend", backend, "--compress")
    model = oc.load(out)
    assert model["layers"][0]["quantization"]["weights"]["bits"] == 4
    assert model["quantization"]["input"]["bits"] == 8
    accuracy = run_json("evaluate", out, "--data", folder / "data.mat")["accuracy"]
    assert accuracy > 0.9


@BACKENDS
def test_rdoq(folder, backend, tmp_path):
    out = tmp_path / "out.mat"
    args = ["rdoq", folder / "model.mat", "-o", out, "--data", folder / "data.mat"]
    found = run_json(*args, "--tradeoff", "0.001", "--coding", "auto", "--backend", backend)
    assert found["info"]["bytes"] < found["after"]["file_bytes"] < found["info"]["bytes"] + 400
    assert found["after"]["file_bytes"] < found["before"]["file_bytes"] / 2
    assert run_json("evaluate", out, "--data", folder / "data.mat")["accuracy"] > 0.9


@BACKENDS
def test_evaluate(folder, backend):
    args = ["evaluate", folder / "model.mat", "--data", folder / "data.mat", "--backend", backend]
    found = run_json(*args)
    assert (found["count"], len(found["predicted"][0])) == (60, 60)
    assert found["accuracy"] > 0.9
    assert run_json(*args, "--part", "train", "--limit", "100")["count"] == 100
    assert found["top_k"] >= found["accuracy"]
    shown = run(*args, "--top-k", "1", "--auc")[0]
    assert f"({found['correct']} of 60)" in shown
    assert f"top 1     {100 * found['accuracy']:.2f}%" in shown and "AUC" in shown


@BACKENDS
def test_train(folder, backend, tmp_path):
    small, out = tmp_path / "small.mat", tmp_path / "out.mat"
    run("prune", folder / "model.mat", "-o", small, "--sparsity", "0.8", "--backend", "numpy")
    options = ["--epochs", "3", "--optimizer", "adam", "--batch-size", "20", "--seed", "1"]
    data = ["--data", folder / "data.mat"]
    output, _ = run("train", small, *data, "-o", out, *options, "--backend", backend)
    assert "last epoch: loss" in output
    before, after = (oc.load(f)["layers"][0]["weights"] for f in (small, out))
    assert np.array_equal(before == 0, after == 0)
    assert not np.array_equal(before, after)


@BACKENDS
def test_distill(folder, backend, tmp_path):
    out = tmp_path / "out.mat"
    models = [folder / "model.mat", folder / "student.mat"]
    options = ["--loss", "kl", "--temperature", "4", "--epochs", "20", "--batch-size", "30",
               "--learning-rate", "0.1"]  # fmt: skip
    data = ["--data", folder / "data.mat"]
    found = run_json("distill", *models, *data, "-o", out, *options, "--backend", backend)
    assert found["info"]["options"]["temperature"] == 4
    assert run_json("evaluate", out, *data, "--backend", "numpy")["accuracy"] > 0.8


@BACKENDS
def test_student(folder, backend, tmp_path):
    teacher, out = folder / "model.mat", tmp_path / "small.mat"
    found = run_json("student", teacher, "-o", out, "--width", "0.5", "--backend", backend)
    assert found["after"]["parameters"] < found["before"]["parameters"]
    cache = tmp_path / "outputs.mat"
    both = [teacher, out, "--teacher", folder / "student.mat", "--cache", cache]
    features = '{"teacher": "relu_2", "loss": "similarity"}'
    options = ["--epochs", "2", "--set", f"features={features}", "-o", tmp_path / "taught.mat"]
    options += ["--data", folder / "data.mat", "--backend", backend]
    found = run_json("distill", *both, *options)
    assert len(found["info"]["history"]["feature_loss"][0]) == 2
    assert cache.stat().st_size > 248
    draw = ["--set", 'draw={"mean": 0, "deviation": 1, "count": 20, "steps": 2}', "--epochs", "1"]
    found = run_json("distill", teacher, out, "-o", out, *draw, "--backend", backend)
    assert found["info"]["steps"] == 1


def test_crosscheck(folder):
    output, _ = run("crosscheck", folder / "model.mat", "--data", folder / "data.mat")
    assert output.splitlines()[-1] == "Octave and NumPy agree"
    assert "prune sparsity 0.9 global" in output and "identical" in output
    found = run_json("crosscheck", folder / "model.mat")
    assert found["ok"] and len(found["steps"]) == 9


def test_doctor_says_what_is_wrong(tmp_path):
    found = run_alone("doctor", status=1, env=environment(OCTAVE_EXECUTABLE="/nowhere/octave"))[0]
    assert "WRONG  Octave program" in found
    assert "install octave" in found
    program = tmp_path / "octave"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    found = run_alone("doctor", status=1, env=environment(OCTAVE_EXECUTABLE=str(program)))[0]
    assert "WRONG  Octave " in found


def test_doctor(folder):
    process = start("doctor", "--json", env=environment())
    found = json.loads(process.communicate(timeout=120)[0])
    assert process.returncode == (0 if found["ok"] else 1)
    assert {check["name"]: check for check in found["checks"]}["self-test"]["ok"]


# -------------------------------------------------------------------------------- errors and limits

COMMANDS = [
    "info",
    "prune",
    "quantize",
    "rdoq",
    "train",
    "student",
    "distill",
    "evaluate",
    "crosscheck",
    "doctor",
]


def test_help_is_quick():
    """By the processor's time, which other processes hardly change."""
    times = []
    for _ in range(3):
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        output, _ = run_alone("--help")
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime)
    assert min(times) < 0.2, times
    assert all(command in output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"Example: octcompress {command}" in text
    assert "--json" in text


def test_version():
    assert run_alone("--version")[0] == f"octcompress {oc.__version__}\n"


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["compress"],
        ["prune", "m.mat"],
        ["prune", "m.mat", "-o", "o.mat", "--sparsity", "0.9", "--threshold", "1"],
        ["prune", "m.mat", "-o", "o.mat", "--sparsity", "much"],
        ["quantize", "m.mat", "-o", "o.mat", "--set", "bits"],
        ["evaluate", "m.mat"],
        ["info", "m.mat", "--backend", "matlab"],
        ["evaluate", "m.mat", "--data", "d.mat", "--limit", "0"],
        ["info", "m.mat", "--timeout", "-1"],
    ],
)
def test_wrong_command_lines(args, capsys):
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code == 2
    assert "usage: octcompress" in capsys.readouterr().err


@BACKENDS
def test_errors(folder, backend, tmp_path):
    out = tmp_path / "o.mat"
    back = ["--backend", backend]
    cases = [
        (["info", tmp_path / "no.mat"], "nn_info: there is no file"),
        (["prune", folder / "model.mat", "-o", out, "--sparsity", "2"],
         "nn_prune: SPARSITY must be a number from 0 to 1, but is 2"),
        (["quantize", folder / "model.mat", "-o", out, "--set", "bit=4"],
         "nn_quantize: there is no option 'bit'; the options are bits"),
        (["prune", folder / "model.mat", "-o", tmp_path / "no" / "o.mat", "--sparsity", "0.5"],
         "nn_save: "),
        (["evaluate", folder / "model.mat", "--data", folder / "model.mat"],
         "must hold test_x and test_y, or X and Y"),
    ]  # fmt: skip
    for args, message in cases:
        output, errors = run(*args, *back, status=1)
        assert errors.startswith("octcompress: ")
        assert message in errors
        assert output == ""
    assert not out.exists()
    found = run_json(*cases[1][0], *back, status=1)
    assert found["error"]["identifier"] == "octcompress:nn_prune:badValue"


def test_a_file_that_is_no_model(tmp_path):
    pointer = tmp_path / "pointer.mat"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    for backend in ("octave", "numpy"):
        assert "Git LFS pointer" in run("info", pointer, "--backend", backend, status=1)[1]


def test_time_limit(folder, tmp_path):
    data = ["--data", folder / "data.mat", "--epochs", "1000000"]
    _, errors = run(
        "train", folder / "model.mat", "-o", tmp_path / "o.mat", *data, "--timeout", "4", status=1
    )
    assert "longer than its limit of 4 s" in errors
    assert not (tmp_path / "o.mat").exists()


def test_paths_are_relative_to_where_the_user_is(folder, tmp_path, monkeypatch):
    os.link(folder / "model.mat", tmp_path / "m.mat")
    run("info", folder / "model.mat")  # Octave has started, in another folder
    monkeypatch.chdir(tmp_path)
    run("prune", "m.mat", "-o", "o.mat", "--sparsity", "0.5")
    assert (tmp_path / "o.mat").is_file()
    assert sorted(os.listdir(tmp_path)) == ["m.mat", "o.mat"]


def test_the_output_may_be_the_input(folder, tmp_path):
    file = tmp_path / "m.mat"
    oc.save(file, oc.load(folder / "model.mat"))
    run("prune", file, "-o", file, "--sparsity", "0.5")
    assert np.count_nonzero(oc.load(file)["layers"][0]["weights"]) == 120


def test_a_closed_pipe_is_no_error(folder):
    command = f"{sys.executable} -m pyoctcompress.cli info {folder / 'model.mat'} --backend numpy"
    done = subprocess.run(
        ["sh", "-c", f"{command} | true"], capture_output=True, text=True, env=environment()
    )
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_saves_what_there_is_and_leaves_no_octave(folder, tmp_path):
    out, state = tmp_path / "o.mat", tmp_path / "state.mat"
    process = start(
        "train", folder / "model.mat", "-o", out, "--data", folder / "data.mat",
        "--epochs", "1000000", "--checkpoint", state, "--set", "checkpoint_minutes=0",
        env=environment(),
    )  # fmt: skip
    until(state.exists, process)
    octaves = children(process.pid)
    assert octaves
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "interrupted; what there was is saved" in errors
    assert not np.array_equal(
        oc.load(out)["layers"][0]["weights"], oc.load(folder / "model.mat")["layers"][0]["weights"]
    )
    until(lambda: not [pid for pid in octaves if Path(f"/proc/{pid}").exists()], seconds=10)


@BACKENDS
def test_packed_files(folder, backend, tmp_path):
    small, plain = tmp_path / "small.mat", tmp_path / "plain.mat"
    quantize = ["quantize", folder / "model.mat", "-o", small, "--bits", 4, "--bias"]
    report = run_json(*quantize, "--coding", "auto", "--backend", backend)
    assert report["after"]["file_bytes"] == small.stat().st_size < 800
    text, _ = run("info", small, "--backend", backend)
    lines = text.splitlines()
    assert lines[-2].split()[0] == "total" and lines[-2].split()[-1] == str(small.stat().st_size)
    run("unpack", small, "-o", plain, "--backend", backend)
    report = run_json("pack", plain, "-o", tmp_path / "again.mat", "--backend", backend)
    assert report["before"] == plain.stat().st_size
    assert report["file_bytes"] == small.stat().st_size
    assert (tmp_path / "again.mat").read_bytes() == small.read_bytes()
    data = ["--data", folder / "data.mat", "--backend", backend]
    one, other = (run_json("evaluate", file, *data) for file in (small, plain))
    assert one["loss"] == other["loss"]
