"""Read a MAT version 5 file, trusting none of its bytes."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from pyoctcompress.errors import FileError
from pyoctcompress.matfile import types as t

# Arrays larger than this stay views of the file's one buffer; smaller ones are copied, so that a
# bias kept from a model does not keep the whole file in memory.
_COPY_BELOW = 1 << 20
# Deflate cannot make more than 1032 bytes of one.
_LARGEST_INFLATION = 1040


def load(path: str | os.PathLike[str], memory_limit: int | None = None) -> dict[str, Any]:
    """Read all variables of a .mat file.

    Parameters
    ----------
    path : path
        A file of MAT version 5 (MATLAB's -v6 or -v7), of either byte order.
    memory_limit : int, optional
        Refuse a file that needs more bytes than this once inflated; half of the machine's
        memory unless given.

    Returns
    -------
    dict
        Name to value; the classes are those of the table in `pyoctcompress.matfile`.

    Raises
    ------
    FileError
        ``octcompress:load:noFile``, ``badFile``, ``tooLarge``.
    """
    path = Path(path)
    data, order, places = _open(path, memory_limit)
    reader = _Reader(path, order)
    variables: dict[str, Any] = {}
    try:
        for kind, start, stop in places:
            name, value = reader.variable(data, kind, start, stop)
            if name:  # the nameless one belongs to MATLAB's objects
                variables[name] = value
    except MemoryError:
        raise _fault("tooLarge", f"{path} needs more memory than there is") from None
    return variables


def check(path: str | os.PathLike[str], memory_limit: int | None = None) -> int:
    """Check that a file is of MAT version 5 and complete, by its top level only.

    Parameters
    ----------
    path : path
        The file.
    memory_limit : int, optional
        As for `load`.

    Returns
    -------
    int
        The number of variables.

    Raises
    ------
    FileError
        As for `load`, with what the file is instead and what to do.
    """
    return len(_open(Path(path), memory_limit, whole=False)[2])


def _fault(tag: str, message: str) -> FileError:
    return FileError(f"load: {message}", f"octcompress:load:{tag}")


def _open(
    path: Path, memory_limit: int | None, whole: bool = True
) -> tuple[npt.NDArray[np.uint8], str, list[tuple[int, int, int]]]:
    """Bytes, byte order and the (type, start, stop) of each variable; bytes only if `whole`."""
    if memory_limit is None:
        memory_limit = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(1024)
            order = _byte_order(path, head, size)
            if size > memory_limit:
                raise _fault("tooLarge", f"{path} has {size} bytes; the limit is {memory_limit}")
            places = []
            place = 128
            while place < size:
                file.seek(place)
                tag = file.read(8)
                if len(tag) < 8:
                    _truncated(path, 8, len(tag), place)
                kind, count = (int(n) for n in np.frombuffer(tag, order + "u4"))
                if kind not in (t.MI_MATRIX, t.MI_COMPRESSED):
                    raise _fault(
                        "badFile",
                        f"{path} is damaged: at byte {place} there must be a variable, "
                        f"but there is a data type {kind}",
                    )
                if place + 8 + count > size:
                    _truncated(path, count, size - place - 8, place)
                places.append((kind, place + 8, place + 8 + count))
                place += 8 + count
            data = np.empty(size if whole else 0, np.uint8)
            file.seek(0)
            if file.readinto(memoryview(data)) != data.size:
                raise _fault("badFile", f"{path} became shorter while it was read")
    except FileNotFoundError:
        raise _fault("noFile", f"there is no file {path}") from None
    except IsADirectoryError:
        raise _fault("badFile", f"{path} is a folder; name a .mat file in it") from None
    except FileError:
        raise
    except OSError as error:
        raise _fault("badFile", f"{path} cannot be read: {error.strerror}") from None
    inflated = sum(stop - start for kind, start, stop in places if kind == t.MI_MATRIX)
    if whole and inflated > memory_limit:
        raise _fault("tooLarge", f"{path} needs {inflated} bytes; the limit is {memory_limit}")
    return data, order, places


def _truncated(path: Path, needed: int, left: int, place: int) -> NoReturn:
    raise _fault(
        "badFile",
        f"{path} is truncated: the variable at byte {place} needs {needed} bytes, but {left} are "
        "left; copy or download the file again",
    )


_V73 = (
    "is a MATLAB v7.3 (HDF5) file, which Octave cannot read whole; in MATLAB: "
    "load it and save (..., '-v7')"
)
_SIGNATURES = (
    (
        b"version https://git-lfs",
        "is a Git LFS pointer, not the file itself: run `git lfs pull` where it came from",
    ),
    (b"\x89HDF\r\n\x1a\n", _V73),
    (b"# Created by Octave", "is an Octave text file: in Octave, load it and save it with -v6"),
    (b"# name:", "is an Octave text file: in Octave, load it and save it with -v6"),
    (b"Octave-1-", "is an Octave binary file: in Octave, load it and save it with -v6"),
    (b"\x1f\x8b", "is compressed by gzip: run `gunzip` on it first"),
    (b"PK\x03\x04", "is a zip archive: unpack it first"),
    (b"\x93NUMPY", "is a NumPy file: load it with numpy.load"),
)


def _byte_order(path: Path, head: bytes, size: int) -> str:
    """'<' or '>' by the header; an error that says what the file is where it is not ours."""
    if size == 0:
        raise _fault("badFile", f"{path} is empty (0 bytes)")
    for signature, meaning in _SIGNATURES:
        if head.startswith(signature):
            raise _fault("badFile", f"{path} {meaning}")
    if head[512:520] == b"\x89HDF\r\n\x1a\n":
        raise _fault("badFile", f"{path} {_V73}")
    mark = head[126:128]
    if mark not in (b"IM", b"MI"):
        if len(head) >= 20 and _is_version_4(head):
            raise _fault(
                "badFile", f"{path} is a MATLAB v4 file: in Octave, load it and save it with -v6"
            )
        raise _fault("badFile", f"{path} is not a .mat file (or its first 128 bytes are damaged)")
    order = "<" if mark == b"IM" else ">"
    version = int(np.frombuffer(head[124:126], order + "u2")[0])
    if version == 0x0200:
        raise _fault("badFile", f"{path} {_V73}")
    if version != 0x0100:
        raise _fault("badFile", f"{path} has the unknown MAT version {version:#06x}")
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
    """Reads variables out of a buffer; every length is checked before it is used."""

    path: Path
    order: str

    def fail(self, where: str, message: str) -> NoReturn:
        raise _fault("badFile", f"{self.path} is damaged: {where or 'a variable'} {message}")

    def refuse(self, where: str, what: str) -> NoReturn:
        raise _fault("badFile", f"{self.path} holds {what} at {where or 'its top level'}")

    def variable(
        self, data: npt.NDArray[np.uint8], kind: int, start: int, stop: int
    ) -> tuple[str, Any]:
        if kind == t.MI_COMPRESSED:
            data = self.inflate(data[start:stop])
            start, stop = 0, data.size
        try:
            return self.matrix(data, start, stop, None, 0)
        except (ValueError, OverflowError, UnicodeError, TypeError, IndexError) as error:
            raise _fault("badFile", f"{self.path} is damaged: {error}") from None

    def inflate(self, packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The bytes of the one matrix in a compressed element, without its tag."""
        stream = zlib.decompressobj()
        try:
            tag = stream.decompress(packed, 8)
            if len(tag) < 8:
                self.fail("", "ends in its compressed tag")
            kind, count = (int(n) for n in np.frombuffer(tag, self.order + "u4"))
            if kind != t.MI_MATRIX or count > _LARGEST_INFLATION * packed.size:
                self.fail("", f"holds a data type {kind} of {count} bytes where a matrix must be")
            body = stream.decompress(stream.unconsumed_tail, count) if count else b""
        except zlib.error as error:
            self.fail("", f"cannot be decompressed ({error})")
        if len(body) != count:
            self.fail("", f"must have {count} bytes, but decompresses to {len(body)}")
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
        """A flat array of `count` numbers in the type in which they are stored."""
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
                here, "a MATLAB object (or string, table, containers.Map); in MATLAB turn it into"
                " structs, cells and arrays, as struct (x), cellstr (x)"
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
                self.refuse(where, "complex integers; store real and imaginary part apart")
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
        """The matrices that follow one another from `place`; `names` says where they stand."""
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
        if len(shape) == 2 and (min(shape) == 1 or shape == (0, 0)):
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
        items = [
            dict(zip(fields, values[k * n : (k + 1) * n], strict=True)) for k in range(count)
        ]
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
