"""What is least important: the reference of ``+prune/score_tensors.m`` and the loss's gradients."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import model as graph
from . import prune
from .gram import Stats, input_gram
from .internal import Array, describe, fail, is_empty, scalar, value_array
from .prune import Shape, from_matrix, to_matrix
from .train import cross_entropy, random_uniform
from .train_data import cut

CALLER = "nn_prune"


def score_tensors(
    model: Any,
    tensors: list[graph.Tensor],
    arrays: list[Array],
    shapes: list[Shape],
    options: Mapping[str, Any],
) -> list[Array]:
    """Score every weight of several tensors; the least are pruned first.

    Where a criterion judges whole filters, all weights of a filter have its score.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_prune:badScore``, ``badLayer``, and those of the data.
    """
    criterion = options["criterion"]
    seed, batch_size = scalar(options["seed"]), scalar(options["batch_size"])
    if callable(criterion):
        return [users_score(criterion, t, w) for t, w in zip(tensors, arrays, strict=True)]
    if criterion == "magnitude":
        return [prune.magnitude_score(w, options["norm"]) for w in arrays]
    if criterion == "random":
        return [prune.random_score(w.shape, seed + k) for k, w in enumerate(arrays)]
    if criterion == "movement" and not is_empty(options["before"]):
        old = [old_weights(options["before"], t, w) for t, w in zip(tensors, arrays, strict=True)]
        return [prune.movement_score(w, w - o) for w, o in zip(arrays, old, strict=True)]
    if criterion in ("taylor", "movement"):
        score = prune.taylor_score if criterion == "taylor" else against_gradient
        data = options["data"], options["labels"]
        return loss_gradients(CALLER, model, *data, tensors, score, batch_size)
    if criterion == "obd":
        size = min(batch_size, 16.0)
        curvature = loss_curvature(CALLER, model, options["data"], tensors, size, seed)
        pairs = zip(arrays, curvature, strict=True)
        return [prune.obd_score(w.astype(float), c) for w, c in pairs]
    plan = graph.plan(CALLER, model) if criterion == "batchnorm" else None
    scores = []
    for tensor, w, shape in zip(tensors, arrays, shapes, strict=True):
        matrix = to_matrix(w, shape)
        if criterion == "wanda":
            k = tensor.layer - 1
            stats = input_gram(CALLER, model, options["data"], k, batch_size)
            value = prune.wanda_score(matrix.astype(float), input_norms(stats, shape))
        elif criterion == "fpgm":
            value = np.repeat(prune.fpgm_score(matrix), matrix.shape[1], axis=1)
        else:
            scale = batchnorm_scale(model, plan, tensor)
            value = np.repeat(np.abs(scale).astype(float), matrix.shape[1], axis=1)
        scores.append(from_matrix(value, shape, w.shape))
    return scores


def against_gradient(w: Array, gradient: Array) -> Array:
    """Score by movement along the negative gradient."""
    return prune.movement_score(w, -gradient)


def users_score(criterion: Callable[[Array], Any], tensor: graph.Tensor, w: Array) -> Array:
    """Call the user's criterion and check what it gives."""
    score = criterion(w)
    array = value_array(score)
    if array.shape != w.shape or array.dtype.kind != "f" or np.isnan(array).any():
        fail(
            CALLER,
            "badScore",
            f"CRITERION must give a real array of the size of the weights of '{tensor.name}' "
            f"without NaN, but gave {describe(score)}",
        )
    return array


def old_weights(before: Any, tensor: graph.Tensor, w: Array) -> Array:
    """Find a tensor in the network before its training."""
    if graph.is_network(before):
        before = graph.tidy(CALLER, before)
        for other in graph.tensors(before):
            if other.name == tensor.name:
                old = value_array(graph.get_tensor(before, other))
                if old.shape == w.shape:
                    return old
    fail(
        CALLER,
        "badValue",
        f"BEFORE must be the same network before its training, but has no {tensor.name} of the "
        "same size",
    )


def input_norms(stats: Stats, shape: Shape) -> Array:
    """Give the norm of the input of each weight, out x in."""
    each = shape.rows // shape.parts
    norms = [np.sqrt(np.diag(stats.gram[:, :, g])) for g in range(shape.parts)]
    return np.repeat(np.stack(norms), each, axis=0)


def batchnorm_scale(model: Any, plan: Any, tensor: graph.Tensor) -> Array:
    """Find the scale of the batchnorm layer that reads a layer."""
    for k, layer in enumerate(model["layers"]):
        if layer["type"] == "batchnorm" and tensor.layer - 1 in plan.inputs[k]:
            return value_array(layer["scale"])
    fail(
        CALLER,
        "badLayer",
        f"the criterion 'batchnorm' needs a batchnorm layer after '{tensor.owner}'; name the "
        "layers that have one in LAYERS",
    )


def loss_gradients(
    caller: str,
    model: graph.Model,
    x: Any,
    y: Any,
    places: list[graph.Tensor],
    score: Callable[[Array, Array], Array],
    batch_size: float,
) -> list[Array]:
    """Average score (w, gradient) over batches, the gradient being of the mean cross-entropy."""
    plan = cut(caller, model, ("softmax", "logsoftmax"))
    x, ranges = graph.batches(caller, model, x, batch_size)
    labels = graph.labels(caller, y, int(plan.sizes[plan.outputs[0]][0]))
    count = x.shape[graph.observation_axis(x)]
    if not ranges or labels.size != count:
        fail(
            caller,
            "badLabels",
            f"LABELS must label each of the {count} observations of DATA, and at least one, but "
            f"labels {labels.size}",
        )
    layers = model["layers"][: len(plan.types)]
    sums: list[Any] = [0] * len(places)
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        [logits], trace = graph.forward(plan, layers, batch)
        _, dy = cross_entropy(logits, labels[:, which])
        gradients, _ = graph.backward(plan, layers, trace, [dy])
        for p, place in enumerate(places):
            gradient, w = gradient_at(gradients, model, place)
            sums[p] = sums[p] + score(w, gradient).astype(float)
    return [s / len(ranges) for s in sums]


def gradient_at(
    gradients: list[dict[str, Array]], model: graph.Model, place: graph.Tensor
) -> tuple[Array, Array]:
    """Return the gradient by an array, zero where no output depends on it, and the array."""
    w = value_array(model["layers"][place.layer - 1][place.field])
    if place.layer <= len(gradients) and place.field in gradients[place.layer - 1]:
        return gradients[place.layer - 1][place.field].reshape(w.shape), w
    return np.zeros_like(w), w


def loss_curvature(
    caller: str,
    model: graph.Model,
    x: Any,
    places: list[graph.Tensor],
    batch_size: float,
    seed: float,
) -> list[Array]:
    """Estimate the diagonal of the loss's Hessian by random signs; see ``loss_curvature.m``."""
    plan = cut(caller, model, ("softmax", "logsoftmax"))
    x, ranges = graph.batches(caller, model, x, batch_size)
    if not ranges:
        fail(caller, "badInput", "DATA must hold at least one observation")
    layers = model["layers"][: len(plan.types)]
    random = np.random.RandomState([int(seed)])
    sums: list[Any] = [0] * len(places)
    for which in ranges:
        [z], trace = graph.forward(plan, layers, graph.take_batch(x, model, which))
        p = np.exp(z - z.max(axis=0, keepdims=True))
        p = p / p.sum(axis=0, keepdims=True)
        signs = 2.0 * (random_uniform(random, p.shape) < 0.5) - 1
        along = np.sqrt(p) * signs.astype(p.dtype)
        dy = along - p * along.sum(axis=0, keepdims=True)
        gradients, _ = graph.backward(plan, layers, trace, [dy])
        for i, place in enumerate(places):
            gradient, _ = gradient_at(gradients, model, place)
            sums[i] = sums[i] + gradient.astype(float) ** 2
    count = x.shape[graph.observation_axis(x)]
    return [s / count for s in sums]
