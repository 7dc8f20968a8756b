"""Networks of MatConvNet: simplenn and DagNN."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import layers as table
from . import model as graph
from .internal import describe, is_empty, plain, size, value_array
from .layouts import Found, column, elements, get, is_cell, number, origin, refuse, row, scalar_of


def input_size_of(net: Found, options: Mapping[str, Any], ways: Any) -> list[int]:
    """Return the size of the input by the option, or from one of several places in the net."""
    found = options["input_size"]
    for way in ways:
        value: Any = net
        for step in way:
            value = value.get(step) if isinstance(value, Mapping) else None
        if is_empty(found) and isinstance(value, np.ndarray) and value.size >= 3:
            found = value.ravel(order="F")[:3]
    if found is None or np.size(found) != 3:
        refuse(
            "the size of its input is not in the file; give the option 'input_size', "
            "[height width channels]"
        )
    return [int(n) for n in np.ravel(found)]


def normalization(arrays: list[Any], names: list[str], epsilon: Any) -> graph.Layer:
    """Make a batchnorm layer of MatConvNet's multipliers, offsets and moments."""
    scale, offset, moments = (value_array(a) for a in arrays)
    epsilon = float(value_array(epsilon).ravel()[0])
    variance = np.maximum(moments[:, 1:2] ** 2 - moments.dtype.type(epsilon), 0)
    source = {
        "scale": origin(names[0], size(scale), [1, 2]),
        "offset": origin(names[1], size(offset), [1, 2]),
        "mean": origin(names[2], size(moments), [1, 2], part=[1, 1]),
        "variance": origin(names[2], size(moments), [1, 2], part=[2, 2], rule="sigma"),
    }
    return {
        "type": "batchnorm",
        "scale": column(scale),
        "offset": column(offset),
        "mean": moments[:, :1],
        "variance": variance,
        "epsilon": epsilon,
        "source": source,
    }


def _with_window(layer: graph.Layer, stride: Any, padding: Any) -> graph.Layer:
    for name, value in (("stride", stride), ("padding", padding)):
        layer[name] = plain(row(value_array(value).ravel(order="F")))
    return layer


def _rectifier(leak: Any) -> graph.Layer:
    leak = float(value_array(leak).ravel()[0])
    return {"type": "leakyrelu", "slope": leak} if leak else {"type": "relu"}


def _filters(kind: str, arrays: list[Any], names: list[str]) -> graph.Layer:
    if not arrays:
        refuse(f"a {kind} has no filters")
    w = value_array(arrays[0])
    there = (*size(w), 1, 1)[:4]
    layer: graph.Layer = {"type": kind, "weights": w, "weights_size": row(there)}
    source = {"weights": origin(names[0], there, [1, 2, 3, 4])}
    if len(arrays) > 1 and not is_empty(arrays[1]):
        layer["bias"] = column(arrays[1])
        dims = range(1, len(size(arrays[1])) + 1)
        source["bias"] = origin(names[1], size(arrays[1]), dims)
    return {**layer, "source": source}


def from_simplenn(net: Found, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read a MatConvNet simplenn, old or new; see ``help octcompress.model.from_simplenn``."""
    where = f"{place}." if place else ""
    ways = (
        ("meta", "inputSize"),
        ("meta", "normalization", "imageSize"),
        ("normalization", "imageSize"),
    )
    start = in_size = input_size_of(net, options, ways)
    layers: list[graph.Layer] = []
    wrong = []
    for k, theirs in enumerate(elements(net["layers"]), 1):
        layer = _simple_layer(theirs, f"{where}layers{{{k}}}", in_size[2])
        given = theirs.get("name")
        given = given if isinstance(given, str) else ""
        if layer is None:
            wrong.append(f"layer {k} ('{given}', {theirs['type']})")
        elif layer and not wrong:
            if given:
                layer["name"] = given
            in_size = table.TYPES[layer["type"]].run.size(layer, in_size)[0]
            layers.append(layer)
    if wrong:
        refuse(f"no layer of ours computes {', '.join(wrong)}")
    if in_size[:2] == [1, 1]:
        layers.append({"type": "flatten"})
    return {"layers": layers, "input_size": row(start)}


def _simple_layer(theirs: Found, where: str, channels: int) -> graph.Layer | None:
    """Return the layer, {} where nothing is computed, None where no layer of ours does it."""
    arrays, names = _arrays_of(theirs, where)
    if theirs["type"] == "loss":
        return {}
    if theirs["type"] == "softmaxloss":
        return {"type": "softmax"}
    layer = _common_layer(theirs["type"], theirs, arrays, names)
    if theirs["type"] == "conv" and layer and channels != layer["weights_size"][0, 2]:
        layer["groups"] = float(channels / layer["weights_size"][0, 2])
    return layer


def _common_layer(
    kind: str, given: Found, arrays: list[Any], places: list[str]
) -> graph.Layer | None:
    """Return the layer for one that simplenn and DagNN have in common, None where it is none."""
    match kind:
        case "conv":
            layer = _filters("conv2d", arrays, places)
            dilation = value_array(get(given, "dilate", 1)).ravel(order="F")
            if (dilation != 1).any():
                layer["dilation"] = plain(row(dilation))
            return _with_window(layer, get(given, "stride", 1), get(given, "pad", 0))
        case "convt":
            layer = _filters("transposedconv2d", arrays, places)
            if scalar_of(get(given, "numGroups", 1)) != 1:
                layer["groups"] = scalar_of(given["numGroups"])
            return _with_window(layer, get(given, "upsample", 1), get(given, "crop", 0))
        case "pool":
            average = get(given, "method", "max") == "avg"
            layer = {"type": "averagepool" if average else "maxpool"}
            layer["pool_size"] = number(get(given, "pool", 1))
            return _with_window(layer, get(given, "stride", 1), get(given, "pad", 0))
        case "relu":
            return _rectifier(get(given, "leak", 0))
        case "sigmoid" | "softmax":
            return {"type": kind}
        case "dropout":
            return {"type": "dropout", "rate": scalar_of(get(given, "rate", 0.5))}
        case "bnorm" if len(arrays) == 3:
            return normalization(arrays, places, get(given, "epsilon", 1e-4))
    return None


def _arrays_of(theirs: Found, where: str) -> tuple[list[Any], list[str]]:
    if is_cell(theirs.get("weights")):
        arrays = elements(theirs["weights"])
        return arrays, [f"{where}.weights{{{i}}}" for i in range(1, len(arrays) + 1)]
    if "filters" in theirs:
        arrays = [theirs["filters"], get(theirs, "biases", np.zeros((0, 0)))]
        return arrays, [f"{where}.filters", f"{where}.biases"]
    if theirs["type"] not in ("conv", "convt", "bnorm"):
        return [], []
    refuse(f"{where} has no weights")


def from_dagnn(net: Found, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read what a MatConvNet DagNN saves; see ``help octcompress.model.from_dagnn``."""
    where = f"{place}." if place else ""
    params = elements(net["params"])
    form = "{}params{{{}}}.value" if is_cell(net["params"]) else "{}params({}).value"
    start = input_size_of(net, options, (("meta", "normalization", "imageSize"),))
    by_name = {param["name"]: k for k, param in reversed(list(enumerate(params)))}
    made: dict[str, str] = {}  # variables, and the layers that give them
    layers: list[graph.Layer] = []
    wrong, inputs = [], set()
    for k, theirs in enumerate(elements(net["layers"]), 1):
        reads = _texts(theirs["inputs"])
        if "Loss" in theirs["type"]:
            reads = reads[:1]
        inputs |= {name for name in reads if name not in made}
        arrays, places = [], []
        for param in _texts(theirs.get("params")):
            if param not in by_name:
                shown = describe(param)
                refuse(f"layer '{theirs['name']}' reads {shown}, which is no parameter")
            arrays.append(params[by_name[param]]["value"])
            places.append(form.format(where, by_name[param] + 1))
        block = theirs["block"] if isinstance(theirs["block"], Mapping) else {}
        layer = _dag_layer(theirs["type"], block, arrays, places)
        names = [made.get(name, "input") for name in reads]
        out = _texts(theirs["outputs"])[0]
        if layer is None:
            wrong.append(f"layer {k} ('{theirs['name']}', {theirs['type']})")
        if not layer:
            made.setdefault(out, names[0])
            continue
        layers.append({**layer, "name": theirs["name"], "inputs": names})
        made.setdefault(out, theirs["name"])
    if wrong:
        refuse(f"no layer of ours computes {', '.join(wrong)}")
    if len(inputs) != 1:
        refuse(
            f"it has {len(inputs)} inputs ({', '.join(sorted(inputs))}), where a network of ours "
            "has one"
        )
    _set_groups(layers, start)
    return {"layers": layers, "input_size": row(start)}


def _texts(value: Any) -> list[str]:
    return [] if is_empty(value) else [value] if isinstance(value, str) else elements(value)


def _set_groups(layers: list[graph.Layer], start: list[int]) -> None:
    """Find the groups of convolutions by the channels that they read."""
    sizes: dict[str, Any] = {"input": start}
    for layer in layers:
        reads = [sizes[name] for name in layer["inputs"]]
        if layer["type"] == "conv2d":
            groups = reads[0][2] / layer["weights_size"][0, 2]
            if groups != 1:
                layer["groups"] = float(groups)
        entry = table.TYPES[layer["type"]]
        found = entry.run.size(layer, reads if entry.several else reads[0])[0]
        sizes.setdefault(layer["name"], found)


def _dag_layer(kind: str, block: Found, arrays: list[Any], places: list[str]) -> graph.Layer | None:
    """Return the layer, {} where nothing is computed, None where no layer of ours does it."""
    layer: graph.Layer
    match kind:
        case "dagnn.Sum":
            return {"type": "add"}
        case "dagnn.Concat":
            return {"type": "concat", "axis": "HWC"[int(scalar_of(get(block, "dim", 3))) - 1]}
        case "dagnn.Scale" if arrays:
            layer, source = {"type": "scale"}, {}
            for field, array, name in zip(("scale", "offset"), arrays, places, strict=False):
                layer[field] = column(array)
                source[field] = origin(name, size(array), range(1, len(size(array)) + 1))
            return {**layer, "source": source}
        case "dagnn.Loss":
            is_softmax = get(block, "loss", "softmaxlog") == "softmaxlog"
            return {"type": "softmax"} if is_softmax else {}
    if "Loss" in kind:
        return {}
    pool = {"pool": block["poolSize"]} if "poolSize" in block else {}
    return _common_layer(_COMMON.get(kind, ""), {**block, **pool}, arrays, places)


_COMMON = {
    "dagnn.Conv": "conv",
    "dagnn.ConvTranspose": "convt",
    "dagnn.Pooling": "pool",
    "dagnn.ReLU": "relu",
    "dagnn.Sigmoid": "sigmoid",
    "dagnn.SoftMax": "softmax",
    "dagnn.DropOut": "dropout",
    "dagnn.BatchNorm": "bnorm",
}
