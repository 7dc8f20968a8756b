"""Packed files: written and read by both sides and by SciPy, whole or not at all."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.io

import pyoctcompress as oc
from pyoctcompress import matfile

BACKENDS = pytest.mark.parametrize("backend", ["octave", "numpy"])


@pytest.fixture
def model():
    random = np.random.default_rng(0)
    weights = random.standard_normal((12, 30)).astype(np.float32)
    weights[abs(weights) < 1] = 0
    layers = [
        {"type": "dense", "name": "a", "weights": weights, "bias": np.ones((12, 1), np.float32)},
        {"type": "relu", "name": "r"},
        {"type": "dense", "name": "b", "weights": weights[:3, :12].copy()},
    ]
    small, _ = oc.quantize({"layers": layers, "meta": {"note": "ä"}}, 4, backend="numpy")
    return small


def same(a, b):
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b


@pytest.mark.parametrize("coding", ["auto", "huffman", "rans"])
def test_there_and_back(model, coding, tmp_path):
    file = tmp_path / "m.mat"
    report = oc.save(file, model, coding=coding)
    assert report["bytes"] == file.stat().st_size == sum(report["totals"].values())
    assert same(oc.load(file), model)
    tensor, _ = oc.unpack(file, tensor="a.weights", backend="numpy")
    assert same(tensor, model["layers"][0]["weights"])


def test_octave_writes_the_same_bytes(model, tmp_path):
    oc.save(tmp_path / "a.mat", model, coding="auto")
    oc.save(tmp_path / "plain.mat", model)
    path = oc.quantize(
        tmp_path / "plain.mat", 4, output=tmp_path / "b.mat", coding="auto", backend="octave"
    )[0]
    assert path.read_bytes() == (tmp_path / "a.mat").read_bytes()


@BACKENDS
def test_verbs_take_packed_files(model, backend, tmp_path):
    oc.save(tmp_path / "m.mat", model, coding="auto")
    x = np.random.default_rng(1).random((30, 20), np.float32)
    oc.save(tmp_path / "data.mat", {"X": x, "Y": np.ones((1, 20))}, coding="auto")
    loaded, labels = oc.data(tmp_path / "data.mat")
    assert same(loaded, np.asfortranarray(x)) and labels.shape == (1, 20)
    expected = oc.predict(model, x, backend=backend)
    got = oc.predict(tmp_path / "m.mat", oc.DataFile(tmp_path / "data.mat"), backend=backend)
    np.testing.assert_array_equal(got, expected)
    info = oc.info(tmp_path / "m.mat", backend=backend)
    assert sum(info["coding"]["totals"].values()) == (tmp_path / "m.mat").stat().st_size
    assert info["coding"]["rows"][0]["name"] == "a.weights"
    packed, figures = oc.pack(model, backend=backend)
    assert figures["bytes"] == (tmp_path / "m.mat").stat().st_size - 25
    assert same(oc.unpack(packed, backend=backend)[0], model)
    assert same(oc.unpack(packed["octc"].tobytes(), tensor="b.weights", backend=backend)[0],
                model["layers"][2]["weights"])  # fmt: skip


def test_others_open_them(model, tmp_path):
    file = tmp_path / "m.mat"
    oc.save(file, model, coding="auto")
    packed = scipy.io.loadmat(file)["octc"]
    assert packed.dtype == np.uint8
    assert same(oc.unpack({"octc": packed}, backend="numpy")[0], model)
    oc.save(file, model, coding="auto", readable=True)
    found = scipy.io.loadmat(file)
    assert found["layers"][0, 0]["name"][0, 0][0] == "a"
    assert found["layers"][0, 0]["weights"][0, 0].size == 0
    assert same(oc.load(file), model)


def test_anything_packs(tmp_path):
    values = {
        "numbers": np.arange(5.0).reshape(1, -1) / 3,
        "cells": ["text", True, [1.0, np.zeros((0, 3))], {"x": np.int16([[1, -2]])}],
        "structs": matfile.StructArray([{"a": 1.0}, {"a": "b"}], (1, 2)),
        "sparse": scipy.sparse.csc_array(np.diag([1.5, 0, 2])),
        "complex": np.array([[1 + 2j, 3]]),
        "images": (np.random.default_rng(2).random((4, 5, 2, 3)) > 0.5),
    }
    for coding in ("auto", "huffman", "rans"):
        oc.save(tmp_path / "a.mat", values, coding=coding)
        back = oc.load(tmp_path / "a.mat")
        sparse, structs = back.pop("sparse"), back.pop("structs")
        assert (sparse != values["sparse"]).nnz == 0
        assert structs.items == values["structs"].items
        assert same(back, {k: v for k, v in values.items() if k not in ("sparse", "structs")})


@pytest.mark.parametrize(
    ("change", "tag"),
    [
        (lambda b: b[:-1], "truncated"),
        (lambda b: b[:30], "truncated"),
        (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "damaged"),
        (lambda b: b[:27] + b"\x63" + b[28:], "version"),
        (lambda b: b[:25] + b"xx" + b[27:], "damaged"),
    ],
)
def test_damaged_files_are_refused_by_name(model, change, tag, tmp_path):
    file = tmp_path / "m.mat"
    oc.save(file, model, coding="auto")
    file.write_bytes(change(file.read_bytes()))
    for read in (oc.load, lambda f: oc.info(f, backend="octave")):
        with pytest.raises(oc.FileError) as caught:
            read(file)
        assert caught.value.tag == tag
        assert "m.mat" in str(caught.value)


def test_options(model, tmp_path):
    for options, message in (
        ({"coding": "zip"}, "CODING must be one of"),
        ({"coding": "auto", "compress": True}, "COMPRESS deflates files that are not coded"),
        ({"readable": True}, "READABLE is for coded files"),
    ):
        with pytest.raises(oc.OptionError, match=message):
            oc.save(tmp_path / "m.mat", model, **options)
    assert not list(tmp_path.iterdir())


WRITER = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import numpy as np, pyoctcompress as oc
w = np.random.default_rng(0).random((200, 200), np.float32)
resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))
try:
    oc.save(sys.argv[1], {"w": w}, coding="auto")
except oc.FileError as error:
    print(error.tag)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """The limit on the size of files stands for the disk's."""
    file = tmp_path / "m.mat"
    oc.save(file, {"w": 1.0}, coding="auto")
    before = file.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", WRITER, file], capture_output=True, text=True, check=False
    )
    assert done.stdout == "notWritten\n", done.stderr
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.mat"]
