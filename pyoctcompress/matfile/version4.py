"""Read a MATLAB v4 file: full and sparse matrices of doubles, and text."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pyoctcompress.matfile import types as t
from pyoctcompress.matfile.buffer import Buffer

# How the numbers are stored; in MATLAB all are double.
_STORED = ("f8", "f4", "i4", "i2", "u2", "u1")


def read(
    path: Path, file: BinaryIO, names: Collection[str] | None, memory_limit: int
) -> dict[str, Any]:
    """Read variables; see `pyoctcompress.matfile.load`."""
    source = Buffer(path, file, memory_limit)
    variables = {}
    while source.left:
        name, value = _variable(source, names)
        if names is None or name in names:
            variables[name] = value
    return variables


def _variable(source: Buffer, names: Collection[str] | None) -> tuple[str, Any]:
    """Read the next matrix; None where it is not wanted."""
    head = source.bytes(20, "a variable's header")
    kind = int(np.frombuffer(head[:4], "<i4")[0])
    source.order = "<" if 0 <= kind < 1000 else ">"
    kind, rows, columns, imaginary, length = (
        int(n) for n in np.frombuffer(head, source.order + "i4")
    )
    machine, zero, stored, meaning = kind // 1000, kind // 100 % 10, kind // 10 % 10, kind % 10
    if machine > 1 or zero or stored > 5 or meaning > 2 or min(rows, columns) < 0 or kind < 0:
        source.fail(f"a variable has the type {kind} and the size {rows} x {columns}")
    if not 1 < length < 256 or imaginary not in (0, 1):
        source.fail(f"a variable has a name of {length} bytes")
    name = source.bytes(length, "a name").rstrip(b"\0").decode("latin-1")
    count = rows * columns
    parts: list[npt.NDArray[Any]] = []
    for _ in range(1 + imaginary):
        numbers = source.numbers(_STORED[stored], count, name)
        parts.append(numbers.astype(np.float64).reshape((rows, columns), order="F"))
    if names is not None and name not in names:
        return name, None
    if meaning == 1:
        codes = parts[0].ravel(order="F")
        if not ((codes >= 0) & (codes < 0x110000)).all():
            source.fail(f"{name} is text with codes that are no characters")
        return name, t.as_text("".join(chr(int(c)) for c in codes), (rows, columns))
    if meaning == 2:
        return name, _sparse(source, name, parts[0])
    return name, t.as_value(parts[0] + 1j * parts[1] if imaginary else parts[0])


def _sparse(source: Buffer, name: str, table: npt.NDArray[np.float64]) -> Any:
    """Rows of row, column, value (and imaginary part); the last one has the size."""
    if table.shape[1] not in (3, 4) or table.shape[0] < 1:
        source.fail(f"{name} is sparse, but a table of {table.shape[0]} x {table.shape[1]}")
    rows, columns = (int(n) if 0 <= n < 2**31 else -1 for n in table[-1, :2])
    places = table[:-1, :2]
    if min(rows, columns) < 0 or not ((places >= 1) & (places <= (rows, columns))).all():
        source.fail(f"{name} is sparse with indices beyond its size {rows} x {columns}")
    source.spend(8 * columns)
    from scipy.sparse import csc_array

    values = table[:-1, 2] if table.shape[1] == 3 else table[:-1, 2] + 1j * table[:-1, 3]
    at = (places[:, 0].astype(int) - 1, places[:, 1].astype(int) - 1)
    return csc_array((values, at), shape=(rows, columns))
