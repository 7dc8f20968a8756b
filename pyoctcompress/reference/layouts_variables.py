"""Networks of arrays in variables or cells, one or two for each layer."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..matfile import StructArray
from . import model as graph
from .internal import describe, fail, is_empty, plain, row_of_numbers, size, value_array
from .layouts import (
    Found,
    activation_layers,
    column,
    elements,
    origin,
    refuse,
    row,
    with_bias_first,
)
from .nn_new import VALUES, Item, fields_of

_WEIGHTS = ("w", "W", "weights")
_BIASES = ("b", "B", "bias", "biases")


def is_pair(value: Any) -> bool:
    """Whether a value is a struct of weights and a bias."""
    return (
        isinstance(value, Mapping)
        and sum(name in value for name in _WEIGHTS) == 1
        and any(name in value for name in _BIASES)
        and "type" not in value
    )


def from_theta(value: Found, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read Theta1, Theta2, ... of out x (1 + in), bias first, a sigmoid after each."""
    layers: list[graph.Layer] = []
    for k in range(1, len(value) + 1):
        name = f"Theta{k}"
        theta = value_array(value.get(name))
        if name not in value or theta.dtype.kind != "f":
            refuse(f"there is no matrix {name}")
        layers += [with_bias_first(theta, name, name), {"type": "sigmoid"}]
    return {"layers": layers}


def from_cells(value: Any, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read structs with w (or W, weights), b (or bias, biases) and perhaps activation."""
    layers: list[graph.Layer] = []
    parts = elements(value)
    form = "{}({})" if isinstance(value, StructArray) else "{}{{{}}}"
    for k, part in enumerate(parts, 1):
        w_name = next(name for name in part if name in _WEIGHTS)
        b_name = next(name for name in part if name in _BIASES)
        where = form.format(place, k)
        w, b = value_array(part[w_name]), value_array(part[b_name])
        turned = b.size != w.shape[0] and b.size == w.shape[1]  # observations are rows there
        order = [2, 1] if turned else [1, 2]
        source = {
            "weights": origin(f"{where}.{w_name}", size(w), order),
            "bias": origin(f"{where}.{b_name}", size(b), [1, 2]),
        }
        layer = {"type": "dense", "name": f"dense_{k}", "weights": w.T if turned else w}
        layers.append({**layer, "bias": column(b), "source": source})
        said = [name for name in part if name in ("activation", "act", "f", "transfer")]
        if said:
            activation = part[said[0]]
        elif is_empty(options["activation"]):
            refuse(
                "the activations between the layers are not in the file; give the option "
                "'activation', 'relu', say"
            )
        else:
            activation = options["activation"] if k < len(parts) else ""
        layers += activation_layers(activation)
    return {"layers": layers}


_ENDINGS = re.compile(
    r"_(weight|bias|running_mean|running_var|num_batches_tracked|"
    r"weight_ih_l0|weight_hh_l0|bias_ih_l0|bias_hh_l0)$"
)


def from_names(value: Found, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read arrays that are named as PyTorch names them, in the order of options' layers."""
    names: dict[str, list[str]] = {}
    for variable in value:
        ending = _ENDINGS.search(variable)
        if ending:
            names.setdefault(variable[: ending.start()], []).append(ending[1])
    items = list(options["layers"]) if not is_empty(options["layers"]) else []
    if not items:
        items = _chain(names, value, str(options["activation"]))
    layers: list[graph.Layer] = []
    k = 0
    while k < len(items):
        item = items[k]
        given: Any = []
        if k + 1 < len(items) and not isinstance(items[k + 1], str):
            k += 1
            given = items[k] if isinstance(items[k], (list, tuple)) else [items[k]]
            if isinstance(item, str) and len(VALUES.get(item, ((), 0))[0]) == 1:
                one = row_of_numbers(given)
                given = given if one is given else [one]
        if not isinstance(item, str) or (item not in names and item not in VALUES):
            fail(
                "nn_load",
                "badOption",
                f"LAYERS must name arrays of the file ({', '.join(names)}) or layer types, but "
                f"has {describe(item)}; the types are {', '.join(VALUES)}",
            )
        if item in names:
            layers.append(_weighted(value, item, names[item], list(given)))
        else:
            spec = Item(item, [_as_given(row_of_numbers(one)) for one in given])
            layer = fields_of(len(layers) + 1, spec, "nn_load")
            if item == "flatten":
                layer.setdefault("order", "chw")
            layers.append(layer)
        k += 1
    model: graph.Model = {"layers": layers}
    if not is_empty(options["input_size"]):
        model["input_size"] = options["input_size"]
    return model


def _as_given(value: Any) -> Any:
    """Give whole numbers as the doubles that MATLAB has."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _chain(names: Mapping[str, list[str]], value: Found, activation: str) -> list[Any]:
    """Put dense layers in the order of the file, each reading the one before."""
    items: list[Any] = []
    width = 0
    for k, (name, fields) in enumerate(names.items()):
        w = value_array(value[f"{name}_weight"]) if "weight" in fields else np.zeros((0, 0))
        if w.ndim > 2 or min(w.shape) < 1 or (k > 0 and w.shape[1] != width):
            refuse(
                f"the layers {', '.join(names)} are no chain of dense layers in this order; give "
                "the option 'layers'"
            )
        width = w.shape[0]
        items += [name, activation] if k + 1 < len(names) else [name]
    return items


def _weighted(value: Found, name: str, fields: list[str], given: list[Any]) -> graph.Layer:
    pairs = {given[i]: given[i + 1] for i in range(0, len(given) - 1, 2)}
    if "type" in pairs:
        kind = pairs.pop("type")
    elif "running_mean" in fields:
        kind = "batchnorm"
    elif "weight_ih_l0" in fields:
        rows, units = size(value[f"{name}_weight_hh_l0"])
        kind = "gru" if rows == 3 * units else "lstm"
    elif value_array(value[f"{name}_weight"]).ndim == 4:
        kind = "conv2d"
    else:
        kind = "dense"
    layer: graph.Layer = {"type": kind, "name": name}
    source: dict[str, Any] = {}

    def take(field: str, ending: str, there: Any = None, order: Any = (1, 2)) -> None:
        full = f"{name}_{ending}"
        if full not in value:
            refuse(f"there is no array {full}")
        array = value_array(value[full])
        array = array.reshape(there or array.shape, order="F")
        layer[field] = array.transpose([d - 1 for d in order])
        source[field] = origin(full, array.shape, order)

    def take_column(field: str, ending: str) -> None:
        full = f"{name}_{ending}"
        if full in value:
            layer[field] = column(value[full])
            source[field] = origin(full, size(value[full]), [1, 2])

    match kind:
        case "conv2d" | "transposedconv2d":
            there = (*size(value.get(f"{name}_weight")), 1, 1)[:4]
            take("weights", "weight", there, (3, 4, 2, 1))
            layer["weights_size"] = row(layer["weights"].shape)
            layer["weights"] = value_array(plain(layer["weights"]))
            take_column("bias", "bias")
        case "dense":
            take("weights", "weight")
            take_column("bias", "bias")
        case "batchnorm":
            take_column("mean", "running_mean")
            take_column("variance", "running_var")
            layer["scale"], layer["offset"] = (
                np.ones_like(layer["mean"]),
                np.zeros_like(layer["mean"]),
            )
            take_column("scale", "weight")
            take_column("offset", "bias")
        case "prelu":
            take_column("slope", "weight")
        case "lstm" | "gru":
            take("weights", "weight_ih_l0")
            take("recurrent_weights", "weight_hh_l0")
            take_column("bias", "bias_ih_l0")
            take_column("recurrent_bias", "bias_hh_l0")
        case _:
            fail(
                "nn_load",
                "badOption",
                f"TYPE of '{name}' in LAYERS must be a type with weights, but is {describe(kind)}",
            )
    more = {key: _as_given(row_of_numbers(one)) for key, one in pairs.items()}
    return {**layer, "source": source, **more}
