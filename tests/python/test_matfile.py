"""Every class there and back: through our own files, and judged by SciPy and by Octave."""

import os
import resource
import stat

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from pyoctcompress import FileError, OctcompressError, OptionError, matfile
from pyoctcompress.matfile import StructArray
from pyoctcompress.octave import lend

OBJECTS = np.empty((2, 2), object)
OBJECTS[:] = [["a", 1.0], [True, []]]

VALUES = {
    "double scalar": 1.5,
    "not a number": float("nan"),
    "infinity": -np.inf,
    "complex scalar": 1 - 2j,
    "true": True,
    "false": False,
    "empty": np.zeros((0, 0)),
    "empty 0 x 3 single": np.zeros((0, 3), np.float32),
    "empty 3-D": np.zeros((2, 0, 4)),
    "row": np.array([[1.0, -2.0, 3.0]]),
    "column": np.array([[1.0], [-0.0]]),
    "matrix": np.arange(6.0).reshape(2, 3),
    "4-D single": np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5),
    "single 1 x 1": np.array([[2.5]], np.float32),
    "complex": np.array([[1 + 2j, 3], [-1j, 0]]),
    "complex single": np.array([[1 + 2j, 3]], np.complex64),
    "complex with zero imaginary part": np.array([[1 + 0j, 3]]),
    "logical": np.array([[True, False, True]]),
    "empty logical": np.zeros((1, 0), bool),
    **{f"{kind} limits": np.array([[np.iinfo(kind).min, np.iinfo(kind).max, 1]], kind)
       for kind in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")},
    "int8 1 x 1": np.array([[-3]], np.int8),
    "text": "abc def",
    "empty text": "",
    "text with quotes": "it's \"quoted\"; % and \t tab",
    "accents": "Größe, naïve, ☃ → ∑",
    "beyond 16 bits": "😀 a",
    "char matrix": np.array([list("abc"), list("def")]),
    "cell": [1.0, "two", np.array([[3, 4]], np.int16)],
    "empty cell": [],
    "nested cells": [[["deep"]], [], [1.0]],
    "2-D cell": OBJECTS,
    "struct": {"a": 1.0, "Long_Name9": {"b": [{"c": True}]}},
    "struct without fields": {},
    "struct array": StructArray([{"a": 1.0, "b": "x"}, {"a": np.zeros((0, 0)), "b": "y"}]),
    "column of structs": StructArray([{"a": 1.0}, {"a": 2.0}], (2, 1)),
    "empty struct array": StructArray([], (0, 0), ["p", "q"]),
    "sparse": scipy.sparse.csc_array(np.array([[0, 1.5], [0, 0], [2, 0]])),
    "sparse logical": scipy.sparse.csc_array(np.array([[False, True], [True, False]])),
}  # fmt: skip


def same(a, b):
    """Equal in value, class and shape; NaN equals NaN."""
    if scipy.sparse.issparse(a):
        return scipy.sparse.issparse(b) and same(a.toarray(), b.toarray())
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, StructArray):
        return (a.shape, a.fields) == (b.shape, b.fields) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        if (a.dtype, a.shape) != (b.dtype, b.shape):
            return False
        if a.dtype == object:
            return all(map(same, a.ravel(), b.ravel()))
        return a.tobytes() == b.tobytes()
    return a == b or (a != a and b != b)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("name", VALUES)
def test_there_and_back(name, compress, tmp_path):
    file = tmp_path / "a.mat"
    size = matfile.save(file, {"value": VALUES[name], "after": 7.0}, compress)
    assert size == file.stat().st_size
    back = matfile.load(file)
    assert same(back["value"], VALUES[name]), back["value"]
    assert back["after"] == 7.0
    assert matfile.check(file) == 2


@pytest.mark.parametrize("form", ["-v6", "-v7"])
def test_every_class_through_octave(form, tmp_path):
    """Octave reads what we write, and we read what Octave writes."""
    values = {f"v{k}": value for k, value in enumerate(VALUES.values())}
    # Octave narrows complex numbers without an imaginary part when it copies them, and reads
    # sparse logical as double.
    for kind in ("complex with zero imaginary part", "sparse logical"):
        del values[f"v{list(VALUES).index(kind)}"]
    with lend() as session:
        session.call("nn_save", str(tmp_path / "a.mat"), values, "compress", form == "-v7")
    back = matfile.load(tmp_path / "a.mat")
    different = [name for name, value in values.items() if not same(back.get(name), value)]
    assert not different, {list(VALUES)[int(name[1:])]: back.get(name) for name in different}


def test_scipy_reads_what_we_write(tmp_path):
    kinds = ["matrix", "4-D single", "logical", "int8 limits", "uint64 limits", "complex"]
    names = {f"v{k}": VALUES[kind] for k, kind in enumerate(kinds)}
    matfile.save(tmp_path / "a.mat", {**names, "text": "naïve ☃", "s": {"w": VALUES["matrix"]}})
    back = scipy.io.loadmat(tmp_path / "a.mat")
    for name, value in names.items():
        assert back[name].shape == value.shape
        assert np.array_equal(back[name], value)
    assert back["text"] == ["naïve ☃"]
    assert np.array_equal(back["s"]["w"][0, 0], VALUES["matrix"])


@pytest.mark.parametrize("compress", [False, True])
def test_we_read_what_scipy_writes(compress, tmp_path):
    written = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array([[True, False]]),
        "c": np.array([[1 + 2j]]),
        "t": "naïve ☃",
        "s": {"x": np.int16(4)},
        "d": np.array([["p", 2.0]], object),
        "e": np.arange(3.0),
        "z": scipy.sparse.csc_array(np.eye(3)),
    }
    scipy.io.savemat(tmp_path / "a.mat", written, do_compression=compress)
    back = matfile.load(tmp_path / "a.mat")
    assert same(back["a"], written["a"])
    assert same(back["b"], written["b"])
    assert back["c"] == 1 + 2j
    assert back["t"] == "naïve ☃"
    assert same(back["s"], {"x": np.array([[4]], np.int16)})
    assert back["d"] == ["p", 2.0]
    assert same(back["e"], np.array([[0.0, 1.0, 2.0]]))
    assert np.array_equal(back["z"].toarray(), np.eye(3))


def test_what_python_adds_to_the_table(tmp_path):
    matfile.save(
        tmp_path / "a.mat",
        {
            "int": 3,
            "vector": np.arange(3, dtype=np.int8),
            "zero_d": np.array(4.0),
            "numpy_scalar": np.float32(2),
            "tuple": (1, 2),
            "texts": np.array(["ab", "cde"]),
            "c_order": np.ascontiguousarray(np.arange(6.0).reshape(2, 3).T),
            "strided": np.arange(20.0).reshape(4, 5)[::2, ::-1],
            "big_endian": np.array([[1, 256]], ">i4"),
        },
    )
    back = matfile.load(tmp_path / "a.mat")
    assert same(back["int"], 3.0)
    assert same(back["vector"], np.array([[0], [1], [2]], np.int8))
    assert same(back["zero_d"], 4.0)
    assert same(back["numpy_scalar"], np.array([[2]], np.float32))
    assert back["tuple"] == [1.0, 2.0]
    assert back["texts"] == ["ab", "cde"]
    assert np.array_equal(back["c_order"], np.arange(6.0).reshape(2, 3).T)
    assert np.array_equal(back["strided"], np.arange(20.0).reshape(4, 5)[::2, ::-1])
    assert same(back["big_endian"], np.array([[1, 256]], np.int32))


def test_loaded_arrays_can_be_changed(tmp_path):
    for compress in (False, True):
        matfile.save(tmp_path / "a.mat", {"w": np.zeros((600, 600))}, compress)
        w = matfile.load(tmp_path / "a.mat")["w"]
        w[0, 0] = 1
        assert w.flags.writeable and w[0, 0] == 1


def test_names_reads_only_those(tmp_path):
    for compress in (False, True):
        matfile.save(tmp_path / "a.mat", {"w": np.zeros((9, 9)), "n": 4.0, "o": "x"}, compress)
        assert matfile.load(tmp_path / "a.mat", ["o", "n", "absent"]) == {"n": 4.0, "o": "x"}


def test_big_endian_files(tmp_path):
    """A file as a SPARC wrote it: every number swapped."""
    array = np.arange(3, dtype=">f8")
    words = np.array([14, 56 + 16, 6, 8, 6, 0, 5, 8, 1, 3, 1, 1], ">u4").tobytes()
    body = words + b"w\0\0\0\0\0\0\0" + np.array([9, 24], ">u4").tobytes() + array.tobytes()
    body = np.array([14, len(body) - 8], ">u4").tobytes() + body[8:]
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    (tmp_path / "a.mat").write_bytes(head + body)
    assert same(matfile.load(tmp_path / "a.mat")["w"], np.array([[0.0, 1.0, 2.0]]))


BAD = {
    "None": (None, "layers[1].weights is None"),
    "function": (len, "layers[1].weights is a builtins.builtin_function_or_method"),
    "half precision": (np.zeros(2, np.float16), "has the dtype float16"),
    "bytes": (b"ab", "is a builtins.bytes"),
    "date": (np.array(["2020-01-01"], "M8[D]"), "has the dtype datetime64"),
    "set": ({1, 2}, "is a builtins.set"),
    "large int": (2**53 + 1, "is the int 9007199254740993"),
    "deep": ([[None]], "layers[1].weights[0][0] is None"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_has_no_class_is_refused_with_its_place(kind, tmp_path):
    value, message = BAD[kind]
    model = {"layers": [{}, {"weights": value}]}
    with pytest.raises(OptionError) as caught:
        matfile.save(tmp_path / "a.mat", model)
    assert message in caught.value.message
    assert caught.value.identifier == "octcompress:nn_save:badType"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["_a", "1a", "a-b", "", "a" * 64, "ä", "a b", 3])
def test_names_that_matlab_does_not_have(name, tmp_path):
    for variables in ({name: 1.0}, {"s": {name: 1.0}}):
        with pytest.raises(FileError, match="must begin with a letter") as caught:
            matfile.save(tmp_path / "a.mat", variables)
        assert caught.value.identifier == "octcompress:nn_save:badName"


def test_a_list_that_holds_itself(tmp_path):
    value = []
    value.append(value)
    with pytest.raises(OptionError, match="nested more than 100 deep"):
        matfile.save(tmp_path / "a.mat", {"v": value})


def test_a_variable_over_2_gb(tmp_path):
    with pytest.raises(FileError, match="the variable w needs 2147483712 bytes") as caught:
        matfile.save(tmp_path / "a.mat", {"w": np.zeros((2**29, 1), np.float32)})
    assert caught.value.identifier == "octcompress:nn_save:tooLarge"
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_the_old_file(tmp_path):
    file = tmp_path / "a.mat"
    matfile.save(file, {"old": 1.0})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, hard))
    try:
        with pytest.raises(FileError, match="cannot be written: File too large") as caught:
            matfile.save(file, {"w": np.zeros((100, 100))})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.identifier == "octcompress:nn_save:notWritten"
    assert matfile.load(file) == {"old": 1.0}
    assert os.listdir(tmp_path) == ["a.mat"]


def test_no_folder(tmp_path):
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        matfile.save(tmp_path / "no" / "a.mat", {"a": 1.0})


def test_links_and_permissions_are_kept(tmp_path):
    file, link = tmp_path / "a.mat", tmp_path / "link.mat"
    matfile.save(file, {"a": 1.0})
    file.chmod(0o640)
    link.symlink_to(file)
    matfile.save(link, {"a": 2.0})
    assert link.is_symlink()
    assert matfile.load(file) == {"a": 2.0}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_errors_name_their_caller(tmp_path):
    with pytest.raises(OctcompressError, match="nn_data: there is no file"):
        matfile.load(tmp_path / "no.mat", caller="nn_data")
