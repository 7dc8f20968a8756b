"""The verbs pack and unpack: the reference of ``nn_pack.m`` and ``nn_unpack.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import OctcompressError
from .coding import decode_array, parts_of
from .coding_bits import damaged
from .coding_read import Entry, as_value, display_name, grid_of, read_tree, set_at, unseal
from .coding_write import seal, write_tree
from .internal import check, describe, fail
from .model import PROMISES

Info = dict[str, Any]
PARTS = ("codes", "codebooks", "indices", "values")
METHODS = ("bytes", "planes", "grid", "values", "sparse", "whole numbers", "constant")


def pack(model: Any, *, coding: str = "auto") -> tuple[dict[str, Any], Info]:
    """Make a model, or any dict, few bytes; nothing is lost.

    Parameters
    ----------
    model : dict
        A network or anything else that a .mat file can hold.
    coding : str
        ``none``: equal bits for each code; ``huffman``: canonical Huffman, sparse arrays by the
        gaps between their entries; ``rans``: rANS with static or adaptive context models; ``auto``:
        for each array the smallest.

    Returns
    -------
    packed : dict
        octc: a uint8 column, the packed file of ``docs/packed-format.md``.
    info : dict
        bytes; header, those of no array; rows, for each array name, class, count, method,
        bytes, and of these codes, codebooks, indices and values; totals of all of these.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_pack:badType``, ``badValue``.
    """
    check("nn_pack", "coding", coding, "choice", ("auto", "none", "huffman", "rans"))
    if not isinstance(model, Mapping):
        fail("nn_pack", "badType", f"MODEL must be a scalar struct, but is {describe(model)}")
    tree, streams, rows = write_tree(model, coding)
    data = seal(tree, b"".join(streams), sum(row.count for row in rows))
    packed = {"octc": np.frombuffer(data, np.uint8).reshape(-1, 1).copy()}

    shown = [_row(model, row.name, row, row.parts) for row in rows]
    totals = add_up(shown, len(data))
    info = {"bytes": float(len(data)), "header": totals["header"], "rows": shown, "totals": totals}
    return packed, info | {"options": {"coding": coding}}


def unpack(packed: Any, *, tensor: str = "") -> tuple[Any, Info]:
    """Return the model that `pack` packed, or one of its arrays.

    Parameters
    ----------
    packed : dict or array or bytes
        With the field octc, or the bytes themselves.
    tensor : str
        Name of an array as info's rows have it, by its layer (``fc1.weights``) or by its place
        (``layers{1}.weights``); then only that is decoded.

    Returns
    -------
    model : dict or array
    info : dict
        bytes, header, rows and totals, as `pack` gives them.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_unpack:notPacked``, ``version``, ``damaged``, ``unknownTensor``.
    """
    data = _bytes_of(packed)
    try:
        tree, streams = unseal("nn_unpack", data)
        most = len(data) << 18
        skeleton, entries = read_tree(tree, None, most)
        if tensor == "":
            result, _ = read_tree(tree, streams, most)
        else:
            result = _one_array(skeleton, entries, streams, tensor)
    except OctcompressError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        damaged(f"the packed model cannot be decoded ({error})")
    rows = []
    for entry in entries:
        parts = parts_of(entry.kind, _stream(entry, streams), entry.class_name)
        rows.append(_row(skeleton, entry.name, entry, parts))
    totals = add_up(rows, len(data))
    info = {"bytes": float(len(data)), "header": totals["header"], "rows": rows, "totals": totals}
    return result, info | {"options": {"tensor": tensor}}


def add_up(rows: list[Info], packed: int, file: int | None = None) -> dict[str, float]:
    """Add up what the bytes of a packed model, and of its file, are spent on."""
    totals = {kind: float(sum(row[kind] for row in rows)) for kind in PARTS}
    totals["header"] = float(packed - sum(row["bytes"] for row in rows))
    if file is not None:
        totals["file"] = float(file - packed)
    return totals


def _row(model: Any, name: str, source: Any, parts: Mapping[str, int]) -> Info:
    method = ("single " if source.kind >= 8 else "") + METHODS[source.kind % 8]
    count = source.count if hasattr(source, "count") else int(np.prod(source.dims))
    return {
        "name": display_name(model, name),
        "class": source.class_name,
        "count": float(count),
        "bytes": float(source.bytes),
        "method": method,
        **{kind: float(parts[kind]) for kind in PARTS},
    }


def _bytes_of(packed: Any) -> bytes:
    value = packed["octc"] if isinstance(packed, Mapping) and "octc" in packed else packed
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(packed, Mapping) and isinstance(value, np.ndarray) and value.dtype.kind == "f":
        # what a packed file stores as uint8 is read as double
        fine = (value >= 0) & (value < 256) & (value == np.floor(value))
        value = value.astype(np.uint8) if fine.all() else value
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8:
        what = "PACKED must be a struct with OCTC, or its uint8 bytes, but is "
        fail("nn_unpack", "notPacked", what + describe(packed))
    return value.tobytes(order="F")


def _one_array(model: Any, entries: list[Entry], data: bytes, name: str) -> Any:
    check("nn_unpack", "tensor", name, "text")
    known = [display_name(model, entry.name) for entry in entries]
    chosen = [
        entry for entry, shown in zip(entries, known, strict=True) if name in (entry.name, shown)
    ]
    if not chosen:
        what = f"there is no array '{name}'; there are {', '.join(known[:20])}"
        fail("nn_unpack", "unknownTensor", what)
    entry = chosen[0]
    grid = None
    if entry.kind == 2:
        owner, _, last = entry.name.rpartition(".")
        beside = f"{owner}.quantization.{last}." if owner else f"quantization.{last}."
        for other in entries:
            if other.name.startswith((beside, PROMISES)):
                set_at(model, other.path, as_value(_decode(other, data, None)))
        grid = grid_of(model, entry)
    return as_value(_decode(entry, data, grid))


def _decode(entry: Entry, data: bytes, grid: Any) -> Any:
    stream = _stream(entry, data)
    return decode_array(entry.kind, stream, entry.dims, entry.class_name, grid)


def _stream(entry: Entry, data: bytes) -> bytes:
    last = entry.first + entry.bytes
    if last > len(data):
        damaged("the streams of the model are cut off")
    return data[entry.first : last]
