"""Write a MATLAB v7.3 file: HDF5 with MATLAB's attributes, by h5py.

Arrays are stored transposed, as HDF5 counts dimensions from the slowest; cells and struct arrays
are references into the group ``#refs#``. MATLAB, libmatio and `load` read the files; Octave does
not (cells vanish), so it is for those who need more than 2 GB in a variable, or v7.3 itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pyoctcompress.matfile import types as t
from pyoctcompress.matfile.hdf5 import library
from pyoctcompress.matfile.writing import nbytes, replace

_HEADER = b"MATLAB 7.3 MAT-file, written by octcompress"
_USER_BLOCK = 512
_CLASSES = {"f4": "single", "f8": "double"}


def save73(
    path: str | os.PathLike[str], variables: Mapping[str, Any], caller: str = "nn_save"
) -> int:
    """Write variables to a v7.3 file, whole or not at all.

    Parameters
    ----------
    path : path
        The file.
    variables : mapping of str
        Name to value; the values are those of the table in `pyoctcompress.matfile`.
    caller : str
        The function that errors name.

    Returns
    -------
    int
        The number of bytes written.

    Raises
    ------
    OctcompressError
        As for `save`; ``octcompress:CALLER:notInstalled`` without h5py.
    """
    nbytes(variables, caller)  # refuses what no MATLAB class can hold

    def write(file: BinaryIO) -> None:
        h5py = library()
        with h5py.File(file, "w", userblock_size=_USER_BLOCK) as root:
            _Writer(h5py, root).members(root, variables.items())
        file.seek(0)
        file.write(_HEADER.ljust(116) + bytes(8) + b"\x00\x02IM")
        file.seek(0, os.SEEK_END)

    try:
        return replace(path, write, lambda written: _names(written) == set(variables), True)
    except t.Fault as fault:
        raise fault.error(caller) from None


def _names(path: str) -> set[str]:
    """Return the names of a file's variables."""
    with library().File(path) as root:
        return set(root) - {"#refs#"}


class _Writer:
    """Puts values into HDF5."""

    def __init__(self, h5py: Any, root: Any) -> None:
        self.h5py, self.root, self.count = h5py, root, 0

    def members(self, group: Any, items: Iterable[tuple[str, Any]]) -> None:
        for name, value in items:
            self.put(group, name, value)

    def put(self, group: Any, name: str, value: Any) -> Any:
        """Write one value; returns its dataset or group."""
        if type(value).__module__.startswith("scipy.sparse"):
            return self.sparse(group, name, value)
        if isinstance(value, t.StructArray) and len(value):
            return self.struct_array(group, name, value)
        if isinstance(value, Mapping) and value:
            item = self.marked(group.create_group(name), "struct")
            self.fields(item, tuple(value))
            self.members(item, value.items())
            return item
        if isinstance(value, Mapping):
            item = group.create_dataset(name, data=np.array([1, 1], np.uint64))
            item.attrs["MATLAB_empty"] = np.uint8(1)
            return self.marked(item, "struct")
        kind, array = _array(value)
        if 0 in array.shape:
            return self.empty(group, name, kind, array.shape, value)
        if kind == "cell":
            array = self.references(array)
        item = self.marked(group.create_dataset(name, data=array.T), kind)
        if kind in ("logical", "char"):
            item.attrs["MATLAB_int_decode"] = np.int32(1 if kind == "logical" else 2)
        return item

    def marked(self, item: Any, kind: str) -> Any:
        """Name the class: null-terminated text with no room for the null, as MATLAB has it."""
        h5a, h5s, h5t = self.h5py.h5a, self.h5py.h5s, self.h5py.h5t
        text = h5t.C_S1.copy()
        text.set_size(len(kind))
        text.set_strpad(h5t.STR_NULLTERM)
        attribute = h5a.create(item.id, b"MATLAB_class", text, h5s.create(h5s.SCALAR))
        attribute.write(np.array(kind.encode()), mtype=text)
        return item

    def empty(self, group: Any, name: str, kind: str, shape: tuple[int, ...], value: Any) -> Any:
        """Write the dimensions in the place of the data."""
        item = group.create_dataset(name, data=np.array(shape, np.uint64))
        item.attrs["MATLAB_empty"] = np.uint8(1)
        if isinstance(value, t.StructArray):
            self.fields(item, value.fields)
        elif kind in ("logical", "char"):
            item.attrs["MATLAB_int_decode"] = np.int32(1 if kind == "logical" else 2)
        return self.marked(item, kind)

    def fields(self, item: Any, names: tuple[str, ...]) -> None:
        """Write the names of a struct's fields, in their order."""
        if not names:
            return
        letters = np.empty(len(names), object)
        for k, name in enumerate(names):
            letters[k] = np.frombuffer(name.encode("ascii"), "S1")
        dtype = self.h5py.vlen_dtype(np.dtype("S1"))
        item.attrs.create("MATLAB_fields", letters, dtype=dtype)

    def struct_array(self, group: Any, name: str, value: t.StructArray) -> Any:
        """Write a group with references to each element's field."""
        item = self.marked(group.create_group(name), "struct")
        self.fields(item, value.fields)
        for field in value.fields:
            cells = np.empty(len(value), object)
            for k, one in enumerate(value):
                cells[k] = one[field]
            found = self.references(cells.reshape(value.shape, order="F"))
            item.create_dataset(field, data=found.T)
        return item

    def references(self, cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Write the values of cells apart, and refer to them."""
        group = self.root.require_group("#refs#")
        found = np.empty(cells.shape, self.h5py.ref_dtype)
        for place in np.ndindex(cells.shape[::-1]):  # in MATLAB's order
            self.count += 1
            item = self.put(group, f"r{self.count}", cells[place[::-1]])
            found[place[::-1]] = item.ref
        return found

    def sparse(self, group: Any, name: str, value: Any) -> Any:
        """Write the three arrays of a sparse matrix by columns."""
        value = value.tocsc()
        value.sum_duplicates()
        logical = value.dtype.kind == "b"
        item = self.marked(group.create_group(name), "logical" if logical else "double")
        item.attrs["MATLAB_sparse"] = np.uint64(value.shape[0])
        if logical:
            item.attrs["MATLAB_int_decode"] = np.int32(1)
        item.create_dataset("jc", data=value.indptr.astype(np.uint64))
        if value.nnz:
            item.create_dataset("ir", data=value.indices.astype(np.uint64))
            data = value.data.astype(np.uint8) if logical else _pairs(value.data)
            item.create_dataset("data", data=data)
        return item


def _array(value: Any) -> tuple[str, npt.NDArray[Any]]:
    """Give a value's class, and its array as HDF5 holds it, in MATLAB's shape."""
    if isinstance(value, str):
        units = np.frombuffer(value.encode("utf-16-le", "surrogatepass"), "<u2")
        return "char", units.reshape((1, -1) if units.size else (0, 0))
    if isinstance(value, list | tuple):
        cells = np.empty((1, len(value)) if value else (0, 0), object)
        for k, one in enumerate(value):
            cells[0, k] = one
        return "cell", cells
    if isinstance(value, t.StructArray):
        return "struct", np.zeros(value.shape)
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    array = np.asarray(value)
    array = array.reshape(-1, 1) if array.ndim < 2 else array
    if array.dtype.kind == "O":
        return "cell", array
    if array.dtype.kind == "U":
        if array.dtype.itemsize != 4:
            cells = np.empty(array.shape, object)
            cells[...] = array
            return "cell", cells
        points = np.ascontiguousarray(array).view("<u4").reshape(array.shape)
        return "char", points.astype("<u2")
    if array.dtype.kind == "b":
        return "logical", array.view(np.uint8)
    if array.dtype.kind == "c":
        return _CLASSES[f"f{array.dtype.itemsize // 2}"], _pairs(array)
    return _CLASSES.get(array.dtype.str[1:], array.dtype.name), array


def _pairs(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give complex numbers as MATLAB's pairs of real and imag."""
    if array.dtype.kind != "c":
        return array.astype(np.float64, copy=False)
    part = f"f{array.dtype.itemsize // 2}"
    pairs = np.empty(array.shape, [("real", part), ("imag", part)])
    pairs["real"], pairs["imag"] = array.real, array.imag
    return pairs
