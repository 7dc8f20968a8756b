"""The verb distill: the reference of ``nn_distill.m``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .distill_inputs import draw_inputs
from .distill_teachers import (
    LOGIT_LOSSES,
    SOFT,
    SOFTMAX,
    Member,
    attach_features,
    make_source,
    read_features,
    teachers,
    tidy_named,
)
from .internal import (
    Progress,
    check,
    describe,
    fail,
    is_empty,
    is_numeric,
    number,
    scalar,
    value_array,
    vector_text,
)
from .train_data import Source, cut, path_text, training_options
from .train_loop import loop

CALLER = "nn_distill"


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
    teacher : dict or list of dicts
        A network, or several.
    student : dict
        A network with the same input and output size. What its pruning and quantization have
        promised is kept, as in `train`.
    x : array or None
        Inputs, N observations, as `predict` takes them; None for inputs drawn from what the teacher
        knows of its data.
    y : array, optional
        N class numbers 1 to K, or one-hot K x N; without them the teacher is all there is to
        learn from.
    progress : callable, optional
        Called after each epoch with a task, how much is done, how much there is, and text.
    loss : str or callable
        ``mse`` (default): mean squared error of the logits, or of any outputs [1]_; ``mae``,
        ``cosine``; of the softened probabilities ``kl`` [2]_, ``reverse_kl``, ``jensen_shannon``;
        ``none``; or ``value, gradient = loss (t, s)`` of logits K x N.
    temperature : float or two floats
        Of the softened probabilities (4); of two it goes from one to the other.
    alpha : float or two floats
        Share of the teacher in the loss, the rest is the cross-entropy with the labels (0.5; 1
        without labels).
    ramp : str
        How temperature and alpha go: ``linear`` or ``cosine``.
    features : dict or list of dicts
        Inner layers to compare too: loss (``hint``, ``attention``, ``rkd_distance``,
        ``rkd_angle``, ``similarity`` or a callable), teacher and student (names of layers), weight,
        from (number of the teacher, from 1).
    teacher_weights : array
        One for each teacher; equal.
    cache : str
        A .mat file for the teachers' outputs on `x`.
    generations : int
        The student becomes the teacher of the next generation [3]_.
    draw : dict
        Options of `distill_inputs.draw_inputs`, where `x` is None.
    **options
        All of `train` but its losses.

    Returns
    -------
    student : dict
    info : dict
        As `train` gives it; accuracies are against `y`, NaN without. The history also has
        teacher_loss, and label_loss and feature_loss where there are any.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_distill:sizesDiffer``, ``unknownLayer``, ``cacheMismatch``, and those of
        `train`.

    References
    ----------
    .. [1] Ba and Caruana, Do deep nets really need to be deep? NIPS 2014, arXiv:1312.6184.
    .. [2] Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015,
       arXiv:1503.02531.
    .. [3] Furlanello et al., Born-again neural networks, ICML 2018, arXiv:1805.04770.
    """
    own = {
        "loss": "mse",
        "temperature": 4.0,
        "alpha": None,
        "ramp": "linear",
        "features": [],
        "teacher_weights": None,
        "cache": "",
        "generations": 1.0,
        "draw": [],
    }
    options = training_options(CALLER, own, options)
    given = list(teacher) if isinstance(teacher, (list, tuple)) else [teacher]
    check_options(options, not is_empty(y), len(given))
    group = teachers(CALLER, given, options["teacher_weights"], options["features"])
    student = tidy_named(CALLER, "STUDENT", student)
    check_sizes(group, student, options)
    if is_empty(x):
        if not is_empty(y):
            fail(CALLER, "badValue", "Y must be left out where X is [] and inputs are drawn")
        draw = options["draw"]
        if not isinstance(draw, Mapping):
            draw = dict(zip(draw[::2], draw[1::2], strict=True))
        x, _ = draw_inputs(group[0].model, **draw)
    start = student
    for generation in range(int(scalar(options["generations"]))):
        if generation > 0:
            group = teachers(CALLER, [student], None, options["features"])
        student, info = one_generation(group, start, x, y, options, progress)
    return student, info


def check_options(options: dict[str, Any], labelled: bool, count: int) -> None:
    """Refuse values that `distill` cannot use; fills in alpha and the features."""
    if not callable(options["loss"]):
        check(CALLER, "loss", options["loss"], "choice", LOGIT_LOSSES)
    if is_empty(options["alpha"]):
        options["alpha"] = 0.5 if labelled else 1.0
    options["temperature"] = check_ends(options, "temperature", (1e-3, 1e6))
    options["alpha"] = check_ends(options, "alpha", (0, 1))
    check(CALLER, "ramp", options["ramp"], "choice", ["linear", "cosine"])
    options["features"] = read_features(CALLER, options["features"], count)
    check(CALLER, "generations", options["generations"], "integer", (1, 1e4))
    if not is_empty(options["cache"]):
        options["cache"] = path_text(options["cache"])
        check(CALLER, "cache", options["cache"], "text")
    draw = options["draw"]
    if not isinstance(draw, (Mapping, list, tuple)):
        fail(
            CALLER,
            "badValue",
            "DRAW must be a cell or struct of options of octcompress.distill.draw_inputs, but is "
            f"{describe(draw)}",
        )
    least = float(np.min(value_array(options["alpha"])))
    if not labelled and least < 1:
        message = f"ALPHA must be 1 where no labels Y are given, but is {number(least)}"
        fail(CALLER, "badValue", message)
    several = scalar(options["generations"]) > 1
    if not is_empty(options["cache"]) and (options["augmentation"] is not None or several):
        fail(
            CALLER,
            "badValue",
            "CACHE cannot go with AUGMENTATION or GENERATIONS, for which the teachers answer anew; "
            "leave it out",
        )
    if several and not (is_empty(options["checkpoint"]) and is_empty(options["resume"])):
        fail(
            CALLER,
            "badValue",
            "CHECKPOINT and RESUME do not go with GENERATIONS; call nn_distill for each of them",
        )


def check_ends(options: Mapping[str, Any], name: str, limits: tuple[float, float]) -> Any:
    """Check a number, or where it begins and where it ends."""
    ends = options[name]
    if is_numeric(ends) and np.size(value_array(ends)) == 2:
        ends = value_array(ends).astype(float).reshape(1, 2)
        check(CALLER, f"the first {name}", ends[0, 0], "number", limits)
        check(CALLER, f"the last {name}", ends[0, 1], "number", limits)
    else:
        check(CALLER, name, ends, "number", limits)
    return ends


def check_sizes(group: list[Member], student: graph.Model, options: Mapping[str, Any]) -> None:
    """Refuse networks whose inputs or outputs differ in size, and losses that do not fit them."""
    plan = cut(CALLER, student, SOFTMAX)
    [last] = plan.outputs
    out_size = plan.sizes[last]
    for member in group:
        pairs = {"input": (graph.input_size(member.model), graph.input_size(student))}
        if options["loss"] != "none":
            pairs["output"] = (member.outputs[0].size, out_size)
        for what, (first, second) in pairs.items():
            if first != second:
                fail(
                    CALLER,
                    "sizesDiffer",
                    f"TEACHER and STUDENT must have the same {what} size, but have "
                    f"[{vector_text(first)}] and [{vector_text(second)}]",
                )
    classes = out_size[-1]
    soft = isinstance(options["loss"], str) and options["loss"] in SOFT
    needs_classes = soft or float(np.min(value_array(options["alpha"]))) < 1
    if needs_classes and (math.prod(out_size) != classes or classes < 2):
        fail(
            CALLER,
            "badOutput",
            "the loss 'kl' and its like, and labels, need outputs of 2 or more values, but layer "
            f"'{student['layers'][last]['name']}' of STUDENT gives [{vector_text(out_size)}]; use "
            "'mse' without labels",
        )


def one_generation(
    group: list[Member],
    student: graph.Model,
    x: Any,
    y: Any,
    options: dict[str, Any],
    progress: Progress | None,
) -> tuple[graph.Model, dict[str, Any]]:
    """Train a student by its teachers."""
    plan = cut(CALLER, student, SOFTMAX)
    own = len(plan.types)
    wanted = options["features"]
    model, plan, features = attach_features(CALLER, student, plan, group, wanted, options["seed"])

    def source(x: Any, y: Any, cache: str, name: tuple[str, str]) -> Source:
        return make_source(CALLER, group, model, plan, features, x, y, options, cache, name)

    train = source(x, y, options["cache"], ("X", "Y"))
    validation = None
    if not is_empty(options["validation_data"]):
        given = [*options["validation_data"], None]
        name = ("the X of VALIDATION_DATA", "the Y of VALIDATION_DATA")
        validation = source(given[0], given[1], "", name)
    check(CALLER, "monitor", options["monitor"], "choice", ["loss", "accuracy"])
    if options["monitor"] == "accuracy" and (validation or train).labels is None:
        fail(CALLER, "badValue", "MONITOR can be 'accuracy' only where there are labels")
    trained, info = loop(CALLER, model, plan, train, validation, saveable(options), progress)
    info["options"]["cache"] = options["cache"]
    if not features:
        return trained, info
    # What was learnt beside the student, for the hints, goes.
    hints = {layer["name"] for layer in trained["layers"][own : len(plan.types)]}
    info["layers"] = [r for r in info["layers"] if r["tensor"].rpartition(".")[0] not in hints]
    layers = [*trained["layers"][:own], *student["layers"][own:]]
    return {**student, "layers": layers}, info


def saveable(options: dict[str, Any]) -> dict[str, Any]:
    """Give the options that a checkpoint compares: the names of callables, and no cache."""

    def named(loss: Any) -> Any:
        return getattr(loss, "__qualname__", repr(loss)) if callable(loss) else loss

    features = [{**one, "loss": named(one["loss"])} for one in options["features"]]
    kept = {name: value for name, value in options.items() if name != "cache"}
    return {**kept, "loss": named(options["loss"]), "features": features}
