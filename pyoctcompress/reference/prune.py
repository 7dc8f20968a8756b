"""Scores, groups and masks of arrays: the reference of ``+octcompress/+prune``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .internal import (
    Array,
    fail,
    is_empty,
    round_half_away,
    scalar,
    sequential_sum,
    size,
    value_array,
)
from .train import random_uniform


def threshold_limit(w: Any, threshold: float, scale: str) -> Array:
    """Compute the magnitude below which threshold pruning removes weights.

    Parameters
    ----------
    w : array
        Single or double, any shape.
    threshold : float
        0 or more.
    scale : str
        ``max``: threshold * max |w|; ``std``: threshold * the standard deviation of w (divided
        by n) [1]_; ``none``: the threshold itself.

    Returns
    -------
    scalar
        In the class of `w`: computed in double and rounded once. 0 for an empty array.

    References
    ----------
    .. [1] Han et al., Learning both weights and connections, NIPS 2015, arXiv:1506.02626.
    """
    w = value_array(w)
    limit = float(threshold)
    if w.size == 0:
        limit = 0.0
    elif scale == "max":
        limit = limit * max(float(w.max()), -float(w.min()))
    elif scale == "std":
        center = sequential_sum(w) / w.size
        limit = limit * np.sqrt(sequential_sum((w.astype(np.float64) - center) ** 2) / w.size)
    return w.dtype.type(limit)


def smallest_mask(scores: Sequence[Array], count: int) -> tuple[list[Array], Any]:
    """Mark the `count` smallest scores over several arrays, ties by position.

    Parameters
    ----------
    scores : list of arrays
        Of one class, not negative.
    count : int
        0 to the number of all entries.

    Returns
    -------
    masks : list of arrays
        Logical, of the same shapes; exactly `count` entries are true. Of equal scores those of
        the earlier array, and in it of the lower linear (column-major) index, go first.
    limit : scalar
        The largest score that is marked; -Inf for none.
    """
    if count == 0:
        return [np.zeros(s.shape, bool) for s in scores], -np.inf
    everything = np.concatenate([s.ravel(order="F") for s in scores])
    order = np.argsort(everything, kind="stable")
    marked = np.zeros(everything.size, bool)
    marked[order[:count]] = True
    ends = np.cumsum([s.size for s in scores])
    parts = np.split(marked, ends[:-1])
    masks = [part.reshape(s.shape, order="F") for part, s in zip(parts, scores, strict=True)]
    return masks, everything[order[count - 1]]


def magnitude_score(w: Array, norm: str = "l1") -> Array:
    """Score weights by their size: |w|, or w^2 with the norm 'l2'."""
    score = np.abs(w)
    return score**2 if norm == "l2" else score


def taylor_score(w: Array, gradient: Array) -> Array:
    """Score weights by |gradient * w|, the change of the loss to first order [1]_.

    References
    ----------
    .. [1] Molchanov et al., Pruning convolutional neural networks, ICLR 2017, arXiv:1611.06440.
    """
    return np.abs(gradient * w)


def movement_score(w: Array, change: Array) -> Array:
    """Score weights by w * change: whether training moves them away from zero [1]_.

    References
    ----------
    .. [1] Sanh, Wolf, Rush, Movement pruning, NeurIPS 2020, arXiv:2005.07683.
    """
    return w * change


def obd_score(w: Array, curvature: Array) -> Array:
    """Score weights by curvature * w^2 / 2: optimal brain damage [1]_.

    References
    ----------
    .. [1] LeCun, Denker, Solla, Optimal brain damage, NIPS 1989.
    """
    return curvature * w**2 / 2


def wanda_score(w: Array, norms: Array) -> Array:
    """Score weights by |w| times the norm of their input [1]_.

    References
    ----------
    .. [1] Sun et al., A simple and effective pruning approach for large language models, ICLR
       2024, arXiv:2306.11695.
    """
    return np.abs(w) * norms


def fpgm_score(w: Array) -> Array:
    """Sum the distances of each row to all the others, out x 1 double [1]_.

    References
    ----------
    .. [1] He et al., Filter pruning via geometric median, CVPR 2019, arXiv:1811.00250.
    """
    w = w.astype(float)
    squares = (w**2).sum(axis=1, keepdims=True)
    distances = np.sqrt(np.maximum(squares + squares.T - 2 * (w @ w.T), 0))
    np.fill_diagonal(distances, 0)
    return distances.sum(axis=1, keepdims=True)


def random_score(sizes: Any, seed: float) -> Array:
    """Draw scores in (0, 1): the baseline."""
    return random_uniform(np.random.RandomState([int(seed)]), sizes)


def lamp_score(score: Array) -> Array:
    """Relate the square of each score to the sum over those that are not smaller [1]_.

    References
    ----------
    .. [1] Lee et al., Layer-adaptive sparsity, ICLR 2021, arXiv:2010.07611.
    """
    flat = score.ravel(order="F").astype(float)
    order = np.argsort(flat, kind="stable")
    squares = flat[order] ** 2
    left = np.cumsum(squares[::-1])[::-1]
    relative = np.divide(squares, left, out=np.zeros_like(squares), where=left != 0)
    result = np.zeros_like(flat)
    result[order] = relative
    return result.reshape(score.shape, order="F")


def erk_density(sizes: Sequence[Sequence[int]], kept: float) -> Array:
    """Share the weights to keep over layers by sum (size) / prod (size) [1]_.

    Layers that would need more than 1 are dense, and the others share the rest.

    References
    ----------
    .. [1] Evci et al., Rigging the lottery, ICML 2020, arXiv:1911.11134.
    """
    counts = np.array([math.prod(s) for s in sizes], float)
    raw = np.array([sum(s) for s in sizes], float) / counts
    dense = np.zeros(counts.size, bool)
    while True:
        free = ~dense
        budget = kept * counts.sum() - counts[dense].sum()
        density = np.ones(counts.size)
        density[free] = max(budget, 0) * raw[free] / sequential_sum(raw[free] * counts[free])
        over = free & (density > 1)
        if not over.any():
            return density
        dense = dense | over


@dataclass(frozen=True)
class Shape:
    """How weights are seen as a matrix with a row for each output.

    rows, columns : its size; taps : places of the kernel; parts : groups of the convolution;
    by_rows : whether the weights are that matrix, or have their outputs last.
    """

    rows: int
    columns: int
    taps: int = 1
    parts: int = 1
    by_rows: bool = True


def matrix_shape(w: Array, layer: Mapping[str, Any] | None) -> Shape:
    """Find how the weights of any layer are seen as a matrix; `layer` None for an array."""
    sizes = list(size(w))
    is_convolution = layer is not None and layer["type"] in ("conv2d", "transposedconv2d")
    parts = 1
    if is_convolution and layer is not None:
        sizes = [int(n) for n in np.ravel(layer.get("weights_size", sizes))]
        sizes += [1] * (4 - len(sizes))
        parts = 1 if is_empty(layer.get("groups")) else int(scalar(layer["groups"]))
    if len(sizes) == 2:
        return Shape(sizes[0], sizes[1], 1, parts)
    taps = max(math.prod(sizes[:-2]), 1)
    return Shape(sizes[-1], math.prod(sizes[:-1]), taps, parts, False)


def to_matrix(w: Array, shape: Shape) -> Array:
    """See weights as a matrix with a row for each output."""
    return w if shape.by_rows else w.reshape((shape.columns, shape.rows), order="F").T


def from_matrix(matrix: Array, shape: Shape, sizes: tuple[int, ...]) -> Array:
    """Undo `to_matrix`."""
    return matrix if shape.by_rows else matrix.T.reshape(sizes, order="F")


def group_map(sizes: tuple[int, int], structure: Any, taps: int = 1, parts: int = 1) -> Array:
    """Give numbers to the groups of weights of a matrix that are removed together, from 1.

    Parameters
    ----------
    sizes : (out, in)
    structure : str or two numbers
        'row', 'column', 'channel' (`taps` neighbouring columns), 'n:m' (m neighbours in a row, of
        a convolution m neighbouring channels at one place of the kernel), or [rows, columns] of
        a block.
    taps, parts : int
        Places of the kernel, and groups of the convolution.
    """
    out, inputs = sizes
    rows = np.arange(out)[:, np.newaxis]
    columns = np.arange(inputs)[np.newaxis, :]
    channels = columns // taps
    place = columns - channels * taps
    part = rows * parts // max(out, 1)
    if not isinstance(structure, str):
        r, c = (int(n) for n in np.ravel(structure))
        groups = rows // r + -(-out // r) * (columns // c)
    elif structure == "row":
        groups = rows + 0 * columns
    elif structure == "column":
        groups = columns + inputs * part
    elif structure == "channel":
        groups = channels + inputs // taps * part
    else:
        m = int(structure.split(":")[1])
        groups = rows + out * (place + taps * (channels // m))
    return groups + 1


def group_score(score: Array, groups: Array) -> tuple[Array, Array]:
    """Average the scores of each group, added in linear order; and count its weights."""
    flat = groups.ravel(order="F") - 1
    sizes = np.bincount(flat)
    sums = np.bincount(flat, weights=score.ravel(order="F").astype(float))
    return sums / np.maximum(sizes, 1), sizes


def smallest_groups(
    scores: Sequence[Array], sizes: Sequence[Array], count: float, spare: int = 0
) -> tuple[list[Array], float]:
    """Mark the groups of least score, as many as hold no more than `count` weights.

    Each layer keeps its `spare` highest. Of equal scores the earlier layer's, and in it the
    earlier group, go first.
    """
    scores = [s.astype(float) for s in scores]
    if spare > 0:
        for s in scores:
            s[np.argsort(s, kind="stable")[-spare:]] = np.inf
    everything, total = np.concatenate(scores), np.concatenate(list(sizes))
    order = np.argsort(everything, kind="stable")
    fits = (np.cumsum(total[order]) <= count) & (everything[order] < np.inf)
    last = int(np.flatnonzero(fits)[-1]) + 1 if fits.any() else 0
    going = np.zeros(everything.size, bool)
    going[order[:last]] = True
    limit = float(everything[order[last - 1]]) if last else -np.inf
    return np.split(going, np.cumsum([s.size for s in scores])[:-1]), limit


def pattern_mask(score: Array, groups: Array, keep: int) -> Array:
    """Mark all but the `keep` highest scores of each group; of equal ones the first go."""
    flat = groups.ravel(order="F") - 1
    order = np.argsort(score.ravel(order="F"), kind="stable")
    order = order[np.argsort(flat[order], kind="stable")]
    sizes = np.bincount(flat) if flat.size else np.zeros(0, int)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
    rank = np.arange(flat.size) - first[flat[order]]
    mask = np.zeros(flat.size, bool)
    mask[order[rank < sizes[flat[order]] - keep]] = True
    return mask.reshape(score.shape, order="F")


@dataclass
class Rule:
    """How much is pruned; see ``+prune/choose_masks.m``."""

    structure: Any = "weight"
    scope: str = "layer"
    sparsity: Any = None
    keep: float | None = None
    threshold: list[Any] | None = None
    spare: int = 0
    counts: list[float] | None = None

    @property
    def is_pattern(self) -> bool:
        """Whether the structure is n:m."""
        return isinstance(self.structure, str) and ":" in self.structure

    def amount(self, k: int, weights: int, groups: int) -> int:
        """Say how many weights (with keep: groups) of pool `k` go."""
        if self.counts is not None:
            return int(self.counts[k])
        if self.keep is not None:
            return max(groups - int(self.keep), 0)
        shares = np.ravel(self.sparsity)
        return math.floor(float(shares[min(k, shares.size - 1)]) * weights)


def groups_of(structure: Any, shape: Shape, sizes: tuple[int, ...]) -> Array:
    """Give numbers to the groups of weights, in the weights' own shape."""
    groups = group_map((shape.rows, shape.columns), structure, shape.taps, shape.parts)
    return from_matrix(groups, shape, sizes)


def choose_masks(
    caller: str, scores: list[Array], shapes: list[Shape], rule: Rule
) -> tuple[list[Array], list[float]]:
    """Mark which weights go, given a score for each; see ``+prune/choose_masks.m``.

    Returns
    -------
    masks : list of arrays
    limits : list of float
        The threshold, or the largest score that went; -inf for none.
    """
    if rule.is_pattern:
        keep = int(rule.structure.split(":")[0])
        masks = [
            pattern_mask(s, groups_of(rule.structure, shape, s.shape), keep)
            for s, shape in zip(scores, shapes, strict=True)
        ]
        return masks, [largest(s, m) for s, m in zip(scores, masks, strict=True)]

    by_weights = isinstance(rule.structure, str) and rule.structure == "weight"
    units, sizes, maps = list(scores), [np.ones(s.size) for s in scores], list(scores)
    if not by_weights:
        for k, (s, shape) in enumerate(zip(scores, shapes, strict=True)):
            maps[k] = groups_of(rule.structure, shape, s.shape)
            units[k], sizes[k] = group_score(s, maps[k])

    masks, limits = list(scores), [-np.inf] * len(scores)
    if rule.threshold is not None:
        masks = [u < limit for u, limit in zip(units, rule.threshold, strict=True)]
        limits = [float(limit) for limit in rule.threshold]
    elif rule.scope == "row":
        for k, (s, shape) in enumerate(zip(scores, shapes, strict=True)):
            masks[k] = smallest_in_rows(s, shape, rule.amount(k, shape.columns, shape.columns))
            limits[k] = largest(s, masks[k])
    else:
        masks, limits = choose_in_pools(caller, scores, units, sizes, shapes, rule)
    if not by_weights:
        masks = [mask[m - 1] for mask, m in zip(masks, maps, strict=True)]
    return masks, limits


def choose_in_pools(
    caller: str,
    scores: list[Array],
    units: list[Array],
    sizes: list[Array],
    shapes: list[Shape],
    rule: Rule,
) -> tuple[list[Array], list[float]]:
    """Mark units of each layer by itself, or of all layers as one."""
    by_weights = isinstance(rule.structure, str) and rule.structure == "weight"
    together = rule.scope in ("global", "lamp")
    pools = [list(range(len(scores)))] if together else [[k] for k in range(len(scores))]
    if rule.scope == "lamp":
        if any((u < 0).any() for u in units):
            fail(
                caller,
                "badValue",
                "SCOPE can be 'lamp' only with a criterion whose scores are not negative",
            )
        units = [lamp_score(u) for u in units]
    elif rule.scope == "erk":
        rule = with_erk_counts(rule, scores, shapes)
    masks, limits = list(units), [-np.inf] * len(units)
    for p, members in enumerate(pools):
        weights = sum(scores[k].size for k in members)
        chosen_units = [units[k] for k in members]
        groups = sum(u.size for u in chosen_units)
        if by_weights:
            if len({u.dtype for u in chosen_units}) > 1:
                chosen_units = [u.astype(float) for u in chosen_units]
            chosen, limit = smallest_mask(chosen_units, rule.amount(p, weights, weights))
        else:
            each = [sizes[k] for k in members]
            if rule.keep is not None:
                each = [np.ones(u.size) for u in chosen_units]
            amount = rule.amount(p, weights, groups)
            chosen, limit = smallest_groups(chosen_units, each, amount, rule.spare)
        for k, mask in zip(members, chosen, strict=True):
            masks[k], limits[k] = mask, float(limit)
    return masks, limits


def with_erk_counts(rule: Rule, scores: list[Array], shapes: list[Shape]) -> Rule:
    """Share what goes over the layers by `erk_density`."""
    sizes = []
    for s, shape in zip(scores, shapes, strict=True):
        own = list(size(s))
        sizes.append(own if shape.by_rows else own + [1] * (4 - len(own)))
    weights = np.array([s.size for s in scores])
    kept = min(rule.keep / weights.sum(), 1) if rule.keep is not None else 1 - float(rule.sparsity)
    counts = round_half_away((1 - erk_density(sizes, kept)) * weights)
    return replace(rule, keep=None, counts=list(counts))


def smallest_in_rows(score: Array, shape: Shape, count: int) -> Array:
    """Mark the `count` smallest scores of each row."""
    matrix = to_matrix(score, shape)
    order = np.argsort(matrix, axis=1, kind="stable")[:, :count]
    mask = np.zeros(matrix.shape, bool)
    np.put_along_axis(mask, order, True, axis=1)
    return from_matrix(mask, shape, score.shape)


def largest(score: Array, mask: Array) -> float:
    """Return the largest score that is marked; -inf for none."""
    return float(score[mask].max()) if mask.any() else -np.inf


def scheduled_sparsity(step: int, schedule: Mapping[str, Any]) -> tuple[float, bool]:
    """Say how much is pruned at a step of training, and whether it changes there.

    See ``+prune/scheduled_sparsity.m``; 'polynomial' is the rule of the TensorFlow model
    optimization toolkit, 'agp' that of [1]_.

    References
    ----------
    .. [1] Zhu and Gupta, To prune, or not to prune, 2017, arXiv:1710.01878.
    """
    first = int(schedule["begin_step"])
    last = max(int(schedule["end_step"]), first)
    length = last - first
    initial, final = float(schedule["initial"]), float(schedule["final"])
    t = float(step >= first) if length == 0 else min(1.0, max(0.0, (step - first) / length))
    inside = first <= step <= last
    name = schedule["schedule"]
    if name == "oneshot":
        value, due = final, step == first
    elif name == "iterative":
        rounds = int(schedule["rounds"])
        places = round_half_away(np.arange(rounds) * length / max(rounds - 1, 1))
        starts = [first + int(place) for place in places]
        kept = 1 - initial
        value = 1.0
        if kept > 0:
            value = 1 - kept * ((1 - final) / kept) ** (
                sum(step >= start for start in starts) / rounds
            )
        due = step in starts
    else:
        power = {"agp": 3.0, "linear": 1.0}.get(name, float(schedule["power"]))
        value = final + (initial - final) * (1 - t) ** power
        due = inside and ((step - first) % int(schedule["frequency"]) == 0 or step == last)
    return (0.0 if step < first else value), due


def low_rank(
    w: Array, rule: Mapping[str, float], covariance: Array | None = None
) -> tuple[Array, Array, dict[str, float]]:
    """Write a matrix as the product of two thin ones; see ``+prune/low_rank.m``.

    Parameters
    ----------
    w : array
        out x in.
    rule : dict
        One of rank, energy (the share of the squares to keep) and budget (the share of the
        numbers).
    covariance : array, optional
        in x in, of the inputs: the outputs are projected on their principal components.

    Returns
    -------
    up, down : arrays
        out x r and r x in, double.
    info : dict
        rank and energy.
    """
    w = w.astype(float)
    if covariance is None:
        u, s, vt = np.linalg.svd(w, full_matrices=False)
        values = s**2
    else:
        raw, u = np.linalg.eigh(w @ covariance @ w.T)
        order = np.argsort(-np.maximum(raw, 0), kind="stable")
        values, u = np.maximum(raw, 0)[order], u[:, order]
    most = min(w.shape)
    values = values[:most]
    total = max(values.sum(), np.finfo(float).tiny)
    if "rank" in rule:
        r = min(int(rule["rank"]), most)
    elif "energy" in rule:
        enough = np.cumsum(values) >= rule["energy"] * total * (1 - 1e-12)
        r = int(np.argmax(enough)) + 1 if enough.any() else most
    else:
        r = min(max(math.floor(rule["budget"] * w.size / sum(w.shape)), 1), most)
    places = np.argmax(np.abs(u[:, :r]), axis=0)
    signs = np.where(u[places, np.arange(r)] < 0, -1.0, 1.0)
    up = u[:, :r] * signs
    if covariance is None:
        root = np.sqrt(np.sqrt(values[:r]))
        up = up * root
        down = vt[:r] * (signs * root)[:, np.newaxis]
    else:
        down = up.T @ w
    return up, down, {"rank": float(r), "energy": float(values[:r].sum() / total)}
