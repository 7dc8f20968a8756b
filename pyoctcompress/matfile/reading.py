"""Read a MAT version 5 file, trusting none of its bytes."""

from __future__ import annotations

import contextlib
import os
import stat
import zlib
from collections.abc import Collection, Iterator
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


def load(
    path: str | os.PathLike[str],
    names: Collection[str] | None = None,
    memory_limit: int | None = None,
    caller: str = "nn_load",
) -> dict[str, Any]:
    """Read variables of a .mat file.

    Parameters
    ----------
    path : path
        A file of MAT version 5 (MATLAB's -v6 or -v7), of either byte order.
    names : collection of str, optional
        The variables to read, where the file has them; all unless given.
    memory_limit : int, optional
        Refuse a file that needs more bytes than this; half of the machine's memory unless given.
    caller : str
        The function that errors name.

    Returns
    -------
    dict
        Name to value; the classes are those of the table in `pyoctcompress.matfile`.

    Raises
    ------
    FileError
        ``octcompress:nn_load:noFile``, ``badFile``, ``version73``, ``gitLfs``, ``truncated``,
        ``damaged``, ``tooLarge``.
    """
    if memory_limit is None:
        memory_limit = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    path = Path(path)
    variables: dict[str, Any] = {}
    try:
        with _opened(path) as file:
            order, places = _examine(path, file)
            reader = _Reader(path, order, memory_limit)
            for place in places:
                if names is not None and reader.name_at(file, place) not in names:
                    continue
                name, value = reader.variable(file, place)
                if name:  # the nameless one belongs to MATLAB's objects
                    variables[name] = value
    except t.Fault as fault:
        raise fault.error(caller) from None
    except MemoryError:
        excess = t.Fault("tooLarge", f"'{path}' needs more memory than there is")
        raise excess.error(caller) from None
    return variables


def check(path: str | os.PathLike[str], caller: str = "nn_load") -> int:
    """Check that a file is of MAT version 5 and complete, by its top level only.

    Parameters
    ----------
    path : path
        The file.
    caller : str
        The function that errors name.

    Returns
    -------
    int
        The number of variables.

    Raises
    ------
    FileError
        As for `load`, with what the file is instead and what to do.
    """
    path = Path(path)
    try:
        with _opened(path) as file:
            return len(_examine(path, file)[1])
    except t.Fault as fault:
        raise fault.error(caller) from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
            kind = "a folder; name a .mat file in it" if path.is_dir() else "not an ordinary file"
            raise t.Fault("badFile", f"'{path}' is {kind}")
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise t.Fault("noFile", f"there is no file '{path}'") from None
    except OSError as error:
        raise t.Fault("badFile", f"'{path}' cannot be read: {error.strerror}") from None


class _Place(NamedTuple):
    """Where a variable is in the file."""

    kind: int
    start: int
    size: int


def _examine(path: Path, file: BinaryIO) -> tuple[str, list[_Place]]:
    """Byte order and the places of all variables; refuses what is no whole MAT file."""
    size = os.fstat(file.fileno()).st_size
    order = _byte_order(path, file.read(1024), size)
    places = []
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
        places.append(_Place(kind, position + 8, count))
        position += 8 + count
    return order, places


def _truncated(path: Path, needed: int, left: int, place: int) -> NoReturn:
    raise t.Fault(
        "truncated",
        f"'{path}' is truncated: the variable at byte {place} needs {needed} bytes, but {left} are "
        "left; copy or download the file again",
    )


_V73 = (
    "is a MATLAB v7.3 (HDF5) file, which Octave cannot read whole; in MATLAB: "
    "load it and save (..., '-v7')"
)
_OCTAVE = "file: in Octave, load it and save it with -v6"
_SIGNATURES = (
    (
        b"version https://git-lfs",
        "gitLfs",
        "is a Git LFS pointer, not the file itself: run `git lfs pull` where it came from",
    ),
    (b"MATLAB 7.3", "version73", _V73),
    (b"\x89HDF\r\n\x1a\n", "version73", _V73),
    (b"# Created by Octave", "badFile", f"is an Octave text {_OCTAVE}"),
    (b"# name:", "badFile", f"is an Octave text {_OCTAVE}"),
    (b"Octave-1-", "badFile", f"is an Octave binary {_OCTAVE}"),
    (b"\x1f\x8b", "badFile", "is compressed by gzip: run `gunzip` on it first"),
    (b"PK\x03\x04", "badFile", "is a zip archive: unpack it first"),
    (b"\x93NUMPY", "badFile", "is a NumPy file: load it with numpy.load"),
)


def _byte_order(path: Path, head: bytes, size: int) -> str:
    """'<' or '>' by the header; an error that says what the file is where it is not ours."""
    if size == 0:
        raise t.Fault("truncated", f"'{path}' is empty (0 bytes)")
    for signature, tag, meaning in _SIGNATURES:
        if head.startswith(signature):
            raise t.Fault(tag, f"'{path}' {meaning}")
    if head[512:520] == b"\x89HDF\r\n\x1a\n":
        raise t.Fault("version73", f"'{path}' {_V73}")
    if size < 128:
        raise t.Fault("truncated", f"'{path}' is no .mat file, or truncated: it has {size} bytes")
    mark = head[126:128]
    if mark not in (b"IM", b"MI"):
        if len(head) >= 20 and _is_version_4(head):
            raise t.Fault("badFile", f"'{path}' is a MATLAB v4 {_OCTAVE}")
        raise t.Fault("badFile", f"'{path}' is not a .mat file, or its header is damaged")
    order = "<" if mark == b"IM" else ">"
    version = int(np.frombuffer(head[124:126], order + "u2")[0])
    if version == 0x0200:
        raise t.Fault("version73", f"'{path}' {_V73}")
    if version != 0x0100:
        raise t.Fault("badFile", f"'{path}' has the unknown MAT version {version:#06x}")
    return order


def _is_version_4(head: bytes) -> bool:
    for order in "<>":
        kind, rows, columns, imaginary, name = (
            int(n) for n in np.frombuffer(head[:20], order + "i4")
        )
        digits = (kind // 1000, kind // 100 % 10, kind // 10 % 10, kind % 10)
        if (
            0 <= kind < 5000
            and digits[1] == 0
            and digits[2] <= 5
            and digits[3] <= 2
            and min(rows, columns) >= 0
            and imaginary in (0, 1)
            and 1 < name < 256
        ):
            return True
    return False


@dataclass
class _Reader:
    """Reads variables out of a file; every length is checked before it is used."""

    path: Path
    order: str
    memory_limit: int

    def fail(self, where: str, message: str) -> NoReturn:
        raise t.Fault("damaged", f"'{self.path}' is damaged: {where or 'a variable'} {message}")

    def refuse(self, where: str, what: str) -> NoReturn:
        raise t.Fault("badFile", f"'{self.path}' holds {what} (at {where or 'its top level'})")

    def variable(self, file: BinaryIO, place: _Place) -> tuple[str, Any]:
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

    def name_at(self, file: BinaryIO, place: _Place) -> str:
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
            self.refuse(
                here,
                "a MATLAB object (or string, table, containers.Map); in MATLAB turn it into"
                " structs, cells and arrays, as struct (x), cellstr (x)",
            )
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
            self.refuse(here, "a function handle; remove it, or keep its name as text")
        if mclass == t.MX_OBJECT:
            self.refuse(here, "an object of an old-style class; turn it into a struct first")
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
            return bool(flat[0]) if shape == (1, 1) else (flat != 0).reshape(shape, order="F")
        dtype = np.dtype(t.DTYPE_OF_CLASS[flags & 0xFF])
        flat = flat.astype(dtype, copy=flat.nbytes < _COPY_BELOW)
        if flags & t.FLAG_COMPLEX:
            if dtype.kind != "f":
                self.refuse(where, "complex integers")
            imaginary, place = self.numbers(data, place, stop, count, where)
            joined = np.empty(count, np.dtype(f"c{2 * dtype.itemsize}"))
            joined.real, joined.imag = flat, imaginary
            flat = joined
        if shape == (1, 1) and dtype == np.float64:
            return flat[0].item()
        return flat.reshape(shape, order="F")

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
        values = self.items(data, place, stop, names, depth)
        if len(shape) == 2 and (1 in shape or shape == (0, 0)):
            return values
        cells = np.empty(count, object)
        cells[:] = values
        return cells.reshape(shape, order="F")

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
