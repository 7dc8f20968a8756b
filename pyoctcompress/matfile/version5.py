"""Read the variables of a MAT version 5 file, trusting none of its bytes."""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from pyoctcompress.matfile import types as t

# Arrays larger than this stay views of the file's one buffer; smaller ones are copied, so that a
# bias kept from a model does not keep the whole file in memory.
_COPY_BELOW = 1 << 20
# Deflate cannot make more than 1032 bytes of one.
_LARGEST_INFLATION = 1040


class Place(NamedTuple):
    """Where a variable is in the file."""

    kind: int
    start: int
    size: int


def read(
    path: Path,
    file: BinaryIO,
    order: str,
    names: Collection[str] | None,
    memory_limit: int,
    left_out: list[str] | None,
) -> dict[str, Any]:
    """Read variables; see `pyoctcompress.matfile.load`."""
    reader = _Reader(path, order, memory_limit, left_out)
    variables = {}
    for place in places(path, file, order):
        if names is not None and reader.name_at(file, place) not in names:
            continue
        name, value = reader.variable(file, place)
        if name:  # the nameless one belongs to MATLAB's objects
            variables[name] = value
    return variables


def places(path: Path, file: BinaryIO, order: str) -> list[Place]:
    """Find where all variables are; refuses a file that is not whole."""
    size = os.fstat(file.fileno()).st_size
    found = []
    position = 128
    while position < size:
        file.seek(position)
        tag = file.read(8)
        if len(tag) < 8:
            _truncated(path, 8, len(tag), position)
        kind, count = (int(n) for n in np.frombuffer(tag, order + "u4"))
        if kind not in (t.MI_MATRIX, t.MI_COMPRESSED):
            raise t.Fault(
                "damaged",
                f"'{path}' is damaged: at byte {position} there must be a variable, but there is "
                f"a data type {kind}",
            )
        if position + 8 + count > size:
            _truncated(path, count, size - position - 8, position)
        found.append(Place(kind, position + 8, count))
        position += 8 + count
    return found


def _truncated(path: Path, needed: int, left: int, place: int) -> NoReturn:
    raise t.Fault(
        "truncated",
        f"'{path}' is truncated: the variable at byte {place} needs {needed} bytes, but {left} are "
        "left; copy or download the file again",
    )


@dataclass
class _Reader:
    """Reads variables out of a file; every length is checked before it is used."""

    path: Path
    order: str
    memory_limit: int
    left_out: list[str] | None

    def fail(self, where: str, message: str) -> NoReturn:
        raise t.Fault("damaged", f"'{self.path}' is damaged: {where or 'a variable'} {message}")

    def refuse(self, where: str, what: str) -> Any:
        return t.leave_out(self.left_out, self.path, where, what)

    def variable(self, file: BinaryIO, place: Place) -> tuple[str, Any]:
        """Name and value of the variable at a place."""
        self.spend(place.size)
        file.seek(place.start)
        data = np.fromfile(file, np.uint8, place.size)
        if data.size != place.size:
            self.fail("", "became shorter while it was read")
        if place.kind == t.MI_COMPRESSED:
            data = self.inflate(data)
        try:
            return self.matrix(data, 0, data.size, None, 0)
        except (ValueError, OverflowError, UnicodeError, TypeError, IndexError) as error:
            raise t.Fault("damaged", f"'{self.path}' is damaged: {error}") from None

    def name_at(self, file: BinaryIO, place: Place) -> str:
        """Name of the variable at a place, from its first bytes."""
        file.seek(place.start)
        head = file.read(min(place.size, 1024))
        if place.kind == t.MI_COMPRESSED:
            try:
                head = zlib.decompressobj().decompress(head, 1024)[8:]
            except zlib.error as error:
                self.fail("", f"cannot be decompressed ({error})")
        data = np.frombuffer(head, np.uint8)
        position = 0
        for _ in range(2):  # the flags, the dimensions
            position = self.tag(data, position, data.size, "")[3]
        _, start, end, _ = self.tag(data, position, data.size, "")
        return data[start:end].tobytes().decode("latin-1").rstrip("\0")

    def spend(self, count: int) -> None:
        """Take bytes out of what the file may use."""
        self.memory_limit -= count
        if self.memory_limit < 0:
            raise t.Fault("tooLarge", f"'{self.path}' needs more memory than its limit")

    def inflate(self, packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Give the bytes of the one matrix in a compressed element, without its tag."""
        stream = zlib.decompressobj()
        try:
            tag = stream.decompress(packed.data, 8)
            if len(tag) < 8:
                self.fail("", "ends in its compressed tag")
            kind, count = (int(n) for n in np.frombuffer(tag, self.order + "u4"))
            if kind != t.MI_MATRIX or count > _LARGEST_INFLATION * packed.size:
                self.fail("", f"holds a data type {kind} of {count} bytes where a matrix must be")
            self.spend(count)
            body = stream.decompress(stream.unconsumed_tail, count) if count else b""
            rest = stream.decompress(stream.unconsumed_tail, 16)
        except zlib.error as error:
            self.fail("", f"cannot be decompressed ({error})")
        if len(body) != count or len(rest) > 8 or not stream.eof:
            self.fail("", f"must have {count} bytes, but decompresses to {len(body) + len(rest)}")
        return np.frombuffer(bytearray(body), np.uint8)

    def tag(
        self, data: npt.NDArray[np.uint8], place: int, stop: int, where: str
    ) -> tuple[int, int, int, int]:
        """Type, first byte, end and the place of what follows, of the element at `place`."""
        if place + 8 > stop:
            self.fail(where, "ends too early")
        kind, count = (int(n) for n in data[place : place + 8].view(self.order + "u4"))
        if kind >> 16:  # the small form: type and length share a word
            count, kind = kind >> 16, kind & 0xFFFF
            if count > 4:
                self.fail(where, "has a small element of more than 4 bytes")
            return kind, place + 4, place + 4 + count, place + 8
        end = place + 8 + count
        if end > stop:
            self.fail(where, f"needs {count} bytes, but {stop - place - 8} are left")
        return kind, place + 8, end, min(place + 8 + -(-count // 8) * 8, stop)

    def numbers(
        self, data: npt.NDArray[np.uint8], place: int, stop: int, count: int, where: str
    ) -> tuple[npt.NDArray[Any], int]:
        """Give a flat array of `count` numbers in the type in which they are stored."""
        if count == 0 and place >= stop:
            return np.zeros(0, np.uint8), place
        kind, start, end, after = self.tag(data, place, stop, where)
        name = t.DTYPE_OF_ELEMENT.get(kind)
        if name is None:
            self.fail(where, f"has data of the unknown type {kind}")
        dtype = np.dtype(self.order + name)
        if end - start != count * dtype.itemsize:
            self.fail(where, f"has {end - start} bytes where {count * dtype.itemsize} must be")
        flat = data[start:end].view(dtype)
        return flat.astype(dtype.newbyteorder("="), copy=False), after

    def matrix(
        self, data: npt.NDArray[np.uint8], place: int, stop: int, where: str | None, depth: int
    ) -> tuple[str, Any]:
        """Name and value of the matrix whose contents are data[place:stop]."""
        if place == stop:
            return "", np.zeros((0, 0))
        here = where or ""
        if depth > t.DEEPEST:
            self.fail(here, f"is nested more than {t.DEEPEST} deep")
        kind, start, end, place = self.tag(data, place, stop, here)
        if kind != t.MI_UINT32 or end - start != 8:
            self.fail(here, "has no array flags")
        flags = int(data[start:end].view(self.order + "u4")[0])
        mclass = flags & 0xFF
        if mclass == t.MX_OPAQUE:
            return "", self.refuse(here, t.OBJECT)
        kind, start, end, place = self.tag(data, place, stop, here)
        if kind != t.MI_INT32 or (end - start) % 4 or end - start < 8 or end - start > 4 * 32:
            self.fail(here, "has no valid dimensions")
        shape = tuple(int(n) for n in data[start:end].view(self.order + "i4"))
        if min(shape) < 0:
            self.fail(here, f"has a negative dimension in {shape}")
        kind, start, end, place = self.tag(data, place, stop, here)
        if kind != t.MI_INT8:
            self.fail(here, "has no name element")
        name = data[start:end].tobytes().decode("latin-1").rstrip("\0")
        if where is None:
            here = name
        if mclass == t.MX_CELL:
            return name, self.cell(data, place, stop, shape, here, depth)
        if mclass == t.MX_STRUCT:
            return name, self.struct(data, place, stop, shape, here, depth)
        if mclass == t.MX_CHAR:
            return name, self.text(data, place, stop, shape, here)
        if mclass == t.MX_SPARSE:
            return name, self.sparse(data, place, stop, shape, flags, here)
        if mclass == t.MX_FUNCTION:
            what = "a function handle; remove it, or keep its name as text"
            return name, self.refuse(here, what)
        if mclass == t.MX_OBJECT:
            if self.left_out is None:
                self.refuse(here, "an object of an old-style class; turn it into a struct first")
            kind, start, end, place = self.tag(data, place, stop, here)  # the class's name
            return name, self.struct(data, place, stop, shape, here, depth)
        if mclass not in t.DTYPE_OF_CLASS:
            self.fail(here, f"has the unknown class {mclass}")
        return name, self.array(data, place, stop, shape, flags, here)

    def array(
        self,
        data: npt.NDArray[np.uint8],
        place: int,
        stop: int,
        shape: tuple[int, ...],
        flags: int,
        where: str,
    ) -> Any:
        count = prod(shape)
        flat, place = self.numbers(data, place, stop, count, where)
        if flags & t.FLAG_LOGICAL:
            return t.as_value((flat != 0).reshape(shape, order="F"))
        dtype = np.dtype(t.DTYPE_OF_CLASS[flags & 0xFF])
        flat = flat.astype(dtype, copy=flat.nbytes < _COPY_BELOW)
        if flags & t.FLAG_COMPLEX:
            if dtype.kind != "f":
                return self.refuse(where, "complex integers")
            imaginary, place = self.numbers(data, place, stop, count, where)
            joined = np.empty(count, np.dtype(f"c{2 * dtype.itemsize}"))
            joined.real, joined.imag = flat, imaginary
            flat = joined
        return t.as_value(flat.reshape(shape, order="F"))

    def text(
        self,
        data: npt.NDArray[np.uint8],
        place: int,
        stop: int,
        shape: tuple[int, ...],
        where: str,
    ) -> Any:
        count = prod(shape)
        if place >= stop and count == 0:
            return ""
        kind, start, end, _ = self.tag(data, place, stop, where)
        raw = data[start:end].tobytes()
        width = {t.MI_UTF16: 2, t.MI_UINT16: 2, t.MI_UTF32: 4, t.MI_UTF8: 1, 1: 1, 2: 1}.get(kind)
        if width is None:
            self.fail(where, f"is text of the unknown type {kind}")
        if width == 1:
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text = raw.decode("latin-1")
        else:
            if len(raw) % width:
                self.fail(where, "is text that ends within a character")
            codec = f"utf-{8 * width}-{'le' if self.order == '<' else 'be'}"
            text = raw.decode(codec, "surrogatepass" if width == 2 else "strict")
        if count == 0:
            return ""
        if len(shape) == 2 and shape[0] == 1:
            return text
        if len(text) != count:
            self.fail(where, f"is text of {len(text)} characters where {count} must be")
        return np.array(list(text), "<U1").reshape(shape, order="F")

    def items(
        self, data: npt.NDArray[np.uint8], place: int, stop: int, names: list[str], depth: int
    ) -> list[Any]:
        """Read the matrices that follow one another; `names` says where they stand."""
        values = []
        for where in names:
            kind, start, end, place = self.tag(data, place, stop, where)
            if kind != t.MI_MATRIX:
                self.fail(where, f"must be a matrix, but is a data type {kind}")
            values.append(self.matrix(data, start, end, where, depth + 1)[1])
        return values

    def cell(
        self,
        data: npt.NDArray[np.uint8],
        place: int,
        stop: int,
        shape: tuple[int, ...],
        where: str,
        depth: int,
    ) -> Any:
        count = prod(shape)
        if count * 8 > stop - place:
            self.fail(where, f"must have {count} cells, but has {stop - place} bytes for them")
        names = [f"{where}[{k}]" for k in range(count)]
        return t.as_cell(self.items(data, place, stop, names, depth), shape)

    def struct(
        self,
        data: npt.NDArray[np.uint8],
        place: int,
        stop: int,
        shape: tuple[int, ...],
        where: str,
        depth: int,
    ) -> Any:
        kind, start, end, place = self.tag(data, place, stop, where)
        if kind != t.MI_INT32 or end - start != 4:
            self.fail(where, "has no length of field names")
        width = int(data[start:end].view(self.order + "i4")[0])
        kind, start, end, place = self.tag(data, place, stop, where)
        if kind != t.MI_INT8 or width < 1 or (end - start) % width:
            self.fail(where, "has no valid field names")
        block = data[start:end].tobytes()
        fields = [
            block[k : k + width].split(b"\0")[0].decode("utf-8", "replace")
            for k in range(0, len(block), width)
        ]
        if len(set(fields)) < len(fields):
            self.fail(where, "has two fields of the same name")
        count = prod(shape)
        if count * len(fields) * 8 > stop - place or (not fields and count > 10**6):
            self.fail(where, f"must have {count} elements, but has {stop - place} bytes for them")
        scalar = shape == (1, 1)
        names = [
            f"{where}.{field}" if scalar else f"{where}[{k}].{field}"
            for k in range(count)
            for field in fields
        ]
        values = self.items(data, place, stop, names, depth)
        n = len(fields)
        items = [dict(zip(fields, values[k * n : (k + 1) * n], strict=True)) for k in range(count)]
        return items[0] if scalar else t.StructArray(items, shape, fields)

    def sparse(
        self,
        data: npt.NDArray[np.uint8],
        place: int,
        stop: int,
        shape: tuple[int, ...],
        flags: int,
        where: str,
    ) -> Any:
        if len(shape) != 2:
            self.fail(where, f"is sparse with the shape {shape}")
        parts = []
        for _ in range(2):  # rows, then where each column begins
            kind, start, end, place = self.tag(data, place, stop, where)
            if kind != t.MI_INT32 or (end - start) % 4:
                self.fail(where, "is sparse without valid indices")
            parts.append(data[start:end].view(self.order + "i4").astype(np.int32))
        rows, begins = parts
        count = int(begins[-1]) if begins.size == shape[1] + 1 else -1
        if (
            not 0 <= count <= rows.size
            or begins[0] != 0
            or bool(np.any(np.diff(begins) < 0))
            or bool(np.any((rows[:count] < 0) | (rows[:count] >= shape[0])))
        ):
            self.fail(where, "is sparse with indices that contradict each other")
        pieces = []
        for _ in range(2 if flags & t.FLAG_COMPLEX else 1):
            kind, start, end, place = self.tag(data, place, stop, where)
            name = t.DTYPE_OF_ELEMENT.get(kind)
            if name is None or (end - start) // np.dtype(name).itemsize < count:
                self.fail(where, "is sparse with too few values")
            size = count * np.dtype(name).itemsize
            stored = data[start : start + size].view(self.order + name)
            pieces.append(stored.astype(np.float64))
        values: npt.NDArray[Any] = pieces[0] if len(pieces) == 1 else pieces[0] + 1j * pieces[1]
        if flags & t.FLAG_LOGICAL:
            values = values != 0
        from scipy.sparse import csc_array

        return csc_array((values, rows[:count], begins), shape=shape)
