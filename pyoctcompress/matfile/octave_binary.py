"""Read a file of Octave's ``save -binary``."""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pyoctcompress.matfile import types as t
from pyoctcompress.matfile.buffer import Account, Buffer

# How numbers are stored, by the code before them.
_STORED = {0: "u1", 1: "u2", 2: "u4", 3: "i1", 4: "i2", 5: "i4", 6: "f4", 7: "f8"}
_NUMBERS = {
    "matrix": "f8",
    "float matrix": "f4",
    "complex matrix": "c16",
    "float complex matrix": "c8",
    "null_matrix": "f8",
}
_SCALARS = {
    "scalar": "f8",
    "float scalar": "f4",
    "complex scalar": "c16",
    "float complex scalar": "c8",
}
_INTEGERS = {f"{u}int{n}": f"{(u or 'i')[0]}{n // 8}" for u in ("", "u") for n in (8, 16, 32, 64)}
_TEXT = ("string", "sq_string", "null_string", "null_sq_string", "char_matrix")


def read(
    path: Path, file: BinaryIO, names: Collection[str] | None, memory_limit: int
) -> dict[str, Any]:
    """Read variables; see `pyoctcompress.matfile.load`."""
    source = Buffer(path, file, memory_limit)
    head = source.bytes(11, "the header")
    if head[9:10] not in b"LB":
        source.fail("its header names no byte order")
    source.order = "<" if head[9:10] == b"L" else ">"
    reader = _Reader(source)
    variables = {}
    while source.left:
        name, value = reader.variable(0)
        if names is None or name in names:
            variables[name] = value
    return variables


class _Reader:
    def __init__(self, source: Buffer) -> None:
        self.source = source

    def variable(self, depth: int) -> tuple[str, Any]:
        """Name and value of what comes next."""
        source = self.source
        if depth > t.DEEPEST:
            source.fail(f"a variable is nested more than {t.DEEPEST} deep")
        name = self.text(source.number("i4", "the length of a name"))
        self.text(source.number("i4", "the length of a note"))
        source.bytes(1, "a flag")  # whether it is global
        kind = source.number("u1", "a type")
        if kind != 255:
            source.fail(f"{name} has a type {kind} of Octave versions before 3")
        return name, self.value(self.text(source.number("i4", "a type's length")), name, depth)

    def text(self, length: int) -> str:
        if length < 0:
            self.source.fail(f"a text has the length {length}")
        return self.source.bytes(length, "a name").decode("utf-8", "replace")

    def dims(self, name: str) -> tuple[int, ...]:
        """Minus the number of dimensions, and these; files of old have rows and columns only."""
        first = self.source.number("i4", "the dimensions")
        if first >= 0:
            return first, self.source.number("i4", "the dimensions")
        if first < -32:
            self.source.fail(f"{name} has {-first} dimensions")
        shape = tuple(int(n) for n in self.source.numbers("i4", -first, "the dimensions"))
        if len(shape) < 2 or min(shape) < 0:
            self.source.fail(f"{name} has the size {shape}")
        return shape

    def stored(self, count: int, kind: str, name: str) -> npt.NDArray[Any]:
        """Give numbers of a class that may be stored in a smaller one."""
        code = self.source.number("u1", "the type of numbers")
        if code not in _STORED:
            self.source.fail(f"{name} has numbers of the unknown type {code}")
        pair = 2 if kind[0] == "c" else 1
        found = self.source.numbers(_STORED[code], pair * count, name)
        real = np.dtype(kind) if pair == 1 else np.dtype(f"f{int(kind[1:]) // 2}")
        return found.astype(real, copy=False).view(kind)

    def value(self, kind: str, name: str, depth: int) -> Any:
        source = self.source
        if kind in _SCALARS:
            return t.as_value(self.stored(1, _SCALARS[kind], name).reshape(1, 1))
        if kind in _NUMBERS:
            shape = self.dims(name)
            return t.as_value(
                self.stored(prod(shape), _NUMBERS[kind], name).reshape(shape, order="F")
            )
        base, _, form = kind.partition(" ")
        if base in _INTEGERS and form in ("scalar", "matrix"):
            shape = (1, 1) if form == "scalar" else self.dims(name)
            return source.numbers(_INTEGERS[base], prod(shape), name).reshape(shape, order="F")
        if kind == "bool":
            return bool(source.number("u1", name))
        if kind == "bool matrix":
            shape = self.dims(name)
            flags = source.numbers("u1", prod(shape), name) != 0
            return t.as_value(flags.reshape(shape, order="F"))
        if kind in _TEXT:
            shape = self.dims(name)
            return characters(source.bytes(prod(shape), name), shape)
        if kind == "cell":
            shape = self.dims(name)
            return t.as_cell(self.elements(prod(shape), name, depth), shape)
        if kind == "scalar struct":
            return dict(self.fields(name, depth))
        if kind == "struct":
            shape = self.dims(name)
            return struct_of(source, self.fields(name, depth), shape, name)
        if kind in ("range", "double_range"):
            return expand_range(source, *self.stored(3, "f8", name))
        if kind.startswith("sparse "):
            return self.sparse(kind, name)
        if kind in ("diagonal matrix", "float diagonal matrix"):
            rows, columns = (source.number("i4", name) for _ in range(2))
            if min(rows, columns) < 0:
                source.fail(f"{name} has the size {rows} x {columns}")
            diagonal = self.stored(min(rows, columns), "f4" if kind[0] == "f" else "f8", name)
            return diagonal_matrix(source, diagonal, rows, columns)
        if kind == "permutation matrix":
            size, by_column = source.number("i4", name), source.number("u1", name)
            order = source.numbers("i8", max(size, 0), name)
            return permutation_matrix(source, order, bool(by_column), name)
        raise t.Fault("badFile", f"'{source.path}' holds a {kind} (at {name})")

    def elements(self, count: int, name: str, depth: int) -> list[Any]:
        self.source.require(14 * count, f"the cell {name}")
        return [self.variable(depth + 1)[1] for _ in range(count)]

    def fields(self, name: str, depth: int) -> list[tuple[str, Any]]:
        count = self.source.number("i4", name)
        self.source.require(14 * max(count, 0), f"the struct {name}")
        return [self.variable(depth + 1) for _ in range(count)]

    def sparse(self, kind: str, name: str) -> Any:
        source = self.source
        source.number("i4", name)  # minus the number of dimensions, 2
        rows, columns, count = (source.number("i4", name) for _ in range(3))
        if min(rows, columns, count) < 0:
            source.fail(f"{name} is sparse with the size {rows} x {columns}")
        begins = source.numbers("i4", columns + 1, name)
        places = source.numbers("i4", count, name)
        values: npt.NDArray[Any]
        if kind == "sparse bool matrix":
            values = source.numbers("u1", count, name) != 0
        else:
            values = self.stored(count, "c16" if "complex" in kind else "f8", name)
        return sparse_of(source, values, places, begins, (rows, columns), name)


def characters(raw: bytes, shape: tuple[int, ...]) -> Any:
    """Text of a char array's bytes; a row is UTF-8, as Octave has it."""
    if len(shape) == 2 and shape[0] == 1:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return t.as_text(raw.decode("latin-1"), shape)


def struct_of(
    source: Account, fields: list[tuple[str, Any]], shape: tuple[int, ...], name: str
) -> Any:
    """Make a struct array of its fields, each a cell of the same shape."""
    count = prod(shape)
    columns = {}
    for field, cell in fields:
        values = list(cell.ravel(order="F")) if isinstance(cell, np.ndarray) else cell
        if not isinstance(values, list) or len(values) != count:
            source.fail(f"{name}.{field} must be a cell of {count} values")
        columns[field] = values
    if not columns and count > 10**6:
        source.fail(f"{name} has {count} elements and no field")
    items = [{field: columns[field][k] for field in columns} for k in range(count)]
    return items[0] if shape == (1, 1) else t.StructArray(items, shape, list(columns))


def expand_range(source: Account, base: float, limit: float, step: float) -> Any:
    """Give the numbers of a range, as Octave counts them."""
    count = 0.0
    if step != 0 and np.isfinite([base, limit, step]).all():
        count = max(np.floor((limit - base) / step * (1 + 2.0**-51)) + 1, 0)
    if not count < 2**31:
        source.fail(f"a range from {base} to {limit} in steps of {step}")
    source.spend(8 * int(count))
    return t.as_value(base + step * np.arange(int(count)).reshape(1, -1))


def diagonal_matrix(source: Account, diagonal: npt.NDArray[Any], rows: int, columns: int) -> Any:
    """Give a diagonal matrix in full."""
    source.spend(diagonal.itemsize * rows * columns)
    full = np.zeros((rows, columns), diagonal.dtype)
    np.fill_diagonal(full, diagonal)
    return t.as_value(full)


def permutation_matrix(
    source: Account, order: npt.NDArray[np.int64], by_column: bool, name: str
) -> Any:
    """Give a permutation matrix in full; `order` counts from 0."""
    count = order.size
    if sorted(order.tolist()) != list(range(count)):
        source.fail(f"{name} is no permutation")
    source.spend(8 * count * count)
    full = np.zeros((count, count))
    full[order, np.arange(count)] = 1
    return t.as_value(full if by_column else full.T)


def sparse_of(
    source: Account,
    values: npt.NDArray[Any],
    rows: npt.NDArray[Any],
    begins: npt.NDArray[Any],
    shape: tuple[int, int],
    name: str,
) -> Any:
    """Give a sparse matrix of checked indices."""
    count = values.size
    fine = rows.size == count and begins.size == shape[1] + 1
    if not (
        fine
        and begins[0] == 0
        and begins[-1] == count
        and (np.diff(begins) >= 0).all()
        and ((rows >= 0) & (rows < shape[0])).all()
    ):
        source.fail(f"{name} is sparse with indices that contradict each other")
    from scipy.sparse import csc_array

    return csc_array((values, rows, begins), shape=shape)
