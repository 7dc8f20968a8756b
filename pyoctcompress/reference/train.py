"""Losses, optimisers, schedules and random numbers: the reference of ``+octcompress/+train``.

The rest of that folder is in `train_data` and `train_loop`. Scalars such as the learning rate
are Python floats, so that an array of singles stays single.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .internal import Array, check, is_empty, scalar

Options = dict[str, Any]


# Losses. Each gives the mean loss in double and its gradient by the first argument.


def squared_error(y: Array, target: Array) -> tuple[float, Array]:
    """Mean of (y - target)^2 over all entries; gradient 2 (y - target) / n."""
    difference = y - target
    loss = float((difference.astype(np.float64) ** 2).sum() / y.size)
    return loss, (2 / y.size) * difference


def absolute_error(y: Array, target: Array) -> tuple[float, Array]:
    """Mean magnitude of y - target over all entries; gradient sign (y - target) / n."""
    difference = y - target
    loss = float(np.abs(difference.astype(np.float64)).sum() / y.size)
    return loss, np.sign(difference) / y.size


def huber(y: Array, target: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Mean of e^2 / 2 where e = y - target is within delta, else of delta (abs (e) - delta / 2)."""
    e = y - target
    clipped = np.clip(e, -delta, delta)
    each = clipped.astype(np.float64) * (e.astype(np.float64) - clipped.astype(np.float64) / 2)
    return float(each.sum() / y.size), clipped / y.size


def binary_cross_entropy(logits: Array, target: Array) -> tuple[float, Array]:
    """Sigmoid and cross-entropy together; gradient (p - target) / n with p = sigmoid (logits)."""
    with np.errstate(over="ignore"):
        each = np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
        gradient = (1 / (1 + np.exp(-logits)) - target) / logits.size
    return float(each.astype(np.float64).sum() / logits.size), gradient


def cross_entropy(
    logits: Array, labels: Array, smoothing: float = 0.0, class_weights: Any = None
) -> tuple[float, Array]:
    """Softmax and cross-entropy together.

    Parameters
    ----------
    logits : array
        K x N, what goes into the softmax.
    labels : array
        1 x N class numbers.
    smoothing : float
        The target is (1 - smoothing) * one-hot + smoothing / K [1]_.
    class_weights : array, optional
        K numbers; observation n counts ``class_weights[labels[n] - 1]``.

    Returns
    -------
    loss : float
        The weighted mean over n of minus the sum over k of target * log (p).
    gradient : array
        K x N: weight of n / sum of weights * (p - target), with p = softmax (logits).

    References
    ----------
    .. [1] Szegedy et al., Rethinking the Inception architecture, CVPR 2016, arXiv:1512.00567.
    """
    classes, count = logits.shape
    chosen = (np.ravel(labels).astype(int) - 1, np.arange(count))
    z = logits - logits.max(axis=0)
    total = np.exp(z).sum(axis=0)
    one_hot = np.zeros_like(z)
    one_hot[chosen] = 1
    each = np.log(total) - z[chosen]
    if smoothing > 0:
        # Minus the sum of target * log (p): the even target gives log (total) - mean (z).
        each = (1 - smoothing) * each + smoothing * (np.log(total) - z.sum(axis=0) / classes)
        one_hot = (1 - smoothing) * one_hot + smoothing / classes
    gradient = np.exp(z) / total - one_hot
    if is_empty(class_weights):
        return float(each.astype(np.float64).sum() / count), gradient / count
    weight = np.ravel(class_weights).astype(np.float64)[chosen[0]]
    weight = (weight / weight.sum()).astype(logits.dtype)
    return float((weight * each).astype(np.float64).sum()), gradient * weight


# Steps of the optimisers.


def sgd_step(
    w: Array, velocity: Array, step: Array, momentum: float, nesterov: bool = False
) -> tuple[Array, Array]:
    """Descend one step with momentum.

    ``velocity = momentum * velocity + step``; ``w = w - velocity``, with Nesterov
    ``w = w - (momentum * velocity + step)``. `step` is learning rate * gradient.
    """
    if momentum == 0:
        return w - step, velocity
    velocity = momentum * velocity + step
    return w - (momentum * velocity + step if nesterov else velocity), velocity


def adam_step(
    w: Array,
    mean: Array,
    root: Array,
    gradient: Array,
    count: int,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Descend one step of Adam [1]_.

    ``w = w - rate * (m / (1 - beta1^count)) / (sqrt (v / (1 - beta2^count)) + epsilon)`` with
    ``m = (1 - beta1) * mean`` and ``sqrt (v) = sqrt (1 - beta2) * root``: the sum of the gradients,
    and the root of the sum of their squares, each times beta^age.

    References
    ----------
    .. [1] Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, arXiv:1412.6980.
    """
    mean = beta1 * mean + gradient
    root = np.hypot(math.sqrt(beta2) * root, gradient)
    if rate == 0:
        return w, mean, root
    numerator = rate * (1 - beta1) / (1 - beta1**count)
    denominator = math.sqrt((1 - beta2) / (1 - beta2**count))
    return w - mean / ((denominator / numerator) * root + epsilon / numerator), mean, root


def learning_rate(options: Mapping[str, Any], step: int, steps_per_epoch: int) -> float:
    """Compute the learning rate of a step, counted from 0; see ``learning_rate.m``."""
    start, final = scalar(options["learning_rate"]), scalar(options["final_rate"])
    total = scalar(options["epochs"]) * steps_per_epoch
    schedule = options["schedule"]

    def half_cosine(source: float, target: float, t: float) -> float:
        return target + (source - target) * (1 + math.cos(math.pi * t)) / 2

    if schedule == "onecycle":
        top = 0.3 * total
        if step < top:
            return half_cosine(start / 25, start, step / top)
        return half_cosine(start, final, (step - top) / (total - top))
    warm = math.floor(scalar(options["warmup"]) * steps_per_epoch + 0.5)
    if step < warm:
        return start * (step + 1) / warm
    periods = step / (steps_per_epoch * scalar(options["decay_epochs"]))
    if schedule == "step":
        return start * scalar(options["decay"]) ** math.floor(periods)
    if schedule == "exponential":
        return start * scalar(options["decay"]) ** periods
    if schedule == "cosine":
        return half_cosine(start, final, (step - warm) / (total - warm))
    return start


# Random numbers. RandomState ([seed]) gives those of rand ('twister', seed) in Octave.


def random_order(random: np.random.RandomState, count: int) -> Array:
    """Draw a permutation of 0 to count - 1: the places of `count` numbers in rising order."""
    return np.argsort(random.random_sample(count), kind="stable")


def random_uniform(random: np.random.RandomState, sizes: Any) -> Array:
    """Draw numbers in (0, 1) for an array, in column-major order as Octave does."""
    sizes = tuple(int(n) for n in np.ravel(sizes))
    return random.random_sample(math.prod(sizes)).reshape(sizes, order="F")


def random_state(random: np.random.RandomState) -> Array:
    """Return a generator's state as Octave's ``rand ('twister')`` gives it: 625 x 1 uint32."""
    _, words, place, *_ = random.get_state()
    return np.append(words, 625 - int(place)).astype(np.uint32)[:, np.newaxis]


def set_random_state(random: np.random.RandomState, state: Array) -> None:
    """Put a generator into a state of `random_state`."""
    words = np.ravel(state).astype(np.int64)
    random.set_state(("MT19937", words[:624].astype(np.uint32), 625 - int(words[624]), 0, 0.0))


def initial_weights(
    random: np.random.RandomState,
    sizes: Any,
    kind: str = "he",
    fan_in: float | None = None,
    fan_out: float | None = None,
) -> Array:
    """Draw weights to begin training with, single.

    Parameters
    ----------
    sizes : sequence of int
        out x in of a dense layer, kh x kw x cin/groups x cout of a convolution.
    kind : str
        ``he``: uniform in +-sqrt (6 / fan_in) [1]_; ``glorot``: in +-sqrt (6 / (fan_in +
        fan_out)) [2]_.
    fan_in, fan_out : float, optional
        Inputs of one output, and outputs that read one input; of the sizes by default.

    References
    ----------
    .. [1] He et al., Delving deep into rectifiers, ICCV 2015, arXiv:1502.01852.
    .. [2] Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
       networks, AISTATS 2010.
    """
    check("initial_weights", "kind", kind, "choice", ["he", "glorot"])
    sizes = [int(n) for n in np.ravel(sizes)]
    if fan_in is None:
        fan_in = sizes[1] if len(sizes) == 2 else math.prod(sizes[:3])
    if fan_out is None:
        fan_out = sizes[0] if len(sizes) == 2 else math.prod([*sizes[:2], *sizes[3:]])
    limit = math.sqrt(6 / (fan_in if kind == "he" else fan_in + fan_out))
    return ((2 * random_uniform(random, sizes) - 1) * limit).astype(np.float32)


def augment(
    images: Array, input_size: list[int], options: Options, random: np.random.RandomState | None
) -> Array:
    """Flip, shift and crop a batch of images at random.

    Parameters
    ----------
    images : array
        H x W x C x n; with pixels, features x n.
    input_size : list of int
        [h, w, c] of the images that come out; smaller than H x W only with crop.
    options : dict
        flip, shift, crop, pixels: of `check_augmentation`.
    random : RandomState or None
        Each image takes four numbers: flip left-right, flip up-down, row, column. None: nothing is
        random; with crop the window is in the middle.
    """
    if not is_empty(options["pixels"]):
        h, w, c = (int(n) for n in np.ravel(options["pixels"]))
        options = {**options, "pixels": None}
        images = images.reshape((w, h, c, -1), order="F").transpose(1, 0, 2, 3)
        images = augment(images, [h, w, c], options, random)
        return images.transpose(1, 0, 2, 3).reshape((h * w * c, -1), order="F")
    rows, columns, channels, count = images.shape
    height, width = input_size[:2]
    if random is None:
        top, left = (rows - height) // 2, (columns - width) // 2
        return images[top : top + height, left : left + width]
    u = random_uniform(random, (4, count))
    flip, border = options["flip"], int(scalar(options["shift"]))
    padded = np.zeros((rows + 2 * border, columns + 2 * border, channels, count), images.dtype)
    padded[border : border + rows, border : border + columns] = images
    result = np.zeros((height, width, channels, count), images.dtype)
    for n in range(count):
        top = int(u[2, n] * (rows - height + 2 * border + 1))
        left = int(u[3, n] * (columns - width + 2 * border + 1))
        image = padded[top : top + height, left : left + width, :, n]
        if u[0, n] < 0.5 and flip in ("horizontal", "both"):
            image = image[:, ::-1]
        if u[1, n] < 0.5 and flip in ("vertical", "both"):
            image = image[::-1]
        result[:, :, :, n] = image
    return result
