"""Read a file of Octave's ``save -text``."""

from __future__ import annotations

import re
from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pyoctcompress.matfile import octave_binary as shared
from pyoctcompress.matfile import types as t
from pyoctcompress.matfile.buffer import Buffer

_HEADER = re.compile(rb"[#%] ([A-Za-z]+): ?(.*)")
_NOTHING = re.compile(rb"\bNA\b")
_SCALARS = {**shared._SCALARS, "bool": "u1"}
_MATRICES = {**shared._NUMBERS, "bool matrix": "u1"}
_FEWEST_PER_NUMBER = 2  # bytes that a number and what parts it from the next take


def read(
    path: Path, file: BinaryIO, names: Collection[str] | None, memory_limit: int
) -> dict[str, Any]:
    """Read variables; see `pyoctcompress.matfile.load`."""
    reader = _Reader(Buffer(path, file, memory_limit))
    variables = {}
    while (name := reader.find("name")) is not None:
        value = reader.value(name, 0)
        if names is None or name in names:
            variables[name] = value
    return variables


class _Reader:
    def __init__(self, source: Buffer) -> None:
        self.source = source

    def line(self) -> bytes:
        found = self.source.file.readline()
        if not found:
            self.source.require(1, "a value")
        return found.rstrip(b"\r\n")

    def find(self, key: str) -> str | None:
        """Give the value of the next line ``# key: value``, past blank lines and other notes."""
        while self.source.left:
            line = self.line()
            found = _HEADER.fullmatch(line.rstrip())
            if found and found[1] == key.encode():
                return found[2].decode("utf-8", "replace").strip()
            if line.strip() and not line.startswith((b"#", b"%")):
                self.source.fail(f"there must be '# {key}:', but there is {line[:40]!r}")
        return None

    def need(self, key: str) -> str:
        found = self.find(key)
        if found is None:
            self.source.require(1, f"'# {key}:'")
        return str(found)

    def count(self, key: str) -> int:
        text = self.need(key)
        if not text.isdigit() or len(text) > 12:
            self.source.fail(f"'# {key}:' must be a whole number, but is {text[:40]!r}")
        return int(text)

    def dims(self) -> tuple[int, ...]:
        """Size by '# ndims:' and a line of its numbers, or by '# rows:' and '# columns:'."""
        place = self.source.file.tell()
        line = self.line()
        while not line.strip():
            place = self.source.file.tell()
            line = self.line()
        if line.startswith((b"# ndims:", b"% ndims:")):
            words = self.line().split()
            if not 2 <= len(words) <= 32 or not all(w.isdigit() and len(w) < 12 for w in words):
                self.source.fail("a size of several dimensions is not one")
            return tuple(int(word) for word in words)
        self.source.file.seek(place)
        return self.count("rows"), self.count("columns")

    def numbers(self, count: int, dtype: str, name: str) -> npt.NDArray[Any]:
        """Give so many numbers of the lines that come next."""
        pair = 2 if dtype[0] == "c" else 1
        kind = np.dtype(dtype if pair == 1 else f"f{int(dtype[1:]) // 2}")
        self.source.require(_FEWEST_PER_NUMBER * pair * count - 1, name)
        self.source.spend(pair * count * kind.itemsize)
        found = np.empty(pair * count, kind)
        done = 0
        while done < found.size:
            line = self.line()
            if line.startswith((b"#", b"%")):
                self.source.fail(f"{name} must have {count} numbers, but ends after {done // pair}")
            if pair == 2:
                line = line.translate(None, b"()").replace(b",", b" ")
            try:
                some = np.array(_NOTHING.sub(b"nan", line).split(), kind)
            except (ValueError, OverflowError):
                self.source.fail(f"{name} must be numbers, but has {line[:40]!r}")
            if done + some.size > found.size:
                self.source.fail(f"{name} has more than {count} numbers")
            found[done : done + some.size] = some
            done += some.size
        return found.view(dtype)

    def value(self, name: str, depth: int) -> Any:
        """Give the value after '# name:'."""
        source = self.source
        if depth > t.DEEPEST:
            source.fail(f"a variable is nested more than {t.DEEPEST} deep")
        kind = self.need("type").removeprefix("global ")
        if kind in _SCALARS:
            found = self.numbers(1, _SCALARS[kind], name).reshape(1, 1)
            return t.as_value(found != 0 if kind == "bool" else found)
        if kind in _MATRICES:
            shape = self.dims()
            order = "C" if len(shape) == 2 else "F"  # a matrix row by row, others by columns
            array = self.numbers(prod(shape), _MATRICES[kind], name).reshape(shape, order=order)  # type: ignore[call-overload]
            array = np.asfortranarray(array)
            return t.as_value(array != 0 if kind == "bool matrix" else array)
        base, _, form = kind.partition(" ")
        if base in shared._INTEGERS and form in ("scalar", "matrix"):
            shape = (1, 1) if form == "scalar" else self.dims()
            return self.numbers(prod(shape), shared._INTEGERS[base], name).reshape(shape, order="F")
        if kind in shared._TEXT:
            return self.text()
        if kind == "cell":
            shape = self.dims()
            source.require(20 * prod(shape), f"the cell {name}")
            values = [self.value(self.need("name"), depth + 1) for _ in range(prod(shape))]
            return t.as_cell(values, shape)
        if kind in ("scalar struct", "struct"):
            shape = self.dims()
            count = self.count("length")
            source.require(20 * count, f"the struct {name}")
            fields = []
            for _ in range(count):
                field = self.need("name")
                fields.append((field, self.value(field, depth + 1)))
            if kind == "scalar struct":
                return dict(fields)
            return shared.struct_of(source, fields, shape, name)
        if kind in ("range", "double_range"):
            self.line()  # "# base, limit, increment"
            return shared.expand_range(source, *self.numbers(3, "f8", name))
        if kind.startswith("sparse "):
            return self.sparse(kind, name)
        if kind in ("diagonal matrix", "float diagonal matrix"):
            shape = self.dims()
            diagonal = self.numbers(min(shape), "f4" if kind[0] == "f" else "f8", name)
            return shared.diagonal_matrix(source, diagonal, *shape[:2])
        if kind == "permutation matrix":
            size, by_column = self.count("size"), self.need("orient") == "c"
            places = self.numbers(size, "i8", name) - 1
            return shared.permutation_matrix(source, places, by_column, name)
        raise t.Fault("badFile", f"'{source.path}' holds a {kind} (at {name})")

    def text(self) -> Any:
        """Text by '# elements:' and each row with its length, or by '# ndims:'."""
        source = self.source
        place = source.file.tell()
        found = _HEADER.fullmatch(self.line().rstrip())
        if found and found[1] == b"ndims":
            source.file.seek(place)
            shape = self.dims()
            raw = source.bytes(prod(shape), "a text")
            return shared.characters(raw, shape)
        if not found or found[1] != b"elements" or not found[2].strip().isdigit():
            source.fail("a text has no '# elements:'")
        rows = []
        source.require(12 * int(found[2]), "a text")
        for _ in range(int(found[2])):
            rows.append(source.bytes(self.count("length"), "a text"))
        if len(rows) == 1:
            return shared.characters(rows[0], (1, len(rows[0])))
        widths = {len(row) for row in rows}
        if len(widths) > 1:
            source.fail("a text has rows of different lengths")
        if not rows or not rows[0]:
            return ""
        joined = np.array([list(row) for row in rows], np.uint8).ravel(order="F").tobytes()
        return shared.characters(joined, (len(rows), len(rows[0])))

    def sparse(self, kind: str, name: str) -> Any:
        count, rows, columns = self.count("nnz"), self.count("rows"), self.count("columns")
        pair = "complex" in kind
        self.source.spend(8 * columns)
        self.source.require(max(5 * count - 1, 0), name)
        at = np.empty((count, 2), np.int64)
        values = np.empty(count, np.complex128 if pair else np.float64)
        for k in range(count):
            words = self.line().translate(None, b"()").replace(b",", b" ").split()
            try:
                at[k] = int(words[0]) - 1, int(words[1]) - 1
                values[k] = complex(*map(float, words[2:])) if pair else float(words[2])
            except (ValueError, IndexError, TypeError, OverflowError):
                self.source.fail(f"{name} is sparse with a line that is no entry")
        if not ((at >= 0) & (at < (rows, columns))).all():
            self.source.fail(f"{name} is sparse with indices beyond its size {rows} x {columns}")
        from scipy.sparse import csc_array

        stored = values != 0 if "bool" in kind else values
        return csc_array((stored, (at[:, 0], at[:, 1])), shape=(rows, columns))
