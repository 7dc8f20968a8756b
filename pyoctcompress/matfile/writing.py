"""Write a MAT version 5 file: whole under its name, or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt

from pyoctcompress.errors import FileError
from pyoctcompress.matfile import types as t
from pyoctcompress.matfile.reading import check

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}\Z")
_HEADER = b"MATLAB 5.0 MAT-file, written by octcompress"

# A piece of the file: bytes as they are, or an array whose numbers are written column by column.
_Piece = bytes | npt.NDArray[Any]


def save(
    path: str | os.PathLike[str],
    variables: Mapping[str, Any],
    compress: bool = False,
    durable: bool = True,
    caller: str = "nn_save",
) -> int:
    """Write variables to a .mat file that Octave, MATLAB and SciPy read.

    The file is written under a temporary name in the same folder, flushed to the disk, checked and
    then renamed: where anything goes wrong, the old file stays as it was.

    Parameters
    ----------
    path : path
        The file. A link is followed.
    variables : mapping of str
        Name to value; the values are those of the table in `pyoctcompress.matfile`.
    compress : bool
        Write as -v7 does, deflated: 10 to 20% smaller on float weights and far slower.
    durable : bool
        False leaves out the flush to the disk, for files that live no longer than the process.
    caller : str
        The function that errors name.

    Returns
    -------
    int
        The number of bytes written.

    Raises
    ------
    OptionError
        ``octcompress:nn_save:badType``: a value that no MATLAB class can hold.
    FileError
        ``octcompress:nn_save:badName``, ``tooLarge``, ``notWritten``.
    """
    try:
        return _save(path, variables, compress, durable)
    except t.Fault as fault:
        raise fault.error(caller) from None


def save_packed(
    path: str | os.PathLike[str], data: bytes, durable: bool = True, caller: str = "nn_save"
) -> int:
    """Write the bytes of a packed model as a file of MATLAB's level 4, in the way of `save`.

    Parameters
    ----------
    path : path
        The file. A link is followed.
    data : bytes
        The variable ``octc``, a column of uint8. Level 4 costs 25 bytes, level 5 would cost 184.
    durable, caller
        As for `save`.

    Returns
    -------
    int
        The number of bytes written.

    Raises
    ------
    FileError
        ``octcompress:nn_save:notWritten``.
    """
    content = _words(50, len(data), 1, 0, 5) + b"octc\0" + data
    try:
        return replace(
            path,
            lambda file: file.write(content),
            lambda written: Path(written).read_bytes() == content,
            durable,
        )
    except t.Fault as fault:
        raise fault.error(caller) from None


def _save(
    path: str | os.PathLike[str], variables: Mapping[str, Any], compress: bool, durable: bool
) -> int:
    elements = []
    for name, (size, pieces) in _layout(variables).items():
        if size > t.LARGEST_VARIABLE:
            raise t.Fault(
                "tooLarge",
                f"the variable {name} needs {size} bytes; a .mat file of this version holds at "
                f"most {t.LARGEST_VARIABLE} in each, so split it or store fewer layers in a file",
            )
        elements.append(pieces)

    def write(file: BinaryIO) -> None:
        file.write(_HEADER.ljust(116) + bytes(8) + b"\x00\x01" + b"IM")
        for pieces in elements:
            if compress:
                _write_deflated(file, pieces)
            else:
                for chunk in _bytes_of(pieces):
                    file.write(chunk)

    return replace(path, write, lambda written: check(written) == len(elements), durable)


def replace(
    path: str | os.PathLike[str],
    write: Callable[[BinaryIO], object],
    reads_back: Callable[[str], bool],
    durable: bool,
) -> int:
    """Write a file beside its place, check it, and put it there; the number of bytes.

    Raises
    ------
    Fault
        ``notWritten``; the old file stays as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        handle, temporary = tempfile.mkstemp(".mat", f".{target.name}.", target.parent)
    except OSError as error:
        raise t.Fault("notWritten", f"'{path}' cannot be written: {error.strerror}") from None
    try:
        with open(handle, "w+b") as file:
            write(file)
            file.flush()
            if durable:
                os.fsync(file.fileno())
            written = file.tell()
            os.fchmod(file.fileno(), _mode(target))
        if not reads_back(temporary) or os.path.getsize(temporary) != written:
            raise t.Fault("notWritten", f"'{path}' cannot be written: it does not read back")
        os.replace(temporary, target)
    except FileError as error:
        raise t.Fault("notWritten", f"'{path}' cannot be written: {error.message}") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise t.Fault("notWritten", f"'{path}' cannot be written: {reason}") from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    return written


def nbytes(variables: Mapping[str, Any], caller: str = "nn_save") -> int:
    """Size of the file that `save` would write without compression, in bytes.

    Parameters
    ----------
    variables : mapping of str
        As for `save`.
    caller : str
        The function that errors name.

    Returns
    -------
    int
        The size.

    Raises
    ------
    OctcompressError
        As for `save`, where a value or a name cannot be written.
    """
    try:
        return 128 + sum(size for size, _ in _layout(variables).values())
    except t.Fault as fault:
        raise fault.error(caller) from None


def _layout(variables: Mapping[str, Any]) -> dict[str, tuple[int, list[_Piece]]]:
    """Total size and pieces of each variable."""
    layout = {}
    for name, value in variables.items():
        _check_name(name, str(name))
        layout[name] = _matrix(value, name, name, 0)
    return layout


def _refuse(where: str, message: str) -> NoReturn:
    raise t.Fault("badType", f"{where} {message}")


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise t.Fault(
            "badName",
            f"the name {name!r} (at {where}) must begin with a letter and have at most 63 "
            "letters, digits and underscores",
        )


def _mode(target: Path) -> int:
    """Find the permissions of the file that is replaced, or those that the user's mask gives."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _bytes_of(pieces: Iterable[_Piece]) -> Iterator[bytes | memoryview]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        elif piece.size:
            # A view where the array is stored by columns already, else one copy at a time.
            yield piece.ravel(order="F").data.cast("B")


def _write_deflated(file: BinaryIO, pieces: Iterable[_Piece]) -> None:
    start = file.tell()
    file.write(bytes(8))
    stream = zlib.compressobj(6)
    for chunk in _bytes_of(pieces):
        file.write(stream.compress(chunk))
    file.write(stream.flush())
    stop = file.tell()
    file.seek(start)
    file.write(_words(t.MI_COMPRESSED, stop - start - 8))
    file.seek(stop)


def _words(*numbers: int) -> bytes:
    return np.array(numbers, "<u4").tobytes()


def _element(kind: int, size: int, pieces: list[_Piece]) -> tuple[int, list[_Piece]]:
    """Total size and pieces of a data element: its tag, its bytes, filled up to 8."""
    padding = -size % 8
    return 8 + size + padding, [_words(kind, size), *pieces, bytes(padding)]


def _numbers(array: npt.NDArray[Any]) -> tuple[int, list[_Piece]]:
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return _element(t.ELEMENT_OF_DTYPE[array.dtype.str[1:]], array.nbytes, [array])


def _characters(units: npt.NDArray[np.uint16]) -> tuple[int, list[_Piece]]:
    """Tag ASCII as MATLAB does, other text as Octave does; SciPy garbles the latter as UINT16."""
    ascii_only = units.size == 0 or int(units.max()) < 128
    return _element(t.MI_UINT16 if ascii_only else t.MI_UTF16, units.nbytes, [units])


def _matrix(value: Any, name: str, where: str, depth: int) -> tuple[int, list[_Piece]]:
    """Total size and pieces of one array with its header."""
    if depth > t.DEEPEST:
        _refuse(where, f"is nested more than {t.DEEPEST} deep")
    stored = 0  # numbers in a sparse array; Octave crashes where this is not right
    if type(value).__module__.startswith("scipy.sparse"):
        value = value.tocsc(copy=not getattr(value, "has_canonical_format", False))
        value.sum_duplicates()
        stored = value.nnz
    mclass, shape, parts = _contents(value, where, depth)
    if any(n > 2**31 - 1 for n in shape):
        _refuse(where, f"has the dimensions {shape}; each must be less than 2^31")
    encoded = name.encode("ascii")
    head = [
        _element(t.MI_UINT32, 8, [_words(mclass, stored)]),
        _element(t.MI_INT32, 4 * len(shape), [_words(*shape)]),
        _element(t.MI_INT8, len(encoded), [encoded]),
    ]
    size = 0
    pieces: list[_Piece] = []
    for part_size, part in head + parts:
        size += part_size
        pieces += part
    return 8 + size, [_words(t.MI_MATRIX, size), *pieces]


_Contents = tuple[int, tuple[int, ...], list[tuple[int, list[_Piece]]]]


def _contents(value: Any, where: str, depth: int) -> _Contents:
    """Class with flags, shape and the elements after the header."""
    if value is None:
        _refuse(where, "is None, which has no MATLAB class; leave it out or use an empty array")
    if isinstance(value, str):
        units = np.frombuffer(value.encode("utf-16-le", "surrogatepass"), "<u2")
        shape = (1, units.size) if units.size else (0, 0)
        return t.MX_CHAR, shape, [_characters(units)]
    if isinstance(value, Mapping):
        return t.MX_STRUCT, (1, 1), _fields(tuple(value), [value], where, depth, True)
    if isinstance(value, t.StructArray):
        parts = _fields(value.fields, value.items, where, depth, False)
        return t.MX_STRUCT, value.shape, parts
    if isinstance(value, list | tuple):
        shape = (1, len(value)) if value else (0, 0)
        return t.MX_CELL, shape, _cells(value, where, depth)
    if isinstance(value, bool):
        value = np.array(value)
    elif isinstance(value, int):
        if abs(value) > 2**53:
            _refuse(where, f"is the int {value}, which a double does not hold exactly")
        value = np.array(value, np.float64)
    elif isinstance(value, float | complex) and not isinstance(value, np.generic):
        value = np.array(value)
    if type(value).__module__.startswith("scipy.sparse"):
        return _sparse(value, where)
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value), where, depth)
    _refuse(
        where,
        f"is a {type(value).__module__}.{type(value).__qualname__}, which has no MATLAB class; "
        "use NumPy arrays, numbers, text, lists and dicts",
    )


def _array(array: npt.NDArray[Any], where: str, depth: int) -> _Contents:
    if array.ndim < 2:
        array = array.reshape(-1, 1)
    kind = array.dtype.kind
    shape = array.shape
    if kind == "O":
        return t.MX_CELL, shape, _cells(array.ravel(order="F"), where, depth)
    if kind == "U":
        if array.dtype.itemsize != 4:
            return t.MX_CELL, shape, _cells(array.ravel(order="F").tolist(), where, depth)
        points = np.asfortranarray(array).ravel(order="F").view("<u4").reshape(shape, order="F")
        if points.size and points.max() > 0xFFFF:
            _refuse(where, "is a char matrix with a character beyond U+FFFF; use text in a list")
        return t.MX_CHAR, shape, [_characters(points.astype("<u2"))]
    if kind == "b":
        return t.MX_UINT8 | t.FLAG_LOGICAL, shape, [_numbers(array.view(np.uint8))]
    if kind == "c" and array.dtype.itemsize in (8, 16):
        mclass = t.CLASS_OF_DTYPE[f"f{array.dtype.itemsize // 2}"] | t.FLAG_COMPLEX
        return mclass, shape, [_numbers(array.real), _numbers(array.imag)]
    known = t.CLASS_OF_DTYPE.get(array.dtype.str[1:])
    if kind not in "fiu" or known is None:
        _refuse(
            where,
            f"has the dtype {array.dtype}, which has no MATLAB class; convert it, "
            "as array.astype (numpy.float32)",
        )
    return known, shape, [_numbers(array)]


def _cells(values: Iterable[Any], where: str, depth: int) -> list[tuple[int, list[_Piece]]]:
    return [_matrix(value, "", f"{where}[{k}]", depth + 1) for k, value in enumerate(values)]


def _fields(
    fields: tuple[Any, ...],
    items: Sequence[Mapping[str, Any]],
    where: str,
    depth: int,
    scalar: bool,
) -> list[tuple[int, list[_Piece]]]:
    for field in fields:
        _check_name(field, f"{where}.{field}")
    width = max([32, *(len(field) + 1 for field in fields)])
    names = b"".join(field.encode("ascii").ljust(width, b"\0") for field in fields)
    # The length of the names is in the small form of an element, as MATLAB writes it.
    parts: list[tuple[int, list[_Piece]]] = [
        (8, [_words(t.MI_INT32 | 4 << 16, width)]),
        _element(t.MI_INT8, len(names), [names]),
    ]
    for k, item in enumerate(items):
        place = where if scalar else f"{where}[{k}]"
        parts += [_matrix(item[field], "", f"{place}.{field}", depth + 1) for field in fields]
    return parts


def _sparse(matrix: Any, where: str) -> _Contents:
    if matrix.ndim != 2 or prod(matrix.shape) == 0:
        _refuse(where, "is sparse and empty or not 2-D; use a full array")
    stored = matrix.data
    flags = t.MX_SPARSE
    if stored.dtype.kind == "b":
        flags |= t.FLAG_LOGICAL
        values = [stored.view(np.uint8)]
    elif stored.dtype.kind == "c":
        flags |= t.FLAG_COMPLEX
        values = [stored.real.astype(np.float64), stored.imag.astype(np.float64)]
    elif stored.dtype == np.float64:
        values = [stored]
    else:
        _refuse(where, f"is sparse with the dtype {stored.dtype}; MATLAB has only double sparse")
    indices = [_numbers(matrix.indices.astype("<i4")), _numbers(matrix.indptr.astype("<i4"))]
    return flags, matrix.shape, indices + [_numbers(part) for part in values]
