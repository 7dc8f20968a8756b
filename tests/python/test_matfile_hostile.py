"""Files that are not what they seem, by hand and by chance: an error of ours or a value."""

import os
import random
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
import scipy.sparse

from pyoctcompress import FileError, OctcompressError, matfile
from pyoctcompress.matfile import StructArray

HEADER = b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + b"\x00\x01IM"
SOUND = {"w": np.arange(60.0).reshape(6, 10)}


def words(*numbers):
    return np.array(numbers, "<u4").tobytes()


def element(kind, data):
    return words(kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(mclass, shape, *parts, name=b"w", flags=0):
    dims = np.array(shape, "<i4").tobytes()
    head = element(6, words(mclass | flags, 0)) + element(5, dims) + element(1, name)
    return element(14, head + b"".join(parts))


def deflated(data):
    packed = zlib.compress(data)
    return words(15, len(packed)) + packed


def nested(depth):
    value = matrix(1, (1, 1), words(14, 0), name=b"")
    for k in range(depth):
        value = matrix(1, (1, 1), value, name=b"w" if k == depth - 1 else b"")
    return value


def sound_bytes(compress=False, folder=None):
    matfile.save(folder / "sound.mat", SOUND, compress)
    return (folder / "sound.mat").read_bytes()


FIELDS = element(5, words(8)) + element(1, b"a\0\0\0\0\0\0\0")
DOUBLE = element(9, np.array([1.5]).tobytes())

# name: (bytes, part of the message, tag)
FILES = {
    "empty": (b"", "is empty", "truncated"),
    "header only half": (HEADER[:60], "truncated: it has 60 bytes", "truncated"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
                    "Git LFS pointer", "gitLfs"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(600), "is damaged", "damaged"),
    "v7.3": (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(384) + b"\x89HDF\r\n\x1a\n",
             "is damaged", "damaged"),
    "version 2": (HEADER[:124] + b"\x00\x02IM" + bytes(50), "holds no HDF5", "damaged"),
    "Octave text": (b"# Created by Octave 7.3.0\n# name: a\n", "needs 1 bytes", "truncated"),
    "Octave binary": (b"Octave-1-L\0" + bytes(200), "type 0 of Octave versions", "damaged"),
    "gzip": (b"\x1f\x8b\x08" + bytes(200), "gunzip", "badFile"),
    "zip": (b"PK\x03\x04" + bytes(200), "zip archive", "badFile"),
    "npy": (b"\x93NUMPY" + bytes(200), "NumPy file", "badFile"),
    "version 4": (words(0, 2, 2, 0, 2) + b"w\0" + bytes(200), "a name of 0 bytes", "damaged"),
    "version 4 of a huge matrix": (words(0, 2**30, 2**30, 0, 2) + b"w\0" + bytes(200),
                                   "needs 9223372036854775808 bytes", "truncated"),
    "prose": (b"To whom it may concern. " * 20, "not a .mat file", "badFile"),
    "unknown version": (HEADER[:124] + b"\x00\x05IM", "unknown MAT version", "badFile"),
    "tag cut": (HEADER + b"\x0e\0\0", "needs 8 bytes, but 3", "truncated"),
    "variable cut": (HEADER + words(14, 400) + bytes(20), "needs 400 bytes, but 20", "truncated"),
    "no variable": (HEADER + element(9, bytes(8)), "data type 9", "damaged"),
    "no flags": (HEADER + element(14, element(9, bytes(8))), "no array flags", "damaged"),
    "negative dimension": (HEADER + matrix(6, (2, -1)), "negative dimension", "damaged"),
    "one dimension": (HEADER + matrix(6, (2,)), "no valid dimensions", "damaged"),
    "40 dimensions": (HEADER + matrix(6, (1,) * 40), "no valid dimensions", "damaged"),
    "too few numbers": (HEADER + matrix(6, (2, 2), DOUBLE), "has 8 bytes where 32", "damaged"),
    "huge matrix": (HEADER + matrix(6, (2**31 - 1, 2**31 - 1), DOUBLE), "bytes where", "damaged"),
    "overflowing shape": (HEADER + matrix(6, (65536,) * 8, DOUBLE), "bytes where", "damaged"),
    "no data": (HEADER + matrix(6, (2, 2)), "ends too early", "damaged"),
    "data of a strange type": (HEADER + matrix(6, (1, 1), element(99, bytes(8))),
                               "unknown type 99", "damaged"),
    "class 0": (HEADER + matrix(0, (1, 1), DOUBLE), "unknown class 0", "damaged"),
    "class 77": (HEADER + matrix(77, (1, 1), DOUBLE), "unknown class 77", "damaged"),
    "half a complex": (HEADER + matrix(6, (1, 1), DOUBLE, flags=0x800), "ends too early",
                       "damaged"),
    "complex int": (HEADER + matrix(12, (1, 1), element(5, words(1)), flags=0x800),
                    "complex integers (at w)", "badFile"),
    "cell of millions": (HEADER + matrix(1, (1, 2**30)), "must have 1073741824 cells", "damaged"),
    "cell of a number": (HEADER + matrix(1, (1, 1), DOUBLE), "must be a matrix", "damaged"),
    "deep": (HEADER + nested(150), "nested more than 100", "damaged"),
    "struct of millions": (HEADER + matrix(2, (1, 2**30), FIELDS), "1073741824 elements",
                           "damaged"),
    "struct of millions without fields": (
        HEADER + matrix(2, (1, 2**30), element(5, words(8)), element(1, b"")),
        "1073741824 elements", "damaged"),
    "no field length": (HEADER + matrix(2, (1, 1), DOUBLE), "no length of field", "damaged"),
    "field length 0": (HEADER + matrix(2, (1, 1), element(5, words(0)), element(1, b"abcdefgh")),
                       "no valid field names", "damaged"),
    "two fields of a name": (
        HEADER + matrix(2, (1, 1), element(5, words(4)), element(1, b"a\0\0\0a\0\0\0"),
                        words(14, 0, 14, 0)),
        "two fields of the same name", "damaged"),
    "long small element": (HEADER + element(14, words(6 | 5 << 16, 0)), "small element",
                           "damaged"),
    "text too short": (HEADER + matrix(4, (2, 3), element(16, b"abc")), "3 characters where 6",
                       "damaged"),
    "text within a character": (HEADER + matrix(4, (1, 3), element(17, b"abc")),
                                "ends within a character", "damaged"),
    "sparse beyond": (
        HEADER + matrix(5, (2, 1), element(5, words(7)), element(5, words(0, 1)), DOUBLE),
        "contradict each other", "damaged"),
    "sparse backwards": (
        HEADER + matrix(5, (2, 2), element(5, words(0)), element(5, words(0, 2, 1)), DOUBLE),
        "contradict each other", "damaged"),
    "sparse without numbers": (
        HEADER + matrix(5, (2, 1), element(5, words(0)), element(5, words(0, 1))),
        "ends too early", "damaged"),
    "function handle": (HEADER + matrix(16, (1, 1)), "a function handle", "badFile"),
    "object": (HEADER + matrix(3, (1, 1)), "old-style class", "badFile"),
    "MATLAB object": (HEADER + matrix(17, (1, 1)), "a MATLAB object", "badFile"),
    "not deflated": (HEADER + words(15, 8) + b"abcdefgh", "cannot be decompressed", "damaged"),
    "deflated nonsense": (HEADER + element(15, zlib.compress(b"abcdefghijkl"))[:-4],
                          "where a matrix must be", "damaged"),
    "deflated too little": (HEADER + deflated(words(14, 800) + bytes(9)),
                            "must have 800 bytes, but decompresses to 9", "damaged"),
    "deflated too much": (HEADER + deflated(words(14, 8) + bytes(40)), "must have 8 bytes",
                          "damaged"),
    "deflate bomb": (
        HEADER + deflated(words(14, 4 * 10**9) + bytes(99)), "where a matrix must be", "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_hostile_file(name, tmp_path):
    content, message, tag = FILES[name]
    (tmp_path / "bad.mat").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(FileError) as caught:
            matfile.load(tmp_path / "bad.mat")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message in caught.value.message
    assert "bad.mat" in caught.value.message
    assert caught.value.identifier == f"octcompress:nn_load:{tag}"
    assert peak < 8 << 20


def test_the_builder_of_this_test_is_right(tmp_path):
    """The parts that the hostile files are made of give a sound file."""
    cell = matrix(1, (1, 2), matrix(6, (1, 1), DOUBLE, name=b""), words(14, 0), name=b"c")
    struct = matrix(2, (1, 1), FIELDS, matrix(4, (1, 2), element(16, b"hi"), name=b""), name=b"s")
    (tmp_path / "a.mat").write_bytes(HEADER + cell + struct + nested(90))
    back = matfile.load(tmp_path / "a.mat")
    assert back["c"][0] == 1.5 and back["c"][1].shape == (0, 0)
    assert back["s"] == {"a": "hi"}


def test_an_object_of_an_old_class_is_read_as_its_struct(tmp_path):
    """MATLAB's ``network``, where the caller takes what there is."""
    name = element(1, b"network\0")
    inner = matrix(6, (1, 1), DOUBLE, name=b"")
    value = matrix(3, (1, 1), name, FIELDS, inner, name=b"net")
    (tmp_path / "a.mat").write_bytes(HEADER + value + matrix(16, (1, 1), name=b"f"))
    left_out = []
    back = matfile.load(tmp_path / "a.mat", left_out=left_out)
    assert back["net"] == {"a": 1.5} and back["f"].size == 0
    assert left_out == ["f: a function handle"]


@pytest.mark.parametrize("compress", [False, True])
def test_every_truncation(compress, tmp_path):
    content = sound_bytes(compress, tmp_path)
    file = tmp_path / "cut.mat"
    for stop in [*range(0, len(content), 7), len(content) - 1]:
        file.write_bytes(content[:stop])
        if stop == len(HEADER):
            assert matfile.load(file) == {}
            continue
        with pytest.raises(FileError) as caught:
            matfile.load(file)
        assert caught.value.tag in ("truncated", "damaged")


def test_a_changed_byte_of_a_deflated_file_is_noticed(tmp_path):
    content = sound_bytes(True, tmp_path)
    file = tmp_path / "changed.mat"
    for place in range(len(HEADER) + 8, len(content), 3):
        file.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        with pytest.raises(FileError):
            matfile.load(file)


def test_memory_limit(tmp_path):
    for compress in (False, True):
        matfile.save(tmp_path / "a.mat", {"w": np.zeros((1000, 100))}, compress)
        with pytest.raises(FileError, match="more memory") as caught:
            matfile.load(tmp_path / "a.mat", memory_limit=700_000)
        assert caught.value.tag == "tooLarge"


def test_folder_and_missing_file(tmp_path):
    with pytest.raises(FileError, match="is a folder"):
        matfile.load(tmp_path)
    os.mkfifo(tmp_path / "pipe.mat")
    with pytest.raises(FileError, match="is not an ordinary file"):
        matfile.load(tmp_path / "pipe.mat")
    with pytest.raises(FileError, match="there is no file") as caught:
        matfile.load(tmp_path / "no.mat")
    assert caught.value.identifier == "octcompress:nn_load:noFile"


def mutated(content, chance):
    """Damage a file after its signature: bytes, lengths, pieces removed, doubled and swapped."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(100, len(data))
        kind = chance.randrange(6)
        if kind == 0:
            data[place] = chance.randrange(256)
        elif kind == 1:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            place -= place % 4
            number = chance.choice([0, 1, 7, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1])
            data[place : place + 4] = words(number)
        elif kind == 3:
            del data[place : place + chance.randrange(1, 40)]
        elif kind == 4:
            data[place:place] = data[place : place + chance.randrange(1, 40)]
        else:
            data[place:] = data[place:][: chance.randrange(1, 400)]
        if len(data) < 120:
            break
    return bytes(data)


def test_damaged_by_chance(tmp_path):
    """1200 damaged files: each gives a value or an error of ours, in little time and memory."""
    variables = {
        "model": [{"type": "dense", "weights": np.ones((4, 5), np.float32), "name": "ä"}] * 2,
        "s": StructArray([{"a": 1.0, "b": "x"}, {"a": 2.0, "b": ""}]),
        "c": np.array([[1 + 2j, 3]]),
        "t": np.array([list("ab"), list("cd")]),
        "l": np.array([[True, False]]),
        "z": scipy.sparse.csc_array(np.eye(3)),
        "o": np.array([[1.0, "x"], [[], {}]], object),
    }
    sources = []
    for compress in (False, True):
        matfile.save(tmp_path / "a.mat", variables, compress)
        sources.append((tmp_path / "a.mat").read_bytes())
    chance = random.Random(20260101)
    file = tmp_path / "damaged.mat"
    loaded = refused = 0
    tracemalloc.start()
    try:
        for _ in range(1200):
            file.write_bytes(mutated(chance.choice(sources), chance))
            try:
                matfile.load(file)
                loaded += 1
            except OctcompressError as error:
                assert error.identifier.startswith("octcompress:nn_load:")
                refused += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert loaded > 50 and refused > 500, (loaded, refused)
    assert peak < 64 << 20
    assert sys.getrecursionlimit() >= 1000
