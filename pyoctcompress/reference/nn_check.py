"""The verb check: the reference of ``nn_check.m``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import layers as table
from . import model as graph
from .internal import class_name, describe, is_empty, is_numeric, number, value_array, vector_text
from .quant import snap_to_grid

OPTIONAL = ("bias", "recurrent_bias")
COMMON = ["type", "name", "inputs", "weights_size", "pruning", "quantization"]


def check(model: Any) -> tuple[bool, list[str]]:
    """Find every fault of a network.

    Looked at are the struct itself; types, names, inputs and outputs of the layers; arrays that are
    absent, of the wrong class or size, or hold NaN or Inf; sizes that do not fit from one layer to
    the next; layers whose result nobody reads; the number of classes; fields that look like
    misspelt options; and promises: weights that are not on their grid, zeros that are gone.

    Returns
    -------
    ok : bool
        No fault was found.
    faults : list of str
        One sentence each.
    """
    if not graph.is_network(model):
        return False, [
            "MODEL must be a struct with a cell LAYERS of structs that have a TYPE, but is "
            f"{describe(model)}; see docs/model-format.md"
        ]
    faults: list[str] = []
    layers = model["layers"]
    names = names_of(layers, faults)
    sizes: list[list[int] | None] = []
    read: set[int] = set()
    input_size = input_size_of(model, layers, faults)
    for k, layer in enumerate(layers):
        entry = table.types(layer["type"])
        where = f"layer {k + 1} ('{names[k]}', {layer['type']})"
        arrays_fine = False
        if entry is None:
            where = f"layer {k + 1} ('{names[k]}')"
            faults.append(
                f"{where} has the type {describe(layer['type'])}, which is none of "
                f"{', '.join(table.TYPES)}"
            )
        else:
            arrays_fine = check_arrays(layer, entry, where, faults)
            faults += misspelt(layer, entry, where) + broken_promises(layer, where)
        reads = inputs_of(layer, k, names, where, faults)
        read.update(r for r in reads if r is not None and r >= 0)
        out_size = None
        if entry is not None and arrays_fine:
            out_size = size_after(layer, entry, reads, sizes, input_size, where, faults)
        sizes.append(out_size)
    check_outputs(model, names, read, sizes, faults)
    return not faults, faults


def names_of(layers: list[Any], faults: list[str]) -> list[str]:
    """Return the layers' names, those that they would get where they have none."""
    names: list[str] = []
    for k, layer in enumerate(layers, 1):
        kind = layer["type"] if isinstance(layer["type"], str) else "layer"
        name = f"{kind}_{k}"
        if not is_empty(layer.get("name")):
            if isinstance(layer["name"], str):
                name = layer["name"]
            else:
                faults.append(
                    f"the name of layer {k} must be text, but is {describe(layer['name'])}"
                )
        if name in names:
            faults.append(
                f"layers {names.index(name) + 1} and {k} have the same name, '{name}'; names must "
                "be unique"
            )
        elif name == "input":
            faults.append(f"layer {k} is called 'input', which means the network's input")
        names.append(name)
    return names


def input_size_of(model: Any, layers: list[Any], faults: list[str]) -> list[Any] | None:
    """Return the size of the network's input; None where it cannot be told."""
    if "input_size" in model:
        given = model["input_size"]
        if is_numeric(given) and np.size(given) in (1, 2, 3):
            s = np.ravel(value_array(given)).astype(float)
            is_open = np.isnan(s) & (np.arange(s.size) == 1) & (s.size == 2)
            if (is_open | ((s >= 1) & (s == np.trunc(s)))).all():
                return [n if np.isnan(n) else int(n) for n in s]
        faults.append(f"INPUT_SIZE must be F, [H W C] or [F T], but is {describe(given)}")
    elif layers[0]["type"] == "dense" and "weights" in layers[0]:
        return [value_array(layers[0]["weights"]).shape[1]]
    else:
        faults.append("MODEL must have INPUT_SIZE: F, [H W C] or [F T]")
    return None


def check_arrays(layer: Any, entry: table.Type, where: str, faults: list[str]) -> bool:
    """Look at the arrays of a layer; says whether its size can be worked out."""
    fine = True
    for field in entry.trained + entry.statistics:
        absent = field not in layer or (is_empty(layer[field]) and field in entry.prunable)
        if absent:
            if field not in OPTIONAL:
                faults.append(f"{where} must have {field.upper()}")
                fine = False
            continue
        shown = f"{field.upper()} of {where}"
        value = layer[field]
        if class_name(value) not in ("single", "double") or np.iscomplexobj(value):
            faults.append(
                f"{shown} must be a real single or double array, but is {describe(value)}"
            )
            fine = False
            continue
        entries = np.ravel(value_array(value), order="F")
        wrong = np.flatnonzero(~np.isfinite(entries))
        if wrong.size:
            faults.append(
                f"{shown} must be finite, but {wrong.size} of its {entries.size} elements are "
                f"not; element {wrong[0] + 1} is {number(float(entries[wrong[0]]))}"
            )
        if field == "variance" and (entries < 0).any():
            least = number(float(np.nanmin(entries)))
            faults.append(f"{shown} must not be negative, but its least is {least}")
    return fine


def misspelt(layer: Any, entry: table.Type, where: str) -> list[str]:
    """Find fields that differ from one of the type's in case, underscores or a plural."""
    known = [*COMMON, *entry.trained, *entry.statistics, *entry.options]

    def plain(name: str) -> str:
        return re.sub("s$", "", name.lower().replace("_", ""))

    found = []
    for name in layer:
        meant = [each for each in known if plain(each) == plain(name)]
        if meant and name not in known:
            found.append(
                f"{where} has a field '{name}', which nothing reads; it is called '{meant[0]}'"
            )
    return found


def broken_promises(layer: Any, where: str) -> list[str]:
    """Find zeros that are gone, and weights that are not on their grid."""
    found = []
    pruning, quantization = layer.get("pruning"), layer.get("quantization")
    for name, promise in pruning.items() if isinstance(pruning, Mapping) else ():
        if name not in layer:
            found.append(f"{where} promises zeros in {name.upper()}, which it has not")
            continue
        zeros = int((value_array(layer[name]) == 0).sum())
        if "zeros" in promise and promise["zeros"] > zeros:
            found.append(
                f"{where} promises {promise['zeros']:.0f} zeros in {name.upper()}, but {zeros} "
                "are left"
            )
    for name in sorted(quantization) if isinstance(quantization, Mapping) else ():
        if name == "output":
            continue
        if name not in layer:
            found.append(f"{where} promises a grid for {name.upper()}, which it has not")
            continue
        w = value_array(layer[name])
        try:
            off = int((snap_to_grid(w, quantization[name])[0] != w).sum())
        except Exception as problem:
            found.append(f"the grid of {name.upper()} of {where} cannot be used: {problem}")
            continue
        if off:
            found.append(
                f"{off} of the {w.size} elements of {name.upper()} of {where} are not on their grid"
            )
    return found


def inputs_of(
    layer: Any, k: int, names: list[str], where: str, faults: list[str]
) -> list[int | None]:
    """Return the layers it reads: -1 for the network's input, None for what there is not."""
    given = layer.get("inputs")
    if is_empty(given):
        return [k - 1]
    is_names = isinstance(given, (list, tuple)) and all(isinstance(n, str) for n in given)
    if not isinstance(given, str) and not is_names:
        faults.append(f"INPUTS of {where} must be names, but is {describe(given)}")
        return [None]
    reads: list[int | None] = []
    for name in graph.names_in(given):
        found = [place for place, each in enumerate(names) if each == name]
        if found and found[0] < k:
            reads.append(found[0])
        elif name == "input":
            reads.append(-1)
        else:
            reads.append(None)
            problem = "which does not stand before it" if found else "but no layer has that name"
            faults.append(f"{where} reads '{name}', {problem}")
    return reads


def size_after(
    layer: Any,
    entry: table.Type,
    reads: list[int | None],
    sizes: list[list[int] | None],
    input_size: list[Any] | None,
    where: str,
    faults: list[str],
) -> list[int] | None:
    """Return the size of a layer's output; None where it cannot be told."""
    if not entry.inputs[0] <= len(reads) <= entry.inputs[1]:
        faults.append(f"{where} takes {table.input_text(entry)} inputs, but names {len(reads)}")
        return None
    in_sizes = []
    for r in reads:
        in_size = None if r is None else input_size if r < 0 else sizes[r]
        if in_size is None:
            return None
        in_sizes.append(in_size)
    arrays = entry.trained + entry.statistics
    layer = {name: value_array(v) if name in arrays else v for name, v in layer.items()}
    try:
        out_size, _ = entry.run.size(layer, in_sizes if entry.several else in_sizes[0])
    except Exception as problem:
        faults.append(f"{where}: {problem}")
        return None
    return list(out_size)


def check_outputs(
    model: Any,
    names: list[str],
    read: set[int],
    sizes: list[list[int] | None],
    faults: list[str],
) -> None:
    """Look at the outputs and the classes."""
    unread = [k for k in range(len(names)) if k not in read]
    outputs: list[int | None] = list(unread)
    given = model.get("outputs")
    if not is_empty(given):
        is_names = isinstance(given, (list, tuple)) and all(isinstance(n, str) for n in given)
        if not isinstance(given, str) and not is_names:
            faults.append(f"OUTPUTS must be names of layers, but is {describe(given)}")
            return
        wanted = graph.names_in(given)
        outputs = [names.index(name) if name in names else None for name in wanted]
        for name, place in zip(wanted, outputs, strict=True):
            if place is None:
                faults.append(f"OUTPUTS names '{name}', but no layer has that name")
        for k in unread:
            if k not in outputs:
                faults.append(
                    f"layer {k + 1} ('{names[k]}') is read by no layer and is not among OUTPUTS"
                )
    classes = model.get("classes")
    if is_empty(classes):
        return
    is_names = isinstance(classes, (list, tuple)) and all(isinstance(n, str) for n in classes)
    if not is_names:
        faults.append(f"CLASSES must be a cell of names, but is {describe(classes)}")
        return
    out_size = sizes[outputs[0]] if outputs and outputs[0] is not None else None
    if out_size is not None and np.prod(out_size) != len(classes):
        faults.append(
            f"CLASSES has {len(classes)} names, but the output has the size "
            f"[{vector_text(out_size)}]"
        )
