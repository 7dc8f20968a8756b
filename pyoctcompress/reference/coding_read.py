"""Structs as a few bytes of structure and one stream for each array: reading.

The reference of ``read_tree`` and ``unseal`` of ``+octcompress/+coding``.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from ..matfile import StructArray
from .coding import CLASSES, decode_array, decode_codes, grid_values
from .coding_bits import crc32, damaged, read_varint, take
from .coding_streams import decode_symbols
from .coding_text import decode_text
from .coding_words import WORDS, grid_beside
from .internal import Array, fail, plain, size, value_array
from .model import PROMISES
from .quant import Grid

# Stands for each array where none is decoded.
EMPTY: Array = np.zeros((0, 0))
Step = str | int
Path = tuple[Step, ...]


@dataclass
class Entry:
    """Where the stream of an array is, and how it is coded."""

    name: str
    path: Path
    class_name: str
    dims: tuple[int, ...]
    kind: int
    first: int
    bytes: int


@dataclass
class _Reader:
    tree: bytes
    data: bytes | None
    left: int
    position: int = 0
    next: int = 0
    depth: int = 0
    shapes: list[list[str]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def number(self) -> int:
        value, self.position = read_varint(self.tree, self.position)
        return value

    def bytes(self, count: int) -> bytes:
        fault = "the description of the model ends too early"
        part, self.position = take(self.tree, self.position, count, fault)
        return part

    def byte(self) -> int:
        return self.bytes(1)[0]

    def text(self) -> str:
        return self.bytes(self.number()).decode("utf-8", "surrogateescape")

    def dims(self) -> tuple[int, ...]:
        count = self.byte()
        if count > 32:
            damaged("an array of the model has too many dimensions")
        return tuple(self.number() for _ in range(count))

    def deeper(self, count: int) -> None:
        self.depth += 1
        if self.depth > 100 or count > len(self.tree) - self.position:
            damaged("the description of the model ends too early")

    def word(self, number: int) -> str:
        if number >= len(WORDS):
            damaged("the description of the model has an unknown word")
        return WORDS[number]

    def value(self, name: str, path: Path) -> Any:
        """Read any value."""
        tag = self.byte()
        if tag >= 160:
            return float(tag - 160)
        if tag >= 64:
            return self.word(tag - 64)
        if 24 <= tag < 48:
            return self.array(tag - 24, name, path)
        if tag in (11, 12):
            return self.cell(tag == 11, name, path)
        if tag in (13, 14):
            return self.struct(tag == 13, name, path)
        if tag == 16:
            parts = [self.value(name + end, path) for end in (".real", ".imaginary")]
            if self.data is None:
                return EMPTY
            real, imaginary = (value_array(part) for part in parts)
            return plain_complex(real, imaginary)
        if tag == 17:
            dims = self.dims()
            ends = (".rows", ".columns", ".entries")
            parts = [self.value(name + end, path) for end in ends]
            if self.data is None:
                return EMPTY
            rows, columns, entries = (value_array(part).ravel(order="F") for part in parts)
            places = (rows.astype(np.int64) - 1, columns.astype(np.int64) - 1)
            return sparse.csc_array((entries, places), shape=dims)
        return self.scalar(tag)

    def scalar(self, tag: int) -> Any:
        if tag == 0:
            return np.zeros((0, 0))
        if tag in (1, 2):
            return float(self.number()) * (3 - 2 * tag)
        if tag == 3:
            places = self.byte()
            value = self.number() / 10.0 ** (places % 32)
            return -value if places >= 32 else value
        if tag == 4:
            return float(np.frombuffer(self.bytes(4), "<f4")[0])
        if tag == 5:
            return float(np.frombuffer(self.bytes(8), "<f8")[0])
        if tag == 6:
            return np.frombuffer(self.bytes(4), "<f4").astype(np.float32).reshape(1, 1)
        if tag in (7, 8):
            return tag == 8
        if tag == 9:
            return ""
        if tag == 10:
            return self.text()
        if tag == 18:
            return np.array([self.dims()], np.float64)
        if tag == 19:
            return self.word(self.byte() + 96)
        damaged("the description of the model has an unknown part")

    def cell(self, is_row: bool, name: str, path: Path) -> Any:
        dims = (1, self.number()) if is_row else self.dims()
        count = int(np.prod(dims, dtype=object))
        self.deeper(count)
        items = [self.value(f"{name}{{{k + 1}}}", (*path, k)) for k in range(count)]
        self.depth -= 1
        if len(dims) == 2 and (dims[0] == 1 or dims == (count, 1) or dims == (0, 0)):
            return items
        cells = np.empty(count, object)
        cells[:] = items
        return cells.reshape(dims, order="F")

    def struct(self, is_scalar: bool, name: str, path: Path) -> Any:
        dims = (1, 1) if is_scalar else self.dims()
        shape = self.number()
        if shape == len(self.shapes):
            self.shapes.append(self.shape())
        elif shape > len(self.shapes):
            damaged("a struct of the model has unknown fields")
        fields = self.shapes[shape]
        count = int(np.prod(dims, dtype=object))
        self.deeper(count)
        if not fields:
            self.bytes(count)
        items = []
        for k in range(count):
            at, here = (name, path) if is_scalar else (f"{name}({k + 1})", (*path, k))
            item: dict[str, Any] = {}
            for key in fields:
                if self.tree[self.position : self.position + 1] == b"\x0f":
                    self.position += 1
                    item[key] = None
                else:
                    item[key] = self.value(f"{at}.{key}" if at else key, (*here, key))
            for key in fields:
                if item[key] is None:
                    if item.get(key[:-5]) is None:
                        damaged("the description of the model has a size of nothing")
                    whose = f"{at}.{key[:-5]}" if at else key[:-5]
                    dims_there = [e.dims for e in self.entries if e.name == whose]
                    dims_there.append(size(item[key[:-5]]))
                    item[key] = np.array([dims_there[0]], np.float64)
            items.append(item)
        self.depth -= 1
        return items[0] if is_scalar else StructArray(items, dims, fields)

    def shape(self) -> list[str]:
        count = self.number()
        self.deeper(count)
        fields = []
        for _ in range(count):
            word = self.byte()
            fields.append(self.word(word - 1) if word else self.text())
        self.depth -= 1
        if len(set(fields)) < count or "" in fields:
            damaged("a struct of the model has fields that cannot be")
        return fields

    def array(self, number: int, name: str, path: Path) -> Any:
        dims = (self.number(), self.number()) if number < 12 else self.dims()
        kind, length = self.byte(), self.number()
        self.left -= int(np.prod(dims, dtype=object))
        last = self.next + length
        if self.left < 0 or (self.data is not None and last > len(self.data)):
            damaged("an array of the model is larger than the file")
        entry = Entry(name, path, CLASSES[number % 12], dims, kind, self.next, length)
        self.entries.append(entry)
        self.next = last
        if self.data is None:
            return EMPTY
        stream = self.data[entry.first : last]
        if kind == 2:
            return decode_codes(stream, dims)
        return as_value(decode_array(kind, stream, dims, entry.class_name, None))


def as_value(array: Array) -> Any:
    """Give an array as the Python API does: a float, a bool, a text, or the array."""
    if array.dtype.kind == "U":
        row = array.ndim == 2 and (array.shape[0] == 1 or array.size == 0)
        return "".join(array.ravel().tolist()) if row else array
    return plain(array)


def plain_complex(real: Array, imaginary: Array) -> Any:
    """Put real and imaginary parts together."""
    kind = np.complex64 if real.dtype == np.float32 else np.complex128
    array: Array = np.empty(real.shape, kind)
    array.real, array.imag = real, imaginary
    return complex(array[0, 0]) if array.shape == (1, 1) and kind is np.complex128 else array


def read_tree(tree: bytes, data: bytes | None, most: int) -> tuple[Any, list[Entry]]:
    """Read the struct that `write_tree` wrote, or with no data only the list of its arrays."""
    reader = _Reader(tree, data, most)
    model: Any = reader.value("", ())
    complete = reader.position == len(tree) and (data is None or reader.next <= len(data))
    if not isinstance(model, dict) or not complete:
        damaged("the description of the model is not complete")
    for entry in reader.entries:
        if data is not None and entry.kind == 2:
            codes = get_at(model, entry.path)
            values = grid_values(value_array(codes), grid_of(model, entry), entry.class_name)
            set_at(model, entry.path, as_value(values))
    return model, reader.entries


def get_at(value: Any, path: Path) -> Any:
    """Return what stands at a place."""
    for step in path:
        value = _flat(value)[step]
    return value


def set_at(value: Any, path: Path, new: Any) -> None:
    """Put something at a place."""
    _flat(get_at(value, path[:-1]))[path[-1]] = new


def _flat(value: Any) -> Any:
    """Index cells and struct arrays in MATLAB's order."""
    if isinstance(value, StructArray):
        return value.items
    return value.reshape(-1, order="F") if isinstance(value, np.ndarray) else value


def grid_of(model: Any, entry: Entry) -> Grid:
    """Return the grid of an array of a model that was read."""
    promises = model.get(PROMISES) if isinstance(model, Mapping) else None
    last = entry.path[-1]
    owner = get_at(model, entry.path[:-1]) if isinstance(last, str) else None
    grid = grid_beside(owner, str(last), entry.name, promises)
    if grid is None:
        damaged(f"the grid of {re.sub('[^ -~]', '?', entry.name)} is missing")
    return grid


def unseal(caller: str, data: bytes) -> tuple[bytes, bytes]:
    """Return the tree and the streams of a packed file, after its checksum."""
    if len(data) < 3 or data[:2] != b"oc":
        what = "the bytes are not a packed model: they do not begin with 'oc'"
        fail(caller, "notPacked", what)
    if data[2] != 1:
        what = f"the model was packed in version {data[2]}, but only version 1 is known; "
        fail(caller, "version", what + "a newer octcompress may read it")
    if len(data) < 9:
        what = f"the packed model is cut off: there are only {len(data)} bytes"
        fail(caller, "damaged", what)
    stated, found = struct.unpack("<I", data[3:7])[0], crc32(data[7:])
    if stated != found:
        what = "the packed model is damaged or cut off: its checksum is "
        fail(caller, "damaged", f"{what}{found:08x}, but must be {stated:08x}")
    head, position = read_varint(data, 7)
    length, form = divmod(head, 4)
    if position + length > len(data):
        fail(caller, "damaged", "the packed model ends within its description")
    tree, rest = data[position : position + length], data[position + length :]
    if form == 0:
        return tree, rest
    count, position = read_varint(tree, 0)
    most = min(16384, 32 * (len(tree) - position)) if form == 2 else len(data) << 18
    if form == 3 or count > most:
        fail(caller, "damaged", "the description of the model is larger than it can be")
    if form == 2:
        return decode_text(tree[position:], count), rest
    return decode_symbols(tree[position:], count, 256).astype(np.uint8).tobytes(), rest


def display_name(model: Any, name: str) -> str:
    """Put a layer's name for its place: 'fc1.weights' for 'layers{1}.weights'."""
    parts = re.match(r"layers\{(\d+)\}(\..*)$", name)
    if parts and isinstance(model.get("layers"), list):
        layer = model["layers"][int(parts[1]) - 1]
        if isinstance(layer, Mapping) and isinstance(layer.get("name"), str):
            return str(layer["name"]) + parts[2]
    return name
