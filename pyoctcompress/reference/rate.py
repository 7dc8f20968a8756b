"""Rounding for bytes and error together: the reference of ``rdoq.m`` and its parts."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, fail, parse_options, round_half_away, scalar, value_array
from .rounding import gram_factor, input_order
from .train import random_uniform
from .train_data import cut


@dataclass
class Found:
    """What `rdoq` gives: codes out x in, the step, estimated bits, and each row's loss."""

    codes: Array
    step: float
    bits: float
    loss: Array


@dataclass
class Curvature:
    """A group's damped Gram matrix in order of falling diagonal, and its two ways of mixing."""

    order: Array
    gram: Array
    feed: Array
    feed_curvature: Array
    descend: Array
    curvature: Array
    mean: float


def code_bits(codes: Array, most: int, context: bool) -> tuple[Array, Array, Array]:
    """Tell what each code of a matrix would cost in bits, were its codes coded adaptively.

    Returns
    -------
    zero, other : array
        out x in: bits of a zero at each place, and of another code with its sign.
    sizes : array
        Bits of the magnitudes 1 to `most`.
    """
    used = codes != 0
    out, inputs = codes.shape
    share = (np.count_nonzero(used) + 0.5) / (codes.size + 1)
    odds = np.full(codes.shape, log_odds(share))
    if context:
        rows = log_odds((used.sum(axis=1, keepdims=True) + 4 * share) / (inputs + 4))
        columns = log_odds((used.sum(axis=0, keepdims=True) + 4 * share) / (out + 4))
        odds = rows + columns - odds
    zero = (np.maximum(odds, 0) + np.log1p(np.exp(-np.abs(odds)))) / np.log(2)
    other = zero - odds / np.log(2) + 1
    m = np.abs(codes[used]).astype(np.intp)
    counts = np.bincount(m, minlength=most + 1)[1 : most + 1]
    ratio = (m.sum() - m.size + 0.5) / (m.sum() + 1)
    likely = (1 - ratio) * ratio ** np.arange(most)
    return zero, other, -np.log2(np.maximum((counts + 4 * likely) / (m.size + 4), 2.0**-60))


def log_odds(p: Any) -> Any:
    """Give the logarithm of the odds of a probability."""
    return np.log(p / (1 - p))


def rdoq(w: Any, gram: Any, price: Any, **options: Any) -> Found:
    """Round a layer's weights so that error and bits together are least.

    Parameters
    ----------
    w : array, out x in
    gram : array, in x in or in x in x groups
        The mean of u u' over the layer's inputs u, of each group of rows.
    price : float or array of out x 1
        How much squared error of a row's output one bit is worth.
    step : float, optional
        Of the grid, to begin with.
    coarseness : float
        Without `step`: it in shares of the best one at high rates (1).
    feed, sweeps : int
        Passes with error feedback (3), and of descent at most (4).
    context : bool
        Bits by row and column (True).
    damping : float
        0.01, of the diagonals.
    zeros : array, optional
        Logical, out x in: weights that stay zero.

    References
    ----------
    .. [1] Sullivan and Wiegand, Rate-distortion optimization for video compression, 1998.
    .. [2] Wiedemann et al., DeepCABAC, 2020, arXiv:1907.11900.
    .. [3] Frantar et al., GPTQ, ICLR 2023, arXiv:2210.17323.
    """
    defaults = {
        "step": None,
        "coarseness": 1.0,
        "feed": 3,
        "sweeps": 4,
        "context": True,
        "damping": 0.01,
        "zeros": None,
    }
    options = parse_options("rdoq", defaults, options)
    w, gram = value_array(w).astype(np.float64), value_array(gram)
    gram = gram.reshape(*gram.shape[:2], -1)
    out = len(w)
    price = np.broadcast_to(value_array(price), (out, 1))
    rows = np.arange(out).reshape(gram.shape[2], -1)
    parts = [ready(gram[:, :, g], scalar(options["damping"])) for g in range(len(rows))]
    step = options["step"]
    if step is None:
        bent = sum(p.mean * float((1 / price[r]).sum()) for p, r in zip(parts, rows, strict=True))
        step = scalar(options["coarseness"]) * np.sqrt(6 / np.log(2) / (bent / out))
    step = scalar(step)
    zeros = np.zeros(w.shape, bool)
    if options["zeros"] is not None:
        zeros = np.array(options["zeros"], bool)

    most = int(min(2 + np.ceil(np.abs(w).max(initial=0) / step), 32767))
    codes = np.clip(round_half_away(w / step), -most, most)
    codes[zeros] = 0
    feed, sweeps = int(scalar(options["feed"])), int(scalar(options["sweeps"]))
    context = bool(scalar(options["context"]))
    loss = np.zeros((out, 1))
    for turn in range(feed + sweeps):
        zero, other, sizes = code_bits(codes, most, context and turn > 0)
        other[zeros] = np.inf
        before = codes
        codes = codes.copy()
        for part, r in zip(parts, rows, strict=True):
            bits = (zero[r], other[r], sizes)
            codes[r] = choose(w[r], before[r], step, price[r, 0], part, bits, turn < feed)
        step, loss = best_step(w, codes, step, price, parts, rows)
        if turn >= feed and np.count_nonzero(codes != before) <= 1e-4 * codes.size:
            break
    zero, other, sizes = code_bits(codes, most, context)
    used = codes != 0
    magnitudes = np.abs(codes[used]).astype(np.intp)
    total = zero[~used].sum() + other[used].sum() + sizes[magnitudes - 1].sum()
    return Found(codes, step, float(total), loss)


def ready(gram: Array, damping: float) -> Curvature:
    """Factor a group's Gram matrix in order of its falling diagonal."""
    order = input_order(gram)
    live = np.diag(gram)[order] > 0
    v, _ = gram_factor(gram[np.ix_(order, order)], damping)
    spread = np.diag(v).copy()
    feed = v / spread
    damped = v @ v.T
    diagonal = np.diag(damped).copy()
    descend = damped / diagonal
    np.fill_diagonal(feed, 0)
    np.fill_diagonal(descend, 0)
    mean = float(np.mean(spread[live if live.any() else ~live] ** 2))
    return Curvature(order, damped, feed, spread**2, descend, diagonal, mean)


def choose(
    w: Array,
    codes: Array,
    step: float,
    price: Array,
    part: Curvature,
    bits: tuple[Array, Array, Array],
    feeding: bool,
) -> Array:
    """Choose the codes of a group's rows, one input after the other."""
    inputs = w.shape[1]
    w, now = w[:, part.order], codes[:, part.order]
    zero, other, sizes = bits[0][:, part.order], bits[1][:, part.order], bits[2]
    e = np.zeros_like(w) if feeding else w - step * now
    mix = part.feed if feeding else part.descend
    curvature = part.feed_curvature if feeding else part.curvature
    for first in range(0, inputs, 64):
        block = np.arange(first, min(first + 64, inputs))
        rest = np.arange(first)
        if not feeding:
            rest = np.concatenate([rest, np.arange(block[-1] + 1, inputs)])
        target = w[:, block] + e[:, rest] @ mix[np.ix_(rest, block)]
        for j in block:
            t = (target[:, j - first] + e[:, block] @ mix[block, j]) / step
            d = (step**2 * curvature[j]) / price
            a = np.abs(t)
            best, level = zero[:, j] + d * a**2, np.zeros_like(a)
            nearest = np.minimum(round_half_away(a), sizes.size)
            for near in (nearest, nearest - 1):
                price_of = sizes[np.maximum(near, 1).astype(np.intp) - 1]
                cost = d * (a - near) ** 2 + other[:, j] + price_of
                better = (near > 0) & (cost < best)
                best = np.where(better, cost, best)
                level = np.where(better, near, level)
            now[:, j] = np.sign(t) * level + 0.0
            e[:, j] = w[:, j] - step * now[:, j]
    result = np.empty_like(now)
    result[:, part.order] = now
    return result


def best_step(
    w: Array, codes: Array, step: float, price: Array, parts: list[Curvature], rows: Array
) -> tuple[float, Array]:
    """Find the best step for some codes, and the loss of each row with it."""
    along = square = 0.0
    for part, r in zip(parts, rows, strict=True):
        ours = codes[np.ix_(r, part.order)]
        weighted = (ours @ part.gram) / price[r]
        along += float((weighted * w[np.ix_(r, part.order)]).sum())
        square += float((weighted * ours).sum())
    if along > 0:
        step = along / square
    loss = np.zeros((len(w), 1))
    for part, r in zip(parts, rows, strict=True):
        e = w[np.ix_(r, part.order)] - step * codes[np.ix_(r, part.order)]
        loss[r, 0] = ((e @ part.gram) * e).sum(axis=1)
    return step, loss


def output_sensitivity(
    caller: str, model: graph.Model, x: Any, batch_size: Any, seed: Any
) -> tuple[dict[int, Array], float]:
    """Tell how much the network's outputs change when a layer's outputs do.

    Returns
    -------
    sensitivity : dict of array
        By the layer's number from 0, channels x 1: the mean over the observations of the squared
        derivatives of all outputs by the layer's outputs in that channel; of several places or
        times the sum. Layers without influence are left out.
    power : float
        The mean over the observations of the squares of all outputs.

    References
    ----------
    .. [1] Bekas, Kokiopoulou, Saad, An estimator for the diagonal of a matrix, 2007.
    .. [2] Martens and Grosse, K-FAC, ICML 2015, arXiv:1503.05671.
    """
    plan = graph.plan(caller, model)
    if len(plan.outputs) == 1:
        plan = cut(caller, model, ("softmax", "logsoftmax"))
    x, ranges = graph.batches(caller, model, x, batch_size)
    if not ranges:
        fail(caller, "badInput", "DATA must hold at least one observation")
    random = np.random.RandomState([int(scalar(seed))])
    layers = model["layers"][: len(plan.types)]
    count = x.shape[graph.observation_axis(x)]
    sensitivity: dict[int, Array] = {}
    power = 0.0
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        y, trace = graph.forward(plan, layers, batch)
        power += sum(float((v.astype(np.float64) ** 2).sum()) for v in y) / count
        features = [v.size // batch.shape[graph.observation_axis(batch)] for v in y]
        probes = 8
        if sum(features) <= 16 and all(v.ndim == 2 for v in y):
            probes = sum(features)
        for p in range(probes):
            d: dict[int, Array] = {}
            dy = directions(y, features, p, probes, random)
            graph.backward(plan, layers, trace, dy, False, d)
            for k, slope in d.items():
                axis = 2 if slope.ndim == 4 else 0
                square = np.moveaxis(slope.astype(np.float64) ** 2, axis, 0)
                total = square.reshape(square.shape[0], -1).sum(axis=1, keepdims=True) / count
                sensitivity[k] = sensitivity.get(k, 0.0) + total
    return sensitivity, power


def directions(
    y: list[Array], features: list[int], p: int, probes: int, random: np.random.RandomState
) -> list[Array]:
    """Make the p-th of the directions along which the outputs are differentiated."""
    dy = []
    for i, v in enumerate(y):
        if probes == sum(features):
            one = np.zeros_like(v)
            place = p - sum(features[:i])
            if 0 <= place < features[i]:
                one[place] = 1
        else:
            if v.ndim == 4:  # in the order of Octave's engine
                height, width, channels, n = v.shape
                u = random_uniform(random, (channels, width, n, height)).transpose(3, 1, 0, 2)
            else:
                u = random_uniform(random, v.shape)
            one = ((2.0 * (u < 0.5) - 1).astype(v.dtype) / np.sqrt(probes)).astype(v.dtype)
        dy.append(one)
    return dy
