"""The verb shrink and the cost of a pruned model: the reference of ``nn_shrink.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import layers as table
from . import model as graph
from .internal import Array, check, is_empty, parse_options, scalar, size, value_array
from .quant import snap_to_grid

SAME = {
    *("relu", "relu6", "leakyrelu", "prelu", "elu", "gelu", "swish", "hardswish", "sigmoid"),
    *("hardsigmoid", "tanh", "identity", "dropout", "batchnorm", "scale", "maxpool"),
    *("averagepool", "globalmaxpool", "globalaveragepool", "upsample", "zeropad"),
}


def shrink(model: Any, **options: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Remove the dead filters and neurons of a network; its outputs stay the same to rounding.

    Constants that removed units gave go into the biases of the layers that read them.

    Parameters
    ----------
    model : dict
        A network.
    sort : bool
        Units with many weights come first, which codes smaller (False).

    Returns
    -------
    model : dict
    info : dict
        parameters and macs, each [before, after]; layers, a list of dicts: layer, before, after
        (the sizes of the weights).

    Raises
    ------
    ModelError
        ``octcompress:nn_shrink:notModel``, ``badLayer``, ``badSize``, ``badValue``,
        ``unknownOption``.
    """
    caller = "nn_shrink"
    options = parse_options(caller, {"sort": False}, options)
    check(caller, "sort", options["sort"], "flag")
    before = graph.tidy(caller, model)
    after = shrunk(caller, before)
    if scalar(options["sort"]):
        after = sort_units(caller, after)
    plans = [graph.plan(caller, m) for m in (before, after)]
    pairs = zip(before["layers"], after["layers"], strict=True)
    rows = [
        {"layer": new["name"], "before": old["weights_size"], "after": new["weights_size"]}
        for old, new in pairs
        if "weights" in new
    ]
    info = {
        "parameters": np.array([[parameters(before), parameters(after)]]),
        "macs": np.array([[float(sum(plan.macs)) for plan in plans]]),
        "layers": rows,
    }
    return after, info


def parameters(model: graph.Model) -> float:
    """Count the trained numbers of a network."""
    total = 0
    for layer in model["layers"]:
        total += sum(np.size(layer[f]) for f in table.TYPES[layer["type"]].trained if f in layer)
    return float(total)


def cost(model: Any, kind: str) -> float:
    """Count the multiply-accumulates ('macs') or coded bytes of a pruned model; see cost.m."""
    if graph.is_network(model):
        model = shrunk("nn_prune", graph.tidy("nn_prune", model))
    if kind == "macs":
        plan = graph.plan("nn_prune", model)
        total = 0.0
        for layer, macs in zip(model["layers"], plan.macs, strict=True):
            w = value_array(layer["weights"]) if "weights" in layer else np.ones((1, 1))
            total += macs * (np.count_nonzero(w) / max(w.size, 1))
        return total
    if not isinstance(model, Mapping):
        model = {"w": model}
    bits = 0.0
    for tensor in graph.tensors(model, True):
        w = value_array(graph.get_tensor(model, tensor))
        each = 64.0 if w.dtype == np.float64 else 32.0
        grid = graph.get_promise(model, tensor, "quantization")
        if grid is not None and "bits" in grid:
            each = scalar(grid["bits"])
        s = 1 - np.count_nonzero(w) / max(w.size, 1)
        places = -s * np.log2(s) - (1 - s) * np.log2(1 - s) if 0 < s < 1 else 0.0
        bits += np.count_nonzero(w) * each + w.size * places
    return bits / 8


def shrunk(caller: str, model: graph.Model) -> graph.Model:
    """Remove dead channels through the graph; see ``+prune/shrink.m`` for the rules."""
    plan = graph.plan(caller, model)
    layers = model["layers"]
    kinds = [kind_of(layer, plan, k, model) for k, layer in enumerate(layers)]
    links = [
        links_of(m) if kind == "linear" else None for m, kind in zip(layers, kinds, strict=True)
    ]
    constants = find_constants(model, plan, kinds, links)
    gone = [np.ones(channels_of(s), bool) for s in plan.sizes]
    for k in plan.outputs:
        gone[k][:] = False
    while True:
        before = [g.copy() for g in gone]
        for k in reversed(range(len(layers))):
            constrain(gone, k, kinds[k], links[k], model, plan, constants)
        if all(np.array_equal(a, b) for a, b in zip(before, gone, strict=True)):
            whole = [g for g in gone if g.all()]
            if not whole:
                break
            for g in whole:
                g[0] = False
    result = {**model, "layers": list(layers)}
    for k, layer in enumerate(layers):
        reads = plan.inputs[k]
        source = reads[0] if len(reads) == 1 else -1
        gone_in = gone[source] if source >= 0 else None
        if gone[k].any() or (gone_in is not None and gone_in.any()):
            constant = constants[source] if source >= 0 else None
            result["layers"][k] = cut(layer, kinds[k], gone[k], gone_in, constant)
    return result


def channels_of(out_size: list[Any]) -> int:
    """Count the channels or features of a size [F], [H, W, C] or [F, T]."""
    return int(out_size[0] if len(out_size) == 2 else out_size[-1])


def size_before(model: graph.Model, plan: graph.Plan, r: int) -> list[Any]:
    """Return the size of what a layer reads; -1 is the network's input."""
    return plan.sizes[r] if r >= 0 else graph.input_size(model)


def full_size(layer: graph.Layer) -> list[int]:
    """Return all four sizes of a convolution's weights."""
    sizes = [int(n) for n in np.ravel(layer.get("weights_size", size(layer["weights"])))]
    return sizes + [1] * (4 - len(sizes))


def kind_of(layer: graph.Layer, plan: graph.Plan, k: int, model: graph.Model) -> str:
    """Say how a layer's channels hang together: linear, same, alike, concat, flatten, pinned."""
    name, kind = layer["type"], "pinned"
    groups = 1 if is_empty(layer.get("groups")) else int(scalar(layer["groups"]))
    if name == "dense" or (name in ("conv2d", "transposedconv2d") and groups == 1):
        kind = "linear"
    elif name == "conv2d":
        if full_size(layer)[2:] == [1, groups]:
            kind = "same"
    elif name in SAME:
        kind = "same"
    elif name == "flatten":
        kind = "flatten"
    elif name in ("add", "subtract", "multiply"):
        kind = "alike"
    elif name == "concat" and (is_empty(layer.get("axis")) or layer["axis"] in ("C", "F")):
        kind = "concat"
    if kind in ("same", "alike"):
        own = channels_of(plan.sizes[k])
        if any(channels_of(size_before(model, plan, r)) != own for r in plan.inputs[k]):
            kind = "pinned"
    return kind


def links_of(layer: graph.Layer) -> Array:
    """Say whether each output reads each input channel with any weight: out x in."""
    w = value_array(layer["weights"])
    if layer["type"] == "dense":
        return w != 0
    used = (w.reshape(full_size(layer), order="F") != 0).any(axis=(0, 1))
    return used.T if layer["type"] == "conv2d" else used


def flatten_owners(model: graph.Model, plan: graph.Plan, k: int) -> Array:
    """Say which channel, from 0, each feature after a flatten layer comes from."""
    in_size = size_before(model, plan, plan.inputs[k][0])
    x = image_of(np.arange(channels_of(in_size), dtype=float), in_size)
    y, _ = plan.types[k].run.forward(with_size(model, plan, k), x, None)
    return y.reshape(-1).astype(int)


def with_size(model: graph.Model, plan: graph.Plan, k: int) -> graph.Layer:
    """Give a layer the size of its input, where its type asks for it."""
    sizes = [size_before(model, plan, r) for r in plan.inputs[k]]
    several = plan.types[k].several
    return {**model["layers"][k], "in_size": sizes if several else sizes[0]}


def image_of(values: Array, in_size: list[Any]) -> Array:
    """Make one observation in which each channel is the same everywhere; NaN counts as 0."""
    values = np.nan_to_num(values, nan=0.0)
    lengths = [2 if n != n else int(n) for n in in_size]
    if len(lengths) == 1:
        return values[:, np.newaxis]
    if len(lengths) == 2:
        return np.tile(values[:, np.newaxis, np.newaxis], (1, 1, lengths[1]))
    return np.tile(values[np.newaxis, np.newaxis, :, np.newaxis], (*lengths[:2], 1, 1))


def find_constants(
    model: graph.Model, plan: graph.Plan, kinds: list[str], links: list[Array | None]
) -> list[Array]:
    """Find for each layer's output the value of each constant channel; NaN for the others.

    In double, and to rounding: a matrix product may sum the places of an image in different orders.
    """
    constants: list[Array] = []
    for k, kind in enumerate(kinds):
        own = channels_of(plan.sizes[k])
        sizes = [size_before(model, plan, r) for r in plan.inputs[k]]
        known = [
            constants[r] if r >= 0 else np.full(channels_of(s), np.nan)
            for r, s in zip(plan.inputs[k], sizes, strict=True)
        ]
        link = links[k]
        fixed: Array = np.zeros(own, bool)
        if kind == "linear" and link is not None:
            fixed = np.asarray(~link[:, np.isnan(known[0])].any(axis=1))
        elif kind == "same":
            fixed = ~np.isnan(known[0])
        elif kind == "alike":
            fixed = ~np.isnan(np.stack(known)).any(axis=0)
        elif kind == "concat":
            fixed = ~np.isnan(np.concatenate(known))
        elif kind == "flatten":
            fixed = ~np.isnan(known[0][flatten_owners(model, plan, k)])
        constants.append(np.full(own, np.nan))
        if fixed.any():
            x = [image_of(c, s) for c, s in zip(known, sizes, strict=True)]
            several = plan.types[k].several
            layer = {key: as_double(v) for key, v in with_size(model, plan, k).items()}
            y, _ = plan.types[k].run.forward(layer, x if several else x[0], None)
            grid = layer.get("quantization", {}).get("output")
            if grid is not None:
                y = snap_to_grid(y, grid)[0]
            y = np.moveaxis(y, 2 if y.ndim == 4 else 0, 0).reshape(own, -1)
            spread = np.abs(y - y[:, :1]).max(axis=1)
            everywhere: Array = (spread <= 1e-9 * np.abs(y).max(axis=1)) & fixed
            constants[k][everywhere] = y[everywhere, 0]
    return constants


def as_double(value: Any) -> Any:
    """Make an array of floats double, and leave all else."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(float)
    return value


def constrain(
    gone: list[Array],
    k: int,
    kind: str,
    links: Array | None,
    model: graph.Model,
    plan: graph.Plan,
    constants: list[Array],
) -> None:
    """Take back the removal of channels that one layer needs."""
    reads = plan.inputs[k]
    inside = [r for r in reads if r >= 0]
    if kind == "linear":
        if inside and links is not None:
            [r] = inside
            needed = links[~gone[k]].any(axis=0)
            takes = takes_constants(model["layers"][k])
            able = ~np.isnan(constants[r]) & ((constants[r] == 0) | takes)
            gone[r] = gone[r] & (~needed | able)
    elif kind in ("same", "alike"):
        both = gone[k] & (len(inside) == len(reads))
        for r in inside:
            both = both & gone[r]
        for r in [*inside, k]:
            gone[r] = both.copy()
    elif kind == "concat":
        first, own = 0, gone[k].copy()
        for r in reads:
            if r < 0:
                own[first:] = False
                break
            places = slice(first, first + gone[r].size)
            own[places] &= gone[r]
            gone[r] = own[places].copy()
            first = places.stop
        gone[k] = own
    elif kind == "flatten":
        if not inside:
            gone[k][:] = False
        else:
            [r] = inside
            owners = flatten_owners(model, plan, k)
            needed = np.zeros(gone[r].size, bool)
            needed[owners[~gone[k]]] = True
            gone[r] = gone[r] & ~needed
            gone[k] = gone[r][owners]
    else:
        for r in [*inside, k]:
            gone[r] = np.zeros(gone[r].size, bool)


def takes_constants(layer: graph.Layer) -> bool:
    """Whether a constant input of a layer is the same as a bias, at the border of images too."""
    if layer["type"] != "conv2d":
        return layer["type"] == "dense"
    padding = layer.get("padding")
    if isinstance(padding, str):
        return full_size(layer)[:2] == [1, 1]
    return is_empty(padding) or not np.any(np.asarray(padding))


def cut(
    layer: graph.Layer, kind: str, gone: Array, gone_in: Array | None, constant: Array | None
) -> graph.Layer:
    """Cut the channels that went out of a layer, and fold the constants that it read."""
    kept = np.flatnonzero(~gone)
    if kind != "linear":
        return select_units(layer, kind, kept)
    kept_in = np.arange(links_of(layer).shape[1])
    if gone_in is not None:
        kept_in = np.flatnonzero(~gone_in)
        if constant is not None:
            layer = graph.copy_tree(layer)
            fold(layer, gone_in & ~np.isnan(constant) & (constant != 0), constant, kept)
    return select_units(layer, kind, kept, kept_in)


def select_units(
    layer: graph.Layer, kind: str, kept: Array, kept_in: Array | None = None
) -> graph.Layer:
    """Give a layer with some of its output and input channels, in a given order."""
    layer = graph.copy_tree(layer)
    if kind == "linear" and kept_in is not None:
        if not is_empty(layer.get("bias")):
            layer["bias"] = value_array(layer["bias"])[kept]
        if layer["type"] == "dense":
            cut_weights(layer, value_array(layer["weights"]), {0: kept, 1: kept_in})
        else:
            w = value_array(layer["weights"]).reshape(full_size(layer), order="F")
            turned = layer["type"] == "transposedconv2d"
            chosen = {2: kept, 3: kept_in} if turned else {2: kept_in, 3: kept}
            cut_weights(layer, w, chosen)
        return layer
    if layer["type"] == "conv2d":
        w = value_array(layer["weights"]).reshape(full_size(layer), order="F")
        layer["groups"] = float(kept.size)
        cut_weights(layer, w, {3: kept})
    for name in ("bias", "scale", "offset", "mean", "variance", "slope"):
        if name in layer and np.size(layer[name]) > 1:
            value = value_array(layer[name])
            layer[name] = value[:, :, kept] if value.ndim > 2 else value[kept]
    return layer


def sort_units(caller: str, model: graph.Model) -> graph.Model:
    """Put the filters and neurons with the most weights first; see ``sort_units.m``."""
    plan = graph.plan(caller, model)
    layers = list(model["layers"])
    model = {**model, "layers": layers}
    kinds = [kind_of(layer, plan, k, model) for k, layer in enumerate(layers)]
    for k in [k for k, kind in enumerate(kinds) if kind == "linear"]:
        way = way_to_reader(k, plan, kinds)
        if not way or is_pattern(layers[k]) or is_pattern(layers[way[-1]]):
            continue
        own = weights_of_units(layers[k], True)
        owners = np.arange(own.size)
        for r in way[:-1]:
            if kinds[r] == "flatten":
                owners = owners[flatten_owners(model, plan, r)]
        read = weights_of_units(layers[way[-1]], False)
        counts = own + np.bincount(owners, weights=read, minlength=own.size)
        order = np.argsort(-counts, kind="stable")

        inputs = np.arange(weights_of_units(layers[k], False).size)
        layers[k] = select_units(layers[k], "linear", order, inputs)
        for r in way[:-1]:
            if kinds[r] == "flatten":
                by_owner = np.argsort(flatten_owners(model, plan, r), kind="stable")
                places = by_owner.reshape(order.size, -1)
                moved = np.empty(by_owner.size, np.intp)
                moved[places] = places[order]
                order = moved
            else:
                layers[r] = select_units(layers[r], "same", order)
        outputs = np.arange(weights_of_units(layers[way[-1]], True).size)
        layers[way[-1]] = select_units(layers[way[-1]], "linear", outputs, order)
    return model


def way_to_reader(k: int, plan: graph.Plan, kinds: list[str]) -> list[int]:
    """Find the layers behind one up to the next with weights; none if others read it too."""
    way = [k]
    while len(way) == 1 or kinds[way[-1]] != "linear":
        readers = [r for r, reads in enumerate(plan.inputs) if way[-1] in reads]
        alone = len(readers) == 1 and len(plan.inputs[readers[0]]) == 1
        if not alone or way[-1] in plan.outputs:
            return []
        if kinds[readers[0]] not in ("linear", "same", "flatten"):
            return []
        way.append(readers[0])
    return way[1:]


def is_pattern(layer: graph.Layer) -> bool:
    """Say whether neighbours hang together: pruned by n:m or in blocks, or a grid by groups."""
    structure = layer.get("pruning", {}).get("weights", {}).get("structure", "")
    group = layer.get("quantization", {}).get("weights", {}).get("group")
    grouped = not is_empty(group) and bool(np.any(np.asarray(group) > 0))
    return structure == "block" or ":" in structure or grouped


def weights_of_units(layer: graph.Layer, outputs: bool) -> Array:
    """Count the weights that are not zero of each output channel, or of each input channel."""
    used = value_array(layer["weights"]) != 0
    if layer["type"] != "dense":
        used = used.reshape(full_size(layer), order="F").sum(axis=(0, 1))
        used = used.T if layer["type"] == "conv2d" else used
    return np.asarray(used.sum(axis=1 if outputs else 0))


def fold(layer: graph.Layer, which: Array, constant: Array, kept: Array) -> None:
    """Add to a layer's bias what its constant inputs give."""
    w = value_array(layer["weights"])
    if layer["type"] == "dense":
        by_channel = w.astype(float)
    else:
        by_channel = w.reshape(full_size(layer), order="F").astype(float).sum(axis=(0, 1))
        by_channel = by_channel.T if layer["type"] == "conv2d" else by_channel
    total = by_channel[:, which] @ constant[which, np.newaxis]
    if not (total[kept] != 0).any():
        return
    bias = np.zeros((total.size, 1), w.dtype)
    if not is_empty(layer.get("bias")):
        bias = value_array(layer["bias"])
    layer["bias"] = (bias.astype(float) + total).astype(bias.dtype)
    layer.get("quantization", {}).pop("bias", None)


def cut_weights(layer: graph.Layer, w: Array, kept: Mapping[int, Array]) -> None:
    """Cut a layer's weights along some dimensions, and what is promised of them."""
    for dim, places in kept.items():
        w = np.take(w, places, axis=dim)
    layer["weights"] = w.reshape(size(w), order="F")
    layer["weights_size"] = np.array([w.shape], float)
    promise = layer.get("pruning", {}).get("weights")
    if promise is not None:
        promise["zeros"] = float(w.size - np.count_nonzero(w))
    grid = layer.get("quantization", {}).get("weights")
    if grid is None or "codebook" in grid:
        return
    grouped = not is_empty(grid.get("group")) and np.any(np.asarray(grid["group"]) > 0)
    if "scale" not in grid or "axis" not in grid or grouped:
        del layer["quantization"]["weights"]
        return
    if np.size(grid["scale"]) > 1:
        axis = int(scalar(grid["axis"])) - 1
        if axis in kept:
            places = kept[axis]
            grid["scale"] = value_array(grid["scale"])[places]
            if np.size(grid["zero_point"]) > 1:
                grid["zero_point"] = value_array(grid["zero_point"])[places]
