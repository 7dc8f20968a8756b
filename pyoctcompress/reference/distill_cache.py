"""Teachers' outputs in a .mat file, written once and read in batches.

The reference of ``fingerprint``, ``cache_layout``, ``write_cache`` and ``open_cache`` of
``+octcompress/+distill``; the files are the same to the byte where the outputs are.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import contextlib
import math
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import matfile
from .internal import Array, class_name, fail, is_empty, size, value_array

Read = Callable[[Array], Array]

_PLACES = 4093
_TEXT = b"MATLAB 5.0 MAT-file, written by octcompress: outputs of teachers"


def fingerprint(thing: Any) -> float:
    """Give a number that changes when anything in a network or in data changes.

    Of an array: the CRC-32 of its words of 32 bits, added up modulo 2^32 in 4093 places taken in
    turn; singles as they are, all other numbers as doubles. Of a dict or a list: the CRC-32 of the
    values of its parts, the keys in the order of their names.
    """
    if isinstance(thing, Mapping):
        return of_parts([part for name in sorted(thing) for part in (name, thing[name])])
    if isinstance(thing, (list, tuple)):
        return of_parts(list(thing))
    if isinstance(thing, str):
        words = np.array([ord(letter) for letter in thing], np.uint64)
    else:
        words = np.zeros(0, np.uint64) if is_empty(thing) else folded(value_array(thing))
    return checksum(np.concatenate([np.array(size(thing), np.uint64), words]))


def of_parts(parts: list[Any]) -> float:
    """Give the fingerprint of a list."""
    return checksum(np.array([fingerprint(part) for part in parts], np.uint64))


def checksum(words: Array) -> float:
    """Give the CRC-32 of words of 32 bits."""
    return float(zlib.crc32(words.astype("<u4").tobytes()))


def folded(numbers: Array) -> Array:
    """Add up the words of an array in 4093 places taken in turn."""
    flat = numbers.reshape(-1, order="F")
    width = 1 if class_name(numbers) == "single" else 2
    block = 64 * _PLACES
    sums = np.zeros(_PLACES, np.uint64)
    for first in range(0, flat.size, block):
        part = flat[first : first + block].astype("<f4" if width == 1 else "<f8")
        words = part.view("<u4").astype(np.uint64)
        words = np.pad(words, (0, -words.size % _PLACES))
        sums += words.reshape(-1, _PLACES).sum(axis=0, dtype=np.uint64)
    return sums[: min(_PLACES, width * flat.size)] % np.uint64(2**32)


@dataclass(frozen=True)
class Layout:
    """Where the outputs stand in a cache file; see ``help octcompress.distill.cache_layout``.

    Attributes
    ----------
    rows, count : int
        Numbers for one observation, observations.
    dtype : dtype
    first, columns, places : list of int
        Of each variable its first observation, counted from 0, their number, and the bytes before
        its numbers.
    bytes : int
        Of the file.
    """

    rows: int
    count: int
    dtype: np.dtype[Any]
    first: list[int]
    columns: list[int]
    places: list[int]
    bytes: int


def cache_layout(rows: int, count: int, kind: Any, most: int = 2**30) -> Layout:
    """Lay out a cache file, in variables of at most so many bytes."""
    dtype = np.dtype(kind).newbyteorder("<")
    step = max(1, most // (dtype.itemsize * rows))
    first = list(range(0, count, step))
    columns = [min(step, count - start) for start in first]
    places, place = [], 128 + 72 + 48
    for n in columns:
        places.append(place + 72)
        place += 72 + 8 * math.ceil(dtype.itemsize * rows * n / 8)
    return Layout(rows, count, dtype, first, columns, places, place)


def write_cache(caller: str, file: str, mark: Array, layout: Layout, outputs: Read) -> None:
    """Write outputs to a .mat file, batch by batch, whole or not at all.

    Parameters
    ----------
    mark : array
        6 doubles: format, count, and the fingerprints of data, teachers, layers and class.
    outputs : callable
        ``outputs (which)`` gives rows x ``which.size``.

    Raises
    ------
    FileError
        ``octcompress:CALLER:notWritten``.
    """
    path = Path(file)
    try:
        handle, written = tempfile.mkstemp(".part", path.name + ".", path.parent)
    except OSError as problem:
        fail(caller, "notWritten", f"CACHE '{file}' cannot be written: {problem.strerror}")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(_TEXT.ljust(124) + struct.pack("<HH", 256, 19785))
            stream.write(variable("fingerprint", (1, 6), np.dtype(np.float64)))
            stream.write(mark.astype("<f8").tobytes())
            for k, (start, n) in enumerate(zip(layout.first, layout.columns, strict=True)):
                stream.write(variable(f"outputs_{k + 1}", (layout.rows, n), layout.dtype))
                for first in range(start, start + n, 256):
                    part = outputs(np.arange(first, min(first + 256, start + n)))
                    stream.write(part.astype(layout.dtype).tobytes(order="F"))
                stream.write(bytes(-(layout.dtype.itemsize * layout.rows * n) % 8))
        os.replace(written, path)
    except OSError as problem:
        fail(caller, "notWritten", f"CACHE '{file}' could not be written whole: {problem}")
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(written)


def variable(name: str, dims: tuple[int, int], dtype: np.dtype[Any]) -> bytes:
    """Give the tags before the numbers of a variable of level 5."""
    matrix, element = (6, 9) if dtype.itemsize == 8 else (7, 7)
    numbers = dtype.itemsize * dims[0] * dims[1]
    padded = 8 * math.ceil(numbers / 8)
    head = struct.pack("<12I", 14, 64 + padded, 6, 8, matrix, 0, 5, 8, *dims, 1, len(name))
    return head + name.encode().ljust(16, b"\0") + struct.pack("<2I", element, numbers)


def open_cache(caller: str, file: str, mark: Array, layout: Layout, most: float = 2**30) -> Read:
    """Read outputs from a cache file, after a look whether they belong.

    Parameters
    ----------
    most : float
        Bytes up to which all is read into memory.

    Returns
    -------
    callable
        ``read (which)`` gives rows x ``which.size``.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:cacheMismatch``; those of reading a .mat file.
    """

    def refuse(reason: str) -> None:
        advice = "give another name, or delete the file"
        fail(caller, "cacheMismatch", f"CACHE '{file}' {reason}; {advice}")

    found = value_array(matfile.load(file, ["fingerprint"], caller=caller).get("fingerprint"))
    if size(found) != (1, 6):
        refuse("is no cache of a distillation")
    reasons = [
        "has another format",
        "holds outputs on other data",
        "holds outputs on other data",
        "holds the outputs of another teacher",
        "holds the outputs of other layers",
        "holds outputs of another class",
    ]
    for reason, same in zip(reasons, np.ravel(found) == np.ravel(mark), strict=True):
        if not same:
            refuse(reason)
    if os.path.getsize(file) != layout.bytes:
        refuse("was changed since it was written")
    parts = [
        np.memmap(file, layout.dtype, "r", place, (layout.rows, n), "F")
        for place, n in zip(layout.places, layout.columns, strict=True)
    ]
    native = layout.dtype.newbyteorder("=")
    if layout.dtype.itemsize * layout.rows * layout.count <= most:
        whole = np.concatenate(parts, axis=1).astype(native)
        return lambda which: whole[:, which]

    def read(which: Array) -> Array:
        values = np.empty((layout.rows, which.size), native)
        chosen = np.searchsorted(layout.first, which, side="right") - 1
        for k, part in enumerate(parts):
            here = np.flatnonzero(chosen == k)
            values[:, here] = part[:, which[here] - layout.first[k]]
        return values

    return read
