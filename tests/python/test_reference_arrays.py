"""The NumPy reference on arrays, by hand-made examples and properties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pyoctcompress.errors import ModelError, OptionError
from pyoctcompress.matfile import StructArray
from pyoctcompress.reference import internal, prune, quant, verbs


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("abc", "'abc'"),
        ("", "''"),
        ("x" * 61, "1x61 char"),
        (1.5, "1.5"),
        (3, "3"),
        (float("nan"), "NaN"),
        (-np.inf, "-Inf"),
        (True, "1"),
        (np.array([[1.0, 2, 3]]), "[1 2 3]"),
        (np.array([[0.1, np.nan]]), "[0.1 NaN]"),
        (np.array([1.0, 2]), "2x1 double"),
        (np.zeros((3, 4), np.float32), "3x4 single"),
        (np.zeros((1, 2), np.int8), "1x2 int8"),
        (np.array([[7]], np.uint8), "7"),
        (np.zeros((2, 3, 1, 1)), "2x3 double"),
        (np.zeros((0, 3)), "empty (0x3 double)"),
        (None, "empty (0x0 double)"),
        ([], "empty (0x0 cell)"),
        (["a", 1.0], "1x2 cell"),
        ({"a": 1.0}, "1x1 struct"),
        (StructArray([{"a": 1.0}, {"a": 2.0}]), "1x2 struct"),
        (np.empty((2, 2), object), "2x2 cell"),
        (1 + 2j, "1x1 double"),
    ],
)
def test_describe(value, text):
    assert internal.describe(value) == text


def test_check_says_what_is_wrong():
    with pytest.raises(OptionError, match=r"f: A must be a number from 0 to Inf, but is -1"):
        internal.check("f", "a", -1, "number", (0, np.inf))
    with pytest.raises(OptionError, match=r"f: A must be a whole number from 1 to 16, but is 2.5"):
        internal.check("f", "a", 2.5, "integer", (1, 16))
    with pytest.raises(OptionError, match=r"f: A must be true or false, but is 'no'"):
        internal.check("f", "a", "no", "flag")
    with pytest.raises(ModelError, match=r"f: W of 'fc' must be finite, but element 2 of 4 is Inf"):
        internal.check("f", "w", np.array([[1, 2], [np.inf, np.nan]]), "finite", "'fc'")


def test_unknown_option_lists_the_known_ones():
    with pytest.raises(OptionError) as caught:
        internal.parse_options("f", {"bits": 8, "scheme": "symmetric"}, {"bit": 4})
    assert caught.value.identifier == "octcompress:f:unknownOption"
    assert str(caught.value) == "f: there is no option 'bit'; the options are bits, scheme"


def test_round_half_away():
    x = np.array([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994, 1e30, np.inf])
    np.testing.assert_array_equal(internal.round_half_away(x), [1, 2, 3, -1, -3, 0, 1e30, np.inf])
    assert internal.round_half_away(x.astype(np.float32)).dtype == np.float32


def test_plain_gives_floats_and_flags():
    assert internal.plain(np.array([[2.0]])) == 2.0
    assert isinstance(internal.plain(np.array([[2.0]])), float)
    assert internal.plain(np.array([[True]])) is True
    assert internal.plain(np.array([[2.0]], np.float32)).shape == (1, 1)
    assert internal.plain(np.zeros((2, 3, 1))).shape == (2, 3)


def test_choose_grid_by_hand():
    grid = quant.choose_grid(np.array([[-2, 0, 1]], np.float32), 4)
    assert list(grid) == ["bits", "scheme", "scale", "zero_point", "axis"]
    np.testing.assert_array_equal(grid["scale"], np.float32([[2 / 7]]))
    grid = quant.choose_grid(np.array([[1.0, 5.0]]), 8, "affine")
    assert (grid["scale"], grid["zero_point"]) == (5 / 255, -128)
    grid = quant.choose_grid(np.array([[-1.0, 3.0]]), 2, "affine")
    assert (grid["scale"], grid["zero_point"]) == (3 / 3 - -1 / 3, -1)
    grid = quant.choose_grid(np.array([[1.0, -7], [14, 0]]), 4, "symmetric", 1)
    np.testing.assert_array_equal(grid["scale"], [[1], [2]])
    assert quant.choose_grid(np.array([[1.0, -3, 0, 0]]), 1)["scale"] == 2
    for nothing in (np.zeros((2, 2)), np.zeros((0, 0)), np.array([[1e-45]], np.float32)):
        assert np.all(quant.choose_grid(nothing, 8)["scale"] == 1)


def test_codes_by_hand():
    plain = {"bits": 4.0, "scheme": "symmetric", "scale": 0.5, "zero_point": 0.0, "axis": 0.0}
    codes = quant.encode_grid(np.array([[0, 0.25, -0.25, 0.2, 9, -9]]), plain)
    assert codes.dtype == np.int32
    np.testing.assert_array_equal(codes, [[0, 1, -1, 0, 7, -7]])
    affine = {**plain, "scheme": "affine", "zero_point": -3.0}
    codes = quant.encode_grid(np.array([[0.0, 1, 99, -99]]), affine)
    np.testing.assert_array_equal(codes, [[-3, -1, 7, -8]])
    np.testing.assert_array_equal(quant.decode_grid(codes, affine), [[0, 1, 5, -2.5]])
    columns = {
        **plain,
        "scale": np.array([[0.5], [1]]),
        "zero_point": np.zeros((2, 1)),
        "axis": 2.0,
    }
    codes = quant.encode_grid(np.array([[1.0, 1], [2, 2]]), columns)
    np.testing.assert_array_equal(codes, [[2, 1], [4, 2]])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_round_trip(kind, scheme):
    w = np.random.RandomState([1]).standard_normal((5, 4, 3)).astype(kind)
    for bits, axis in itertools.product(range(1, 17), range(4)):
        grid = quant.choose_grid(w, bits, scheme, axis)
        once = quant.decode_grid(quant.encode_grid(w, grid), grid)
        again = quant.decode_grid(quant.encode_grid(once, grid), grid)
        np.testing.assert_array_equal(again, once)
        snapped, _, inside = quant.snap_to_grid(w, grid)
        np.testing.assert_array_equal(snapped, once)
        assert (once.dtype, inside.dtype) == (kind, bool)
        if bits > 1:
            scale, _ = quant.along_axis(grid, kind, w.shape)
            assert np.all(np.abs(once - w) <= scale * 0.5001)


def test_pruned_weights_stay_zero_on_every_grid():
    w = np.random.RandomState([2]).standard_normal((6, 6))
    w[w < 0.3] = 0
    for bits, scheme in itertools.product(range(1, 17), ("symmetric", "affine")):
        q, _ = verbs.quantize(w, bits, scheme=scheme)
        assert np.all(q[w == 0] == 0)


def test_threshold_limit():
    assert prune.threshold_limit(np.float32([[1, -5]]), 0.2, "max") == np.float32(1)
    assert prune.threshold_limit(np.array([[1.0, -5]]), 0.2, "none") == 0.2
    assert prune.threshold_limit(np.array([[1.0, 3]]), 0.5, "std") == 0.5
    assert prune.threshold_limit(np.zeros((0, 0), np.float32), 0.5, "max") == 0


def test_smallest_mask_is_the_stable_sort():
    [a, b], limit = prune.smallest_mask([np.array([[5.0], [1]]), np.array([[1.0, 1, 0]])], 3)
    np.testing.assert_array_equal(a, [[False], [True]])
    np.testing.assert_array_equal(b, [[True, False, True]])
    assert limit == 1
    masks, limit = prune.smallest_mask([np.ones((2, 2))], 0)
    assert not masks[0].any()
    assert limit == -np.inf


def test_prune_by_hand():
    w = np.array([[0.1, -2], [1, -0.4], [0.39, 10]], np.float32)
    p, info = verbs.prune(w, threshold=0.2)
    np.testing.assert_array_equal(p, np.float32([[0, -2], [0, 0], [0, 10]]))
    assert (info["count"], info["zeros"], info["sparsity"]) == (6, 4, 4 / 6)
    np.testing.assert_array_equal(info["mask"], np.abs(w) >= 2)
    assert p.dtype == np.float32
    p, _ = verbs.prune(np.ones((1, 5)), sparsity=0.5)
    np.testing.assert_array_equal(p, [[0, 0, 1, 1, 1]])
    p, _ = verbs.prune(np.ones((2, 2)), sparsity=0.5)  # columns first
    np.testing.assert_array_equal(p, [[0, 1], [0, 1]])


def test_quantize_by_hand():
    w = np.array([[-1, 0.5], [0.26, 0]], np.float32)
    codes, info = verbs.quantize(w, 3, output="codes")
    np.testing.assert_array_equal(codes, np.array([[-3, 2], [1, 0]], np.int8))
    assert codes.dtype == np.int8
    assert info["layers"][0]["levels"] == 4
    q, _ = verbs.quantize(w, 3)
    np.testing.assert_array_equal(q, quant.decode_grid(codes, info["grid"]))
    assert verbs.quantize(w, bits=9, output="codes")[0].dtype == np.int16
    assert verbs.quantize(2.0, 8)[0] == 2.0
