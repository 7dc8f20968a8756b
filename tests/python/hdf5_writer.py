"""A v7.3 file as MATLAB writes it, by h5py: what the tests of its reader are made of."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import scipy.sparse

from pyoctcompress.matfile import StructArray
from pyoctcompress.reference.internal import class_name


def write(path: Any, variables: dict[str, Any], **dataset: Any) -> None:
    """Write variables; `dataset` are options of h5py's datasets, as compression and chunks."""
    with h5py.File(path, "w", userblock_size=512) as file:
        refs: list[Any] = []

        def mark(item: Any, kind: str) -> Any:
            dtype = h5py.string_dtype("ascii", len(kind))
            item.attrs.create("MATLAB_class", np.bytes_(kind), dtype=dtype)
            return item

        def refer(values: Any) -> Any:
            found = []
            for value in values:
                group = file.require_group("#refs#")
                found.append(put(group, f"r{len(refs)}", value).ref)
                refs.append(None)
            return found

        def put(group: Any, name: str, value: Any) -> Any:
            refs.append(None)
            kind = class_name(value)
            if scipy.sparse.issparse(value):
                value = value.tocsc()
                kind = "logical" if value.dtype == bool else "double"
                item = mark(group.create_group(name), kind)
                item.attrs["MATLAB_sparse"] = np.uint64(value.shape[0])
                item["jc"] = value.indptr.astype(np.uint64)
                item["ir"] = value.indices.astype(np.uint64)
                item["data"] = value.data.astype(np.uint8 if kind == "logical" else np.float64)
                return item
            if isinstance(value, dict) and value:
                item = mark(group.create_group(name), "struct")
                name_fields(item, value)
                for field, inner in value.items():
                    put(item, field, inner)
                return item
            if isinstance(value, StructArray) and len(value):
                item = mark(group.create_group(name), "struct")
                name_fields(item, value.fields)
                for field in value.fields:
                    found = np.array(refer([one[field] for one in value]), h5py.ref_dtype)
                    item[field] = found.reshape(value.shape, order="F").T
                return item
            if isinstance(value, str):
                units = np.frombuffer(value.encode("utf-16-le"), np.uint16)
                value = units.reshape((1, -1) if value else (0, 0))
            elif isinstance(value, list):
                shape = (1, len(value)) if value else (0, 0)
                value = np.array(refer(value), h5py.ref_dtype).reshape(shape)
            elif isinstance(value, dict):
                value = np.array([[1, 1]])
                item = mark(group.create_dataset(name, data=np.array([1, 1], np.uint64)), "struct")
                item.attrs["MATLAB_empty"] = np.uint8(1)
                return item
            elif isinstance(value, np.ndarray) and value.dtype == object:
                found = refer(value.ravel(order="F"))
                value = np.array(found, h5py.ref_dtype).reshape(value.shape, order="F")
            elif isinstance(value, np.ndarray) and value.dtype.kind == "U":
                value = np.vectorize(ord, otypes=[np.uint16])(value)
            shape = value.shape if hasattr(value, "shape") else (1, 1)
            if 0 in shape:
                data = np.array(shape, np.uint64)
                item = mark(group.create_dataset(name, data=data), kind)
                item.attrs["MATLAB_empty"] = np.uint8(1)
                if isinstance(value, StructArray):
                    name_fields(item, value.fields)
                return item
            value = np.asarray(value).reshape(shape)
            if value.dtype == bool:
                value = value.astype(np.uint8)
            if value.dtype.kind == "c":
                part = f"f{value.itemsize // 2}"
                pair = np.empty(value.shape, [("real", part), ("imag", part)])
                pair["real"], pair["imag"] = value.real, value.imag
                value = pair
            item = mark(group.create_dataset(name, data=value.T, **dataset), kind)
            if kind in ("logical", "char"):
                item.attrs["MATLAB_int_decode"] = np.int32(1 if kind == "logical" else 2)
            return item

        def name_fields(item: Any, fields: Any) -> None:
            names = np.empty(len(fields), object)
            for k, field in enumerate(fields):
                names[k] = np.array([c.encode() for c in field], "S1")
            letters = h5py.vlen_dtype(np.dtype("S1"))
            if len(fields):
                item.attrs.create("MATLAB_fields", names, dtype=letters)

        for name, value in variables.items():
            put(file, name, value)
    with open(path, "r+b") as file:
        header = b"MATLAB 7.3 MAT-file, written by a test".ljust(116) + bytes(8)
        file.write(header + b"\x00\x02IM")
