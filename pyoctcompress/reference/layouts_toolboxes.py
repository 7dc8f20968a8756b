"""Networks of DeepLearnToolbox and of the Neural Network Toolbox."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, is_empty, plain, size, value_array
from .layouts import (
    Found,
    activation_layers,
    column,
    elements,
    number,
    origin,
    refuse,
    row,
    scalar_of,
    with_bias_first,
)


def from_deeplearn_nn(net: Found, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read a DeepLearnToolbox nn; see ``help octcompress.model.from_deeplearn``."""
    where = f"{place}." if place else ""
    layers: list[graph.Layer] = []
    weights = elements(net["W"])
    for k, w in enumerate(weights, 1):
        layers.append(with_bias_first(value_array(w), f"dense_{k}", f"{where}W{{{k}}}"))
        last = k == len(weights) and "output" in net
        layers += activation_layers(net["output" if last else "activation_function"])
        dropped = scalar_of(net.get("dropoutFraction", 0))
        if k < len(weights) and dropped > 0:
            layers.append({"type": "scale", "scale": 1 - dropped})
    return {"layers": layers}


def from_deeplearn_cnn(net: Found, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read a DeepLearnToolbox cnn; its kernels are turned by 180 degrees there."""
    where = f"{place}." if place else ""
    layers: list[graph.Layer] = []
    maps = 1
    for k, theirs in enumerate(elements(net["layers"]), 1):
        match theirs["type"]:
            case "i":
                continue
            case "c":
                layer = _kernels(theirs, f"{where}layers{{{k}}}")
                maps = layer["weights_size"][0, 3]
                layers += [layer, {"type": "sigmoid"}]
            case "s":
                scale = number(theirs["scale"])
                layers.append({"type": "averagepool", "pool_size": scale, "stride": scale})
            case _:
                refuse(f"no layer of ours computes layer {k} ({theirs['type']})")
    weights = value_array(net["ffW"])
    side = float(np.sqrt(weights.shape[1] / maps))
    for layer in reversed(layers):
        if layer["type"] == "averagepool":
            side *= layer["pool_size"]
        elif layer["type"] == "conv2d":
            side += layer["weights"].shape[0] - 1
    source = {
        "weights": origin(f"{where}ffW", weights.shape, [1, 2]),
        "bias": origin(f"{where}ffb", size(net["ffb"]), [1, 2]),
    }
    dense = {"type": "dense", "name": "ff", "weights": weights, "bias": column(net["ffb"])}
    layers += [{"type": "flatten"}, {**dense, "source": source}, {"type": "sigmoid"}]
    return {"layers": layers, "input_size": row([side, side, 1])}


def _kernels(theirs: Found, where: str) -> graph.Layer:
    kernels = [[value_array(k) for k in elements(outs)] for outs in elements(theirs["k"])]
    w = np.array([[k[::-1, ::-1] for k in outs] for outs in kernels]).transpose(2, 3, 0, 1)
    biases = np.array([[scalar_of(b)] for b in elements(theirs["b"])])
    source = {
        "weights": origin(f"{where}.k", w.shape, [1, 2, 3, 4], rule="maps"),
        "bias": origin(f"{where}.b", [1, biases.size], [2, 1], rule="maps"),
    }
    layer = {"type": "conv2d", "weights": value_array(plain(w)), "weights_size": row(w.shape)}
    return {**layer, "bias": biases, "source": source}


def from_network(net: Found, place: str, options: Mapping[str, Any]) -> graph.Model:
    """Read the struct of a Neural Network Toolbox network object."""
    where = f"{place}." if place else ""
    theirs = elements(net["layers"])
    layers = _processing(net, "inputs", 1, "the input")
    biases = elements(net["b"])
    first = 0
    for k, one in enumerate(theirs, 1):
        w, name = _weights_of(net, k, where)
        first = first or w.shape[1]
        layer = {"type": "dense", "name": f"layer_{k}", "weights": w}
        source = {"weights": origin(name, size(w), [1, 2])}
        if len(biases) >= k and not is_empty(biases[k - 1]):
            layer["bias"] = column(biases[k - 1])
            source["bias"] = origin(f"{where}b{{{k}}}", size(biases[k - 1]), [1, 2])
        layers.append({**layer, "source": source})
        layers += activation_layers(one.get("transferFcn", "") if isinstance(one, Mapping) else "")
    layers += _processing(net, "outputs", len(theirs), "the output")
    return {"layers": layers, "input_size": float(first)}


def _weights_of(net: Found, k: int, where: str) -> tuple[Array, str]:
    """Return the weights by which layer k reads the one before it, or the input."""
    used = []
    for name in ("IW", "LW"):
        cells = net[name]
        if isinstance(cells, list):  # a vector: a column but for a network of one layer
            cells = np.array([*cells, None], object)[:-1].reshape(-1, 1)
        if isinstance(cells, np.ndarray) and cells.ndim == 2 and cells.shape[0] >= k:
            used += [
                (name, j + 1, value_array(cells[k - 1, j]))
                for j in range(cells.shape[1])
                if not is_empty(cells[k - 1, j])
            ]
    wanted = ("IW", 1) if k == 1 else ("LW", k - 1)
    if len(used) != 1 or used[0][:2] != wanted:
        refuse(f"layer {k} does not read the one before it and nothing else")
    return used[0][2], f"{where}{wanted[0]}{{{k},{wanted[1]}}}"


def _processing(net: Found, field: str, k: int, what: str) -> list[graph.Layer]:
    ends = [end for end in elements(net.get(field)) if isinstance(end, Mapping)]
    if not ends or "processFcns" not in ends[min(k, len(ends)) - 1]:
        return []
    end = ends[min(k, len(ends)) - 1]
    layers: list[graph.Layer] = []
    for name, s in zip(
        elements(end["processFcns"]), elements(end["processSettings"]), strict=False
    ):
        match name:
            case "mapminmax":
                gain, start, to = (value_array(s[key]) for key in ("gain", "xoffset", "ymin"))
            case "mapstd":
                gain = value_array(s["ystd"]) / value_array(s["xstd"])
                start, to = value_array(s["xmean"]), value_array(s["ymean"])
            case "fixunknowns":
                continue
            case "removeconstantrows":
                if is_empty(s["remove"]):
                    continue
                refuse(f"the processing of {what} removes constant rows")
            case _:
                refuse(f"no layer of ours computes {name}, the processing of {what}")
        gain, start = column(gain), column(start)
        if field == "outputs":  # undone, the last one first
            scale = {"type": "scale", "scale": 1 / gain, "offset": start - to / gain}
            layers.insert(0, scale)
        else:
            layers.append({"type": "scale", "scale": gain, "offset": to - gain * start})
    return layers
