"""The v7.3 writer, before three judges: our own reader, mat-io and libmatio."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
import scipy.sparse

from pyoctcompress import matfile
from pyoctcompress.errors import OctcompressError, OptionError
from pyoctcompress.matfile import StructArray

h5py = pytest.importorskip("h5py")

VALUES = {
    "double": np.arange(12.0).reshape(3, 4) / 7,
    "single": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "int8": np.arange(-3, 3, dtype=np.int8).reshape(2, 3),
    "uint64": np.array([[2**63]], np.uint64),
    "scalar": 2.5,
    "truth": True,
    "logical": np.array([[True, False]]),
    "text": "häß",
    "nothing": "",
    "chars": np.array([["a", "b"], ["c", "d"]]),
    "complex": np.array([[1 + 2j, 3]]),
    "complex_single": np.array([[1 + 2j, 3]], np.complex64),
    "cell": ["a", 1.0, [2.0, np.zeros((0, 3), np.float32)]],
    "cells": np.array([["x", 1.0, "y"], [2.0, "z", 3.0]], object),
    "record": {"b": 1.0, "a": "x", "n": {"q": [1.0]}},
    "records": StructArray([{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "y"}], (2, 1)),
    "no_fields": {},
    "no_records": StructArray([], (0, 3), ("f", "g")),
    "no_cells": [],
    "no_numbers": np.zeros((2, 0, 3), np.int16),
    "no_truths": np.zeros((2, 0), bool),
    "sparse": scipy.sparse.csc_array(np.array([[0, 1.0], [2, 0], [0, 0]])),
    "sparse_logical": scipy.sparse.csc_array(np.array([[False, True]])),
}


def assert_same(a, b, where):
    if scipy.sparse.issparse(a):
        assert a.dtype == b.dtype and (a != b).nnz == 0, where
        return
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            assert_same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, StructArray):
        assert (a.shape, a.fields) == (b.shape, b.fields), where
        for one, other in zip(a, b, strict=True):
            assert_same(one, other, where)
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for one, other in zip(a, b, strict=True):
            assert_same(one, other, where)
    elif isinstance(a, np.ndarray) and a.dtype == object:
        assert a.shape == b.shape, where
        assert_same(list(a.ravel()), list(b.ravel()), where)
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape) and np.array_equal(a, b), where
    else:
        assert a == b, where


def test_our_reader(tmp_path):
    """Each class comes back as it does from a -v6 file."""
    matfile.save73(tmp_path / "new.mat", VALUES)
    matfile.save(tmp_path / "old.mat", VALUES)
    new, old = (matfile.load(tmp_path / name) for name in ("new.mat", "old.mat"))
    assert set(new) == set(VALUES)
    for name in VALUES:
        assert_same(old[name], new[name], name)


def test_mat_io(tmp_path):
    matio = pytest.importorskip("matio")
    matfile.save73(tmp_path / "v.mat", VALUES)
    found = matio.load_from_mat(tmp_path / "v.mat")
    for name in ("double", "single", "int8", "uint64", "logical", "complex", "no_numbers"):
        assert found[name].shape == np.shape(VALUES[name]), name
        assert np.array_equal(found[name], VALUES[name]), name
    assert found["single"].dtype == np.float32 and found["logical"].dtype == bool
    assert found["cells"].shape == (2, 3) and found["records"].shape == (2, 1)


@pytest.mark.skipif(shutil.which("matdump") is None, reason="libmatio's matdump is not installed")
def test_libmatio(tmp_path):
    """libmatio takes every variable, each in a file of its own."""

    def dump(name):
        matfile.save73(tmp_path / "v.mat", {name: VALUES[name]})
        command = ["matdump", "-d", tmp_path / "v.mat"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    texts = {name: dump(name) for name in VALUES}
    for name, text in texts.items():
        assert "rror" not in text, name
    assert texts["double"].splitlines()[0].split() == ["0", "0.142857", "0.285714", "0.428571"]
    assert texts["uint64"].strip() == str(2**63)
    assert "Structure" in texts["record"] and "Cell Array" in texts["cells"]
    assert "(2,1)  2" in texts["sparse"] and "Character Array" in texts["text"]
    assert texts["complex"].split() == ["1", "+", "2i", "3", "+", "0i"]


def test_attributes_as_matlab_has_them(tmp_path):
    """The class is null-terminated text without room for the null; 512 bytes come first."""
    matfile.save73(tmp_path / "v.mat", {"x": np.zeros((2, 3))})
    head = (tmp_path / "v.mat").read_bytes()[:520]
    assert head.startswith(b"MATLAB 7.3 MAT-file") and head[124:128] == b"\x00\x02IM"
    assert head[512:] == b"\x89HDF\r\n\x1a\n"
    with h5py.File(tmp_path / "v.mat") as file:
        assert file["x"].shape == (3, 2)
        kind = h5py.h5a.open(file["x"].id, b"MATLAB_class").get_type()
        assert kind.get_strpad() == h5py.h5t.STR_NULLTERM and kind.get_size() == 6


def test_refused(tmp_path):
    (tmp_path / "v.mat").write_bytes(b"old")
    with pytest.raises(OptionError, match=r"x\[1\] is None"):
        matfile.save73(tmp_path / "v.mat", {"x": [1.0, None]})
    with pytest.raises(OctcompressError, match="must begin with a letter"):
        matfile.save73(tmp_path / "v.mat", {"1x": 1.0})
    with pytest.raises(OSError, match="cannot be written"):
        matfile.save73(tmp_path / "none" / "v.mat", {"x": 1.0})
    assert (tmp_path / "v.mat").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["v.mat"]
