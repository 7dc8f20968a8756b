"""The verb distill: the reference of ``nn_distill.m``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import distill as losses
from . import model as graph
from .internal import Array, Progress, check, describe, fail, is_empty, number, scalar, vector_text
from .train_data import Source, cut, data_source, sample_sum, training_options
from .train_loop import loop

CALLER = "nn_distill"
SOFTMAX = ("softmax", "logsoftmax")


def distill(
    teacher: Any,
    student: Any,
    x: Any,
    y: Any = None,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[graph.Model, dict[str, Any]]:
    """Train a network to give what another one gives.

    Parameters
    ----------
    teacher : dict
        A network.
    student : dict
        A network with the same input and output size. What its pruning and quantization have
        promised is kept, as in `train`.
    x : array
        Inputs, N observations, as `predict` takes them.
    y : array, optional
        N class numbers 1 to K, or one-hot K x N; without them the teacher is all there is to
        learn from.
    progress : callable, optional
        Called after each epoch with a task, how much is done, how much there is, and text.
    loss : str
        ``mse`` (default): mean squared error of the logits, or of any outputs [1]_; ``kl``:
        divergence of the softened probabilities [2]_.
    temperature : float
        Of ``kl`` (4).
    alpha : float
        Share of the teacher in the loss, the rest is the cross-entropy with the labels (0.5; 1
        without labels).
    **options
        All of `train` but its losses.

    Returns
    -------
    student : dict
    info : dict
        As `train` gives it; accuracies are against `y`, NaN without.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_distill:sizesDiffer``, and those of `train`.

    References
    ----------
    .. [1] Ba and Caruana, Do deep nets really need to be deep? NIPS 2014, arXiv:1312.6184.
    .. [2] Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015,
       arXiv:1503.02531.
    """
    own = {"loss": "mse", "temperature": 4.0, "alpha": None}
    options = training_options(CALLER, own, options)
    check_options(options, not is_empty(y))
    teacher = tidy_named("TEACHER", teacher)
    student = tidy_named("STUDENT", student)
    teacher_plan = cut(CALLER, teacher, SOFTMAX)
    plan = cut(CALLER, student, SOFTMAX)
    check_sizes(teacher, student, teacher_plan, plan, options)

    def source(x: Any, y: Any, name: tuple[str, str]) -> Source:
        return make_source(teacher, student, teacher_plan, plan, x, y, options, name)

    train = source(x, y, ("X", "Y"))
    validation = None
    if not is_empty(options["validation_data"]):
        given = [*options["validation_data"], None]
        name = ("the X of VALIDATION_DATA", "the Y of VALIDATION_DATA")
        validation = source(given[0], given[1], name)
    if options["monitor"] == "accuracy" and (validation or train).labels is None:
        fail(CALLER, "badValue", "MONITOR can be 'accuracy' only where there are labels")
    return loop(CALLER, student, plan, train, validation, options, progress)


def check_options(options: dict[str, Any], labelled: bool) -> None:
    """Refuse values that `distill` cannot use; fills in alpha."""
    check(CALLER, "loss", options["loss"], "choice", ["mse", "kl"])
    check(CALLER, "temperature", options["temperature"], "number", (1e-3, 1e6))
    if is_empty(options["alpha"]):
        options["alpha"] = 0.5 if labelled else 1.0
    check(CALLER, "alpha", options["alpha"], "number", (0, 1))
    alpha = scalar(options["alpha"])
    if not labelled and alpha < 1:
        message = f"ALPHA must be 1 where no labels Y are given, but is {number(alpha)}"
        fail(CALLER, "badValue", message)


def tidy_named(name: str, model: Any) -> graph.Model:
    """Tidy a network; the error names which of the two is none."""
    if not graph.is_network(model):
        fail(
            CALLER,
            "notModel",
            f"{name} must be a struct with a cell LAYERS of structs that have a TYPE, but is "
            f"{describe(model)}",
        )
    return graph.tidy(CALLER, model)


def check_sizes(
    teacher: graph.Model,
    student: graph.Model,
    teacher_plan: graph.Plan,
    plan: graph.Plan,
    options: Mapping[str, Any],
) -> None:
    """Refuse networks whose inputs or outputs differ in size, and losses that do not fit them."""
    [last] = plan.outputs
    out_size = plan.sizes[last]
    pairs = {
        "input": (graph.input_size(teacher), graph.input_size(student)),
        "output": (teacher_plan.sizes[teacher_plan.outputs[0]], out_size),
    }
    for what, (first, second) in pairs.items():
        if first != second:
            fail(
                CALLER,
                "sizesDiffer",
                f"TEACHER and STUDENT must have the same {what} size, but have "
                f"[{vector_text(first)}] and [{vector_text(second)}]",
            )
    classes = out_size[-1]
    needs_classes = options["loss"] == "kl" or scalar(options["alpha"]) < 1
    if needs_classes and (math.prod(out_size) != classes or classes < 2):
        fail(
            CALLER,
            "badOutput",
            "the loss 'kl' and labels need outputs of 2 or more values, but layer "
            f"'{student['layers'][last]['name']}' of STUDENT gives [{vector_text(out_size)}]; use "
            "'mse' without labels",
        )


def make_source(
    teacher: graph.Model,
    student: graph.Model,
    teacher_plan: graph.Plan,
    plan: graph.Plan,
    x: Any,
    y: Any,
    options: Mapping[str, Any],
    name: tuple[str, str],
) -> Source:
    """Check observations, and make the loss of the student's outputs on them.

    The teacher's outputs are computed once; with augmentation from each batch.
    """
    wanted = {
        "loss": "crossentropy",
        "augmentation": options["augmentation"],
        "label_smoothing": 0.0,
        "class_weights": None,
    }
    source = data_source(CALLER, student, plan, x, y, wanted, name)
    label_loss, alpha = source.loss, scalar(options["alpha"])
    if label_loss is None and alpha < 1:
        message = f"ALPHA must be 1 where {name[1]} is left out, but is {number(alpha)}"
        fail(CALLER, "badValue", message)
    layers = teacher["layers"][: len(teacher_plan.types)]
    kind = graph.float_class(student)
    known: Array | None = None
    total = source.check
    if options["augmentation"] is None:
        known = losses.logits(CALLER, teacher, teacher_plan, source.x).astype(kind)
        total += sample_sum(known)

    def mixed_loss(outputs: list[Array], which: Array, x: Array) -> tuple[float, list[Array]]:
        y = outputs[0]
        if known is None:
            t = graph.forward(teacher_plan, layers, x)[0][0]
        else:
            t = known[:, :, :, which] if known.ndim == 4 else known[:, which]
        value, gradient = 0.0, np.zeros_like(y)
        if alpha > 0 and options["loss"] == "kl":
            shape = (-1, which.size)
            value, gradient = losses.kl(
                t.reshape(shape, order="F"), y.reshape(shape, order="F"), options["temperature"]
            )
            gradient = gradient.reshape(y.shape, order="F")
        elif alpha > 0:
            value, gradient = losses.mse(t, y)
        if alpha < 1 and label_loss is not None:
            label_value, label_dy = label_loss(outputs, which, x)
            value = alpha * value + (1 - alpha) * label_value
            gradient = alpha * gradient + (1 - alpha) * label_dy[0]
        return value, [gradient]

    return replace(source, loss=mixed_loss, check=total)
