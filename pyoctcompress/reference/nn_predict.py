"""The verbs predict and evaluate: the reference of ``nn_predict.m`` and ``nn_evaluate.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from . import model as graph
from .integer import integer_predict
from .internal import (
    Array,
    check,
    describe,
    fail,
    parse_options,
    plain,
    sequential_sum,
    share,
    size,
)

Info = dict[str, Any]


def predict(model: Any, x: Any, **options: Any) -> Any:
    """Compute the outputs of a network.

    Parameters
    ----------
    model : dict
        A network.
    x : array
        Features F x N (a column is an observation), images H x W x C x N, or sequences
        F x N x T; any numeric class, taken as it is.
    batch_size : int
        Observations at a time (256).
    arithmetic : str
        ``float`` (default), or ``integer``: 8-bit codes, 32-bit sums and fixed-point multipliers,
        by the rules of TensorFlow Lite's int8 kernels.
    requantization : str
        Of integers: ``double`` rounding (default) or ``single``.

    Returns
    -------
    array, or list of arrays where the network has several outputs
        In the same layout, single (double where the weights are).

    Raises
    ------
    OctcompressError
        ``octcompress:nn_predict:notModel``, ``badInput``, ``badSize``, ``notFinite``,
        ``badValue``, ``notInteger``.
    """
    caller = "nn_predict"
    defaults = {"batch_size": 256, "arithmetic": "float", "requantization": "double"}
    options = parse_options(caller, defaults, options)
    check(caller, "arithmetic", options["arithmetic"], "choice", ["float", "integer"])
    if options["arithmetic"] == "integer":
        rounding = options["requantization"]
        outputs = integer_predict(caller, model, x, options["batch_size"], rounding)
    else:
        outputs = graph.predict(caller, model, x, options["batch_size"])
    y = [plain(each) for each in outputs]
    return y[0] if len(y) == 1 else y


def evaluate(model: Any, x: Any, y: Any, **options: Any) -> Info:
    """Count how many observations a network classifies rightly.

    Parameters
    ----------
    model : dict
        A network with K outputs.
    x : array
        Inputs, as `predict` takes them, N observations.
    y : array
        N class numbers 1 to K, or one-hot, K x N.
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    dict
        accuracy (0 to 1), error, correct, count; loss, the mean cross-entropy: of the
        probabilities where the network ends in softmax, else of the softmax of its outputs;
        predicted, 1 x N class numbers, the first of equal outputs.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_evaluate:badLabels``, ``notModel``, ``badInput``, ``badSize``,
        ``notFinite``.
    """
    caller = "nn_evaluate"
    options = parse_options(caller, {"batch_size": 256}, options)
    model = graph.tidy(caller, model)
    outputs = graph.predict(caller, model, x, options["batch_size"])
    scores: Array = outputs[0]
    if len(outputs) != 1 or len(size(scores)) > 2:
        fail(
            caller,
            "notModel",
            "MODEL must have one output of K x N to be evaluated as a classifier, but gives "
            f"{describe(scores if len(outputs) == 1 else outputs)}",
        )
    scores = scores.reshape(size(scores)).astype(np.float64)
    classes, count = scores.shape
    labels = graph.labels(caller, y, classes)
    if labels.size != count:
        fail(
            caller,
            "badLabels",
            f"Y must label each of the {count} observations of X, but labels {labels.size}",
        )
    predicted = scores.argmax(axis=0)[np.newaxis] + 1.0
    correct = float(np.count_nonzero(predicted == labels))
    chosen = scores[labels.astype(int) - 1, np.arange(count)]
    if model["layers"][-1]["type"] == "softmax":
        log_p = np.log(np.maximum(chosen, np.finfo(np.float64).tiny))
    else:
        top = scores.max(axis=0, keepdims=True)
        log_p = chosen - top - np.log(np.exp(scores - top).sum(axis=0))
    return {
        "accuracy": share(correct, count),
        "error": 1 - share(correct, count),
        "correct": correct,
        "count": float(count),
        "loss": share(-sequential_sum(log_p), count),
        "predicted": plain(predicted),
    }
