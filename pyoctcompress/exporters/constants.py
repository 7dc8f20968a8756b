"""Arrays on their way into a file: computed and written part by part, never copied whole."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from pyoctcompress.matfile.types import Fault
from pyoctcompress.matfile.writing import replace
from pyoctcompress.reference.internal import Array, value_array
from pyoctcompress.reference.quant import Grid, encode_grid

CALLER = "export"
_PART = 1 << 20  # entries that are computed at a time


@dataclass(frozen=True)
class Constant:
    """An array of a file.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy dtype
    rows : callable
        ``rows (first, last)`` gives these rows of the first dimension, of the dtype.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: Callable[[int, int], Array]

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes."""
        return self.size * self.dtype.itemsize

    def parts(self) -> Iterator[Array]:
        """Give the array in contiguous parts."""
        count = self.shape[0] if self.shape else 1
        step = (
            max(2, _PART * count // max(self.size, 1)) // 2 * 2
        )  # even: two codes may share a byte
        for first in range(0, count, step):
            yield np.ascontiguousarray(self.rows(first, min(first + step, count)))

    def stacked(self) -> Constant:
        """Give the array one more dimension, of length 1, before its own."""
        return Constant((1, *self.shape), self.dtype, lambda *_: self.array()[np.newaxis])

    def array(self) -> Array:
        """Give the array whole."""
        whole = np.empty(self.shape, self.dtype)
        flat, place = whole.reshape(-1), 0
        for part in self.parts():
            flat[place : place + part.size] = part.reshape(-1)
            place += part.size
        return whole


def constant(array: Any, dtype: Any = None) -> Constant:
    """Make a constant of an array that is there already."""
    array = np.asarray(array)
    kind = np.dtype(array.dtype if dtype is None else dtype)
    if array.ndim == 0:
        return Constant((), kind, lambda first, last: array.astype(kind))
    return Constant(
        array.shape, kind, lambda first, last: array[first:last].astype(kind, copy=False)
    )


def weights_in_order(w: Array, order: Sequence[int], dtype: Any = np.float32) -> Constant:
    """Make a constant of weights whose dimensions (counted from 0) are put in another order."""
    turned, kind = w.transpose(order), np.dtype(dtype)
    return Constant(
        turned.shape, kind, lambda first, last: turned[first:last].astype(kind, copy=False)
    )


def codes_in_order(w: Array, grid: Grid, order: Sequence[int], dtype: Any = np.int8) -> Constant:
    """Make a constant of the codes of weights, as `weights_in_order` does of their values."""
    kind, axis = np.dtype(dtype), order[0]
    codes = encode_grid(w, grid) if "group" in grid else None

    def rows(first: int, last: int) -> Array:
        which = [slice(None)] * w.ndim
        which[axis] = slice(first, last)
        if codes is not None:
            part = codes[tuple(which)]
        else:
            part = encode_grid(w[tuple(which)], grid_of_part(grid, axis, first, last))
        return part.transpose(order).astype(kind)

    return Constant(tuple(w.shape[d] for d in order), kind, rows)


def grid_of_part(grid: Grid, axis: int, first: int, last: int) -> Grid:
    """Return the grid of some slices of a dimension (counted from 0)."""
    if "codebook" in grid or grid["axis"] != axis + 1:
        return grid
    fields = ("scale", "zero_point")
    return {**grid, **{name: value_array(grid[name])[first:last] for name in fields}}


def per_channel(value: Any, channels: int) -> Array:
    """Give a grid's scale or zero point as one number for each channel."""
    flat = value_array(value).reshape(-1)
    return np.broadcast_to(flat, (channels,)) if flat.size == 1 else flat


def write_file(path: str | os.PathLike[str], write: Callable[[BinaryIO], object]) -> int:
    """Write a file that appears under its name once it is complete, or not at all.

    Parameters
    ----------
    write : callable
        Is given the open file.

    Returns
    -------
    int
        The number of bytes.

    Raises
    ------
    FileError
        ``octcompress:export:notWritten``.
    """
    try:
        return replace(path, write, lambda written: True, False)
    except Fault as fault:
        raise fault.error(CALLER) from None
