"""Networks as safetensors: PyTorch's names and layouts, for `load_state_dict`.

Dense layers are out x in, kernels out x in x height x width, images flattened as C x H x W.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pyoctcompress.exporters.constants import (
    CALLER,
    Constant,
    constant,
    weights_in_order,
    write_file,
)
from pyoctcompress.exporters.network import Network, prepare
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import fail, is_empty, value_array
from pyoctcompress.reference.layers import TYPES
from pyoctcompress.reference.layers.window import shaped_weights

_TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int8": "I8"}
_DTYPES = {name: np.dtype(kind) for kind, name in _TYPES.items()}
_COPY = 1 << 20

# The names that PyTorch's modules give to our fields.
_NAMES = {
    "weights": "weight",
    "bias": "bias",
    "scale": "weight",
    "offset": "bias",
    "mean": "running_mean",
    "variance": "running_var",
    "slope": "weight",
}
_RECURRENT = {
    "weights": "weight_ih_l0",
    "recurrent_weights": "weight_hh_l0",
    "bias": "bias_ih_l0",
    "recurrent_bias": "bias_hh_l0",
}


def write(model: Any, path: Any) -> Network:
    """Write the arrays of a network as PyTorch's modules name them, by the layers' names.

    Parameters
    ----------
    model : dict
        A network.
    path : path
        The file.

    Returns
    -------
    Network
        What was written.
    """
    network = prepare(model, "float", "chw")
    arrays: dict[str, Constant] = {}
    for layer in network.layers:
        entry = TYPES[layer["type"]]
        names = _RECURRENT if layer["type"] in ("lstm", "gru") else _NAMES
        for field in (*entry.trained, *entry.statistics):
            if not is_empty(layer.get(field)):
                arrays[f"{layer['name']}.{names[field]}"] = as_pytorch(layer, field)
    flat = [layer for layer in network.layers if layer["type"] in ("flatten", "reshape")]
    if any(layer.get("order", "hwc") != "chw" for layer in flat):
        network.notes.append(
            "images are flattened in another order than PyTorch's; permute them there as well"
        )
    if not arrays:
        fail(CALLER, "noTensors", "MODEL has no weights")
    write_arrays(path, arrays)
    return network


def as_pytorch(layer: graph.Layer, field: str) -> Constant:
    """Give an array of a layer in PyTorch's layout."""
    if field == "weights" and layer["type"] in ("conv2d", "transposedconv2d"):
        return weights_in_order(shaped_weights(layer), (3, 2, 0, 1))
    array = value_array(layer[field])
    if field in ("weights", "recurrent_weights"):
        return weights_in_order(array, (0, 1))
    return constant(array.reshape(-1), np.float32)


def write_arrays(path: Any, arrays: Mapping[str, Any], origin: Path | None = None) -> None:
    """Write named arrays as a safetensors file.

    Parameters
    ----------
    arrays : mapping
        Name to array or `Constant`.
    origin : path, optional
        A file whose other arrays and metadata are kept, and the types of those that are replaced.
    """
    header: dict[str, Any] = {}
    old, start = (read_header(origin), 0) if origin is not None else ({}, 0)
    if origin is not None:
        with open(origin, "rb") as file:
            start = 8 + int.from_bytes(file.read(8), "little")
    header["__metadata__"] = old.pop("__metadata__", {"format": "pt"})
    place = 0
    contents: list[Constant | tuple[int, int]] = []
    for name in [*old, *(n for n in arrays if n not in old)]:
        if name in arrays:
            kind = _DTYPES.get(old.get(name, {}).get("dtype", ""))
            value = arrays[name]
            value = value if isinstance(value, Constant) else constant(value, kind or np.float32)
            dtype, shape, size = _TYPES[value.dtype.name], list(value.shape), value.nbytes
            contents.append(value)
        else:
            first, last = old[name]["data_offsets"]
            dtype, shape, size = old[name]["dtype"], old[name]["shape"], last - first
            contents.append((start + first, size))
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)

    def put(file: BinaryIO) -> None:
        file.write(len(text).to_bytes(8, "little") + text)
        for part in pieces(contents, origin):
            file.write(part)

    write_file(path, put)


def pieces(contents: list[Constant | tuple[int, int]], origin: Path | None) -> Iterator[Any]:
    """Give the bytes of arrays, and of spans of the old file, part by part."""
    old = open(origin, "rb") if origin is not None else None  # noqa: SIM115
    try:
        for item in contents:
            if isinstance(item, Constant):
                for part in item.parts():
                    yield part.data
                continue
            assert old is not None
            old.seek(item[0])
            for left in range(item[1], 0, -_COPY):
                yield old.read(min(left, _COPY))
    finally:
        if old is not None:
            old.close()


def read_header(path: Path) -> dict[str, Any]:
    """Read what a safetensors file says of its arrays."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > os.path.getsize(path):
                raise ValueError
            return dict(json.loads(file.read(length)))
    except (OSError, ValueError):
        fail(CALLER, "badFile", f"'{path}' is no safetensors file")
