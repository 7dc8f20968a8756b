"""Structs as a few bytes of structure and one stream for each array: writing.

The reference of ``write_tree`` and ``seal`` of ``+octcompress/+coding``.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from ..matfile import StructArray
from .coding import CLASSES, Parts, encode_array
from .coding_bits import crc32, write_varint
from .coding_streams import encode_symbols
from .coding_text import encode_text
from .coding_words import WORDS, grid_beside
from .internal import Array, class_name, fail, is_number, size, value_array
from .model import PROMISES
from .quant import Grid


@dataclass
class Row:
    """What became of an array."""

    name: str
    kind: int
    class_name: str
    count: int
    bytes: int
    parts: Parts


@dataclass
class _Writer:
    method: str
    promises: Any
    tree: bytearray = field(default_factory=bytearray)
    streams: list[bytes] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    shapes: list[list[str]] = field(default_factory=list)

    def write(self, value: Any, name: str, grid: Grid | None = None) -> None:
        """Write any value."""
        if isinstance(value, str):
            self.tree += text_bytes(value)
        elif isinstance(value, (Mapping, StructArray)):
            self.write_struct(value, name)
        elif isinstance(value, (list, tuple)) or _is_cell(value):
            self.write_cell(value, name)
        elif sparse.issparse(value):
            self.write_sparse(value, name)
        elif value is None or is_number(value) or isinstance(value, np.ndarray):
            array = value_array(value)
            self.write_numbers(array.reshape(size(array)), name, grid)
        else:
            kind = type(value).__name__
            what = f"{name} is a {kind}, which a .mat file cannot hold; remove the field"
            fail("nn_pack", "badType", what)

    def write_cell(self, value: Any, name: str) -> None:
        dims = size(value) if isinstance(value, np.ndarray) else (1 if value else 0, len(value))
        if len(dims) == 2 and dims[0] == 1:
            self.tree += bytes([11]) + write_varint(dims[1])
        else:
            self.tree += bytes([12]) + dims_bytes(dims)
        items = value.ravel(order="F") if isinstance(value, np.ndarray) else value
        for k, item in enumerate(items, 1):
            place = f"{name}{{{k}}}"
            self.write(item, place, grid_beside(None, "", place, self.promises))

    def write_struct(self, value: Mapping[str, Any] | StructArray, name: str) -> None:
        if isinstance(value, StructArray):
            fields, items = list(value.fields), list[Mapping[str, Any]](value)
            self.tree += bytes([14]) + dims_bytes(value.shape)
        else:
            fields, items = [str(key) for key in value], [value]
            self.tree += bytes([13])
        if fields in self.shapes:
            self.tree += write_varint(self.shapes.index(fields))
        else:
            self.shapes.append(fields)
            self.tree += write_varint(len(self.shapes) - 1) + shape_bytes(fields)
        if not fields:
            self.tree += bytes(len(items))
        for k, item in enumerate(items, 1):
            at = f"{name}({k})" if isinstance(value, StructArray) else name
            for key in fields:
                place = f"{at}.{key}" if at else key
                if _is_size_of(item, key):
                    self.tree.append(15)
                else:
                    grid = grid_beside(item, key, place, self.promises)
                    self.write(item[key], place, grid)

    def write_sparse(self, value: Any, name: str) -> None:
        table = sparse.csc_array(value)
        table.sum_duplicates()
        table.eliminate_zeros()
        self.tree += bytes([17]) + dims_bytes(table.shape)
        columns = np.repeat(np.arange(table.shape[1]), np.diff(table.indptr)) + 1.0
        self.write((table.indices + 1.0)[:, np.newaxis], name + ".rows")
        self.write(columns[:, np.newaxis], name + ".columns")
        self.write(table.data[:, np.newaxis], name + ".entries")

    def write_numbers(self, array: Array, name: str, grid: Grid | None) -> None:
        if array.dtype.kind == "c":
            self.tree.append(16)
            self.write(array.real.copy(), name + ".real")
            self.write(array.imag.copy(), name + ".imaginary")
            return
        short = short_number(array)
        if short:
            self.tree += short
            return
        number = CLASSES.index(class_name(array))
        kind, data, parts = encode_array(array, grid, self.method)
        if array.ndim == 2:
            self.tree += bytes([24 + number]) + b"".join(write_varint(n) for n in array.shape)
        else:
            self.tree += bytes([36 + number]) + dims_bytes(array.shape)
        self.tree += bytes([kind]) + write_varint(len(data))
        self.streams.append(data)
        self.rows.append(Row(name, kind, CLASSES[number], array.size, len(data), parts))


def _is_cell(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def _is_size_of(owner: Mapping[str, Any], key: str) -> bool:
    array, stated = owner.get(key[:-5]) if key.endswith("_size") else None, owner[key]
    if not (isinstance(array, np.ndarray) or is_number(array)) or len(key) < 6:
        return False
    if class_name(array) in ("logical", "char", "cell") or class_name(stated) != "double":
        return False
    stated = value_array(stated)
    return stated.shape[0] == 1 and stated.ravel().tolist() == list(size(array))


def write_tree(model: Mapping[str, Any], method: str) -> tuple[bytes, list[bytes], list[Row]]:
    """Write a struct: its structure, the streams of its arrays, and what became of each."""
    writer = _Writer(method, model.get(PROMISES))
    writer.write(model, "")
    return bytes(writer.tree), writer.streams, writer.rows


def short_number(array: Array) -> bytes:
    """Numbers and flags that stand in the tree itself; nothing for all others."""
    if array.shape == (1, 1) and array.dtype == np.bool_:
        return bytes([7 + bool(array[0, 0])])
    if array.shape == (1, 1) and array.dtype == np.float32:
        return b"\x06" + array.astype("<f4").tobytes()
    if array.dtype != np.float64:
        return b""
    if array.shape == (1, 1):
        return short_double(float(array[0, 0]))
    if array.shape == (0, 0):
        return b"\0"
    if array.ndim == 2 and array.shape[0] == 1 and 0 < array.size <= 16:
        whole = (array >= 0) & (array < 2**31) & (array == np.trunc(array)) & ~np.signbit(array)
        if whole.all():
            numbers = b"".join(write_varint(int(v)) for v in array[0])
            return bytes([18, array.size]) + numbers
    return b""


def short_double(value: float) -> bytes:
    """Write a number: whole, decimal, single or double, whichever is the shortest."""
    raw = struct.pack("<d", value)
    negative_zero = value == 0 and raw[7] != 0
    if np.isfinite(value) and value == int(value) and abs(value) < 2**53 and not negative_zero:
        if 0 <= value < 96:
            return bytes([160 + int(value)])
        return bytes([1 if value >= 0 else 2]) + write_varint(int(abs(value)))
    data = b"\x05" + raw
    with np.errstate(over="ignore"):
        as_single = np.float32(value)
    if np.float64(as_single).tobytes() == np.float64(value).tobytes():
        data = b"\x04" + as_single.astype("<f4").tobytes()
    for places in range(1, 16):
        digits = np.floor(abs(value) * 10.0**places + 0.5)
        if 0 < digits < 2**49 and digits / 10.0**places == abs(value):
            trial = bytes([3, places + 32 * (value < 0)]) + write_varint(int(digits))
            return trial if len(trial) < len(data) else data
    return data


def text_bytes(text: str) -> bytes:
    """Write a text: a word of the list, or its UTF-8 bytes."""
    if not text:
        return b"\x09"
    if text in WORDS:
        word = WORDS.index(text)
        return bytes([64 + word]) if word < 96 else bytes([19, word - 96])
    data = text.encode("utf-8", "surrogateescape")
    return b"\x0a" + write_varint(len(data)) + data


def dims_bytes(dims: Sequence[int]) -> bytes:
    """Write a size: how many numbers, and these."""
    return write_varint(len(dims)) + b"".join(write_varint(n) for n in dims)


def shape_bytes(fields: Sequence[str]) -> bytes:
    """Write the names of a struct's fields."""
    data = write_varint(len(fields))
    for name in fields:
        if name in WORDS:
            data += bytes([WORDS.index(name) + 1])
        else:
            text = name.encode("utf-8", "surrogateescape")
            data += b"\0" + write_varint(len(text)) + text
    return data


def seal(tree: bytes, data: bytes, entries: int) -> bytes:
    """Put the parts of a packed file together, behind a version and a checksum."""
    form, coded = 2, encode_text(tree) if len(tree) <= 16384 else b""
    if len(tree) > 32 * len(coded):  # bounds for what a reader may have to do
        form, coded = 1, encode_symbols(np.frombuffer(tree, np.uint8), 256, "auto")
    coded = write_varint(len(tree)) + coded
    if len(coded) >= len(tree):
        form, coded = 0, tree
    body = write_varint(4 * len(coded) + form) + coded + data
    body += bytes(max(0, -(-entries // (1 << 18)) - 7 - len(body)))
    return b"oc\x01" + struct.pack("<I", crc32(body)) + body
