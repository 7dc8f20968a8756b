"""Arrays as bytes: the reference of ``+octcompress/+coding``, with the same function names.

The streams below are in `coding_bits` (bits, Huffman), `coding_streams` (rANS) and `coding_context`
(the adaptive coder); the structs above in `coding_write` and `coding_read`.
``docs/packed-format.md`` describes every byte.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import OctcompressError
from .coding_bits import (
    crc32,
    damaged,
    huffman_codes,
    huffman_decode,
    huffman_encode,
    huffman_lengths,
    pack_bits,
    read_varint,
    relative_decode,
    relative_encode,
    take,
    unpack_bits,
    write_varint,
)
from .coding_context import context_decode, context_encode
from .coding_streams import (
    decode_symbols,
    encode_symbols,
    normalize_counts,
    rans_decode,
    rans_encode,
)
from .internal import Array, value_array
from .quant import FLOAT_FORMATS, Grid, along_axis, decode_grid, encode_grid

__all__ = [
    "context_decode",
    "context_encode",
    "crc32",
    "decode_array",
    "decode_codes",
    "decode_planes",
    "decode_symbols",
    "encode_array",
    "encode_codes",
    "encode_planes",
    "encode_symbols",
    "grid_codes",
    "grid_values",
    "huffman_codes",
    "huffman_decode",
    "huffman_encode",
    "huffman_lengths",
    "normalize_counts",
    "pack_bits",
    "rans_decode",
    "rans_encode",
    "relative_decode",
    "relative_encode",
    "unpack_bits",
]

CLASSES = (
    "double",
    "single",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "logical",
    "char",
)
_DTYPES = {"double": "<f8", "single": "<f4", "logical": "?", "char": "u1"}
Parts = dict[str, int]


def dtype_of(name: str) -> np.dtype[Any]:
    """NumPy's type of a class in a packed file, the lowest byte first."""
    return np.dtype(_DTYPES.get(name, name)).newbyteorder("<")


def value_bytes(values: Array) -> bytes:
    """Bytes of numbers in MATLAB's order, the lowest byte of each first."""
    if values.dtype.kind == "U":
        values = np.vectorize(ord, otypes=[np.uint8])(values)
    kind = values.dtype.newbyteorder("<")
    return values.astype(kind, copy=False).tobytes(order="F")


def byte_values(data: bytes, name: str) -> Array:
    """Return the numbers of a class, in one row, from their bytes."""
    kind = dtype_of(name)
    if len(data) % kind.itemsize:
        damaged("an array has a part of a number")
    if name == "logical":
        return np.frombuffer(data, np.uint8) > 0
    values = np.frombuffer(data, kind).astype(kind.newbyteorder("="))
    return values.astype(np.uint32).view("<U1") if name == "char" else values


# --- whole numbers ---------------------------------------------------------------------------


def encode_codes(codes: Array, method: str, alone: bool = False) -> tuple[bytes, Parts]:
    """Code an array of whole numbers by the smallest of the methods there are.

    Parameters
    ----------
    codes : array, at least 2-D
        0 stands for a zero weight; the range is below 65536.
    method : str
        ``none``, ``huffman``, ``rans`` or ``auto``.
    alone : bool
        Only as single symbols, without gaps and contexts.

    Returns
    -------
    data : bytes
    parts : dict
        codes and indices, bytes of each; their sum is the length of `data`.
    """
    codes = codes.astype(np.int64)
    flat = codes.ravel(order="F")
    least = int(flat.min()) if flat.size else 0
    spread = int(flat.max()) - least if flat.size else 0
    last = least + spread
    data = write_varint(4 * _zigzag(least)) + write_varint(spread)
    indices = 0
    if spread == 0:
        return data, {"codes": len(data), "indices": 0}
    data += encode_symbols(flat - least, spread + 1, method)
    if alone:
        return data, {"codes": len(data), "indices": 0}

    sparse = least <= 0 <= last and 2 * np.count_nonzero(flat) < flat.size
    if method in ("huffman", "auto") and sparse:
        for bits in (4, 5, 8):
            gaps, entries = relative_encode(flat, bits)
            places = encode_symbols(gaps, 1 << bits, "huffman")
            values = encode_symbols(entries - least, spread + 1, "huffman")
            trial = write_varint(4 * _zigzag(least) + 2) + write_varint(spread) + bytes([bits])
            trial += write_varint(entries.size) + write_varint(len(places)) + places + values
            if len(trial) < len(data):
                data, indices = trial, len(places)

    base = 0 if least <= 0 <= last else least
    most = max(abs(least - base), abs(last - base))
    if method in ("rans", "auto") and _worth_contexts(flat.size, len(data), most):
        trial = write_varint(4 * _zigzag(base) + 1) + context_encode(_as_matrix(codes) - base)
        if len(trial) < len(data):
            data, indices = trial, 0
    return data, {"codes": len(data) - indices, "indices": indices}


def _worth_contexts(count: int, so_far: int, most: int) -> bool:
    """Whether contexts may pay: large numbers, and many entries of many bits, take long."""
    small = count <= 1 << 20 or (count <= 1 << 25 and 2 * so_far < count)
    return count >= 16 and most <= 512 and small


def _zigzag(value: int) -> int:
    return 2 * abs(value) - (value < 0)


def _as_matrix(codes: Array) -> Array:
    return codes.reshape(-1, codes.shape[-1], order="F").T if codes.ndim > 2 else codes


def decode_codes(data: bytes, dims: tuple[int, ...]) -> Array:
    """Read what `encode_codes` wrote; the result has the shape `dims`."""
    count = int(np.prod(dims))
    head, position = read_varint(data, 0)
    kind = head % 4
    least = -(-(head // 4) // 2) * (-1 if head // 4 % 2 else 1)
    if kind == 1:
        rows = dims[-1] if len(dims) > 2 else dims[0]
        matrix = least + context_decode(data[position:], rows, count // max(rows, 1))
        if len(dims) > 2:
            matrix = matrix.T
        return matrix.reshape(dims, order="F")
    spread, position = read_varint(data, position)
    if spread > 65535 or kind == 3:
        damaged("the head of coded numbers cannot be")
    if kind == 0:
        codes = decode_symbols(data[position:], count, spread + 1)
    else:
        bit_byte, position = take(data, position, 1, "coded numbers end too early")
        bits = bit_byte[0]
        entries, position = read_varint(data, position)
        length, position = read_varint(data, position)
        if bits > 16 or entries > count or position + length > len(data):
            damaged("the head of coded numbers cannot be")
        gaps = decode_symbols(data[position : position + length], entries, 1 << bits)
        values = decode_symbols(data[position + length :], entries, spread + 1)
        codes = relative_decode(gaps, values + least, count) - least
    return (codes + least).reshape(dims, order="F")


# --- numbers of any class --------------------------------------------------------------------


def encode_planes(values: Array, method: str) -> bytes:
    """Code numbers without loss: the bytes of equal rank together, the highest first.

    The bits of floating point numbers are turned left by one before.
    """
    width = values.dtype.itemsize
    table: Array = np.frombuffer(value_bytes(values), np.uint8).reshape(-1, width)
    if values.dtype.kind == "f":
        carry = table >> 7
        table = table << 1 | np.roll(carry, 1, axis=1)
    data = b""
    for plane in table.T[::-1]:
        coded, _ = encode_codes(plane[:, np.newaxis], method, alone=True)
        if len(coded) < plane.size:
            data += write_varint(len(coded)) + coded
        else:
            data += b"\0" + plane.tobytes()
    return data


def decode_planes(data: bytes, count: int, name: str) -> Array:
    """Read what `encode_planes` wrote: numbers of a class, in one row."""
    kind = dtype_of(name)
    table: Array = np.zeros((count, kind.itemsize), np.uint8)
    position = 0
    for k in range(kind.itemsize - 1, -1, -1):
        length, position = read_varint(data, position)
        plain = length == 0
        fault = "the bytes of an array end too early"
        plane, position = take(data, position, count if plain else length, fault)
        if plain:
            table[:, k] = np.frombuffer(plane, np.uint8)
        else:
            table[:, k] = decode_codes(plane, (count, 1))[:, 0]
    if kind.kind == "f":
        table = table >> 1 | np.roll(table & 1, -1, axis=1) << 7
    return byte_values(table.tobytes(), name)


def grid_codes(values: Array, grid: Grid) -> Array | None:
    """Codes of values on a grid, counted from the code of zero; None if they are not on it."""
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        return None
    try:
        codes = encode_grid(values, grid).astype(np.int64)
        if "codebook" not in grid and grid["scheme"] in FLOAT_FORMATS:
            codes[(values == 0) & np.signbit(values)] = 1 << (int(grid["bits"]) - 1)
        back = decode_grid(codes, grid, values.dtype)
    except (OctcompressError, KeyError, TypeError, ValueError, IndexError):
        return None  # not a grid of ours: the values are coded without it
    if value_bytes(back) != value_bytes(values):
        return None
    if "codebook" in grid:
        order, centre = book_order(grid["codebook"])
        rank = np.empty(order.size, np.int64)
        rank[order] = np.arange(order.size) - centre
        return rank[codes]
    if grid["scheme"] not in FLOAT_FORMATS:
        codes = codes - along_axis(grid, np.float64, values.shape)[1].astype(np.int64)
    return codes


def book_order(codebook: Any) -> tuple[Array, int]:
    """Rising order of a codebook's entries, and the place in it of the smallest magnitude."""
    entries = value_array(codebook).ravel(order="F").astype(np.float64)
    order = np.argsort(entries, kind="stable")
    return order, int(np.abs(entries[order]).argmin())


def grid_values(codes: Array, grid: Grid, name: str) -> Array:
    """Return the values whose codes `grid_codes` gave."""
    if "codebook" in grid:
        order, centre = book_order(grid["codebook"])
        place = codes + centre
        if (place < 0).any() or (place >= order.size).any():
            damaged("a code lies outside its codebook")
        codes = order[place]
    elif grid["scheme"] not in FLOAT_FORMATS:
        codes = codes + along_axis(grid, np.float64, codes.shape)[1].astype(np.int64)
    return decode_grid(codes, grid, dtype_of(name).newbyteorder("="))


def encode_array(
    values: Array, grid: Mapping[str, Any] | None, method: str
) -> tuple[int, bytes, Parts]:
    """Code an array without loss in the smallest way.

    Parameters
    ----------
    values : array, at least 2-D
        Real numbers of any class, truth values, or single characters.
    grid : dict or None
        The grid that the values are promised to lie on.
    method : str
        ``none``, ``huffman``, ``rans`` or ``auto``.

    Returns
    -------
    kind : int
        0 bytes, 1 planes, 2 codes on the grid, 3 distinct values, 4 sparse, 5 whole numbers,
        6 all equal; 8 more where doubles are coded as singles.
    data : bytes
    parts : dict
        codes, codebooks, indices, values: bytes of each; their sum is the length of `data`.
    """
    raw = value_bytes(values)
    width = len(raw) // max(values.size, 1)
    best = _trial(0, raw)
    if values.size < 2:
        return best
    if raw == raw[:width] * values.size:
        return _trial(6, raw[:width])
    codes = grid_codes(values, dict(grid)) if grid else None
    if codes is not None:
        return _of_codes(2, codes, method)
    if values.dtype.kind != "f":
        best = _smaller(best, _of_whole(values, method))
    elif values.dtype == np.float64 and value_bytes(_as_single(values).astype(float)) == raw:
        kind, data, parts = encode_array(_as_single(values), None, method)
        return kind + 8, data, parts
    else:
        trial = _of_whole(values, method) or _of_distinct(values, method)
        best = _smaller(best, trial)
        if trial is None or trial[2]["codebooks"] > trial[2]["codes"]:
            best = _smaller(best, _of_nonzeros(values, method))
    if best[0] == 0 and method != "none":
        numbers = values.view(np.uint8) if values.dtype.kind == "b" else values
        if numbers.dtype.kind == "U":
            numbers = np.frombuffer(raw, np.uint8).reshape(values.shape, order="F")
        best = _smaller(best, _trial(1, encode_planes(numbers, method)))
    return best


def _as_single(values: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32)


Trial = tuple[int, bytes, Parts]


def _trial(kind: int, data: bytes, codes: int = 0, codebooks: int = 0, indices: int = 0) -> Trial:
    values = len(data) - codes - codebooks - indices
    parts = {"codes": codes, "codebooks": codebooks, "indices": indices, "values": values}
    return kind, data, parts


def _smaller(best: Trial, trial: Trial | None) -> Trial:
    return trial if trial is not None and len(trial[1]) < len(best[1]) else best


def _of_codes(kind: int, codes: Array, method: str) -> Trial:
    data, parts = encode_codes(codes, method)
    return _trial(kind, data, parts["codes"], 0, parts["indices"])


def _of_whole(values: Array, method: str) -> Trial | None:
    if values.dtype.kind == "U":
        numbers = np.vectorize(ord, otypes=[float])(values)
    else:
        numbers = values.astype(np.float64)
    fine = np.isfinite(numbers).all() and (numbers == np.trunc(numbers)).all()
    if not fine or (values.dtype.kind == "f" and (np.signbit(numbers) & (numbers == 0)).any()):
        return None
    if np.abs(numbers).max() < 2**48 and numbers.max() - numbers.min() < 65536:
        return _of_codes(5, numbers, method)
    return None


def sort_keys(values: Array) -> Array:
    """Whole numbers, in one row, that order floating point values to the bit."""
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    keys = values.ravel(order="F").view(unsigned)
    half = unsigned.type(1 << (8 * unsigned.itemsize - 1))
    return np.where(keys >= half, ~keys, keys + half)


def _of_distinct(values: Array, method: str) -> Trial | None:
    keys = sort_keys(values)
    few = np.unique(keys[:: -(-keys.size // 4096)]).size
    if few > min(1024, keys.size / 2):
        return None
    distinct, first, place = np.unique(keys, return_index=True, return_inverse=True)
    if distinct.size > min(65536, keys.size / 2):
        return None
    centre = int(np.bincount(place).argmax())
    data, parts = encode_codes(place.reshape(values.shape, order="F") - centre, method)
    head = write_varint(distinct.size - 1) + write_varint(centre)
    head += value_bytes(values.ravel(order="F")[first])
    return _trial(3, head + data, parts["codes"], len(head), parts["indices"])


def _of_nonzeros(values: Array, method: str) -> Trial | None:
    marks = np.where(values == 0, -np.signbit(values).astype(np.int64), 1)
    there = marks.ravel(order="F") == 1
    if there.mean() >= 0.95:
        return None
    mask, _ = encode_codes(marks, method)
    mask = write_varint(len(mask)) + mask
    planes = encode_planes(values.ravel(order="F")[there], method)
    return _trial(4, mask + planes, 0, 0, len(mask))


def decode_array(
    kind: int, data: bytes, dims: tuple[int, ...], name: str, grid: Grid | None
) -> Array:
    """Read what `encode_array` wrote: an array of that shape and class."""
    count = int(np.prod(dims))
    if kind >= 8 and name == "double":
        return decode_array(kind - 8, data, dims, "single", grid).astype(np.float64)
    width = dtype_of(name).itemsize
    if kind == 0:
        _exactly(len(data), count * width)
        values = byte_values(data, name)
    elif kind == 1:
        values = decode_planes(data, count, name)
    elif kind == 2 and grid is not None:
        return grid_values(decode_codes(data, dims), grid, name)
    elif kind == 3:
        distinct, position = read_varint(data, 0)
        centre, position = read_varint(data, position)
        last = position + (distinct + 1) * width
        if last > len(data):
            _exactly(len(data), last)
        book = byte_values(data[position:last], name)
        place = decode_codes(data[last:], dims) + centre
        if (place < 0).any() or (place > distinct).any():
            damaged("an entry is none of the values of its array")
        return book[place]
    elif kind == 4:
        length, position = read_varint(data, 0)
        if position + length > len(data):
            _exactly(len(data), position + length)
        marks = decode_codes(data[position : position + length], dims).ravel(order="F")
        values = np.zeros(count, dtype_of(name).newbyteorder("="))
        there = marks > 0
        values[there] = decode_planes(data[position + length :], int(there.sum()), name)
        values[marks < 0] = -values[marks < 0]
    elif kind == 5:
        numbers = decode_codes(data, dims)
        if name == "char":
            return numbers.astype(np.uint32).view("<U1").reshape(dims)
        return numbers.astype(dtype_of(name).newbyteorder("="))
    elif kind == 6:
        _exactly(len(data), width)
        values = np.repeat(byte_values(data, name), count)
    else:
        damaged("an array is coded in an unknown way")
    return values.reshape(dims, order="F")


def _exactly(there: int, needed: int) -> None:
    if there != needed:
        damaged(f"an array has {there} bytes, but needs {needed}")


def parts_of(kind: int, data: bytes, name: str) -> Parts:
    """Say what the bytes of a coded array are spent on, from its stream alone."""
    parts = {"codes": 0, "codebooks": 0, "indices": 0, "values": 0}
    if kind >= 8:
        kind, name = kind - 8, "single"
    if kind in (2, 5):
        parts["indices"] = _indices_of(data, 0)
        parts["codes"] = len(data) - parts["indices"]
    elif kind == 3:
        distinct, position = read_varint(data, 0)
        _, position = read_varint(data, position)
        position += (distinct + 1) * dtype_of(name).itemsize
        parts["codebooks"] = position
        parts["indices"] = _indices_of(data, position)
        parts["codes"] = len(data) - position - parts["indices"]
    elif kind == 4:
        length, position = read_varint(data, 0)
        parts["indices"] = position + length
        parts["values"] = len(data) - parts["indices"]
    else:
        parts["values"] = len(data)
    return parts


def _indices_of(data: bytes, position: int) -> int:
    """Count the bytes of the gaps of `encode_codes`, where there are any."""
    head, position = read_varint(data, position)
    if head % 4 != 2:
        return 0
    _, position = read_varint(data, position)
    _, position = read_varint(data, position + 1)
    return read_varint(data, position)[0]
