"""The verb prune: the reference of ``nn_prune.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import model as graph
from .criteria import score_tensors
from .gram import Stats, input_gram, matrix_weights, weights_matrix
from .internal import (
    Array,
    check,
    describe,
    fail,
    is_empty,
    number,
    one_class,
    parse_options,
    plain,
    scalar,
    share,
    size,
    value_array,
)
from .nn_shrink import cost
from .prune import (
    Rule,
    Shape,
    choose_masks,
    from_matrix,
    group_map,
    group_score,
    groups_of,
    largest,
    matrix_shape,
    threshold_limit,
    to_matrix,
)
from .surgeon import Pattern, damped_inverse, obs_layer

Info = dict[str, Any]
CALLER = "nn_prune"
STRUCTURES = ["weight", "block", "row", "filter", "neuron", "column", "channel"]
CRITERIA = [
    "magnitude",
    "taylor",
    "movement",
    "obd",
    "obs",
    "wanda",
    "batchnorm",
    "fpgm",
    "random",
]


def prune(model: Any, **options: Any) -> tuple[Any, Info]:
    r"""Set the least important weights to zero.

    Parameters
    ----------
    model : dict or array
        A network, any dict of arrays, or a single or double array.
    threshold : float, optional
        Zero where |w| < threshold * scale.
    scale : str
        ``max`` (default): the largest magnitude; ``std``: the standard deviation; ``none``: 1.
    sparsity : float, optional
        Zero the share 0 to 1 of smallest magnitude: exactly floor (sparsity * number of
        weights); of equal ones the first in linear (column-major) order go.
    scope : str
        ``layer`` (default): each tensor by itself; ``global``: all of them as one.
    layers : list of str or int, optional
        Names or numbers (from 1) of the layers to prune; all.
    bias : bool
        Biases and other vectors too (False).
    keep, target_macs, target_bytes, criterion, structure, block, norm, data, labels, before, \
    batch_size, seed, damping, method
        As in the help of ``nn_prune``. A table of shares is a dict.

    Returns
    -------
    model : dict or array
        With the promise in ``layer['pruning']['weights']``.
    info : dict
        options, count, zeros, sparsity, layers (a list of dicts: tensor, count, zeros, sparsity,
        limit); for an array mask, true where a weight is kept.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_prune:badValue``, ``unknownOption``, ``notFinite``, ``unknownLayer``,
        ``noTensors``, ``badType``.

    References
    ----------
    .. [1] Han et al., Learning both weights and connections for efficient neural networks, NIPS
       2015, arXiv:1506.02626.
    """
    defaults = {
        "threshold": None,
        "scale": "max",
        "sparsity": None,
        "scope": "layer",
        "layers": None,
        "bias": False,
        "keep": None,
        "target_macs": None,
        "target_bytes": None,
        "criterion": "magnitude",
        "structure": "weight",
        "block": np.array([[4.0, 4.0]]),
        "norm": "l1",
        "data": None,
        "labels": None,
        "before": None,
        "batch_size": 256.0,
        "seed": 0.0,
        "damping": 0.01,
        "method": "auto",
    }
    options = parse_options(CALLER, defaults, options)
    check_prune_options(options)
    is_array = not isinstance(model, Mapping)
    if is_array:
        if not is_empty(options["sparsity"]):
            check(CALLER, "sparsity", options["sparsity"], "number", (0, 1))
        check(CALLER, "w", model, "finite")
        arrays = [value_array(model)]
        tensors = [graph.Tensor("array", "array", 0, "", ())]
        network = as_layer(arrays[0], options)
        shares = options["sparsity"]
    else:
        model = graph.copy_model(CALLER, model)
        require_network(model, options)
        tensors, shares = choose_tensors(model, options)
        arrays = []
        for tensor in tensors:
            w = graph.get_tensor(model, tensor)
            check(CALLER, "w", w, "finite", f"'{tensor.name}'")
            arrays.append(value_array(w))
        network = model
    options = {**options, "sparsity": shares if shares is not None else options["sparsity"]}
    owners = [model["layers"][t.layer - 1] if t.layer > 0 else None for t in tensors]
    shapes = [matrix_shape(w, owner) for w, owner in zip(arrays, owners, strict=True)]
    if is_array and network is not None:
        tensors = [graph.Tensor("array", "array", 1, "weights", ())]

    wants_obs = options["criterion"] == "obs"
    scoring = {**options, "criterion": "magnitude"} if wants_obs else options
    scores = score_tensors(network, tensors, arrays, shapes, scoring)
    rule = rule_of(options, scores, arrays, shapes)
    if not is_empty(options["target_macs"]) or not is_empty(options["target_bytes"]):
        rule = replace(
            rule, sparsity=share_for_target(model, tensors, arrays, scores, shapes, rule, options)
        )
    masks, limits = choose_masks(CALLER, scores, shapes, rule)
    if wants_obs:
        arrays, masks = surgeon(network, tensors, shapes, masks, rule, options)
        limits = [largest(s, m) for s, m in zip(scores, masks, strict=True)]

    info: Info = {"options": options, "count": 0.0, "zeros": 0.0, "sparsity": 0.0, "layers": []}
    rows = zip(tensors, arrays, masks, limits, strict=True)
    for k, (tensor, w, mask, limit) in enumerate(rows):
        pruned = np.where(mask, w.dtype.type(0), w)
        zeros = pruned.size - int(np.count_nonzero(pruned))
        row = {
            "tensor": tensor.name,
            "count": float(w.size),
            "zeros": float(zeros),
            "sparsity": share(zeros, w.size),
            "limit": float(limit),
        }
        info["layers"].append(row)
        info["count"] += row["count"]
        info["zeros"] += row["zeros"]
        if is_array:
            model = plain(pruned)
            info["mask"] = plain(~mask)
        else:
            graph.set_tensor(model, tensor, pruned)
            graph.set_promise(model, tensor, "pruning", pruning_promise(options, rule, row, k))
    info["sparsity"] = share(info["zeros"], info["count"])
    return model, info


def check_prune_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `prune` cannot use."""
    structure = options["structure"]
    is_pattern = isinstance(structure, str) and re.fullmatch(r"\d+:\d+", structure) is not None
    if is_pattern:
        n, m = (int(part) for part in structure.split(":"))
        is_pattern = n < m
    if not is_pattern and structure not in STRUCTURES:
        fail(
            CALLER,
            "badValue",
            "STRUCTURE must be one of '" + "', '".join(STRUCTURES) + "', or 'n:m' with n below m, "
            f"as '2:4', but is {describe(structure)}",
        )
    ways = ["threshold", "sparsity", "keep", "target_macs", "target_bytes"]
    given = [name for name in ways if not is_empty(options[name])]
    if is_pattern and given:
        fail(
            CALLER,
            "badValue",
            f"STRUCTURE '{structure}' says how much is removed: leave "
            f"{', '.join(given).upper()} out",
        )
    elif not is_pattern and len(given) != 1:
        fail(
            CALLER,
            "badValue",
            "give either THRESHOLD or SPARSITY, as in nn_prune (model, 'sparsity', 0.9)",
        )
    elif not is_pattern:
        [name] = given
        if name == "sparsity" and is_table(options[name]):
            check_table(options)
        elif name == "keep":
            check(CALLER, "keep", options["keep"], "integer", (0, math.inf))
        else:
            check(CALLER, name, options[name], "number", (0, 1 if name == "sparsity" else math.inf))
    check(CALLER, "scale", options["scale"], "choice", ["max", "none", "std"])
    check(CALLER, "scope", options["scope"], "choice", ["layer", "global", "row", "lamp", "erk"])
    check(CALLER, "bias", options["bias"], "flag")
    if not callable(options["criterion"]):
        check(CALLER, "criterion", options["criterion"], "choice", CRITERIA)
    check(CALLER, "norm", options["norm"], "choice", ["l1", "l2"])
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    check(CALLER, "seed", options["seed"], "integer", (0, 2**32 - 1000))
    check(CALLER, "damping", options["damping"], "number", (1e-12, 1e6))
    check(CALLER, "method", options["method"], "choice", ["auto", "exact", "blocked"])
    block = options["block"]
    numbers = np.ravel(block) if isinstance(block, (np.ndarray, int, float)) else np.zeros(0)
    if numbers.size != 2 or (numbers < 1).any() or (numbers != np.fix(numbers)).any():
        fail(
            CALLER, "badValue", f"BLOCK must be two whole numbers from 1, but is {describe(block)}"
        )
    check_together(options)


def check_together(options: Mapping[str, Any]) -> None:
    """Refuse options that do not go together."""
    by_rows = options["structure"] in ("row", "filter", "neuron")
    criterion = options["criterion"]
    if criterion in ("batchnorm", "fpgm") and not by_rows:
        fail(
            CALLER,
            "badValue",
            f"the criterion '{criterion}' judges whole filters: STRUCTURE must be 'row', 'filter' "
            f"or 'neuron', but is '{options['structure']}'",
        )
    threshold = not is_empty(options["threshold"])
    if criterion == "obs" and (by_rows or options["bias"] or threshold):
        fail(
            CALLER,
            "badValue",
            "the criterion 'obs' removes a given number of a layer's inputs: it goes with the "
            "structures 'weight', 'n:m', 'block', 'column' and 'channel', without BIAS and "
            "THRESHOLD",
        )
    if options["structure"] != "weight":
        if options["scope"] == "row":
            fail(CALLER, "badValue", "SCOPE can be 'row' with the structure 'weight' only")
        elif options["bias"]:
            fail(CALLER, "badValue", "BIAS can be true with the structure 'weight' only")


def check_table(options: Mapping[str, Any]) -> None:
    """Refuse a table of shares that cannot be used."""
    table = table_of(options["sparsity"])
    texts = all(isinstance(name, str) for name, _ in table)
    if not table or not texts or options["scope"] not in ("layer", "row"):
        fail(
            CALLER,
            "badValue",
            "a table in SPARSITY must be {'name', share; ...} or a struct, and goes with the "
            "scopes 'layer' and 'row'",
        )
    for _, value in table:
        check(CALLER, "sparsity", value, "number", (0, 1))


def table_of(table: Any) -> list[tuple[Any, Any]]:
    """Give a table of shares as pairs: of a dict, or of a cell with two columns."""
    if isinstance(table, Mapping):
        return list(table.items())
    if isinstance(table, (list, tuple)):  # a cell of one row
        return [(table[0], table[1])] if len(table) == 2 else []
    return [tuple(row) for row in table] if table.ndim == 2 and table.shape[1] == 2 else []


def is_table(value: Any) -> bool:
    """Whether a sparsity is a table: a dict or a cell."""
    is_cell = isinstance(value, np.ndarray) and value.dtype == object
    return is_cell or isinstance(value, (Mapping, list, tuple))


def require_network(model: Any, options: Mapping[str, Any]) -> None:
    """Refuse a criterion that lacks its data or its network."""
    criterion = "a function" if callable(options["criterion"]) else options["criterion"]
    moving = criterion == "movement" and is_empty(options["before"])
    needs_labels = criterion == "taylor" or moving
    needs_data = needs_labels or criterion in ("obd", "obs", "wanda")
    if needs_data and is_empty(options["data"]):
        text = f"the criterion '{criterion}' needs DATA, inputs as nn_predict takes them"
        fail(CALLER, "badValue", text)
    if needs_labels and is_empty(options["labels"]):
        fail(CALLER, "badValue", f"the criterion '{criterion}' needs LABELS of DATA")
    needs_network = needs_data or criterion in ("batchnorm", "movement")
    if (needs_network or not is_empty(options["target_macs"])) and not graph.is_network(model):
        fail(
            CALLER,
            "notModel",
            f"the criterion '{criterion}' and TARGET_MACS need a network that can be computed, but "
            f"MODEL is {describe(model)}; take another criterion, and SPARSITY",
        )


def as_layer(w: Array, options: Mapping[str, Any]) -> Any:
    """Make an array that comes with data a layer of its own; else None."""
    network = None
    if options["criterion"] in ("obs", "wanda") and not is_empty(options["data"]):
        layer: dict[str, Any] = {"type": "dense", "name": "array", "weights": w}
        inputs = [float(w.shape[1])]
        if len(size(w)) > 2:
            layer["type"] = "conv2d"
            inputs = [float(n) for n in (*np.shape(options["data"]), 1, 1)[:3]]
        network = graph.tidy(CALLER, {"layers": [layer], "input_size": np.array([inputs])})
    require_network(network, options)
    return network


def choose_tensors(model: Any, options: Mapping[str, Any]) -> tuple[list[graph.Tensor], Any]:
    """Find the tensors to prune, and each one's share where there is a table of them."""
    tensors = graph.select_tensors(CALLER, model, options["layers"], options["bias"])
    shares = options["sparsity"]
    if is_table(shares):
        table = dict(table_of(shares))
        graph.select_tensors(CALLER, model, list(table), options["bias"])
        tensors = [t for t in tensors if t.owner in table]
        shares = np.array([[scalar(table[t.owner]) for t in tensors]])
    structure = options["structure"]
    if structure == "weight" or not graph.is_network(model):
        return tensors, shares
    wanted = {"filter": ["conv2d"], "neuron": ["dense"]}.get(structure, ["dense", "conv2d"])
    fits = [model["layers"][t.layer - 1]["type"] in wanted for t in tensors]
    if structure in ("row", "filter", "neuron") and is_empty(options["layers"]):
        last = last_weights(graph.plan(CALLER, model), model["layers"])
        fits = [fit and t.layer - 1 not in last for fit, t in zip(fits, tensors, strict=True)]
    if not any(fits):
        fail(
            CALLER,
            "noTensors",
            f"MODEL has no layer of type {' or '.join(wanted)} (before the last one) that could be "
            f"pruned by '{structure}'",
        )
    if isinstance(shares, np.ndarray) and shares.size > 1:
        shares = shares[:, fits]
    return [t for t, fit in zip(tensors, fits, strict=True) if fit], shares


def last_weights(plan: graph.Plan, layers: list[graph.Layer]) -> set[int]:
    """Find the layers whose output reaches the network's with no other weights between."""
    last, todo = set(), list(plan.outputs)
    while todo:
        k = todo.pop(0)
        if "weights" in layers[k]:
            last.add(k)
        else:
            todo += [r for r in plan.inputs[k] if r >= 0]
    return last


def rule_of(
    options: Mapping[str, Any], scores: list[Array], arrays: list[Array], shapes: list[Shape]
) -> Rule:
    """Say how much is pruned, from the options."""
    structure = options["structure"]
    by_rows = structure in ("row", "filter", "neuron")
    if structure == "block":
        structure = [int(n) for n in np.ravel(options["block"])]
    rule = Rule(
        structure="row" if by_rows else structure,
        scope=options["scope"],
        sparsity=None if is_empty(options["sparsity"]) else options["sparsity"],
        keep=None if is_empty(options["keep"]) else scalar(options["keep"]),
        spare=int(by_rows),
    )
    if is_empty(options["threshold"]):
        return rule
    values = list(arrays)
    if options["structure"] != "weight":
        for k, (s, shape) in enumerate(zip(scores, shapes, strict=True)):
            values[k] = group_score(s, groups_of(rule.structure, shape, s.shape))[0]
    elif options["criterion"] != "magnitude" or options["norm"] == "l2":
        values = list(scores)
    threshold = scalar(options["threshold"])
    if options["scope"] in ("global", "lamp"):
        together = np.concatenate([v.ravel(order="F") for v in one_class(*values)])
        limits = [threshold_limit(together, threshold, options["scale"])] * len(values)
    else:
        limits = [threshold_limit(v, threshold, options["scale"]) for v in values]
    return replace(rule, threshold=limits)


def share_for_target(
    model: Any,
    tensors: list[graph.Tensor],
    arrays: list[Array],
    scores: list[Array],
    shapes: list[Shape],
    rule: Rule,
    options: Mapping[str, Any],
) -> float:
    """Find the least share at which the pruned model costs no more than the target."""
    kind = "bytes" if is_empty(options["target_macs"]) else "macs"
    target = scalar(options[f"target_{kind}"])

    def cost_at(s: float) -> float:
        masks, _ = choose_masks(CALLER, scores, shapes, replace(rule, sparsity=s))
        pruned = [np.where(m, w.dtype.type(0), w) for m, w in zip(masks, arrays, strict=True)]
        if not isinstance(model, Mapping):
            return cost(pruned[0], kind)
        smaller = graph.copy_tree(model)
        for tensor, w in zip(tensors, pruned, strict=True):
            graph.set_tensor(smaller, tensor, w)
        return cost(smaller, kind)

    least = cost_at(1.0)
    if least > target:
        fail(
            CALLER,
            "badValue",
            f"TARGET_{kind.upper()} is {number(target)}, but with all gone that may go MODEL still "
            f"needs {number(least)}",
        )
    low, high = 0.0, 1.0
    if cost_at(0.0) <= target:
        high = 0.0
    while high - low > 2e-5:
        middle = (low + high) / 2
        if cost_at(middle) <= target:
            high = middle
        else:
            low = middle
    return high


def surgeon(
    network: Any,
    tensors: list[graph.Tensor],
    shapes: list[Shape],
    masks: list[Array],
    rule: Rule,
    options: Mapping[str, Any],
) -> tuple[list[Array], list[Array]]:
    """Prune layer after layer by OBS, each on the inputs that those before it give."""
    original = graph.copy_tree(network)
    arrays = []
    masks = list(masks)
    for k, (tensor, shape) in enumerate(zip(tensors, shapes, strict=True)):
        place = tensor.layer - 1
        layer = network["layers"][place]
        stats = input_gram(CALLER, network, options["data"], place, options["batch_size"], original)
        w = weights_matrix(layer)
        mask = to_matrix(masks[k], shape)
        wish: Any
        if rule.structure == "weight":
            wish = int(mask.sum())
        elif rule.is_pattern:
            groups = group_map((shape.rows, shape.columns), rule.structure, shape.taps, shape.parts)
            wish = Pattern(groups, int(rule.structure.split(":")[0]))
        else:
            wish = by_saliency(w, stats, rule, int(mask.sum()), shape, options)
        bias = None if is_empty(layer.get("bias")) else value_array(layer["bias"])
        w, new_bias, mask, _ = obs_layer(
            w, bias, stats, wish, scalar(options["damping"]), options["method"]
        )
        kind = value_array(layer["weights"]).dtype
        layer["weights"] = matrix_weights(w.astype(kind), layer)
        if bias is not None and new_bias is not None:
            layer["bias"] = new_bias.astype(bias.dtype)
        arrays.append(layer["weights"])
        masks[k] = from_matrix(mask, shape, layer["weights"].shape)
    return arrays, masks


def by_saliency(
    w: Array, stats: Stats, rule: Rule, count: int, shape: Shape, options: Mapping[str, Any]
) -> Array:
    """Mark whole groups, those whose weights have the least w^2 / diag (inverse Hessian)."""
    score = np.zeros(w.shape)
    each = shape.rows // shape.parts
    for g in range(shape.parts):
        rows = slice(g * each, (g + 1) * each)
        inverse, _, _ = damped_inverse(stats.group(g).gram, scalar(options["damping"]))
        score[rows] = w[rows].astype(float) ** 2 / np.diag(inverse)
    own = replace(rule, counts=[count], scope="layer", keep=None)
    [mask], _ = choose_masks(CALLER, [score], [replace(shape, by_rows=True)], own)
    return mask


def pruning_promise(
    options: Mapping[str, Any], rule: Rule, row: Mapping[str, Any], k: int
) -> dict[str, Any]:
    """Describe the pruning of a tensor: what stands beside it."""
    name, amount = "sparsity", rule.sparsity
    if not is_empty(options["threshold"]):
        name, amount = f"threshold-{options['scale']}", options["threshold"]
    elif not is_empty(options["keep"]):
        name, amount = "keep", options["keep"]
    elif rule.is_pattern:
        n, m = (int(part) for part in rule.structure.split(":"))
        name, amount = "pattern", 1 - n / m
    amounts = np.ravel(amount)
    criterion = options["criterion"]
    return {
        "criterion": criterion.__name__ if callable(criterion) else criterion,
        "structure": options["structure"],
        "scope": options["scope"],
        "rule": name,
        "amount": float(amounts[min(k, amounts.size - 1)]),
        "limit": row["limit"],
        "zeros": row["zeros"],
    }
