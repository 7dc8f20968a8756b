"""The verb mixed: the reference of ``nn_mixed.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, check, fail, is_empty, number, parse_options, plain, scalar
from .nn_evaluate import evaluate
from .nn_quantize import quantize
from .nn_sensitivity import scale_count, sensitivity

CALLER = "nn_mixed"


def mixed(model: Any, x: Any, y: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Choose bits for each layer, under a budget of bytes or of accuracy.

    Parameters
    ----------
    model : dict
        A network.
    x : array
        Inputs, as `predict` takes them.
    y : array, optional
        Labels; needed for a budget of accuracy.
    bytes : float, optional
        Budget of the weights' codes and scales.
    accuracy : float, optional
        Budget: how far the share of right answers may fall.
    choices : list of int
        Numbers of bits to choose from (2, 3, 4, 6, 8).
    quantize : dict, optional
        Further options of `quantize`.
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    bits : array
        1 x tensors, for `quantize`.
    info : dict
        options, bytes, accuracy (with y), layers, steps.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_mixed:badValue``, ``unknownOption``, ``budget`` (cannot be met).

    References
    ----------
    .. [1] Dong et al., HAWQ-V2, NeurIPS 2020, arXiv:1911.03852.
    """
    defaults = {
        "bytes": None,
        "accuracy": None,
        "choices": np.array([[2.0, 3.0, 4.0, 6.0, 8.0]]),
        "quantize": None,
        "batch_size": 256,
    }
    options = parse_options(CALLER, defaults, options)
    if is_empty(options["bytes"]) == is_empty(options["accuracy"]):
        fail(CALLER, "badValue", "give a budget: either BYTES or ACCURACY")
    if not is_empty(options["bytes"]):
        check(CALLER, "bytes", options["bytes"], "number", (1, math.inf))
    else:
        check(CALLER, "accuracy", options["accuracy"], "number", (0, 1))
        if is_empty(y):
            fail(CALLER, "badValue", "ACCURACY needs Y, the labels of X")
    choices = np.unique(np.ravel(np.asarray(options["choices"], dtype=float)))
    settings = dict(options["quantize"]) if isinstance(options["quantize"], Mapping) else {}
    batch = options["batch_size"]
    row = choices[np.newaxis]
    report = sensitivity(model, x, bits=row, quantize=options["quantize"], batch_size=batch)
    model = graph.tidy(CALLER, model)
    tensors = graph.tensors(model)
    rows = {each["tensor"]: each for each in report["layers"]}
    errors = np.stack([np.ravel(rows[t.name]["output_error"]) for t in tensors])
    counts = np.array([[rows[t.name]["count"]] for t in tensors])
    scales = np.array([[scale_count(model, t, settings)] for t in tensors])
    sizes = np.ceil(counts * choices / 8) + 4 * scales

    path, moved = descend(errors, sizes)
    places = np.arange(len(tensors))
    totals = [float(sizes[places, place].sum()) for place in path]

    def accuracy_of(place: Array) -> float:
        own = {**settings, "bits": row[:, place], "activations": "none"}
        return evaluate(quantize(model, **own)[0], x, y, batch_size=batch)["accuracy"]

    if not is_empty(options["bytes"]):
        budget = scalar(options["bytes"])
        fitting = [k for k, total in enumerate(totals) if total <= budget]
        if not fitting:
            fail(
                CALLER,
                "budget",
                f"BYTES is {number(budget)}, but even with {choices[0]:.0f} bits everywhere the "
                f"weights take {totals[-1]:.0f}; add fewer bits to CHOICES, or prune",
            )
        s = fitting[0]
    else:
        drop = scalar(options["accuracy"])
        least = evaluate(model, x, y, batch_size=batch)["accuracy"] - drop
        if accuracy_of(path[0]) < least:
            fail(
                CALLER,
                "budget",
                f"with {choices[-1]:.0f} bits everywhere accuracy falls by more than "
                f"{number(drop)}; add more bits to CHOICES",
            )
        s, beyond = 0, len(path)
        while beyond - s > 1:
            middle = (s + beyond + 2) // 2 - 1
            if accuracy_of(path[middle]) >= least:
                s = middle
            else:
                beyond = middle
    bits = choices[path[s]]
    info: dict[str, Any] = {"options": options, "bytes": totals[s], "layers": [], "steps": []}
    if not is_empty(y):
        info["accuracy"] = accuracy_of(path[s])
    for k, tensor in enumerate(tensors):
        place = path[s][k]
        info["layers"].append(
            {
                "tensor": tensor.name,
                "bits": float(bits[k]),
                "bytes": float(sizes[k, place]),
                "output_error": float(errors[k, place]),
            }
        )
    for i in range(s):
        k = moved[i]
        step = float(choices[path[i + 1][k]])
        info["steps"].append({"tensor": tensors[k].name, "bits": step, "bytes": totals[i + 1]})
    return plain(bits[np.newaxis]), info


def descend(errors: Array, sizes: Array) -> tuple[list[Array], list[int]]:
    """Take bits away, step by step, where a byte saved costs the least error.

    Returns the places of each tensor's bits after every step, and the tensors that moved.
    """
    place = np.full(len(errors), errors.shape[1] - 1)
    path, moved = [place.copy()], []
    while place.any():
        best, step = math.inf, (0, 0)
        for k in np.flatnonzero(place):
            lower = np.arange(place[k])
            saved = sizes[k, place[k]] - sizes[k, lower]
            price = np.maximum((errors[k, lower] - errors[k, place[k]]) / saved, 0)
            to = int(place[k]) - 1 - int(np.argmin(price[::-1]))
            if price[to] < best:
                best, step = float(price[to]), (int(k), to)
        place[step[0]] = step[1]
        path.append(place.copy())
        moved.append(step[0])
    return path, moved
