"""The verb info: the reference of ``nn_info.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .internal import describe, fail, share, size, value_array
from .nn_pack import PARTS, add_up

Info = dict[str, Any]


def info(model: Any) -> Info:
    """List what a model is made of.

    Parameters
    ----------
    model : dict or str
        A network, any dict of arrays, or the name of a .mat file that holds one.

    Returns
    -------
    dict
        rows: one for each layer (each tensor where the model is not a network) with name, type,
        shape (text), parameters, nonzeros, bits per weight, bytes of fixed-length codes, macs of
        one observation; totals; text: the table. Of a file also file_bytes and, of a packed one,
        coding: what its bytes are spent on.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_info:noTensors``, ``notModel``, and those of a faulty network.
    """
    caller = "nn_info"
    if isinstance(model, str):
        return _of_file(model)
    if graph.is_network(model):
        model = graph.tidy(caller, model)
        plan = graph.plan(caller, model)
        rows = [info_row(layer["name"], layer["type"]) for layer in model["layers"]]
        for row, macs in zip(rows, plan.macs, strict=True):
            row["macs"] = float(macs)
        tensors = graph.tensors(model, True)
        owners = [tensor.layer - 1 for tensor in tensors]
    elif isinstance(model, Mapping):
        tensors = graph.select_tensors(caller, dict(model), None, True)
        rows = [info_row(tensor.name, "tensor") for tensor in tensors]
        owners = list(range(len(tensors)))
    else:
        fail(caller, "notModel", f"MODEL must be a scalar struct, but is {describe(model)}")
    for tensor, owner in zip(tensors, owners, strict=True):
        w = value_array(graph.get_tensor(model, tensor))
        grid = graph.get_promise(model, tensor, "quantization")
        bits = float(grid["bits"]) if grid else 8.0 * w.dtype.itemsize
        row = rows[owner]
        if not row["shape"]:
            row["shape"] = " x ".join(str(length) for length in size(w))
            row["bits"] = bits
        row["parameters"] += float(w.size)
        row["nonzeros"] += float(np.count_nonzero(w))
        row["bytes"] += float(math.ceil(w.size * bits / 8))
    totals = {
        name: float(sum(row[name] for row in rows))
        for name in ("parameters", "nonzeros", "bits", "bytes", "macs")
    }
    totals["bits"] = share(8 * totals["bytes"], totals["parameters"])
    return {"rows": rows, "totals": totals, "text": info_table(rows, totals)}


def info_row(name: str, kind: str) -> dict[str, Any]:
    """Make the row of a layer or tensor before its arrays are counted."""
    counts = dict.fromkeys(("parameters", "nonzeros", "bits", "bytes", "macs"), 0.0)
    return {"name": name, "type": kind, "shape": "", **counts}


def info_table(rows: list[dict[str, Any]], totals: Mapping[str, float]) -> str:
    """Set the rows and totals as text."""
    names = ("parameters", "nonzeros", "bits", "bytes", "macs")
    lines = [["layer", "type", "shape", "parameters", "nonzeros", "bits", "bytes", "MACs"]]
    for row in rows:
        lines.append([row["name"], row["type"], row["shape"], *(_whole(row[n]) for n in names)])
    kept = 100 * share(totals["nonzeros"], totals["parameters"])
    cells = {name: _whole(totals[name]) for name in names}
    cells["nonzeros"] = f"{totals['nonzeros']:.0f} ({kept:.1f}%)"
    cells["bits"] = f"{totals['bits']:.1f}"
    lines.append(["total", "", "", *cells.values()])
    return _set(lines, 3)


def _of_file(file: str) -> Info:
    from ..modelfile import read

    model, packing = read(file, caller="nn_info")
    found = info(model)
    found["file_bytes"] = float(os.path.getsize(file))
    if packing is not None:
        totals = add_up(packing["rows"], int(packing["bytes"]), int(found["file_bytes"]))
        found["coding"] = {"rows": packing["rows"], "totals": totals}
        found["text"] += "\n" + _coding_table(packing["rows"], totals)
    return found


def _coding_table(rows: list[Info], totals: Mapping[str, float]) -> str:
    lines = [["array", "method", "entries", *PARTS, "bytes"]]
    for row in rows:
        numbers = [_whole(row[name]) for name in ("count", *PARTS, "bytes")]
        lines.append([row["name"], row["method"], *numbers])
    for name in ("header", "file"):
        lines.append([name, *[""] * 6, _whole(totals[name])])
    sums = [totals[name] for name in PARTS] + [sum(totals.values())]
    lines.append(["total", "", "", *(_whole(value) for value in sums)])
    return _set(lines, 2)


def _whole(value: float) -> str:
    return f"{value:.0f}" if value else "-"


def _set(lines: list[list[str]], left: int) -> str:
    """Set lines in columns, the first so many flush left."""
    widths = [max(len(line[c]) for line in lines) for c in range(len(lines[0]))]
    text = ""
    for line in lines:
        cells = [
            cell.ljust(width) if c < left else cell.rjust(width)
            for c, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text += "  ".join(cells).strip() + "\n"
    return text
