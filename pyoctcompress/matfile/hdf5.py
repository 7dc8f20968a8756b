"""Read a MATLAB v7.3 file, or one of Octave's ``save -hdf5``: both are HDF5, by h5py."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from pyoctcompress.errors import OctcompressError
from pyoctcompress.matfile import octave_binary as shared
from pyoctcompress.matfile import types as t
from pyoctcompress.matfile.buffer import Account

_NUMERIC = {"double": "f8", "single": "f4", **{n: n for n in shared._INTEGERS}}
# HDF5's own deflate makes at most 1032 bytes of one; small arrays may be nothing but fill values.
_LARGEST_INFLATION = 1040
_ALWAYS_FINE = 1 << 20
# Processor seconds that reading a file may take, and bytes a second beyond: damaged files may make
# the HDF5 library run for ever.
_SECONDS, _SLOWEST = 15, 5_000_000


def library() -> Any:
    """Import h5py.

    Raises
    ------
    Fault
        It is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise t.Fault(
            "noLibrary",
            "a v7.3 or HDF5 file needs the library h5py: pip install octcompress[convert]",
        ) from None
    return h5py


@contextlib.contextmanager
def opened(path: Path, memory_limit: int) -> Iterator[Any]:
    """Open a file, after another process has read all of it and lived.

    Raises
    ------
    Fault
        ``damaged``, ``noLibrary``.
    """
    h5py = library()
    listed = path.stat()
    mark = (os.path.abspath(path), listed.st_ino, listed.st_size, listed.st_mtime_ns)
    if mark not in _survived:
        _probe(path, memory_limit)
        _survived.append(mark)
        del _survived[:-16]
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OctcompressError:  # of what is done with the file; some are OSErrors
        raise
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, OverflowError) as error:
        reason = str(error).split("\n")[0]
        raise t.Fault("damaged", f"'{path}' is damaged: {reason}") from None


_survived: list[Any] = []


def _probe(path: Path, memory_limit: int) -> None:
    probe = Path(__file__).with_name("hdf5_probe.py")
    seconds = _SECONDS + path.stat().st_size // _SLOWEST
    # What maps a file or shares memory counts too, so the limit has room to spare.
    limits = [str(seconds), str(memory_limit + (4 << 30))]
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(probe), os.path.abspath(path), *limits],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10 * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise t.Fault("damaged", f"'{path}' cannot be read in {10 * seconds} s") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1][:200]
        raise t.Fault(
            "damaged", f"'{path}' is damaged: {said or f'reading it ends with {done.returncode}'}"
        )


def read(
    path: Path, names: Collection[str] | None, memory_limit: int, left_out: list[str] | None
) -> dict[str, Any]:
    """Read variables; see `pyoctcompress.matfile.load`."""
    variables = {}
    with opened(path, memory_limit) as file:
        if "model_config" in file.attrs or "layer_names" in file.attrs:
            raise t.Fault(
                "badFile", f"'{path}' is a model of Keras: `octcompress convert` reads it"
            )
        reader = Reader(path, file, memory_limit, left_out)
        for name in file:
            if name.startswith("#") or (names is not None and name not in names):
                continue
            variables[name] = reader.variable(reader.member(file, name), name)
    return variables


class Reader:
    """Reads out of an open HDF5 file, and follows nothing that leads out of it.

    Parameters
    ----------
    path : path
        Named in errors.
    file : h5py.File
        The file.
    memory_limit : int
        Bytes that its arrays may take.
    left_out : list of str, optional
        As for `pyoctcompress.matfile.load`.
    """

    def __init__(
        self, path: Path, file: Any, memory_limit: int, left_out: list[str] | None = None
    ) -> None:
        self.h5py = library()
        self.path = path
        self.file = file
        self.account = Account(path, memory_limit)
        self.left_out = left_out
        self.passed: set[Any] = set()  # the groups around the one that is read

    def fail(self, where: str, message: str) -> NoReturn:
        """Raise that the file is damaged."""
        self.account.fail(f"{where} {message}")

    def refuse(self, where: str, what: str) -> NoReturn:
        """Raise that the file holds what is not read."""
        raise t.Fault("badFile", f"'{self.path}' holds {what} (at {where})")

    def member(self, group: Any, name: str) -> Any:
        """Give what a group holds under a name; a link out of the file is refused."""
        if not isinstance(group, self.h5py.Group):
            self.fail(name, "must stand in a group")
        if isinstance(group.get(name, getlink=True), self.h5py.ExternalLink):
            self.refuse(name, "a link into another file")
        return group[name]

    def array(self, data: Any, where: str) -> Any:
        """Give the numbers of a dataset as they lie in the file, after a look at their size."""
        if not isinstance(data, self.h5py.Dataset):
            self.fail(where, "must be numbers, but is a group")
        if data.is_virtual or data.external:
            self.refuse(where, "numbers that lie in another file")
        if data.dtype.kind not in "fiubcVO":
            self.refuse(where, f"values of the type {data.dtype}")
        count = prod(data.shape or ()) * data.dtype.itemsize
        self.account.spend(count)
        if count > max(_LARGEST_INFLATION * data.id.get_storage_size(), _ALWAYS_FINE):
            self.fail(where, f"has the size {data.shape}, but hardly a byte of it in the file")
        return data[()]

    def variable(self, item: Any, where: str) -> Any:
        """Give the value of a variable, a field or an element."""
        mark = (item.file.id.fileno if hasattr(item.file.id, "fileno") else 0, hash(item.id))
        if mark in self.passed or len(self.passed) > t.DEEPEST:
            self.fail(where, "holds itself, or is nested too deep")
        self.passed.add(mark)
        try:
            if isinstance(item, self.h5py.Group) and "type" in item and "value" in item:
                return self.octave(item, where)
            return self.matlab(item, where)
        finally:
            self.passed.discard(mark)

    # ---------------------------------------------------------------------------------- MATLAB

    def matlab(self, item: Any, where: str) -> Any:
        """Give a variable of a v7.3 file, by its attribute MATLAB_class."""
        kind = item.attrs.get("MATLAB_class", b"")
        kind = kind.decode("latin-1") if isinstance(kind, bytes) else str(kind)
        if "MATLAB_object_decode" in item.attrs or kind in ("function_handle", "table", "string"):
            return t.leave_out(self.left_out, self.path, where, f"{t.OBJECT} ({kind})")
        if isinstance(item, self.h5py.Group):
            if "MATLAB_sparse" in item.attrs:
                return self.matlab_sparse(item, kind, where)
            if kind == "struct" or not kind:
                return self.matlab_struct(item, where)
            self.refuse(where, f"a group of the class '{kind}'")
        if not isinstance(item, self.h5py.Dataset):
            self.refuse(where, f"a {type(item).__name__}")
        if item.attrs.get("MATLAB_empty", 0):
            return self.matlab_empty(item, kind, where)
        if kind == "cell" or (not kind and item.dtype == self.h5py.ref_dtype):
            values, shape = self.referred(item, where)
            return t.as_cell(values, shape)
        if kind == "struct":
            self.fail(where, "is a struct, but no group")
        array = self.array(item, where)
        array = np.asfortranarray(np.atleast_1d(array).T)
        if array.ndim == 1:
            array = array.reshape(-1, 1)
        return self.matlab_array(array, kind, where)

    def matlab_array(self, array: Any, kind: str, where: str) -> Any:
        """Give an array its class."""
        if kind == "char":
            if array.dtype.kind != "u":
                self.fail(where, f"is text of {array.dtype}")
            codes = array.astype("<u2").ravel(order="F").tobytes()
            if array.ndim == 2 and array.shape[0] == 1:
                return codes.decode("utf-16-le", "surrogatepass")
            return t.as_text("".join(map(chr, array.ravel(order="F"))), array.shape)
        if kind == "logical":
            return t.as_value(array != 0)
        if array.dtype.kind == "V":
            if array.dtype.names != ("real", "imag") or kind not in ("double", "single", ""):
                self.refuse(where, f"values of the type {array.dtype}")
            part = array.dtype["real"]
            joined = np.empty(array.shape, f"c{2 * part.itemsize}", order="F")
            joined.real, joined.imag = array["real"], array["imag"]
            return t.as_value(joined)
        kind = kind or array.dtype.name.replace("float64", "double").replace("float32", "single")
        if kind not in _NUMERIC or array.dtype.kind not in "fiu":
            self.refuse(where, f"an array of the class '{kind}'")
        return t.as_value(array.astype(_NUMERIC[kind], copy=False))

    def matlab_empty(self, item: Any, kind: str, where: str) -> Any:
        """Give an empty value: the numbers of the dataset are its size."""
        shape: tuple[int, ...] = tuple(int(n) for n in np.ravel(self.array(item, where)))
        count = prod(shape)
        if not 2 <= len(shape) <= 32 or (count and kind != "struct"):
            self.fail(where, f"is empty with the size {shape}")
        if kind == "cell":
            return t.as_cell([], shape)
        if kind == "char":
            return ""
        if kind == "struct":
            fields = self.field_names(item, where)
            if count > 1:
                self.fail(where, f"is an empty struct with the size {shape}")
            return {} if count else t.StructArray([], shape, fields)
        if kind == "logical":
            return np.zeros(shape, bool)
        if kind not in _NUMERIC:
            self.refuse(where, f"an array of the class '{kind}'")
        return np.zeros(shape, _NUMERIC[kind])

    def field_names(self, item: Any, where: str) -> list[str]:
        """Give the names of a struct's fields in MATLAB's order."""
        names = []
        for letters in item.attrs.get("MATLAB_fields", []):
            names.append(b"".join(np.ravel(letters)).decode("utf-8", "replace"))
        return names

    def referred(self, item: Any, where: str) -> tuple[list[Any], tuple[int, ...]]:
        """Give the values that a dataset of references leads to, and its shape in MATLAB."""
        if item.dtype != self.h5py.ref_dtype:
            self.fail(where, f"must hold references, but holds {item.dtype}")
        references = np.atleast_1d(self.array(item, where))
        shape = references.T.shape if references.ndim > 1 else (references.size, 1)
        values = []
        for k, reference in enumerate(references.T.ravel(order="F")):
            if not reference:
                self.fail(f"{where}[{k}]", "is a reference to nothing")
            values.append(self.variable(self.file[reference], f"{where}[{k}]"))
        return values, shape

    def matlab_struct(self, group: Any, where: str) -> Any:
        """Give a struct; a struct array has in each field references to its elements."""
        fields = self.field_names(group, where) or list(group)
        members = {}
        for field in fields:
            if field not in group:
                self.fail(where, f"has no field {field}")
            members[field] = self.member(group, field)
        is_array = bool(members) and all(
            isinstance(each, self.h5py.Dataset)
            and each.dtype == self.h5py.ref_dtype
            and "MATLAB_class" not in each.attrs
            for each in members.values()
        )
        if not is_array:
            return {f: self.variable(each, f"{where}.{f}") for f, each in members.items()}
        columns, shapes = {}, set()
        for field, each in members.items():
            columns[field], shape = self.referred(each, f"{where}.{field}")
            shapes.add(shape)
        if len(shapes) > 1:
            self.fail(where, "is a struct array whose fields have different sizes")
        shape = shapes.pop()
        items = [{f: columns[f][k] for f in fields} for k in range(prod(shape))]
        return items[0] if shape == (1, 1) else t.StructArray(items, shape, fields)

    def matlab_sparse(self, group: Any, kind: str, where: str) -> Any:
        """Give a sparse matrix: row indices ir, begins of columns jc, values data."""
        rows = int(group.attrs["MATLAB_sparse"])
        begins = self.array(self.member(group, "jc"), where).astype(np.int64)
        if "ir" in group and "data" in group:
            at = self.array(self.member(group, "ir"), where).astype(np.int64)
            values = self.matlab_array(self.array(self.member(group, "data"), where), "", where)
        else:  # nothing but zeros
            at, values = np.zeros(0, np.int64), np.zeros(0)
        values = np.atleast_1d(values)
        if kind == "logical":
            values = values != 0
        elif values.dtype.kind not in "fc":
            values = values.astype(np.float64)
        return self.sparse(values, at, begins, (rows, begins.size - 1), where)

    def sparse(self, values: Any, at: Any, begins: Any, shape: tuple[int, int], where: str) -> Any:
        """Give a sparse matrix of checked indices."""
        if begins.ndim != 1 or at.ndim != 1 or not 0 <= shape[0] < 2**31:
            self.fail(where, "is sparse without valid indices")
        return shared.sparse_of(self.account, values, at, begins, shape, where)

    # ---------------------------------------------------------------------------------- Octave

    def octave(self, group: Any, where: str) -> Any:
        """Give a variable of Octave's file: a group of its type and its value."""
        kind = group["type"][()]
        kind = kind.decode("latin-1") if isinstance(kind, bytes) else str(kind)
        value = self.member(group, "value")
        if group.attrs.get("OCTAVE_EMPTY_MATRIX", 0):
            shape: tuple[int, ...] = tuple(int(n) for n in np.ravel(self.array(value, where)))
            count = prod(shape)
            if not 2 <= len(shape) <= 32 or count:
                self.fail(where, f"is empty with the size {shape}")
            return self.octave_empty(kind, shape, where)
        if kind == "cell":
            shape = self.octave_dims(value, where)
            width = max((len(n) for n in value if n.startswith("_")), default=2) - 1
            names = [f"_{k:0{width}d}" for k in range(prod(shape))]
            if prod(shape) != len(value) - 1 or not all(n in value for n in names):
                self.fail(where, f"is a cell of {shape}, but has {len(value) - 1} elements")
            cells = [
                self.variable(self.member(value, n), f"{where}[{k}]") for k, n in enumerate(names)
            ]
            return t.as_cell(cells, shape)
        if kind in ("scalar struct", "struct"):
            fields = [(f, self.variable(self.member(value, f), f"{where}.{f}")) for f in value]
            if kind == "scalar struct":
                return dict(fields)
            if not fields:
                self.refuse(where, "a struct array without fields")
            first = self.member(self.member(value, fields[0][0]), "value")
            shape = (0, 0)
            if isinstance(first, self.h5py.Group):
                shape = self.octave_dims(first, where)
            return shared.struct_of(self.account, fields, shape, where)
        if kind.startswith("sparse "):
            return self.octave_sparse(value, kind, where)
        if kind in ("range", "double_range"):
            return shared.expand_range(self.account, *self.array(value, where).item())
        return self.octave_array(np.asarray(self.array(value, where)), kind, where)

    def octave_dims(self, cell: Any, where: str) -> tuple[int, ...]:
        """Give the size of a cell."""
        dims = np.ravel(self.array(self.member(cell, "dims"), where))
        if not 2 <= dims.size <= 32 or dims.min() < 0:
            self.fail(where, "is a cell without a size")
        return tuple(int(n) for n in dims[::-1])

    def octave_empty(self, kind: str, shape: tuple[int, ...], where: str) -> Any:
        """Give an empty value of a type."""
        if kind == "cell":
            return t.as_cell([], shape)
        if kind in shared._TEXT:
            return ""
        if kind == "struct":
            return t.StructArray([], shape, [])
        if kind == "bool matrix":
            return np.zeros(shape, bool)
        return np.zeros(shape, self.octave_class(kind, where))

    def octave_class(self, kind: str, where: str) -> str:
        """Give the NumPy type of an Octave type."""
        base, _, form = kind.partition(" ")
        if base in shared._INTEGERS and form in ("scalar", "matrix"):
            return shared._INTEGERS[base]
        found = {**shared._NUMBERS, **shared._SCALARS}.get(kind)
        if found is None:
            self.refuse(where, f"a {kind}")
        return found

    def octave_array(self, array: Any, kind: str, where: str) -> Any:
        """Give an array its class and MATLAB's shape."""
        array = np.asfortranarray(array.T)
        if array.ndim < 2:
            array = array.reshape(-1, 1)
        if kind in ("bool", "bool matrix"):
            return t.as_value(array != 0)
        if kind in shared._TEXT:
            if array.dtype.kind not in "iu" or array.dtype.itemsize != 1:
                self.fail(where, f"is text of {array.dtype}")
            return shared.characters(array.tobytes(order="F"), array.shape)
        dtype = self.octave_class(kind, where)
        if dtype[0] == "c":
            if dtype == "c8":
                self.refuse(where, "complex single, which Octave writes wrongly to HDF5")
            if array.dtype.names != ("real", "imag"):
                self.fail(where, f"is complex, but of {array.dtype}")
            joined = np.empty(array.shape, dtype, order="F")
            joined.real, joined.imag = array["real"], array["imag"]
            return t.as_value(joined)
        if array.dtype.kind not in "fiu":
            self.fail(where, f"is a {kind}, but of {array.dtype}")
        return t.as_value(array.astype(dtype, copy=False))

    def octave_sparse(self, group: Any, kind: str, where: str) -> Any:
        """Give a sparse matrix."""

        def part(name: str, dtype: Any) -> Any:
            if name not in group:  # of a matrix without entries
                return np.zeros(0, dtype)
            return np.ravel(self.array(self.member(group, name), where))

        size = [int(part(name, np.int64)[0]) for name in ("nr", "nc")]
        values = part("data", np.float64)
        if values.dtype.names:
            values = values["real"] + 1j * values["imag"]
        if "bool" in kind:
            values = values != 0
        at, begins = part("ridx", np.int64), part("cidx", np.int64)
        return self.sparse(values, at, begins, (size[0], size[1]), where)
