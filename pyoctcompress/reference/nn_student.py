"""The verb student: the reference of ``nn_student.m`` and of what it is made of."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import layers as table
from . import model as graph
from .distill_teachers import tidy_named
from .internal import (
    Array,
    check,
    fail,
    is_empty,
    number,
    parse_options,
    round_half_away,
    scalar,
    value_array,
)
from .layers.common import option
from .nn_info import info as info_of
from .nn_shrink import channels_of, flatten_owners, full_size, kind_of, shrunk, size_before
from .train import initial_weights

CALLER = "nn_student"


def student(teacher: Any, **options: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Make a smaller network out of a large one, for the large one to teach.

    Parameters
    ----------
    teacher : dict
        A network.
    width : float
        0 to 1: the share of the units of each hidden layer; the most important ones stay.
    depth : float
        0 to 1: the share of the layers with weights; blocks that keep the size of what they read
        are left out.
    bytes : float
        Instead of width: the greatest width with which the weights take so many bytes.
    initial : str
        ``units``: the teacher's weights; ``random``: drawn anew.
    seed : float
        Of ``random`` (0).

    Returns
    -------
    student : dict
        A network with the same inputs and outputs.
    info : dict
        options, width, parameters, macs and bytes (each [teacher, student]), layers.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_student:badValue``, ``noBlocks``, ``tooSmall``, ``unknownOption``,
        ``notModel``.
    """
    defaults = {"width": None, "depth": None, "bytes": None, "initial": "units", "seed": 0.0}
    options = parse_options(CALLER, defaults, options)
    check_options(options)
    teacher = tidy_named(CALLER, "TEACHER", teacher)
    small = teacher
    if not is_empty(options["depth"]):
        small = shallower(CALLER, small, scalar(options["depth"]))
    width = 1.0
    if not is_empty(options["width"]):
        width = scalar(options["width"])
    elif not is_empty(options["bytes"]):
        width = width_for(small, scalar(options["bytes"]))
    if width < 1:
        small = thinner(CALLER, small, width)
    if options["initial"] == "random":
        small = drawn_anew(small, int(scalar(options["seed"])))
    totals = [info_of(model)["totals"] for model in (teacher, small)]
    info: dict[str, Any] = {"options": options, "width": width}
    for name in ("parameters", "macs", "bytes"):
        info[name] = np.array([[total[name] for total in totals]], float)
    info["layers"] = [
        {"layer": layer["name"], "weights_size": layer["weights_size"]}
        for layer in small["layers"]
        if "weights" in layer
    ]
    return small, info


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `student` cannot use."""
    for name in ("width", "depth"):
        if not is_empty(options[name]):
            check(CALLER, name, options[name], "number", (0, 1))
    if not is_empty(options["bytes"]):
        check(CALLER, "bytes", options["bytes"], "number", (1, 1e15))
    check(CALLER, "initial", options["initial"], "choice", ["units", "random"])
    check(CALLER, "seed", options["seed"], "integer", (0, 2**32 - 1))
    given = [name for name in ("width", "bytes", "depth") if not is_empty(options[name])]
    if given[:2] == ["width", "bytes"]:
        fail(CALLER, "badValue", "WIDTH and BYTES cannot both be given; leave one out")
    if not given and options["initial"] == "units":
        message = "give WIDTH, DEPTH or BYTES, as in nn_student (teacher, 'width', 0.5)"
        fail(CALLER, "badValue", message)


def width_for(model: graph.Model, limit: float) -> float:
    """Find the greatest of 1/1024, 2/1024, ... with which a network takes so many bytes."""

    def bytes_of(small: graph.Model) -> float:
        return float(info_of(small)["totals"]["bytes"])

    if bytes_of(model) <= limit:
        return 1.0
    least = bytes_of(thinner(CALLER, model, 0.0))
    if least > limit:
        fail(
            CALLER,
            "tooSmall",
            f"BYTES is {number(limit)}, but one unit in each layer already takes {number(least)}; "
            "give DEPTH too, or more",
        )
    low, high = 0, 1024
    while high - low > 1:
        middle = (low + high) // 2
        if bytes_of(thinner(CALLER, model, middle / 1024)) <= limit:
            low = middle
        else:
            high = middle
    return low / 1024


def drawn_anew(model: graph.Model, seed: int) -> graph.Model:
    """Draw a network's weights anew, with biases of 0 and fresh batch normalisations."""
    random = np.random.RandomState([seed])
    fixed = {"scale": 1.0, "variance": 1.0, "slope": 0.25}
    layers = []
    for layer in model["layers"]:
        entry = table.TYPES[layer["type"]]
        layer = {k: v for k, v in layer.items() if k not in ("pruning", "quantization")}
        for field in entry.trained + entry.statistics:
            if is_empty(layer.get(field)):
                continue
            w = layer[field]
            if field in ("weights", "recurrent_weights"):
                sizes = np.ravel(layer["weights_size"]) if field == "weights" else w.shape
                drawn = initial_weights(random, [int(n) for n in sizes])
                layer[field] = drawn.astype(w.dtype).reshape(w.shape, order="F")
            else:
                layer[field] = np.full_like(w, fixed.get(field, 0.0))
        layers.append(layer)
    return {**model, "layers": layers}


# Width: which units there are, and which are the most important.


class Units:
    """Channels that are one unit: each has a number, and the smallest of those that are the same.

    Number 0 is what must stay.
    """

    def __init__(self) -> None:
        self.same_as = [0]
        self.maker = [-1]

    def new(self, count: int, layer: int) -> Array:
        """Make units of a layer."""
        first = len(self.same_as)
        numbers = list(range(first, first + count))
        self.same_as += numbers
        self.maker += [layer] * count
        return np.array(numbers, int)

    def root(self, unit: int) -> int:
        """Find the smallest number that a unit is the same as."""
        while self.same_as[unit] != unit:
            unit = self.same_as[unit]
        return unit

    def merge(self, first: Array, second: Array) -> None:
        """Make units the same, pair by pair."""
        for a, b in zip(first, second, strict=True):
            low, high = sorted((self.root(int(a)), self.root(int(b))))
            self.same_as[high] = low


def unit_map(model: graph.Model, plan: graph.Plan) -> tuple[list[Array], dict[int, int]]:
    """Find which channels of a network's layers are the same unit.

    Returns
    -------
    units : list of arrays
        For each layer the unit of each channel; 0 must stay.
    sets : dict
        For each unit the first layer of its set: layers that share units.
    """
    units = Units()
    found: list[Array] = []
    for k, layer in enumerate(model["layers"]):
        reads = plan.inputs[k]
        own = channels_of(plan.sizes[k])
        inputs = [
            found[r] if r >= 0 else np.zeros(channels_of(size_before(model, plan, r)), int)
            for r in reads
        ]
        kind = kind_of(layer, plan, k, model)
        if kind == "linear":
            found.append(units.new(own, k))
        elif kind in ("same", "alike"):
            for other in inputs[1:]:
                units.merge(inputs[0], other)
            found.append(inputs[0])
        elif kind == "concat":
            found.append(np.concatenate(inputs))
        elif kind == "flatten":
            found.append(inputs[0][flatten_owners(model, plan, k)])
        else:
            every = np.concatenate(inputs)
            units.merge(every, np.zeros_like(every))
            found.append(np.zeros(own, int))
    for k in plan.outputs:
        units.merge(found[k], np.zeros_like(found[k]))
    roots = np.array([units.root(u) for u in range(len(units.same_as))])
    groups = Units()
    groups.new(len(model["layers"]), 0)
    used = np.flatnonzero(roots)
    makers = np.array(units.maker)
    groups.merge(makers[used] + 1, makers[roots[used]] + 1)
    sets = {int(u): groups.root(int(makers[u]) + 1) for u in used if roots[u] == u}
    return [roots[u] for u in found], sets


def unit_scores(model: graph.Model, plan: graph.Plan, units: list[Array]) -> dict[int, float]:
    """Say how much each unit passes on, by its weights; see ``unit_scores.m``."""
    scores: dict[int, float] = {}
    strength: list[Array] = []
    for k, layer in enumerate(model["layers"]):
        reads = plan.inputs[k]
        inputs = [
            strength[r] if r >= 0 else np.ones(channels_of(size_before(model, plan, r)))
            for r in reads
        ]
        kind = kind_of(layer, plan, k, model)
        if kind == "linear":
            squares = by_channel(layer)
            strength.append(added(squares, 1))
            if reads[0] >= 0:
                passed = inputs[0] * added(squares, 0)
                own: dict[int, float] = {}
                for unit, value in zip(units[reads[0]].tolist(), passed.tolist(), strict=True):
                    own[unit] = own.get(unit, 0.0) + value
                for unit, value in own.items():
                    scores[unit] = scores.get(unit, 0.0) + value
        elif kind == "same":
            strength.append(inputs[0] * gain_of(layer))
        elif kind == "alike":
            strength.append(added(np.stack(inputs, axis=1), 1))
        elif kind == "concat":
            strength.append(np.concatenate(inputs))
        elif kind == "flatten":
            strength.append(inputs[0][flatten_owners(model, plan, k)])
        else:
            strength.append(np.ones(channels_of(plan.sizes[k])))
    return scores


def added(values: Array, axis: int) -> Array:
    """Add along a dimension, one entry after the other, as Octave does."""
    return np.take(np.cumsum(values, axis=axis), -1, axis=axis)


def by_channel(layer: graph.Layer) -> Array:
    """Give the squares of weights, summed over the places of a kernel: out x in."""
    squares = value_array(layer["weights"]).astype(float) ** 2
    if layer["type"] == "dense":
        return squares
    taps = squares.reshape(-1, *full_size(layer)[2:], order="F")
    summed = added(taps, 0)
    return summed.T if layer["type"] == "conv2d" else summed


def gain_of(layer: graph.Layer) -> Any:
    """Give the squares of what a layer multiplies each channel with."""
    if layer["type"] == "batchnorm":
        epsilon = scalar(option(layer, "epsilon", 1e-5))
        scale, variance = layer["scale"].astype(float), layer["variance"].astype(float)
        return (scale**2 / (variance + epsilon)).ravel()
    if layer["type"] == "conv2d":
        squares = value_array(layer["weights"]).astype(float) ** 2
        return added(squares.reshape(-1, full_size(layer)[3], order="F"), 0)
    return 1.0


def thinner(caller: str, model: graph.Model, width: float) -> graph.Model:
    """Keep a share of the units of each hidden layer: the most important ones."""
    plan = graph.plan(caller, model)
    units, sets = unit_map(model, plan)
    scores = unit_scores(model, plan, units)
    gone: set[int] = set()
    for group in sorted(set(sets.values())):
        members = sorted(u for u in sets if sets[u] == group)
        members.sort(key=lambda u: -scores.get(u, 0.0))
        stay = max(1, int(round_half_away(np.array(width * len(members)))))
        gone.update(members[stay:])
    layers = list(model["layers"])
    for k, layer in enumerate(layers):
        [*_, r] = plan.inputs[k]
        if r < 0 or kind_of(layer, plan, k, model) != "linear":
            continue
        out = np.isin(units[r], sorted(gone))
        w = value_array(layer["weights"]).copy()
        if layer["type"] == "dense":
            w[:, out] = 0
        else:
            w = w.reshape(full_size(layer), order="F")
            w[(..., out, slice(None)) if layer["type"] == "conv2d" else (..., out)] = 0
        layers[k] = {**layer, "weights": w}
    return shrunk(caller, {**model, "layers": layers})


# Depth: which blocks may go.


def shallower(caller: str, model: graph.Model, depth: float) -> graph.Model:
    """Leave out blocks that keep the size of what they read, evenly over the depth [1]_.

    References
    ----------
    .. [1] Sanh et al., DistilBERT, 2019, arXiv:1910.01108.
    """
    plan = graph.plan(caller, model)
    layers = model["layers"]
    weighted = ["weights" in layer for layer in layers]
    blocks = blocks_of(model, plan, weighted)
    excess = sum(weighted) - max(1, int(round_half_away(np.array(depth * sum(weighted)))))
    if not blocks and excess > 0:
        fail(
            caller,
            "noBlocks",
            "no layer or residual branch of TEACHER gives what is of the size of what it reads, so "
            "none can be left out; give WIDTH or BYTES",
        )
    wanted = 0
    if blocks:
        mean = sum(sum(weighted[a + 1 : b + 1]) for a, b in blocks) / len(blocks)
        wanted = min(len(blocks), int(round_half_away(np.array(excess / mean))))
    chosen = [blocks[math.ceil((i + 0.5) * len(blocks) / wanted) - 1] for i in range(wanted)]
    source = list(range(-1, len(layers)))  # source[1 + k]: what stands for k; -1 is the input
    stays = [True] * len(layers)
    for a, b in chosen:
        stays[a + 1 : b + 1] = [False] * (b - a)
        source[1 + b] = source[1 + a]
    names = ["input", *(layer["name"] for layer in layers)]
    kept, before = [], -1
    for k, layer in enumerate(layers):
        if not stays[k]:
            continue
        reads = [source[1 + r] for r in plan.inputs[k]]
        if "inputs" in layer or reads != [before]:
            layer = {**layer, "inputs": [names[1 + r] for r in reads]}
        kept.append(layer)
        before = k
    return {**model, "layers": kept}


def blocks_of(model: graph.Model, plan: graph.Plan, weighted: list[bool]) -> list[tuple[int, int]]:
    """Find pairs (a, b): layers a + 1 to b may go, and b's readers then read a; -1 is the input."""
    count = len(plan.types)
    sizes = [graph.input_size(model), *plan.sizes]
    last_use: list[float] = [-1.0] * (count + 1)
    for k, reads in enumerate(plan.inputs):
        for r in reads:
            last_use[1 + r] = k
    for k in plan.outputs:
        last_use[1 + k] = math.inf

    def light(k: int) -> bool:
        """Whether a layer goes with the one before it, which nothing else reads."""
        if weighted[k] or plan.inputs[k] != [k - 1] or last_use[k] != k:
            return False
        return kind_of(model["layers"][k], plan, k, model) == "same"

    def closed(a: int, b: int) -> bool:
        inside = range(a + 1, b + 1)
        return (
            sizes[1 + a] == sizes[1 + b]
            and any(weighted[k] for k in inside)
            and all(min(plan.inputs[k]) >= a for k in inside)
            and all(last_use[k] <= b for k in inside)
        )

    blocks = []
    a = -1
    while a < count - 1:
        b = a + 1
        while b < count and not closed(a, b):
            b += 1
        while b < count - 1 and light(b + 1):
            b += 1
        if b < count and not light(a + 1) and last_use[1 + b] < math.inf:
            blocks.append((a, b))
            a = b
        else:
            a += 1
    return blocks
