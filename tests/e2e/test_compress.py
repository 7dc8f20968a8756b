"""A network from a file of arrays to a small file and its report, as a user types it."""

import contextlib
import json
import os
import signal
import sys

import numpy as np
import pytest

import pyoctcompress as oc
from tests.e2e.commands import ROOT, children, environment, run, run_json, start, until
from tests.parity.harness import needs_octave

pytestmark = needs_octave
DIGITS = ROOT / "examples" / "data" / "mnist.mat"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A trained convolutional network and its data: where a bright square lies."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(1)
    y = 1.0 + np.arange(400) % 4
    x = random.random((8, 8, 1, 400)).astype(np.float32)
    for k, label in enumerate(y.astype(int) - 1):
        x[4 * (label // 2) :, 4 * (label % 2) :, 0, k][:4, :4] += 0.5
    oc.save(folder / "data.mat", {"X": x, "Y": y[np.newaxis]})
    layers = ["conv2d", [6, 3], "relu", "maxpool", 2, "flatten", "dense", 4]
    oc.train(
        oc.new("input", [8, 8, 1], *layers, backend="numpy"),
        oc.DataFile(folder / "data.mat"),
        epochs=8,
        optimizer="adam",
        learning_rate=0.01,
        output=folder / "model.mat",
        backend="numpy",
    )
    return folder


def search(folder, out, *more):
    files = [folder / "model.mat", "--data", folder / "data.mat", "-o", out]
    return ["compress", *files, "--max-drop", "3", *more]


def test_a_convolutional_network_keeps_its_budget(pictures, tmp_path):
    out = tmp_path / "small.mat"
    args = search(pictures, out, "--epochs", "6", "--candidates", "2")
    found = run_json(*args)
    assert found["drop"] <= 3
    assert found["bytes"] == out.stat().st_size < (pictures / "model.mat").stat().st_size / 2
    data = ["--data", pictures / "data.mat", "--backend", "numpy"]
    before = run_json("evaluate", pictures / "model.mat", *data)
    after = run_json("evaluate", out, *data)
    assert before["accuracy"] > 0.95
    assert after["accuracy"] > before["accuracy"] - 0.04
    first = out.read_bytes()
    run_json(*args)
    assert out.read_bytes() == first, "the same seed gives the same file"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_search_keeps_its_best_file_and_goes_on(pictures, tmp_path, way):
    out, state, whole = tmp_path / "o.mat", tmp_path / "state.mat", tmp_path / "whole.mat"
    more = ["--epochs", "40", "--candidates", "2"]
    args = search(pictures, out, *more, "--checkpoint", state)
    process = start(*args, env=environment())
    until(out.exists, process)
    until(lambda: kept(state).get("tried"), process)
    octaves = children(process.pid)
    process.send_signal(way)
    _, errors = process.communicate(timeout=120)
    for pid in octaves:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if way == signal.SIGINT:
        assert process.returncode == 130, errors
        assert f"interrupted; the best file so far is {out}" in errors
    tried = [row["seconds"] for row in kept(state)["tried"]]
    left = out.stat().st_size
    assert run_json("evaluate", out, "--data", pictures / "data.mat")["accuracy"] > 0.2
    resumed = run_json(*args)
    assert len(resumed["tried"]) > len(tried)
    assert [row["seconds"] for row in resumed["tried"][: len(tried)]] == tried
    # Of a recipe that was being noted when the signal came the file is there, the row is not.
    assert left in [row["bytes"] for row in resumed["tried"][: len(tried) + 1]]
    run_json(*search(pictures, whole, *more))
    assert out.read_bytes() == whole.read_bytes()


def kept(state):
    """Read a checkpoint that may be about to be written."""
    try:
        return oc.load(state)["search"] if state.exists() else {}
    except oc.OctcompressError:
        return {}


def test_arrays_as_they_came_from_training(shared, tmp_path):
    arrays, model = shared / "models" / "lenet300.mat", tmp_path / "model.mat"
    data = ["--data", DIGITS, "--limit", "200"]
    small = tmp_path / "small.mat"
    budget = ["--max-drop", "3", "--no-training", "--candidates", "1", "--set", "tradeoff=0.002"]
    _, errors = run("compress", arrays, *data, *budget, "-o", small, status=1)
    assert "octcompress convert" in errors
    run("convert", arrays, model, "--activation", "relu")
    found = run_json("compress", model, *data, *budget, "-o", small)
    assert found["bytes"] == small.stat().st_size < 80_000
    assert found["drop"] <= 3
    text, _ = run(
        "sensitivity", model, *data, "--bits", "4", "--sparsity", "0.5", "--layers", "fc3",
        "-o", tmp_path / "curves.png",
    )  # fmt: skip
    assert "fc3.weights" in text
    assert (tmp_path / "curves.png").stat().st_size > 1000
    rows = tmp_path / "sweep.jsonl"
    run("sweep", model, *data, "-o", rows, "--grid", "quantize.bits=2")
    [told] = [json.loads(line) for line in rows.read_text().splitlines()[1:]]
    assert told["bytes"] > 0
    page = tmp_path / "report.html"
    more = ["--sweep", rows, "--sensitivity", 0, "-o", page]
    run("report", small, "--against", model, *data, *more)
    assert all(f'id="{part}"' in page.read_text() for part in ("sizes", "front", "recipe"))


def test_arrays_of_convolutions(shared, tmp_path):
    model, small = tmp_path / "model.mat", tmp_path / "small.mat"
    layers = "conv1,maxpool,2,conv2,maxpool,2,flatten,fc1,relu,fc2"
    arrays = shared / "models" / "lenet5.mat"
    run("convert", arrays, model, "--input-size", "28,28,1", "--layers", layers)
    data = ["--data", DIGITS, "--limit", "200"]
    found = run_json("compress", model, *data, "--recipe", "int4", "-o", small)
    assert found["bytes"] == small.stat().st_size < 300_000
    assert found["drop"] <= 3
