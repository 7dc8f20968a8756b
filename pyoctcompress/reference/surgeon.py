"""Optimal brain surgeon on one layer: the reference of ``+prune/obs_*.m`` and their parts."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .gram import Stats
from .internal import Array
from .prune import pattern_mask, smallest_mask


def damped_inverse(gram: Array, damping: float) -> tuple[Array, Array, float]:
    """Invert gram + damping * mean (diagonal) * I, with ten times more until that can be done.

    Returns
    -------
    inverse, h : arrays
    damping : float
        As used.
    """
    d = gram.shape[0]
    scale = float(np.mean(np.diag(gram)))
    if not scale > 0:
        scale = 1 / damping
    while True:
        h = gram + damping * scale * np.eye(d)
        try:
            factor = np.linalg.cholesky(h).T
        except np.linalg.LinAlgError:
            damping = damping * 10
            continue
        half = np.linalg.solve(factor, np.eye(d))
        return half @ half.T, h, damping


def obs_order(
    w: Array,
    inverse: Array,
    step: int = 32,
    groups: Array | None = None,
    keep: int = 0,
) -> tuple[Array, Array]:
    """Order the weights of one output by their removal, and say what each removal costs.

    Places count from 0. Each time the weight of least w(p)^2 / inverse(p, p) goes, and the others
    and the inverse are updated [1]_; `step` of them are sought among the 2 * step least before the
    whole inverse is brought up to date. With `groups`, `keep` of each group stay.

    References
    ----------
    .. [1] Frantar, Singh, Alistarh, Optimal brain compression, NeurIPS 2022, arXiv:2208.11580.
    """
    if groups is not None:
        return order_within_groups(w, inverse, groups, keep)
    places = np.arange(w.size)
    order: list[int] = []
    losses: list[float] = []
    while places.size:
        take = min(step, places.size)
        near = np.argsort(w**2 / np.diag(inverse), kind="stable")[: 2 * take]
        chosen, loss = eliminate(w[near], inverse[np.ix_(near, near)], take)
        gone = near[chosen]
        order.extend(places[gone])
        losses.extend(loss)
        kept = np.setdiff1d(np.arange(places.size), gone)
        columns = inverse[np.ix_(kept, gone)]
        inner = inverse[np.ix_(gone, gone)]
        w = w[kept] - columns @ np.linalg.solve(inner, w[gone])
        inverse = inverse[np.ix_(kept, kept)] - columns @ np.linalg.solve(inner, columns.T)
        places = places[kept]
    return np.array(order, int), np.array(losses)


def eliminate(w: Array, inverse: Array, count: int) -> tuple[list[int], list[float]]:
    """Remove `count` weights one by one."""
    order: list[int] = []
    losses: list[float] = []
    for _ in range(count):
        with np.errstate(divide="ignore", invalid="ignore"):  # of what is gone already
            saliency = w**2 / np.diag(inverse)
        saliency[order] = np.inf
        p = int(np.argmin(saliency))
        order.append(p)
        losses.append(float(saliency[p]))
        column = inverse[:, p] / inverse[p, p]
        w = w - w[p] * column
        inverse = inverse - np.outer(column, inverse[p])
    return order, losses


def order_within_groups(w: Array, inverse: Array, groups: Array, keep: int) -> tuple[Array, Array]:
    """Remove weights one by one, as long as more than `keep` of their group are there."""
    groups = np.unique(groups, return_inverse=True)[1].reshape(-1)
    quota = np.maximum(np.bincount(groups) - keep, 0)
    may_go = quota[groups] > 0
    order: list[int] = []
    losses: list[float] = []
    for _ in range(int(quota.sum())):
        saliency = np.where(may_go, w**2 / np.diag(inverse), np.inf)
        p = int(np.argmin(saliency))
        order.append(p)
        losses.append(float(saliency[p]))
        may_go[p] = False
        quota[groups[p]] -= 1
        if quota[groups[p]] == 0:
            may_go[groups == groups[p]] = False
        column = inverse[:, p] / inverse[p, p]
        w = w - w[p] * column
        inverse = inverse - np.outer(column, inverse[p])
    return np.array(order, int), np.array(losses)


def obs_blocked(w: Array, inverse: Array, choice: Any, width: int = 128) -> tuple[Array, Array]:
    """Prune a matrix in one pass over its columns, feeding the error forward [1]_.

    `choice` is the share of each block of columns to remove, or a mask.

    References
    ----------
    .. [1] Frantar, Alistarh, SparseGPT, ICML 2023, arXiv:2301.00774.
    """
    w = w.copy()
    out, d = w.shape
    upper = np.linalg.cholesky(inverse).T
    given = isinstance(choice, np.ndarray)
    mask = choice if given else np.zeros((out, d), bool)
    removed = 0
    for first in range(0, d, width):
        last = min(first + width, d)
        u = upper[first:last, first:last]
        part = w[:, first:last].copy()
        if given:
            gone = mask[:, first:last]
        else:
            wanted = math.floor(choice * last * out) - removed
            [gone], _ = smallest_mask([part**2 / np.diag(u) ** 2], wanted)
            mask[:, first:last] = gone
            removed += wanted
        errors = np.zeros(part.shape)
        for j in range(last - first):
            errors[:, j] = part[:, j] * gone[:, j] / u[j, j]
            part[:, j + 1 :] -= np.outer(errors[:, j], u[j, j + 1 :])
            part[gone[:, j], j] = 0
        w[:, first:last] = part
        w[:, last:] -= errors @ upper[first:last, last:]
    return w, mask


def fit_survivors(w: Array, h: Array, kept: Array) -> Array:
    """Fit the weights that are kept in each row by least squares to do the work of all."""
    wanted = w @ h
    result = np.zeros(w.shape)
    for i in range(w.shape[0]):
        s = np.flatnonzero(kept[i])
        result[i, s] = np.linalg.solve(h[np.ix_(s, s)], wanted[i, s])
    return result


@dataclass
class Problem:
    """One group of a layer's rows: the fitted weights, their Hessian, and what the bias needs."""

    w: Array
    h: Array
    inverse: Array
    dead: Array
    mean_output: Array
    mean_input: Array


@dataclass(frozen=True)
class Pattern:
    """Of each group of weights (numbers in `groups`), `keep` stay."""

    groups: Array
    keep: int


def obs_layer(
    w: Array,
    bias: Array | None,
    stats: Stats,
    rule: Any,
    damping: float = 0.01,
    method: str = "auto",
) -> tuple[Array, Array | None, Array, Array]:
    """Prune a layer by optimal brain surgeon and fit what remains; see ``+prune/obs_layer.m``.

    Parameters
    ----------
    w : array
        out x in.
    bias : array or None
        out x 1.
    stats : Stats
    rule : int, Pattern or logical array
        How many weights go, how many of each group stay, or which go.

    Returns
    -------
    w, bias, mask, losses
    """
    w = w.astype(float)
    out, d = w.shape
    parts = stats.gram.shape[2]
    fits = method == "exact"
    if method == "auto":
        work = out * d**3
        fits = work <= 3e12
        exact = fits and (not isinstance(rule, Pattern) or work <= 1e10)
        method = "exact" if exact else "blocked"
    each = out // parts
    losses = np.zeros((out, d))
    mask = rule.copy() if isinstance(rule, np.ndarray) else np.zeros((out, d), bool)
    problems = []
    for g in range(parts):
        rows = slice(g * each, (g + 1) * each)
        problem = refit(w[rows], stats.group(g), damping, bias is not None)
        problems.append(problem)
        if isinstance(rule, np.ndarray):
            continue
        if method == "exact":
            losses[rows] = row_losses(problem, rule, rows)
            if isinstance(rule, Pattern):
                mask[rows] = losses[rows] < np.inf
        elif isinstance(rule, Pattern):
            score = problem.w**2 / np.diag(problem.inverse)
            mask[rows] = pattern_mask(score, rule.groups[rows], rule.keep)
        else:
            mask[rows] = obs_blocked(problem.w, problem.inverse, rule / (out * d))[1]
    if isinstance(rule, (int, float)) and method == "exact":
        [mask], _ = smallest_mask([losses], int(rule))
    w = np.zeros((out, d))
    bias = None if bias is None else bias.astype(float)
    for g, problem in enumerate(problems):
        rows = slice(g * each, (g + 1) * each)
        if fits:
            w[rows] = fit_survivors(problem.w, problem.h, ~mask[rows])
        else:
            w[rows] = obs_blocked(problem.w, problem.inverse, mask[rows])[0]
        if bias is not None:
            bias[rows] += problem.mean_output - w[rows] @ problem.mean_input
    return w, bias, mask, losses


def refit(w: Array, stats: Stats, damping: float, has_bias: bool) -> Problem:
    """Fit a layer to the original's outputs, on the inputs that it has now."""
    gram, total = stats.gram, stats.total
    cross = gram if stats.cross is None else stats.cross
    total_reference = total if stats.total_reference is None else stats.total_reference
    dead = np.diag(gram) == 0
    if has_bias:
        gram = gram - total @ (total.T / stats.count)
        cross = cross - total_reference @ (total.T / stats.count)
        gram[dead, :] = 0
        gram[:, dead] = 0
    inverse, h, _ = damped_inverse(gram, damping)
    added = h[0, 0] - gram[0, 0]
    mean_output = w @ (total_reference / stats.count)
    if stats.cross is not None:
        w = (w @ cross + added * w) @ inverse
    return Problem(w, h, inverse, dead, mean_output, total / stats.count)


def row_losses(problem: Problem, rule: Any, rows: slice) -> Array:
    """Say what removing each weight costs; along each row's order the losses never fall."""
    if isinstance(rule, Pattern):
        losses = np.full(problem.w.shape, np.inf)
        for i, groups in enumerate(rule.groups[rows]):
            order, loss = obs_order(problem.w[i], problem.inverse, 1, groups, rule.keep)
            losses[i, order] = loss
        return losses
    losses = np.zeros(problem.w.shape)
    live = np.flatnonzero(~problem.dead)
    inverse = problem.inverse[np.ix_(live, live)]
    for i in range(problem.w.shape[0]):
        order, loss = obs_order(problem.w[i, live], inverse)
        losses[i, live[order]] = np.maximum.accumulate(loss)
    return losses
