"""Uniform grids and codes of arrays: the reference of ``+octcompress/+quant``.

A grid is a dict: ``bits`` (1 to 16), ``scheme`` ('symmetric' or 'affine'), ``scale`` and
``zero_point`` (one number, or n x 1: one for each slice of the dimension ``axis``, counted from
1; in the class of the array), ``axis`` (0 for one scale).
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from .internal import Array, check, plain, round_half_away, scalar, sequential_sum, value_array

Grid = dict[str, Any]


def choose_grid(w: Any, bits: Any, scheme: str = "symmetric", axis: Any = 0) -> Grid:
    """Choose the uniform grid that covers an array.

    Parameters
    ----------
    w : array
        Single or double, any shape, finite.
    bits : int
        1 to 16.
    scheme : str
        ``symmetric``: codes -(2^(bits-1) - 1) to 2^(bits-1) - 1, scale = max |w| / (2^(bits-1) -
        1); with 1 bit the codes are sign (w) and scale is the mean of |w| over the nonzeros [2]_.
        ``affine``: codes -2^(bits-1) to 2^(bits-1) - 1 over the range of w widened to hold 0
        ([1]_, eq. 1).
    axis : int
        0 for one scale, d for one per slice of dimension d (counted from 1).

    Raises
    ------
    OctcompressError
        ``octcompress:choose_grid:badValue``, ``badType``, ``notFinite``.

    References
    ----------
    .. [1] Jacob et al., Quantization and training of neural networks, CVPR 2018,
       arXiv:1712.05877.
    .. [2] Rastegari et al., XNOR-Net, ECCV 2016, arXiv:1603.05279.
    """
    check("choose_grid", "bits", bits, "integer", (1, 16))
    check("choose_grid", "scheme", scheme, "choice", ["symmetric", "affine"])
    check("choose_grid", "axis", axis, "integer", (0, 16))
    check("choose_grid", "w", w, "finite")
    w, bits, axis = value_array(w), int(scalar(bits)), int(scalar(axis))
    if bits == 1 and scheme == "symmetric":
        scale = mean_magnitude(w, axis)
        return new_grid(1, scheme, scale, np.zeros_like(scale), axis)
    lo, hi = range_of(w, axis)
    return grid_of_range(lo, hi, bits, scheme, axis, w.dtype)


def new_grid(bits: Any, scheme: str, scale: Array, zero_point: Array, axis: float) -> Grid:
    """Make a grid of its fields."""
    return {
        "bits": float(bits),
        "scheme": scheme,
        "scale": plain(scale),
        "zero_point": plain(zero_point),
        "axis": float(axis),
    }


def mean_magnitude(w: Array, axis: int) -> Array:
    """Average |w| over the nonzeros of each slice, n x 1 in the class of `w`."""
    columns = np.abs(slices(w, axis).astype(np.float64))
    means = [sequential_sum(c) / max(int(np.count_nonzero(c)), 1) for c in columns.T]
    return as_scale(np.array(means).reshape(-1, 1), w.dtype)


def as_scale(scale: Array, dtype: Any) -> Array:
    """Round scales to the array's class; what would be 0 is 1, what would be Inf is realmax."""
    scale = np.minimum(scale, np.finfo(dtype).max).astype(dtype)
    scale[scale == 0] = 1
    return scale


def grid_of_range(
    lo: Any, hi: Any, bits: Any, scheme: str, axis: float, dtype: Any = np.float64
) -> Grid:
    """Choose the uniform grid over `lo` to `hi` (double, n x 1); its scales have class `dtype`."""
    bits = int(scalar(bits))
    lo, hi = value_array(lo), value_array(hi)
    if scheme == "symmetric":
        scale = np.maximum(np.abs(lo), np.abs(hi)) / max(2 ** (bits - 1) - 1, 1)
    else:
        lo, hi = np.minimum(lo, 0), np.maximum(hi, 0)
        levels = 2**bits - 1
        scale = hi / levels - lo / levels
    scale = as_scale(scale, dtype)
    zero_point = np.zeros_like(scale)
    if scheme == "affine":
        first = -(2 ** (bits - 1))
        exact = round_half_away(first - lo / scale.astype(np.float64))
        zero_point = np.clip(exact, first, -first - 1).astype(dtype)
    return new_grid(bits, scheme, scale, zero_point, axis)


def code_range(grid: Grid) -> tuple[int, int]:
    """Return the least and the greatest code of a grid."""
    last = 2 ** (int(grid["bits"]) - 1) - 1
    if grid["scheme"] == "symmetric":
        return -max(last, 1), max(last, 1)
    return -last - 1, last


def range_of(w: Array, axis: int) -> tuple[Array, Array]:
    """Find the least and the greatest value of each slice, n x 1 double; 0 of nothing."""
    columns = slices(w, axis).astype(np.float64)
    if columns.shape[0] == 0:
        nothing = np.zeros((columns.shape[1], 1))
        return nothing, nothing
    return columns.min(axis=0)[:, np.newaxis], columns.max(axis=0)[:, np.newaxis]


def slices(w: Any, axis: int) -> Array:
    """Make an array a matrix whose column k is the k-th slice of dimension `axis`.

    ``axis = 0`` puts all of `w` in one column. Entries keep their linear (column-major) order.
    """
    w = value_array(w)
    if axis == 0:
        return w.reshape(-1, 1, order="F")
    w = w.reshape(w.shape + (1,) * (axis - w.ndim))
    last = np.moveaxis(w, axis - 1, -1)
    count = last.shape[-1]
    return last.reshape(w.size // max(count, 1), count, order="F")


def along_axis(grid: Grid, dtype: Any, ndim: int) -> tuple[Array, Array]:
    """Shape scales and zero points to meet an array of `ndim` dimensions, in class `dtype`."""
    axis = int(grid["axis"])
    shape = [1] * ndim
    if 0 < axis <= ndim:
        shape[axis - 1] = -1
    scale = value_array(grid["scale"]).astype(dtype).reshape(shape)
    zero_point = value_array(grid["zero_point"]).astype(dtype).reshape(shape)
    return scale, zero_point


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
    """Encode an array as integers on a uniform grid.

    ``codes = clip (round (w / scale) + zero_point)``: the division in the class of `w`, halves
    away from zero. A symmetric grid of 1 bit has the codes sign (w).

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
    if is_sign_grid(grid):
        return np.sign(w).astype(np.int32)
    first, last = code_range(grid)
    scale, zero_point = along_axis(grid, w.dtype, w.ndim)
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
        ``single`` or ``double`` (that of the grid's scale).
    """
    codes = value_array(codes)
    if dtype is None:
        dtype = value_array(grid["scale"]).dtype
    scale, zero_point = along_axis(grid, dtype, codes.ndim)
    with np.errstate(over="ignore"):
        return (codes.astype(dtype) - zero_point) * scale


def snap_to_grid(x: Any, grid: Grid) -> tuple[Array, Array]:
    """Put values on a grid; the same bits as encoding and decoding give.

    Returns
    -------
    y : array
        The nearest values on the grid.
    inside : array
        Logical: the value was not clipped, so a straight-through gradient passes.
    """
    x = value_array(x)
    scale, zero_point = along_axis(grid, x.dtype, x.ndim)
    if is_sign_grid(grid):
        return np.sign(x) * scale, np.abs(x) <= scale
    first, last = code_range(grid)
    with np.errstate(over="ignore"):
        codes = round_half_away(x / scale) + zero_point
        inside = (codes >= first) & (codes <= last)
        return (np.clip(codes, first, last) - zero_point) * scale, inside
