"""The verb evaluate: the reference of ``nn_evaluate.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import model as graph
from .internal import (
    Array,
    check,
    describe,
    fail,
    parse_options,
    plain,
    scalar,
    sequential_sum,
    share,
    size,
)
from .train import binary_cross_entropy, huber
from .train_data import check_target

CALLER = "nn_evaluate"
LOSSES = ["crossentropy", "binary_crossentropy", "mse", "mae", "huber"]
TINY = np.finfo(np.float64).tiny
Info = dict[str, Any]


def evaluate(model: Any, x: Any, y: Any, **options: Any) -> Info:
    """Tell how good a network's outputs are: accuracy, top k, AUC, MSE, PSNR.

    Parameters
    ----------
    model : dict
        A network with one output.
    x : array
        Inputs, as `predict` takes them, N observations.
    y : array
        With the loss ``crossentropy`` N class numbers 1 to K, or one-hot, K x N; with all others
        targets of the output's size, as `train` takes them.
    loss : str
        ``crossentropy`` (default), ``binary_crossentropy``, ``mse``, ``mae`` or ``huber``.
    top_k : int
        Of the figure top_k (5).
    auc : bool
        Whether to compute the figure auc of ``crossentropy`` (False).
    peak : float
        The greatest value that the targets can have, of psnr (1).
    huber_delta : float
        Where ``huber`` turns from squared to linear (1).
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    dict
        count and loss. With ``crossentropy`` accuracy (0 to 1), error, correct; top_k, the share
        of observations whose class is among the top_k highest outputs; predicted, 1 x N class
        numbers, the first of equal outputs; with the option auc the mean over the classes of the
        area under the curve of that class's probability against all others. With
        ``binary_crossentropy`` accuracy, error and correct of all answers, and auc, the mean over
        the outputs. With the others mse, mae, and psnr, the mean over the observations of
        10 log10 (peak^2 / mse).

    Raises
    ------
    OctcompressError
        ``octcompress:nn_evaluate:badLabels``, ``badTarget``, ``notModel``, ``badInput``,
        ``badSize``, ``badValue``, ``notFinite``.
    """
    defaults = {
        "batch_size": 256,
        "loss": "crossentropy",
        "top_k": 5,
        "auc": False,
        "peak": 1,
        "huber_delta": 1,
    }
    options = parse_options(CALLER, defaults, options)
    check(CALLER, "loss", options["loss"], "choice", LOSSES)
    check(CALLER, "top_k", options["top_k"], "integer", (1, 1e9))
    check(CALLER, "auc", options["auc"], "flag")
    check(CALLER, "peak", options["peak"], "number", (1e-30, 1e30))
    check(CALLER, "huber_delta", options["huber_delta"], "number", (1e-12, 1e12))
    model = graph.tidy(CALLER, model)
    outputs = graph.predict(CALLER, model, x, options["batch_size"])
    scores: Array = outputs[0]
    classifies = options["loss"] == "crossentropy"
    if len(outputs) != 1 or (classifies and len(size(scores)) > 2):
        wanted = " of K x N to be evaluated as a classifier" if classifies else ""
        given = describe(scores if len(outputs) == 1 else outputs)
        fail(CALLER, "notModel", f"MODEL must have one output{wanted}, but gives {given}")
    if classifies:
        scores = scores.reshape(size(scores))
        labels = graph.labels(CALLER, y, scores.shape[0])
        if labels.size != scores.shape[1]:
            fail(
                CALLER,
                "badLabels",
                f"Y must label each of the {scores.shape[1]} observations of X, but labels "
                f"{labels.size}",
            )
        return figures_of(scores, labels, options, model["layers"][-1]["type"])
    plan = graph.plan(CALLER, model)
    [last] = plan.outputs
    out_size = plan.sizes[last]
    images = len(out_size) == 3
    count = scores.shape[3] if images else scores.shape[1]
    target = check_target(CALLER, y, out_size, count, options, ("X", "Y"))
    if len(out_size) == 2:
        scores, target = (a.transpose(0, 2, 1) for a in (scores, target))
    scores, target = (a.reshape(math.prod(out_size), count, order="F") for a in (scores, target))
    return figures_of(scores, target, options, model["layers"][last]["type"])


def figures_of(scores: Array, target: Array, options: dict[str, Any], kind: str) -> Info:
    """Tell how good F x N outputs are, for `evaluate` and for the option monitor of `train`.

    The target is 1 x N class numbers with the loss crossentropy, else F x N; `kind` is the type of
    the network's last layer.
    """
    if options["loss"] == "crossentropy":
        return of_classes(scores, target, options, kind)
    scores, target = scores.astype(np.float64), target.astype(np.float64)
    if options["loss"] == "binary_crossentropy":
        return of_questions(kind, scores, target)
    return of_numbers(scores, target, options)


def of_classes(scores: Array, labels: Array, options: dict[str, Any], kind: str) -> Info:
    """Tell how well K x N scores choose among K classes."""
    classes, count = scores.shape
    predicted = scores.argmax(axis=0)[np.newaxis] + 1.0
    correct = float(np.count_nonzero(predicted == labels))
    top = top_k(scores, labels, int(scalar(options["top_k"])))
    scores = scores.astype(np.float64)
    chosen = labels.astype(int).ravel() - 1, np.arange(count)
    if kind == "softmax":
        log_p = np.log(np.maximum(scores[chosen], TINY))
    else:
        scores = scores - scores.max(axis=0, keepdims=True)
        scores = scores - np.log(np.exp(scores).sum(axis=0))
        log_p = scores[chosen]
    result = {
        "accuracy": share(correct, count),
        "error": 1 - share(correct, count),
        "correct": correct,
        "count": float(count),
        "loss": share(-sequential_sum(log_p), count),
        "top_k": top,
        "predicted": plain(predicted),
    }
    if scalar(options["auc"]):
        result["auc"] = mean_area(scores, labels == np.arange(1, classes + 1)[:, np.newaxis])
    return result


def of_questions(kind: str, scores: Array, target: Array) -> Info:
    """Tell how well scores, each a question of its own, meet targets of 0 to 1."""
    if kind == "sigmoid":
        yes = scores >= 0.5
        each = -target * np.log(np.maximum(scores, TINY))
        each -= (1 - target) * np.log(np.maximum(1 - scores, TINY))
        loss = share(float(each.sum()), target.size)
    else:
        yes = scores >= 0
        loss = binary_cross_entropy(scores, target)[0]
    correct = float(np.count_nonzero(yes == (target >= 0.5)))
    return {
        "accuracy": share(correct, target.size),
        "error": 1 - share(correct, target.size),
        "correct": correct,
        "count": float(target.shape[1]),
        "loss": loss,
        "auc": mean_area(scores, target >= 0.5),
    }


def of_numbers(y: Array, target: Array, options: dict[str, Any]) -> Info:
    """Tell how near numbers come to their targets; a column is an observation."""
    difference = y - target
    squares = (difference**2).mean(axis=0)
    with np.errstate(divide="ignore"):
        psnr = 10 * np.log10(scalar(options["peak"]) ** 2 / squares)
    result = {
        "count": float(y.shape[1]),
        "loss": 0.0,
        "mse": float(squares.mean()),
        "mae": float(np.abs(difference).mean()),
        "psnr": float(psnr.mean()),
    }
    if options["loss"] == "huber":
        result["loss"] = huber(y, target, scalar(options["huber_delta"]))[0]
    else:
        result["loss"] = result[options["loss"]]
    return result


def top_k(scores: Array, labels: Array, k: int) -> float:
    """Share of observations whose class is among the k highest scores (K x N); labels 1 x N."""
    chosen = labels.astype(int).ravel() - 1
    own = scores[chosen, np.arange(scores.shape[1])]
    before = (scores == own) & (np.arange(scores.shape[0])[:, np.newaxis] < chosen)
    ahead = ((scores > own) | before).sum(axis=0)
    return share(float(np.count_nonzero(ahead < k)), scores.shape[1])


def area_under_curve(scores: Array, positive: Array) -> float:
    """Area under the receiver operating characteristic, from mean ranks [1]_.

    References
    ----------
    .. [1] Hanley and McNeil, The meaning and use of the area under a receiver operating
       characteristic (ROC) curve, Radiology 143, 1982.
    """
    positive = np.ravel(positive, order="F").astype(bool)
    _, group, members = np.unique(
        np.ravel(scores, order="F").astype(np.float64), return_inverse=True, return_counts=True
    )
    ranks = np.cumsum(members) - (members - 1) / 2
    p = int(np.count_nonzero(positive))
    pairs = p * (positive.size - p)
    if pairs == 0:
        return math.nan
    return (sequential_sum(ranks[group.ravel()[positive]]) - p * (p + 1) / 2) / pairs


def mean_area(scores: Array, positive: Array) -> float:
    """Average the areas of the rows that have positives and negatives."""
    areas = [area_under_curve(*rows) for rows in zip(scores, positive, strict=True)]
    known = [area for area in areas if not math.isnan(area)]
    return sequential_sum(np.array(known)) / len(known) if known else math.nan
