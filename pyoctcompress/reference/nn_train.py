"""The verb train: the reference of ``nn_train.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .internal import Progress, check, class_name, describe, fail, is_empty, value_array
from .train_data import Source, cut, data_source, training_options
from .train_loop import loop

Info = dict[str, Any]


def train(
    model: Any, x: Any, y: Any, progress: Progress | None = None, **options: Any
) -> tuple[graph.Model, Info]:
    """Train a network, or train it on, and keep what compression has promised.

    Parameters
    ----------
    model : dict
        A network with one output. Weights whose ``layer['pruning']`` is there and that are zero
        stay zero; weights whose ``layer['quantization']`` is there stay on their grid to the bit.
    x : array
        Inputs, as `predict` takes them, N observations.
    y : array
        For the loss ``crossentropy`` N class numbers 1 to K, or one-hot K x N; for all others
        targets of the output's size.
    progress : callable, optional
        Called after each epoch with a task, how much is done, how much there is, and text.
    **options
        Those of ``nn_train``, with the same defaults; `callback` takes a dict.

    Returns
    -------
    model : dict
        The trained network; with validation that of the best epoch.
    info : dict
        options, history, epochs, steps, best_epoch, stopped, layers.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_train:diverged``, ``badInput``, ``notFinite``, ``badLabels``,
        ``badTarget``, ``badOutput``, ``empty``, ``nothingToTrain``, ``severalOutputs``,
        ``resumeMismatch``, ``notModel``, ``badSize``, ``badValue``, ``unknownOption``.
    """
    caller = "nn_train"
    own = {
        "loss": "crossentropy",
        "label_smoothing": 0.0,
        "class_weights": None,
        "huber_delta": 1.0,
    }
    options = training_options(caller, own, options)
    losses = ["crossentropy", "binary_crossentropy", "mse", "mae", "huber"]
    check(caller, "loss", options["loss"], "choice", losses)
    check(caller, "label_smoothing", options["label_smoothing"], "number", (0, 1))
    check(caller, "huber_delta", options["huber_delta"], "number", (1e-12, 1e12))
    model = graph.tidy(caller, model)
    dropped: dict[str, tuple[str, ...]] = {
        "crossentropy": ("softmax", "logsoftmax"),
        "binary_crossentropy": ("sigmoid",),
    }
    plan = cut(caller, model, dropped.get(options["loss"], ()))
    if is_empty(y):
        fail(caller, "empty", "Y must not be empty; nn_distill needs no labels")
    check_class_weights(caller, options["class_weights"], math.prod(plan.sizes[plan.outputs[0]]))
    source = data_source(caller, model, plan, x, y, options, ("X", "Y"))
    validation = validation_source(caller, model, plan, options)
    return loop(caller, model, plan, source, validation, options, progress)


def validation_source(
    caller: str, model: graph.Model, plan: graph.Plan, options: Mapping[str, Any]
) -> Source | None:
    """Check the option validation_data; None where it was not given."""
    given = options["validation_data"]
    if is_empty(given):
        return None
    if len(given) < 2 or is_empty(given[1]):
        fail(caller, "badValue", "VALIDATION_DATA must be a cell {X, Y}")
    names = ("the X of VALIDATION_DATA", "the Y of VALIDATION_DATA")
    return data_source(caller, model, plan, given[0], given[1], dict(options), names)


def check_class_weights(caller: str, weights: Any, classes: int) -> None:
    """Refuse weights that are not one number above 0 for each class."""
    if is_empty(weights):
        return
    fine = class_name(weights) not in ("char", "cell", "struct", "logical")
    if fine:
        numbers = value_array(weights)
        fine = numbers.size == classes and not np.iscomplexobj(numbers)
        fine = fine and bool((np.isfinite(numbers) & (numbers > 0)).all())
    if not fine:
        fail(
            caller,
            "badValue",
            f"CLASS_WEIGHTS must be {classes} numbers above 0, one for each class, but is "
            f"{describe(weights)}",
        )
