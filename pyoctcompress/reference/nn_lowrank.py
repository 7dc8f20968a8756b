"""The verb lowrank: the reference of ``nn_lowrank.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .gram import input_gram, layer_groups, weights_matrix
from .internal import check, fail, is_empty, parse_options, scalar, value_array
from .prune import low_rank

CALLER = "nn_lowrank"


def lowrank(model: Any, **options: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Replace layers by two thin ones: by singular values, or principal components of outputs.

    Parameters
    ----------
    model : dict
        A network.
    energy, rank, budget : float
        One of them: the share of the squares to keep, the rank, or the share of the weights.
    layers : list of str or int, optional
        All of type dense and conv2d (groups 1).
    data : array, optional
        Inputs, for a projection of the layers' outputs on their principal components.
    batch_size : int
        256.

    Returns
    -------
    model : dict
    info : dict
        options; layers, a list of dicts: layer, rank, energy, before, after, replaced.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_lowrank:badValue``, ``unknownOption``, ``unknownLayer``, ``noTensors``,
        ``notFinite``, ``notModel``, ``badInput``.
    """
    defaults = {
        "energy": None,
        "rank": None,
        "budget": None,
        "layers": None,
        "data": None,
        "batch_size": 256.0,
    }
    options = parse_options(CALLER, defaults, options)
    rule = rule_of(options)
    model = graph.tidy(CALLER, model)
    graph.plan(CALLER, model)
    tensors = graph.select_tensors(CALLER, model, options["layers"], False)
    chosen = {t.layer - 1 for t in tensors if is_plain(model["layers"][t.layer - 1])}
    if not chosen:
        fail(
            CALLER,
            "noTensors",
            "none of the chosen layers is dense or an ungrouped conv2d; other types have no "
            "low-rank form here",
        )
    names = [layer["name"] for layer in model["layers"]]
    layers: list[graph.Layer] = []
    rows = []
    for k, layer in enumerate(model["layers"]):
        if k in chosen:
            check(CALLER, "w", layer["weights"], "finite", f"'{layer['name']}.weights'")
            pieces, row = split(model, k, rule, options, names)
            layers += pieces
            rows.append(row)
        else:
            layers.append(layer)
    return {**model, "layers": layers}, {"options": options, "layers": rows}


def rule_of(options: Mapping[str, Any]) -> dict[str, float]:
    """Find which of energy, rank and budget is given."""
    given = [name for name in ("energy", "rank", "budget") if not is_empty(options[name])]
    if len(given) != 1:
        fail(
            CALLER,
            "badValue",
            "give one of ENERGY, RANK and BUDGET, as in nn_lowrank (model, 'energy', 0.9)",
        )
    [name] = given
    if name == "rank":
        check(CALLER, name, options[name], "integer", (1, math.inf))
    else:
        check(CALLER, name, options[name], "number", (0, 1))
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    return {name: scalar(options[name])}


def is_plain(layer: graph.Layer) -> bool:
    """Whether a layer has a low-rank form: dense, or a convolution of one group."""
    return layer["type"] == "dense" or (layer["type"] == "conv2d" and layer_groups(layer) == 1)


def split(
    model: graph.Model,
    k: int,
    rule: Mapping[str, float],
    options: Mapping[str, Any],
    names: list[str],
) -> tuple[list[graph.Layer], dict[str, Any]]:
    """Split layer `k`, where that makes it smaller."""
    layer = graph.copy_tree(model["layers"][k])
    w = weights_matrix(layer).astype(float)
    shift = np.zeros((w.shape[0], 1))
    if is_empty(options["data"]):
        up, down, found = low_rank(w, rule)
    else:
        stats = input_gram(CALLER, model, options["data"], k, options["batch_size"]).group(0)
        centre = stats.total / stats.count
        up, down, found = low_rank(w, rule, stats.gram / stats.count - centre @ centre.T)
        shift = (w - up @ down) @ centre
    after = float(up.size + down.size)
    row = {
        "layer": layer["name"],
        "rank": found["rank"],
        "energy": found["energy"],
        "before": float(w.size),
        "after": min(after, float(w.size)),
        "replaced": after < w.size,
    }
    if not row["replaced"]:
        return [layer], row
    for kind in ("pruning", "quantization"):
        layer.get(kind, {}).pop("weights", None)
    first = {n: v for n, v in layer.items() if n not in ("bias", "pruning", "quantization")}
    first["name"] = f"{layer['name']}_down"
    while first["name"] in names:
        first["name"] += "_"
    second = dict(layer)
    if "inputs" in second:
        second["inputs"] = [first["name"]]
    dtype = value_array(layer["weights"]).dtype
    sizes = [[float(n) for n in down.shape], [float(n) for n in up.shape]]
    if layer["type"] == "conv2d":
        old = [float(n) for n in np.ravel(layer["weights_size"])]
        sizes = [[*old[:3], found["rank"]], [1.0, 1.0, found["rank"], old[3]]]
        for name in ("stride", "padding", "dilation"):
            second.pop(name, None)
        down, up = down.T, up.T
    for piece, matrix, its_size in zip((first, second), (down, up), sizes, strict=True):
        shape = [int(n) for n in its_size]
        piece["weights"] = matrix.astype(dtype).reshape(shape, order="F")
        piece["weights_size"] = np.array([its_size])
    if (shift != 0).any():
        bias = 0.0 if is_empty(layer.get("bias")) else value_array(layer["bias"]).astype(float)
        second["bias"] = (bias + shift).astype(dtype)
    return [first, second], row
