"""The numbers of the MAT version 5 format, and the one value type that Python lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyoctcompress.errors import OctcompressError, error_from

# Types of data elements.
MI_INT8, MI_UINT16, MI_INT32, MI_UINT32, MI_DOUBLE = 1, 4, 5, 6, 9
MI_MATRIX, MI_COMPRESSED, MI_UTF8, MI_UTF16, MI_UTF32 = 14, 15, 16, 17, 18
DTYPE_OF_ELEMENT = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
ELEMENT_OF_DTYPE = {name: number for number, name in DTYPE_OF_ELEMENT.items()}

# Classes of arrays.
MX_CELL, MX_STRUCT, MX_OBJECT, MX_CHAR, MX_SPARSE, MX_DOUBLE = 1, 2, 3, 4, 5, 6
MX_UINT8, MX_FUNCTION, MX_OPAQUE = 9, 16, 17
DTYPE_OF_CLASS = {
    6: "f8",
    7: "f4",
    8: "i1",
    9: "u1",
    10: "i2",
    11: "u2",
    12: "i4",
    13: "u4",
    14: "i8",
    15: "u8",
}
CLASS_OF_DTYPE = {name: number for number, name in DTYPE_OF_CLASS.items()}

# Flags beside the class.
FLAG_COMPLEX, FLAG_GLOBAL, FLAG_LOGICAL = 0x0800, 0x0400, 0x0200

# A variable of more bytes than this is not read by Octave, nor by MATLAB from a -v7 file.
LARGEST_VARIABLE = 2**31 - 1
# Deeper nesting than this is not a model but an attack on the stack.
DEEPEST = 100


class Fault(Exception):
    """A tag and a message on their way to the public function, which knows its caller's name."""

    def __init__(self, tag: str, message: str) -> None:
        super().__init__(tag, message)
        self.tag = tag
        self.message = message

    def error(self, caller: str) -> OctcompressError:
        """Make the error that the user sees."""
        return error_from(f"octcompress:{caller}:{self.tag}", f"{caller}: {self.message}")


OBJECT = (
    "a MATLAB object (or string, table, containers.Map); `octcompress convert` reads networks and "
    "leaves the others out, or turn it in MATLAB into structs, cells and arrays, as struct (x)"
)


def leave_out(left_out: list[str] | None, path: Any, where: str, what: str) -> Any:
    """Refuse what is not read; or note it in a list, and give ``[]`` in its place."""
    if left_out is None:
        raise Fault("badFile", f"'{path}' holds {what} (at {where or 'its top level'})")
    left_out.append(f"{where}: {what.partition(';')[0]}")
    return np.zeros((0, 0))


def as_value(array: npt.NDArray[Any]) -> Any:
    """Give an array as the table in `pyoctcompress.matfile` has it: some of 1 x 1 are scalars."""
    if array.shape == (1, 1) and (array.dtype == np.float64 or array.dtype.kind == "b"):
        return array[0, 0].item()
    if array.shape == (1, 1) and array.dtype == np.complex128:
        return complex(array[0, 0])
    return array


def as_cell(values: list[Any], shape: tuple[int, ...]) -> Any:
    """Give the elements of a cell, in column-major order, as a list or an array of objects."""
    if len(shape) == 2 and (1 in shape or shape == (0, 0)):
        return values
    cells = np.empty(len(values), object)
    cells[:] = values
    return cells.reshape(shape, order="F")


def as_text(text: str, shape: tuple[int, ...]) -> Any:
    """Give characters, in column-major order, as text or as an array of characters."""
    if not text:
        return ""
    if len(shape) == 2 and shape[0] == 1:
        return text
    return np.array(list(text), "<U1").reshape(shape, order="F")


class StructArray(Sequence[dict[str, Any]]):
    """A struct array that is not 1 x 1: its elements in MATLAB's (column-major) order.

    Parameters
    ----------
    items : sequence of dict
        The elements; all have the keys of `fields`.
    shape : tuple of int, optional
        At least two numbers whose product is ``len (items)``; 1 x N unless given.
    fields : sequence of str, optional
        The names of the fields, needed where there is no element to tell them.

    Examples
    --------
    >>> s = StructArray([{"a": 1.0}, {"a": 2.0}])
    >>> s.shape, s.fields, s[1]
    ((1, 2), ('a',), {'a': 2.0})
    """

    def __init__(
        self,
        items: Sequence[dict[str, Any]],
        shape: tuple[int, ...] | None = None,
        fields: Sequence[str] | None = None,
    ) -> None:
        self.items = list(items)
        self.shape = (1, len(self.items)) if shape is None else tuple(int(n) for n in shape)
        if fields is None:
            fields = tuple(self.items[0]) if self.items else ()
        self.fields = tuple(fields)
        if len(self.shape) < 2 or int(np.prod(self.shape, dtype=np.int64)) != len(self.items):
            raise ValueError(
                f"SHAPE must be two numbers or more whose product is {len(self.items)}, "
                f"but is {self.shape}"
            )
        for item in self.items:
            if set(item) != set(self.fields):
                raise ValueError("all elements of a struct array must have the same fields")

    def __getitem__(self, index: Any) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.items)

    def __repr__(self) -> str:
        sizes = " x ".join(map(str, self.shape))
        return f"<StructArray {sizes} with the fields {', '.join(self.fields) or '(none)'}>"
