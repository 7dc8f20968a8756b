"""docs/packed-format.md is enough to read packed files: a decoder written from it alone does."""

import numpy as np
import pytest

from pyoctcompress import modelfile
from pyoctcompress.matfile import StructArray
from pyoctcompress.reference import quant
from pyoctcompress.reference.coding_words import TYPICAL_TREES, WORDS

from . import format_decoder

rng = np.random.default_rng(0)


def gridded(shape, bits, density, scheme="symmetric", axis=0.0):
    w = rng.standard_normal(shape).astype(np.float32) * (rng.random(shape) < density)
    grid = quant.choose_grid(w, float(bits), scheme, axis)
    return quant.decode_grid(quant.encode_grid(w, grid), grid), grid


def layer(shape, bits, density, **how):
    w, grid = gridded(shape, bits, density, **how)
    return {"type": "dense", "weights": w, "quantization": {"weights": grid}}


BOOK = np.array([[0.5], [-0.25], [0.0], [1.5]], np.float32)
MODELS = {
    "sparse": {"layers": [layer((30, 60), 3, 0.05), layer((10, 30), 4, 0.3)], "version": 1.0},
    "dense": {"layers": [layer((20, 40), 4, 1), layer((3, 3, 4, 16), 8, 0.7, axis=4.0)]},
    "a picture": {"layers": [layer((12, 100), 2, 0.1)]},
    "channels": {"layers": [layer((12, 40), 5, 0.9, axis=1.0), layer((40, 9), 2, 0.95)]},
    "codebook": {
        "w": BOOK.ravel()[rng.integers(0, 4, (9, 20))],
        "quantization": {"w": {"bits": 2.0, "scheme": "codebook", "codebook": BOOK, "axis": 0.0}},
    },
    "lanes": {"x": np.round(2 * rng.standard_normal((300, 320)))},
    "many symbols": {"x": np.round(100 * rng.standard_normal((300, 100))).astype(np.int16)},
    "values": {
        "a": [1.0, "text", True, [], "", np.zeros((0, 3)), -7.0, 1e300, 0.98, -0.125],
        "b": StructArray([{"x": 1.0}, {"x": "y"}]),
        "d": np.array([[28.0, 28.0, 1.0]]),
        "e": np.array([[1 + 2j, 3]]),
        "f": {"g": {}, "h": np.ones((2, 3, 4), bool), "int": np.array([[7, 9]], np.int8)},
        "w": rng.standard_normal((5, 6)),
        "w_size": np.array([[5.0, 6.0]]),
        "s": rng.standard_normal((40, 30)).astype(np.float32),
        "z": np.where(rng.random((20, 30)) < 0.2, rng.standard_normal((20, 30)), 0),
        "few": np.round(2 * rng.standard_normal((20, 30))) / 7,
        "long": rng.integers(0, 2**60, (8, 9)),
        "one": np.array([[np.float32(0.1)]]),
    },
    "long names": {f"a_{k}_rather_long_name": "and a rather long text" * 9 for k in range(99)},
}


def same(a, b):
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, StructArray)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b


@pytest.mark.parametrize("coding", ["auto", "huffman"])
@pytest.mark.parametrize("name", MODELS)
def test_a_decoder_from_the_page_alone(name, coding, tmp_path):
    modelfile.write(tmp_path / "m.mat", MODELS[name], coding=coding)
    assert same(MODELS[name], format_decoder.read(tmp_path / "m.mat"))


def test_the_page_has_our_words():
    assert format_decoder.WORDS == WORDS
    assert format_decoder.TYPICAL == TYPICAL_TREES
