"""Grids and codes of arrays: the reference of ``+octcompress/+quant``.

A grid is a dict: ``bits`` (1 to 16), ``scheme``, ``scale`` and ``zero_point`` (one number, or n x
1: one for each slice of the dimension ``axis``, counted from 1, or for each group of ``group``
entries of one; in the class of the array), ``axis`` (0 for one scale). A codebook is a dict:
``bits``, ``scheme`` 'codebook', ``codebook`` (K x 1), ``axis`` 0.

Schemes: 'symmetric', 'signed', 'affine', 'unsigned', and the floating point formats 'bf16',
'fp16', 'fp8_e4m3', 'fp8_e5m2'.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .internal import (
    Array,
    check,
    is_empty,
    parse_options,
    plain,
    round_half_away,
    scalar,
    value_array,
)

Grid = dict[str, Any]
UNIFORM = ["symmetric", "affine", "signed", "unsigned"]


@dataclass(frozen=True)
class FloatFormat:
    """A small floating point format: its bits, those of the mantissa, bias, greatest value."""

    bits: int
    mantissa: int
    bias: int
    largest: float


# Micikevicius et al., FP8 formats for deep learning, 2022, arXiv:2209.05433.
FLOAT_FORMATS = {
    "bf16": FloatFormat(16, 7, 127, (2 - 2.0**-7) * 2.0**127),
    "fp16": FloatFormat(16, 10, 15, 65504.0),
    "fp8_e4m3": FloatFormat(8, 3, 7, 448.0),
    "fp8_e5m2": FloatFormat(8, 2, 15, 57344.0),
}


def choose_grid(
    w: Any, bits: Any, scheme: str = "symmetric", axis: Any = 0, **options: Any
) -> Grid:
    """Choose the grid that covers an array.

    Parameters
    ----------
    w : array
        Single or double, any shape, finite.
    bits : int
        1 to 16; the floating point formats have their own.
    scheme : str
        ``symmetric``: codes -(2^(bits-1) - 1) to 2^(bits-1) - 1, scale = max |w| / (2^(bits-1) -
        1); with 1 bit the codes are sign (w) and scale is the mean of |w| over the nonzeros [2]_.
        ``signed``: the same with the code -2^(bits-1) too. ``affine``: codes -2^(bits-1) to
        2^(bits-1) - 1 over the range of w widened to hold 0 ([1]_, eq. 1). ``unsigned``: the same
        with codes from 0. Floating point: the scale is 1, and max |w| over the format's greatest
        value for those of 8 bits.
    axis : int
        0 for one scale, d for one per slice of dimension d (counted from 1).
    group : int, optional
        So many entries of each slice share a scale.
    power2 : bool
        Scales are powers of two (False).
    fit : str
        ``range`` (default): the grid covers all of w; ``mse``: the range is scaled down to where
        the squared error is least; three levels are fitted exactly [3]_.
    importance : array, optional
        Weights of the squares in ``mse``, of the shape of w.

    Raises
    ------
    OctcompressError
        ``octcompress:choose_grid:badValue``, ``badType``, ``notFinite``, ``unknownOption``.

    References
    ----------
    .. [1] Jacob et al., Quantization and training of neural networks, CVPR 2018,
       arXiv:1712.05877.
    .. [2] Rastegari et al., XNOR-Net, ECCV 2016, arXiv:1603.05279.
    .. [3] Li et al., Ternary weight networks, 2016, arXiv:1605.04711.
    """
    caller = "choose_grid"
    defaults = {"group": None, "power2": False, "fit": "range", "importance": None}
    options = parse_options(caller, defaults, options)
    check(caller, "fit", options["fit"], "choice", ["range", "mse"])
    check(caller, "power2", options["power2"], "flag")
    check(caller, "bits", bits, "integer", (1, 16))
    check(caller, "scheme", scheme, "choice", [*UNIFORM, *FLOAT_FORMATS])
    check(caller, "axis", axis, "integer", (0, 16))
    check(caller, "w", w, "finite")
    w, bits, axis = value_array(w), int(scalar(bits)), int(scalar(axis))
    power2 = bool(scalar(options["power2"]))
    group = None
    if not is_empty(options["group"]):
        check(caller, "group", options["group"], "integer", (1, np.inf))
        group = int(scalar(options["group"]))
    m = slices(w, axis, group)
    importance = None
    if not is_empty(options["importance"]):
        importance = slices(options["importance"], axis, group).astype(np.float64)

    if scheme in FLOAT_FORMATS:
        grid = float_grid(m, scheme, axis, w.dtype)
    elif bits == 1 and scheme == "symmetric":
        scale = mean_magnitude(m, importance)
        scale = next_power2(scale) if power2 else scale
        grid = symmetric_grid(1, as_scale(scale, w.dtype), axis)
    elif options["fit"] == "mse" and bits == 2 and scheme == "symmetric":
        grid = symmetric_grid(2, as_scale(ternary_scale(m, importance), w.dtype), axis)
    else:
        lo, hi = range_of(m, 2 if axis or group else 0)
        if options["fit"] == "mse":
            lo, hi = least_squares_range(m, importance, lo, hi, bits, scheme, power2)
        grid = grid_of_range(lo, hi, bits, scheme, axis, w.dtype, power2)
    if power2 and bits > 1 and scheme in UNIFORM:
        grid["scale"] = plain(next_power2(value_array(grid["scale"])))
    if group:
        grid["group"] = float(group)
    return grid


def new_grid(bits: Any, scheme: str, scale: Array, zero_point: Array, axis: float) -> Grid:
    """Make a grid of its fields."""
    return {
        "bits": float(bits),
        "scheme": scheme,
        "scale": plain(scale),
        "zero_point": plain(zero_point),
        "axis": float(axis),
    }


def symmetric_grid(bits: int, scale: Array, axis: int) -> Grid:
    """Make a symmetric grid of its scales."""
    return new_grid(bits, "symmetric", scale, np.zeros_like(scale), axis)


def column_sums(m: Array) -> Array:
    """Sum the columns in double, one entry after the other, n x 1."""
    if m.shape[0] == 0:
        return np.zeros((m.shape[1], 1))
    return np.cumsum(m.astype(np.float64), axis=0)[-1:].T


def mean_magnitude(m: Array, importance: Array | None) -> Array:
    """Average |w| over the nonzeros of each column, n x 1 double."""
    magnitude = np.abs(m.astype(np.float64))
    used = (magnitude != 0).astype(np.float64)
    if importance is not None:
        magnitude, used = magnitude * importance, used * importance
    total = column_sums(used)
    total[total == 0] = 1
    return column_sums(magnitude) / total


def ternary_scale(m: Array, importance: Array | None) -> Array:
    """Find the scale of three levels with the least squared error, n x 1 double.

    With the k greatest magnitudes at the scale and the rest at 0, the best scale is their mean,
    and the squared error falls by sum^2 / k.
    """
    magnitude = np.abs(m.astype(np.float64))
    if magnitude.shape[0] == 0:
        return np.zeros((m.shape[1], 1))
    order = np.argsort(-magnitude, axis=0, kind="stable")
    magnitude = np.take_along_axis(magnitude, order, 0)
    if importance is None:
        part = np.cumsum(magnitude, axis=0)
        weight = np.broadcast_to(np.arange(1.0, len(m) + 1)[:, np.newaxis], m.shape)
    else:
        importance = np.take_along_axis(importance, order, 0)
        part = np.cumsum(importance * magnitude, axis=0)
        weight = np.cumsum(importance, axis=0)
    weight = np.where(weight == 0, np.inf, weight)
    best = np.argmax(part**2 / weight, axis=0)[np.newaxis]
    return (np.take_along_axis(part, best, 0) / np.take_along_axis(weight, best, 0)).T


def least_squares_range(
    m: Array,
    importance: Array | None,
    lo: Array,
    hi: Array,
    bits: int,
    scheme: str,
    power2: bool,
) -> tuple[Array, Array]:
    """Scale the range of each column down to where the squared error of its grid is least."""
    m = m.astype(np.float64)
    best, share = np.full(lo.shape, np.inf), np.ones(lo.shape)
    for step in range(100, 19, -1):
        grid = grid_of_range(lo * step / 100, hi * step / 100, bits, scheme, 2, np.float64, power2)
        square = (snap_to_grid(m, grid)[0] - m) ** 2
        error = column_sums(square if importance is None else square * importance)
        better = error < best
        best[better], share[better] = error[better], step / 100
    return lo * share, hi * share


def float_grid(m: Array, scheme: str, axis: int, dtype: Any) -> Grid:
    """Make the grid of a floating point format."""
    form = FLOAT_FORMATS[scheme]
    scale = np.ones((m.shape[1], 1))
    if form.bits == 8 and m.shape[0]:
        scale = np.abs(m).max(axis=0).astype(np.float64)[:, np.newaxis] / form.largest
    grid = symmetric_grid(form.bits, as_scale(scale, dtype), axis)
    grid["scheme"] = scheme
    return grid


def next_power2(scale: Array) -> Array:
    """Return the least power of two that is not below a scale; 0 stays 0."""
    fraction, exponent = np.frexp(scale)
    return np.where(scale == 0, 0, np.ldexp(1.0, exponent - (fraction == 0.5))).astype(scale.dtype)


def as_scale(scale: Array, dtype: Any) -> Array:
    """Round scales to the array's class; what would be 0 is 1, what would be Inf is realmax."""
    scale = np.minimum(scale, np.finfo(dtype).max).astype(dtype)
    scale[scale == 0] = 1
    return scale


def grid_of_range(
    lo: Any,
    hi: Any,
    bits: Any,
    scheme: str,
    axis: float,
    dtype: Any = np.float64,
    power2: bool = False,
) -> Grid:
    """Choose the uniform grid over `lo` to `hi` (double, n x 1); its scales have class `dtype`."""
    bits = int(scalar(bits))
    lo, hi = value_array(lo), value_array(hi)
    if scheme == "symmetric":
        scale = np.maximum(np.abs(lo), np.abs(hi)) / max(2 ** (bits - 1) - 1, 1)
    elif scheme == "signed":
        scale = np.maximum(
            -np.minimum(lo, 0) / 2 ** (bits - 1), np.maximum(hi, 0) / max(2 ** (bits - 1) - 1, 1)
        )
    else:
        lo, hi = np.minimum(lo, 0), np.maximum(hi, 0)
        levels = 2**bits - 1
        scale = hi / levels - lo / levels
    if power2:
        scale = next_power2(scale)
    scale = as_scale(scale, dtype)
    grid = new_grid(bits, scheme, scale, np.zeros_like(scale), axis)
    if scheme in ("affine", "unsigned"):
        first, last = code_range(grid)
        exact = round_half_away(first - lo / scale.astype(np.float64))
        grid["zero_point"] = plain(np.clip(exact, first, last).astype(dtype))
    return grid


def code_range(grid: Grid) -> tuple[int, int]:
    """Return the least and the greatest code of a grid."""
    bits, scheme = int(grid["bits"]), grid["scheme"]
    if scheme == "symmetric":
        last = max(2 ** (bits - 1) - 1, 1)
        return -last, last
    if scheme in ("affine", "signed"):
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if scheme == "codebook":
        return 0, value_array(grid["codebook"]).size - 1
    return 0, 2**bits - 1


def range_of(w: Array, axis: int) -> tuple[Array, Array]:
    """Find the least and the greatest value of each slice, n x 1 double; 0 of nothing."""
    columns = slices(w, axis).astype(np.float64)
    if columns.shape[0] == 0:
        nothing = np.zeros((columns.shape[1], 1))
        return nothing, nothing
    return columns.min(axis=0)[:, np.newaxis], columns.max(axis=0)[:, np.newaxis]


def slices(w: Any, axis: int, group: int | None = None) -> Array:
    """Make an array a matrix whose column k is the k-th slice of dimension `axis`.

    ``axis = 0`` puts all of `w` in one column. Entries keep their linear (column-major) order.
    `group` cuts each column into groups of so many elements, each a column of its own; the last
    group of a slice is filled up with zeros.
    """
    w = value_array(w)
    if axis == 0:
        columns = w.reshape(-1, 1, order="F")
    else:
        w = w.reshape(w.shape + (1,) * (axis - w.ndim))
        last = np.moveaxis(w, axis - 1, -1)
        count = last.shape[-1]
        columns = last.reshape(w.size // max(count, 1), count, order="F")
    if group is None:
        return columns
    missing = -columns.shape[0] % group
    columns = np.pad(columns, ((0, missing), (0, 0)))
    return columns.reshape(group, columns.size // group, order="F")


def unslice(columns: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Make the array whose slices are the columns of a matrix: `slices` undone."""
    if axis == 0 or axis >= len(shape):
        return columns.reshape(shape, order="F")
    moved = [n for d, n in enumerate(shape, 1) if d != axis] + [shape[axis - 1]]
    return np.moveaxis(columns.reshape(moved, order="F"), -1, axis - 1)


def along_axis(grid: Grid, dtype: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Shape scales and zero points to meet an array of that shape, in class `dtype`."""
    axis = int(grid["axis"])
    scale = value_array(grid["scale"]).astype(dtype)
    zero_point = value_array(grid["zero_point"]).astype(dtype)
    if "group" in grid:
        group = int(grid["group"])
        count = 1 if axis == 0 or axis > len(shape) else shape[axis - 1]
        rows = int(np.prod(shape)) // max(count, 1)
        groups = -(-rows // group)  # of each slice
        column = np.arange(rows)[:, np.newaxis] // group + np.arange(count) * groups
        scale = unslice(scale.ravel()[column], shape, axis)
        zero_point = unslice(zero_point.ravel()[column], shape, axis)
        return scale, zero_point
    meeting = [1] * len(shape)
    if 0 < axis <= len(shape):
        meeting[axis - 1] = -1
    return scale.reshape(meeting), zero_point.reshape(meeting)


def channel_axis(layer: dict[str, Any], field: str) -> int:
    """Return the dimension of a parameter that runs over the output channels, from 1.

    Weights of convolutions are kh x kw x cin x cout, of transposed ones kh x kw x cout x cin.
    """
    axes = {"conv2d": 4, "transposedconv2d": 3}
    return axes.get(layer["type"], 1) if field == "weights" else 1


def is_sign_grid(grid: Grid) -> bool:
    """Whether the codes are just signs: a symmetric grid of 1 bit."""
    return bool(grid["bits"] == 1) and bool(grid["scheme"] == "symmetric")


def encode_grid(w: Any, grid: Grid) -> Array:
    """Encode an array as integers on a grid.

    ``codes = clip (round (w / scale) + zero_point)``: the division in the class of `w`, halves
    away from zero. A symmetric grid of 1 bit has the codes sign (w). The codes of a codebook are
    the places of the nearest entries, from 0; those of floating point the bit patterns of
    w / scale.

    Returns
    -------
    array
        int32, the shape of `w`.

    Raises
    ------
    ModelError
        ``octcompress:encode_grid:notFinite`` where `w` holds NaN or Inf.
    """
    check("encode_grid", "w", w, "finite")
    w = value_array(w)
    if "codebook" in grid:
        return nearest_entry(w, value_array(grid["codebook"])).astype(np.int32)
    if is_sign_grid(grid):
        return np.sign(w).astype(np.int32)
    first, last = code_range(grid)
    scale, zero_point = along_axis(grid, w.dtype, w.shape)
    if grid["scheme"] in FLOAT_FORMATS:
        return encode_float(w / scale, grid["scheme"])
    with np.errstate(over="ignore"):
        codes = round_half_away(w / scale) + zero_point
    return np.clip(codes, first, last).astype(np.int32)


def decode_grid(codes: Any, grid: Grid, dtype: Any = None) -> Array:
    """Return the values that codes stand for: ``scale * (codes - zero_point)``.

    Parameters
    ----------
    codes : array
        Any integer class, any shape.
    dtype : str or dtype
        ``single`` or ``double`` (that of the grid's scale or codebook).
    """
    codes = value_array(codes)
    if dtype is None:
        dtype = value_array(grid["codebook" if "codebook" in grid else "scale"]).dtype
    if "codebook" in grid:
        return value_array(grid["codebook"]).ravel()[codes.astype(np.intp)].astype(dtype)
    scale, zero_point = along_axis(grid, dtype, codes.shape)
    if grid["scheme"] in FLOAT_FORMATS:
        return decode_float(codes, grid["scheme"]).astype(dtype) * scale
    with np.errstate(over="ignore"):
        return (codes.astype(dtype) - zero_point) * scale


def snap_to_grid(x: Any, grid: Grid) -> tuple[Array, Array, Array]:
    """Put values on a grid; the same bits as encoding and decoding give.

    Where ``grid['dynamic']`` is true the range is that of x itself, of each slice of
    ``grid['axis']``: each observation of a batch gets its own scale.

    Returns
    -------
    y : array
        The nearest values on the grid.
    codes : array
        Those of `encode_grid`, in the class of `x`.
    inside : array
        Logical: the value was not clipped, so a straight-through gradient passes.
    """
    x = value_array(x)
    if grid.get("dynamic"):
        axis = int(grid["axis"])
        lo, hi = range_of(x, axis)
        grid = grid_of_range(lo, hi, grid["bits"], grid["scheme"], axis, x.dtype)
    if "codebook" in grid or grid["scheme"] in FLOAT_FORMATS:
        codes = encode_grid(x, grid)
        return decode_grid(codes, grid, x.dtype), codes.astype(x.dtype), np.ones(x.shape, bool)
    scale, zero_point = along_axis(grid, x.dtype, x.shape)
    if is_sign_grid(grid):
        return np.sign(x) * scale, np.sign(x), np.abs(x) <= scale
    first, last = code_range(grid)
    with np.errstate(over="ignore"):
        codes = round_half_away(x / scale) + zero_point
        inside = (codes >= first) & (codes <= last)
        codes = np.clip(codes, first, last)
        return (codes - zero_point) * scale, codes, inside


def nearest_entry(w: Array, codebook: Array) -> Array:
    """Find the place of the nearest entry of a codebook, from 0; of two the greater one.

    Half-way points and comparisons are in double.
    """
    entries = codebook.ravel().astype(np.float64)
    order = np.argsort(entries, kind="stable")
    middle = (entries[order][:-1] + entries[order][1:]) / 2
    return order[np.searchsorted(middle, w.astype(np.float64), side="right")]


def encode_float(x: Array, name: str) -> Array:
    """Return the bit patterns of numbers in a small floating point format, int32.

    Rounded to the nearest, ties to even; beyond the greatest finite value becomes that.
    """
    form = FLOAT_FORMATS[name]
    magnitude = np.minimum(np.abs(x.astype(np.float64)), form.largest)
    exponent = np.maximum(np.frexp(magnitude)[1] - 1 + form.bias, 1)
    exponent[magnitude == 0] = 1
    mantissa = np.rint(np.ldexp(magnitude, form.mantissa + form.bias - exponent))
    codes = mantissa + (exponent - 1) * 2**form.mantissa
    return (codes + (x < 0) * 2 ** (form.bits - 1)).astype(np.int32)


def decode_float(codes: Array, name: str) -> Array:
    """Return the numbers, double, that bit patterns of a small floating point format stand for."""
    form = FLOAT_FORMATS[name]
    codes = codes.astype(np.int64)
    half = 2 ** (form.bits - 1)
    negative = codes >= half
    codes = codes - negative * half
    exponent, mantissa = codes >> form.mantissa, codes & (2**form.mantissa - 1)
    mantissa = mantissa + (exponent > 0) * 2**form.mantissa
    x = np.ldexp(mantissa.astype(np.float64), np.maximum(exponent, 1) - form.bias - form.mantissa)
    return np.where(negative, -x, x)
