"""Data files: the NumPy counterpart of ``nn_data.m``, and the argument that stands for one."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from pyoctcompress import modelfile
from pyoctcompress.errors import error_from
from pyoctcompress.reference.internal import check, describe, parse_options


@dataclass(frozen=True)
class DataFile:
    """A data file in the place of X and Y: the backend reads it, nothing travels.

    Parameters
    ----------
    path : path
        A .mat file, as `pyoctcompress.data` reads it.
    part : str
        ``test`` or ``train``.
    limit : int, optional
        The first observations only.
    input_size : sequence of int, optional
        ``(H, W, C)``: rows of pixels become images.
    pixel_order : str
        ``row`` or ``column``.
    """

    path: str | os.PathLike[str]
    part: str = "test"
    limit: float = math.inf
    input_size: Sequence[int] = ()
    pixel_order: str = "row"

    def options(self) -> dict[str, Any]:
        """Give the options of ``nn_data``."""
        size = np.array(self.input_size, np.float64).reshape(1, -1)
        return {
            "limit": float(self.limit),
            "input_size": size if size.size else np.zeros((0, 0)),
            "pixel_order": self.pixel_order,
        }


def data(
    file: str | os.PathLike[str], part: str = "test", **options: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Read inputs and labels from a data file.

    Parameters
    ----------
    file : path
        A .mat file with ``train_x, train_y, test_x, test_y`` (one observation a row), or with
        ``X`` and ``Y`` (observations along the columns of X, or along the last dimension of
        images); ``docs/data-format.md`` is the full text.
    part : str
        ``test`` (default) or ``train``; of no effect where the file holds X and Y.
    **options
        ``limit`` (inf): the first observations only. ``input_size``: ``(H, W, C)`` makes rows of
        pixels images H x W x C x N. ``pixel_order`` (``row``): order of the pixels in a row.

    Returns
    -------
    X : ndarray
        float32; integers are divided by the largest of their class (uint8: 0 to 1).
    Y : ndarray or None
        1 x N class numbers, counted from 1, as float64; other targets K x N float32; None where
        the file has none.

    Raises
    ------
    FileError
        ``octcompress:nn_data:noFile``, ``badFile``.
    OptionError
        ``octcompress:nn_data:badValue``, ``unknownOption``.
    """
    defaults = {"limit": math.inf, "input_size": None, "pixel_order": "row"}
    merged = parse_options("nn_data", defaults, options)
    check("nn_data", "part", part, "choice", ["test", "train"])
    check("nn_data", "pixel_order", merged["pixel_order"], "choice", ["row", "column"])
    if merged["limit"] != math.inf:
        check("nn_data", "limit", merged["limit"], "integer", [0, math.inf])
    names = (f"{part}_x", f"{part}_y", "X", "Y")
    found, _ = modelfile.read(file, names, "nn_data")
    if names[0] in found:
        x, y = _numbers(file, found[names[0]]).T, found.get(names[1])
        y = None if y is None else np.asarray(y, np.float64).T
    elif "X" in found:
        x, y = _numbers(file, found["X"]), found.get("Y")
        y = None if y is None else np.atleast_2d(np.asarray(y, np.float64))
        if y is not None and y.shape[1] == 1:
            y = y.T
    else:
        _fail(f"'{Path(file)}' must hold {names[0]} and {names[1]}, or X and Y; "
              "see docs/data-format.md")  # fmt: skip
    limit = None if merged["limit"] == math.inf else int(merged["limit"])
    x = x[..., :limit] if x.ndim == 4 else x[:, :limit]
    count = x.shape[-1] if x.ndim == 4 else x.shape[1]
    if x.dtype.kind in "iu":
        x = x.astype(np.float32) / np.float32(np.iinfo(x.dtype).max)
    else:
        x = x.astype(np.float32)
    x = np.asfortranarray(x)
    size = [] if merged["input_size"] is None else [int(n) for n in np.ravel(merged["input_size"])]
    if len(size) == 3 and x.ndim != 4:
        x = _to_images(x, size, merged["pixel_order"], file)
    return x, None if y is None else _labels(y, count, file)


def _fail(message: str, tag: str = "badFile") -> NoReturn:
    raise error_from(f"octcompress:nn_data:{tag}", f"nn_data: {message}")


def _numbers(file: str | os.PathLike[str], value: Any) -> npt.NDArray[Any]:
    array = np.atleast_2d(np.asarray(value))
    if array.dtype.kind not in "fiub":
        _fail(f"the inputs in '{Path(file)}' must be numbers, but are {describe(value)}")
    return array


def _to_images(
    x: npt.NDArray[Any], size: list[int], order: str, file: str | os.PathLike[str]
) -> npt.NDArray[Any]:
    height, width, channels = size
    if x.shape[0] != math.prod(size):
        shown = describe(np.array([size], np.float64))
        _fail(
            f"INPUT_SIZE must have as many pixels as the {x.shape[0]} features in "
            f"'{Path(file)}', but is {shown}",
            "badValue",
        )
    if order == "row":
        rows = x.reshape(width, height, channels, -1, order="F")
        return np.asfortranarray(rows.transpose(1, 0, 2, 3))
    return x.reshape(height, width, channels, -1, order="F")


def _labels(
    y: npt.NDArray[Any], count: int, file: str | os.PathLike[str]
) -> npt.NDArray[Any] | None:
    if y.size == 0:
        return None
    if y.shape[0] > 1 and bool(np.all((y == 0) | (y == 1)) and np.all(y.sum(axis=0) == 1)):
        y = np.argmax(y, axis=0).reshape(1, -1) + 1.0
    elif y.shape[0] > 1:
        y = y.astype(np.float32)
    if y.shape[1] < count:
        _fail(f"'{Path(file)}' has {count} observations but {y.shape[1]} labels")
    return y[:, :count]
