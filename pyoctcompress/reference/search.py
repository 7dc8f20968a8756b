"""Recipes, allocation and prediction: the reference of ``+octcompress/+search``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..errors import OctcompressError
from ..octave.setup import package_folder
from . import model as graph
from .internal import Array, check, describe, fail, is_empty, is_number, is_real_scalar, value_array

Recipe = list[dict[str, Any]]
TRAINING = ("train", "distill", "prune_train", "quantize_train")


def pareto_front(loss: Any, bytes: Any) -> list[int]:
    """Choose the places (from 0) of what no other choice beats, by rising bytes.

    Parameters
    ----------
    loss, bytes : array
        Vectors of one length; choices with NaN or Inf are left out.
    """
    loss, bytes = (np.ravel(np.asarray(v, float), order="F") for v in (loss, bytes))
    places = np.flatnonzero(np.isfinite(loss) & np.isfinite(bytes))
    order = places[np.lexsort((places, loss[places], bytes[places]))]
    least = np.concatenate(([np.inf], np.minimum.accumulate(loss[order])))[: order.size]
    return [int(k) for k in order[loss[order] < least]]


def allocate(loss: Any, bytes: Any, most: int = 2000) -> tuple[Array, Array, Array]:
    """Find the best choices for all layers together, for every number of bytes.

    Parameters
    ----------
    loss, bytes : array
        Layers x choices; NaN where there is none.
    most : int
        At most so many points are kept after each layer.

    Returns
    -------
    choices : array
        Points x layers, the number (from 1) of each layer's choice.
    loss, bytes : array
        Columns, the sums of each point.
    """
    costs = [np.atleast_2d(np.asarray(v, float)) for v in (loss, bytes)]
    sums = [np.zeros((1, 1)), np.zeros((1, 1))]
    choices = np.zeros((1, 0))
    for k in range(costs[0].shape[0]):
        tables = [s + c[k][np.newaxis] for s, c in zip(sums, costs, strict=True)]
        places = np.array(pareto_front(*tables), int)
        if places.size > most:
            sizes = np.log(np.maximum(tables[1].ravel(order="F")[places], 1))
            span = max(sizes[-1] - sizes[0], np.finfo(float).tiny)
            cells = np.floor((sizes - sizes[0]) / span * (most - 1))
            places = places[np.append(np.diff(cells), 1) > 0]
        point, choice = places % tables[0].shape[0], places // tables[0].shape[0]
        sums = [t.ravel(order="F")[places][:, np.newaxis] for t in tables]
        choices = np.column_stack([choices[point], choice + 1.0])
    return choices, sums[0], sums[1]


def predicted_error(margins: Any, loss: Any) -> Array:
    """Predict the share of answers that change when outputs are disturbed by Gaussian noise.

    Parameters
    ----------
    margins : array
        By how much the greatest output of each observation leads the second.
    loss : array
        Mean squared disturbance of an output.
    """
    lead = np.ravel(np.asarray(margins, float))
    values = value_array(loss).astype(float)
    tiny = float(np.finfo(float).tiny)
    shares = [
        float(np.mean([math.erfc(m / (2 * math.sqrt(max(v, tiny)))) for m in lead])) / 2
        for v in values.ravel()
    ]
    return np.array(shares).reshape(values.shape)


def coded_bytes(model: Any) -> tuple[list[dict[str, Any]], float, int]:
    """Estimate how many bytes a network's arrays take when coded.

    Returns
    -------
    rows : list of dict
        tensor, bytes.
    total : float
        Bytes of all.
    nonzeros : int
        Of the weights.
    """
    rows: list[dict[str, Any]] = []
    nonzeros = 0
    for tensor in graph.tensors(model, True):
        w = value_array(graph.get_tensor(model, tensor))
        rows.append({"tensor": tensor.name, "bytes": _bytes_of(w)})
        if tensor.field == "weights":
            nonzeros += int(np.count_nonzero(w))
    return rows, sum(row["bytes"] for row in rows), nonzeros


def _bytes_of(w: Array) -> float:
    n = w.size
    if n == 0:
        return 0.0
    share = np.count_nonzero(w) / n
    size: float = n * _entropy(np.array([share, 1 - share])) / 8 + w.dtype.itemsize * n * share
    flat = w.ravel(order="F")
    if np.unique(flat[:: math.ceil(n / 2000)]).size < 1000:
        counts = np.unique(flat, return_counts=True)[1]
        size = min(size, n * _entropy(counts / n) / 8 + 2 * counts.size)
    return float(size)


def _entropy(p: Array) -> float:
    p = p[p > 0]
    return float(-np.sum(p * np.log2(p)))


@cache
def known_steps() -> dict[str, dict[str, Any]]:
    """Give for each step its options, each with its kind and range (``steps.json``)."""
    text = (package_folder() / "+octcompress" / "+search" / "steps.json").read_text("utf-8")
    steps: dict[str, dict[str, Any]] = json.loads(text)
    common = steps.pop("training options")
    return {
        name: {**options, **common} if "training" in options else options
        for name, options in steps.items()
    }


def ready_recipes() -> dict[str, Recipe]:
    """Give the recipes that come with the toolbox, by name."""
    text = (package_folder() / "+octcompress" / "+search" / "recipes.json").read_text("utf-8")
    found: dict[str, Recipe] = json.loads(text)
    return found


def ready_recipe(name: Any) -> Recipe:
    """Give a recipe that comes with the toolbox."""
    known = ready_recipes()
    if not isinstance(name, str) or name not in known:
        fail(
            "ready_recipe",
            "unknown",
            f"there is no ready recipe {describe(name)}; there are {', '.join(known)}",
        )
    return known[name]


def check_recipe(
    recipe: Any, layers: Sequence[str] = (), training: bool = True
) -> tuple[Recipe, list[str]]:
    """Find every fault of a recipe, before anything runs.

    Parameters
    ----------
    recipe : list of dict, or str
        Steps, each with the key ``step`` and its options; or a ready recipe's name.
    layers : list of str, optional
        Names of the layers with weights; empty: names are not checked.
    training : bool
        False: steps that train are faults.

    Returns
    -------
    recipe : list of dict
        Without empty options; values by layer are lists of [name, value].
    faults : list of str
        One line each, with its place.
    """
    if isinstance(recipe, str) and recipe:
        try:
            recipe = ready_recipe(recipe)
        except OctcompressError as error:
            return [], [str(error).partition(": ")[2]]
    elif isinstance(recipe, Mapping):
        recipe = [recipe]
    if not isinstance(recipe, (list, tuple)) or not recipe:
        return [], [
            "a recipe must be a cell of steps, the name of a ready one or JSON text, but is "
            + describe(recipe)
        ]
    checked: Recipe = []
    faults: list[str] = []
    for k, given in enumerate(recipe):
        step, found = _check_step(given, layers, training)
        place = f"step {k + 1}"
        if isinstance(step, Mapping) and isinstance(step.get("step"), str):
            place = f"step {k + 1} ({step['step']})"
            if step["step"] == "lowrank":
                layers = ()  # from here on there are layers of other names
        checked.append(step)
        faults += [f"{place}: {text}" for text in found]
    return checked, faults


def _check_step(step: Any, layers: Sequence[str], training: bool) -> tuple[Any, list[str]]:
    if not isinstance(step, Mapping) or not isinstance(step.get("step"), str):
        what = describe(step)
        return step, [f"a step must be a struct with a field STEP that names it, but is {what}"]
    known = known_steps()
    if step["step"] not in known:
        return step, [f"there is no step '{step['step']}'; the steps are {', '.join(known)}"]
    options = dict(known[step["step"]])
    one_of = options.pop("one_of", [])
    faults = []
    if options.pop("training", False) and not training:
        faults.append("it trains, but TRAINING is false")
    checked: dict[str, Any] = {"step": step["step"]}
    for name, value in sorted(step.items()):
        if name == "step":
            continue
        if name in options and not is_empty(value):
            checked[name], found = _check_value(name, value, options[name], layers)
            faults += found
        elif not is_empty(value):
            checked[name] = value
            listed = ", ".join(options)
            faults.append(f"there is no option '{name}'; the options are {listed}")
    is_pattern = ":" in str(checked.get("structure", ""))
    if one_of and not is_pattern and not any(name in checked for name in one_of):
        faults.append(f"give one of the options {', '.join(one_of)}")
    return checked, faults


def _check_value(
    name: str, value: Any, kind: Sequence[Any], layers: Sequence[str]
) -> tuple[Any, list[str]]:
    shown = name.upper()
    if kind[0] == "by layer":
        if is_real_scalar(value):
            return value, _fault_of(name, value, kind[1], kind[2:4])
        rows = _table_of(value)
        if not rows:
            what = describe(value)
            return value, [
                f"{shown} must be a number or a table {{name, number; ...}}, but is {what}"
            ]
        faults = [
            f"{text} for '{layer}'"
            for layer, entry in rows
            for text in _fault_of(name, entry, kind[1], kind[2:4])
        ]
        return rows, faults + _unknown(name, [row[0] for row in rows], layers)
    if kind[0] == "layers":
        value = [value] if isinstance(value, str) or is_number(value) else value
        value = [float(v) for v in value.ravel()] if isinstance(value, np.ndarray) else value
        if not isinstance(value, (list, tuple)) or not all(
            isinstance(v, str) or is_number(v) for v in value
        ):
            return value, [f"{shown} must be names or numbers of layers"]
        return list(value), _unknown(name, [v for v in value if isinstance(v, str)], layers)
    if kind[0] == "names":
        value = [value] if isinstance(value, str) else value
        entries = value if isinstance(value, (list, tuple)) else [value]
        return value, [f for v in entries for f in _fault_of(name, v, "choice", kind[1:])]
    return value, _fault_of(name, value, kind[0], kind[1:])


def _fault_of(name: str, value: Any, kind: str, limits: Any) -> list[str]:
    try:
        check("check_recipe", name, value, kind, limits)
    except OctcompressError as error:
        return [str(error).removeprefix("check_recipe: ")]
    return []


def _unknown(name: str, given: Sequence[str], layers: Sequence[str]) -> list[str]:
    known = ", ".join(layers)
    return [
        f"{name.upper()} names the layer '{layer}', but those with weights are {known}"
        for layer in given
        if layers and layer not in layers
    ]


def _table_of(value: Any) -> list[list[Any]]:
    if isinstance(value, Mapping):
        value = list(value.items())
    elif isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 2:
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return []
    rows = [list(row) for row in value if isinstance(row, (list, tuple)) and len(row) == 2]
    fine = len(rows) == len(value) and all(
        isinstance(name, str) and is_number(number) for name, number in rows
    )
    return rows if fine else []
