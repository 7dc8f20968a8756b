"""Inputs drawn from what a network knows of its data: the reference of ``draw_inputs.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import model as graph
from .distill_teachers import SOFTMAX, from_features, own_size, tidy_named, to_features
from .internal import (
    Array,
    check,
    describe,
    fail,
    is_empty,
    is_numeric,
    parse_options,
    plain,
    scalar,
    value_array,
    vector_text,
)
from .layers.common import option
from .train import adam_step, cross_entropy
from .train_data import cut

CALLER = "draw_inputs"


@dataclass(frozen=True)
class Norm:
    """A batch normalisation: its name, the layer it reads, and what it remembers."""

    name: str
    reads: int
    mean: Array
    variance: Array


@dataclass(frozen=True)
class Task:
    """What a batch of inputs is changed towards.

    Attributes
    ----------
    plan : Plan
        Its outputs are the logits, and what the norms read unless that is the input.
    classes : int
        0 where there are none.
    inputs : (array, array) or None
        The mean and the variance of each input, where they are given.
    """

    plan: graph.Plan
    layers: list[graph.Layer]
    norms: list[Norm]
    classes: int
    inputs: tuple[Array, Array] | None
    weight: float
    in_size: list[int]


def draw_inputs(teacher: Any, **options: Any) -> tuple[Array, dict[str, Any]]:
    """Draw inputs for those who have a network but not its data.

    Noise is changed by gradient until batches of it have the mean and the variance that each batch
    normalisation of the teacher remembers [1]_, and until the teacher is sure of classes drawn at
    random.

    Parameters
    ----------
    teacher : dict
        A network with one output.
    **options
        count, batch_size, steps, learning_rate, mean, deviation, label_weight, seed, verbose: see
        the help of ``octcompress.distill.draw_inputs``.

    Returns
    -------
    x : array
        Inputs, as `predict` takes them.
    info : dict
        loss (of each step), statistics_loss and label_loss (at the end), layers, options.

    Raises
    ------
    OctcompressError
        ``octcompress:draw_inputs:noStatistics`` where there is no batch normalisation and no mean
        and deviation, ``badValue``, ``unknownOption``, ``notModel``.

    References
    ----------
    .. [1] Yin et al., Dreaming to distill, CVPR 2020, arXiv:1912.08795.
    """
    defaults = {
        "count": 1000.0,
        "batch_size": 100.0,
        "steps": 200.0,
        "learning_rate": 0.1,
        "mean": None,
        "deviation": None,
        "label_weight": 0.1,
        "seed": 0.0,
        "verbose": False,
    }
    options = parse_options(CALLER, defaults, options)
    check(CALLER, "count", options["count"], "integer", (1, 1e9))
    check(CALLER, "batch_size", options["batch_size"], "integer", (2, 1e6))
    check(CALLER, "steps", options["steps"], "integer", (0, 1e6))
    check(CALLER, "learning_rate", options["learning_rate"], "number", (0, 1e6))
    check(CALLER, "label_weight", options["label_weight"], "number", (0, 1e6))
    check(CALLER, "seed", options["seed"], "integer", (0, 2**32 - 1))
    check(CALLER, "verbose", options["verbose"], "flag")
    teacher = tidy_named(CALLER, "TEACHER", teacher)
    in_size = graph.input_size(teacher)
    if any(n != n for n in in_size):
        fail(
            CALLER,
            "badValue",
            "TEACHER takes sequences of any length: set input_size to [features steps] for the "
            "length of those to draw",
        )
    weight = scalar(options["label_weight"])
    plan, norms, classes = targets_of(teacher, weight)
    given = not is_empty(options["mean"]) and not is_empty(options["deviation"])
    if not norms and not given:
        fail(
            CALLER,
            "noStatistics",
            "TEACHER has no batch normalisation that remembers its data; give the MEAN and the "
            "DEVIATION of its inputs (0.13 and 0.31 for MNIST from 0 to 1), or some real inputs",
        )
    centre = of_size("mean", options["mean"], 0.0, in_size)
    spread = of_size("deviation", options["deviation"], 1.0, in_size)
    layers = teacher["layers"][: len(plan.types)]
    inputs = (centre, spread**2) if given else None
    task = Task(plan, layers, norms, classes, inputs, weight, in_size)

    random = np.random.RandomState([int(scalar(options["seed"]))])
    kind = graph.float_class(teacher)
    count, size_of_batch = int(scalar(options["count"])), int(scalar(options["batch_size"]))
    features = math.prod(in_size)
    parts, course, ends = [], [], []
    for first in range(0, count, size_of_batch):
        # A batch of one has no variance.
        n = max(min(size_of_batch, count - first), 2)
        u = random.random_sample(features * n * 2).reshape(features, n, 2, order="F")
        z = np.sqrt(-2 * np.log(u[:, :, 0])) * np.cos(2 * np.pi * u[:, :, 1])
        labels = np.ceil(classes * random.random_sample((1, n))) if classes else None
        x = (centre + spread * z).astype(kind)
        x, losses, last = change(x, spread, labels, task, options)
        parts.append(x)
        course.append(losses)
        ends.append(last)
    x = np.concatenate(parts, axis=1)[:, :count]
    x = x.reshape(*in_size, count, order="F")
    if len(in_size) == 2:
        x = x.transpose(0, 2, 1)
    last = np.mean(ends, axis=0)
    info = {
        "options": options,
        "loss": plain(np.mean(course, axis=0)[np.newaxis]),
        "statistics_loss": float(last[0]),
        "label_loss": float(last[1]),
        "layers": [norm.name for norm in norms],
    }
    return x, info


def targets_of(teacher: graph.Model, weight: float) -> tuple[graph.Plan, list[Norm], int]:
    """Find the batch normalisations and what they read, as outputs of the plan after the logits."""
    plan = cut(CALLER, teacher, SOFTMAX)
    out_size = plan.sizes[plan.outputs[0]]
    classes = out_size[0] if weight > 0 and len(out_size) == 1 and out_size[0] > 1 else 0
    norms = []
    for k, layer in enumerate(teacher["layers"][: len(plan.types)]):
        if layer["type"] == "batchnorm":
            [reads] = plan.inputs[k]
            variance = layer["variance"] + scalar(option(layer, "epsilon", 1e-5))
            norms.append(Norm(layer["name"], reads, layer["mean"], variance))
            if reads >= 0:
                plan.outputs.append(reads)
    return plan, norms, int(classes)


def of_size(name: str, given: Any, standard: float, in_size: list[int]) -> Array:
    """Give a statistic of the inputs as a column, from a number or an array of their size."""
    value = np.array([[standard]]) if is_empty(given) else value_array(given)
    features = math.prod(in_size)
    fine = is_numeric(value) and not np.iscomplexobj(value) and value.size in (1, features)
    if not fine or not np.isfinite(value).all() or (name == "deviation" and (value < 0).any()):
        fail(
            CALLER,
            "badValue",
            f"{name.upper()} must be a number or an array of the size of one observation, "
            f"[{vector_text(in_size)}], but is {describe(given)}",
        )
    column = value.astype(float).reshape(-1, 1, order="F")
    return np.broadcast_to(column, (features, 1))


def change(
    x: Array, spread: Array, labels: Array | None, task: Task, options: dict[str, Any]
) -> tuple[Array, list[float], Array]:
    """Change a batch, a column for each observation, by the steps of Adam."""
    rate = (scalar(options["learning_rate"]) * spread).astype(x.dtype)
    mean, root = np.zeros_like(x), np.zeros_like(x)
    losses = []
    for step in range(1, int(scalar(options["steps"])) + 1):
        each, dx = loss_of(x, labels, task)
        losses.append(float(each[0] + task.weight * each[1]))
        nothing = np.zeros_like(x)
        moved, mean, root = adam_step(nothing, mean, root, dx, step, 1.0, 0.9, 0.999, 1e-8)
        x = x + rate * moved
    return x, losses, loss_of(x, labels, task)[0]


def loss_of(x: Array, labels: Array | None, task: Task) -> tuple[Array, Array]:
    """Give the losses of the statistics and of the labels, and the gradient of their sum."""
    batch = x.reshape(*task.in_size, -1, order="F")
    if len(task.in_size) == 2:
        batch = batch.transpose(0, 2, 1)
    y, trace = graph.forward(task.plan, task.layers, batch)
    each = np.zeros(2)
    dy = [np.zeros_like(y[0])]
    if labels is not None:
        each[1], d = cross_entropy(y[0], labels)
        dy = [task.weight * d]
    direct = np.zeros_like(batch)
    seen = iter(y[1:])
    for norm in task.norms:
        values = next(seen) if norm.reads >= 0 else batch
        value, d = batch_statistics(to_features(values), norm.mean, norm.variance)
        each[0] += value
        d = from_features(d, own_size(values))
        if norm.reads >= 0:
            dy.append(d)
        else:
            direct += d
    _, dx = graph.backward(task.plan, task.layers, trace, dy, True)
    assert dx is not None
    dx = dx + direct
    if len(task.in_size) == 2:
        dx = dx.transpose(0, 2, 1)
    dx = dx.reshape(x.shape, order="F")
    if task.inputs is not None:
        value, d = batch_statistics(x, *task.inputs)
        each[0] += value
        dx = dx + d
    return each, dx


def batch_statistics(features: Any, means: Any, variances: Any) -> tuple[float, Array]:
    """Compare the mean and variance of each channel of a batch with those that are remembered.

    Returns
    -------
    loss : float
        Mean over the channels of (m - mean)^2 / variance + (sqrt (v / variance) - 1)^2.
    gradient : array
        By `features`.
    """
    features = value_array(features)
    f = features.reshape(features.shape[0], -1, order="F")
    kind, (channels, count) = f.dtype.type, f.shape
    variances = np.maximum(value_array(variances).astype(kind), kind(1e-12))
    means = value_array(means).astype(kind)
    m = f.sum(axis=1, keepdims=True) / kind(count)
    centred = f - m
    v = (centred**2).sum(axis=1, keepdims=True) / kind(count)
    off = m - means
    ratio = np.sqrt(v / variances)
    loss = float((off**2 / variances + (ratio - 1) ** 2).astype(float).sum() / channels)
    slope = (ratio - 1) / (np.maximum(ratio, kind(1e-6)) * variances)
    gradient = (2 / (channels * count)) * (off / variances + slope * centred)
    return loss, gradient.astype(kind).reshape(features.shape, order="F")
