"""Ranges of activations and where they are taken: the reference of ``observer.m``.

Also that of ``activation_points.m``.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import model as graph
from .internal import Array
from .quant import grid_of_range, next_power2, snap_to_grid

KINDS = ["minmax", "average", "percentile", "mse", "kl", "histogram"]
Range = tuple[float, float]


class Observer:
    """The range of a stream of values, in memory that does not grow.

    Parameters
    ----------
    kind : str
        ``minmax``; ``average``: a moving average of each batch's range, 0.9 old + 0.1 new;
        ``percentile``, ``mse`` (least squared error of the grid), ``kl`` (least divergence [1]_),
        ``histogram`` (PyTorch's): from a histogram of 4096 bins over [-r, r], r a power of two
        that doubles when needed.

    References
    ----------
    .. [1] Migacz, 8-bit inference with TensorRT, GTC 2017.
    """

    def __init__(self, kind: str, percentile: float = 99.99) -> None:
        self.kind = kind
        self.percentile = percentile
        self.lo, self.hi = math.inf, -math.inf
        self.batches = 0
        self.limit = 0.0
        self.counts = np.zeros(0)

    def add(self, x: Array) -> None:
        """Look at a batch of values; NaN makes the range NaN."""
        if x.size == 0:
            return
        lo, hi = float(x.min()), float(x.max())
        self.batches += 1
        if self.kind == "average" and self.batches > 1:
            self.lo, self.hi = 0.9 * self.lo + 0.1 * lo, 0.9 * self.hi + 0.1 * hi
        elif math.isnan(lo) or math.isnan(self.lo):
            self.lo = self.hi = math.nan
        else:
            self.lo, self.hi = min(self.lo, lo), max(self.hi, hi)
        if self.kind in ("minmax", "average") or not math.isfinite(lo + hi):
            return
        largest = max(-lo, hi)
        if self.limit == 0:
            self.counts = np.zeros(4096)
            least = float(np.finfo(np.float32).tiny)
            self.limit = float(next_power2(np.array(max(largest, least))))
        while largest > self.limit:
            pairs = self.counts[0::2] + self.counts[1::2]
            self.counts = np.concatenate([np.zeros(1024), pairs, np.zeros(1024)])
            self.limit *= 2
        bins = np.floor(x.astype(np.float64).ravel() / (self.limit / 2048)) + 2048
        self.counts += np.bincount(np.minimum(bins, 4095).astype(np.intp), minlength=4096)

    def range(self, bits: int, scheme: str) -> Range:
        """Return lo and hi for a grid of so many bits; Inf, -Inf when nothing was added."""
        if self.limit == 0 or not math.isfinite(self.lo + self.hi):
            return self.lo, self.hi
        width = self.limit / 2048
        if self.kind == "percentile":
            low, high = percentile_cut(self.counts, self.percentile, width)
        elif self.kind == "mse":
            low, high = least_squares(self.counts, width, (self.lo, self.hi), bits, scheme)
        elif self.kind == "kl":
            high = least_divergence(self.counts, width, self.lo < 0, bits, scheme)
            low = -high
        else:
            low, high = inward(self.counts, width, (self.lo, self.hi), bits, scheme)
        return max(self.lo, low), min(self.hi, high)


def percentile_cut(counts: Array, percentile: float, width: float) -> Range:
    """Cut off both ends at a percentile of the values."""
    kept = percentile / 100 * counts.sum()
    last = int(np.argmax(np.cumsum(counts) >= kept)) + 1
    first = 4096 - int(np.argmax(np.cumsum(counts[::-1]) >= kept))
    return (first - 2049) * width, (last - 2048) * width


def squared_error(counts: Array, middle: Array, limits: Range, bits: int, scheme: str) -> float:
    """Sum the squares that a grid over a range leaves, one bin after the other."""
    grid = grid_of_range(*limits, bits, scheme, 0)
    error = snap_to_grid(middle, grid)[0] - middle
    return float(np.cumsum(counts * error**2)[-1])


def seen_bins(counts: Array, width: float) -> tuple[Array, Array]:
    """Leave out the empty bins: counts and middles of the others, n x 1."""
    seen = np.flatnonzero(counts)
    return counts[seen][:, np.newaxis], ((seen - 2048 + 0.5) * width)[:, np.newaxis]


def least_squares(counts: Array, width: float, full: Range, bits: int, scheme: str) -> Range:
    """Shorten the upper end, then the lower one, to where the squared error is least."""
    counts, middle = seen_bins(counts, width)
    limits = full
    best = squared_error(counts, middle, limits, bits, scheme)
    both = scheme in ("symmetric", "signed")
    for upper in (True,) if both else (True, False):
        for percent in range(99, 9, -1):
            share = share_of(percent)
            trial = (
                full[0] * share if both or not upper else limits[0],
                full[1] * share if both or upper else limits[1],
            )
            error = squared_error(counts, middle, trial, bits, scheme)
            if error < best:
                best, limits = error, trial
    return limits


def share_of(percent: int) -> float:
    """Return 0.99, 0.98, ... as the elements of Octave's range 0.99:-0.01:0.1."""
    return 0.99 - (99 - percent) * 0.01


def least_divergence(counts: Array, width: float, signed: bool, bits: int, scheme: str) -> float:
    """Find the cut of the magnitudes with the least Kullback-Leibler divergence."""
    magnitude = counts[2048:] + counts[2047::-1]
    magnitude[0] = magnitude[1]
    levels = 2 ** (bits - 1)
    if not signed and scheme in ("affine", "unsigned"):
        levels = 2**bits
    best, limit = math.inf, 2048 * width
    for n in [*range(levels, 2048, 8), 2048]:
        if n < levels:
            continue
        p = magnitude[:n].copy()
        group = np.minimum(np.floor(np.arange(n) / (n / levels)), levels - 1).astype(np.intp)
        used = (p > 0).astype(np.float64)
        share = np.bincount(group, p, levels) / np.maximum(np.bincount(group, used, levels), 1)
        q = share[group] * used
        p[n - 1] += magnitude[n:].sum()
        p, q = p / max(p.sum(), 1), q / max(q.sum(), 1)
        some = p > 0
        divergence = (p[some] * np.log(p[some] / np.maximum(q[some], 1e-12))).sum()
        if divergence < best:
            best, limit = divergence, n * width
    return limit


def inward(counts: Array, width: float, full: Range, bits: int, scheme: str) -> Range:
    """Move the end with the emptier tail inward as long as the squared error falls."""
    seen = np.flatnonzero(counts) + 1
    first, last = int(seen[0]), int(seen[-1])
    total, running = counts.sum(), np.cumsum(counts)
    some, middle = seen_bins(counts, width)
    limits = full
    best = squared_error(some, middle, limits, bits, scheme)
    alpha, beta, step = 0.0, 1.0, 1e-4
    while alpha + step < beta - step:
        up = max(int(np.argmax(running >= (alpha + step) * total)) + 1, first)
        down = min(int(np.argmax(running >= (beta - step) * total)) + 1, last)
        if up - first > last - down:
            alpha, trial = alpha + step, (up, last)
        else:
            beta, trial = beta - step, (first, down)
        if trial == (first, last):
            continue
        first, last = trial
        if first >= last:
            break
        ends = (max((first - 2049) * width, full[0]), min((last - 2048) * width, full[1]))
        error = squared_error(some, middle, ends, bits, scheme)
        if error > best:
            break
        best, limits = error, ends
    return limits


KEEPING = [
    "maxpool",
    "globalmaxpool",
    "flatten",
    "reshape",
    "permute",
    "dropout",
    "identity",
    "zeropad",
    "upsample",
]
WEIGHTED = ["dense", "conv2d", "transposedconv2d"]
CLIPPED = [*WEIGHTED, "batchnorm", "scale", "add", "subtract", "multiply"]


def activation_points(plan: Any, layers: list[graph.Layer], fuse: bool) -> list[str]:
    """Say where a quantized network's activations get a grid, as runtimes fuse layers.

    Returns
    -------
    list of str
        For each layer: ``own``; ``none``: computed in one piece with the only layer that reads
        it; ``inherit``: on its input's grid already; ``same``: put on its input's grid;
        ``shared``: inputs and output have one grid; ``fixed``: the range is known.
    """
    points = ["own"] * len(layers)
    if not fuse:
        return points
    readers: list[list[int]] = [[] for _ in layers]
    for k, reads in enumerate(plan.inputs):
        for source in reads:
            if source >= 0:
                readers[source].append(k)
    for k, layer in enumerate(layers):
        kind, source = layer["type"], plan.inputs[k][0]
        if kind in KEEPING or (
            kind == "relu" and source >= 0 and points[source] in ("inherit", "same")
        ):
            points[k] = "inherit"
        elif kind in ("averagepool", "globalaveragepool"):
            points[k] = "same"
        elif kind == "concat":
            points[k] = "shared"
        elif kind in ("softmax", "logsoftmax", "sigmoid", "hardsigmoid", "tanh"):
            points[k] = "fixed"
        alone = source >= 0 and len(readers[source]) == 1 and source not in plan.outputs
        if alone and points[source] == "own":
            before = layers[source]["type"]
            clips = kind in ("relu", "relu6") and before in CLIPPED
            if clips or (kind == "batchnorm" and before in WEIGHTED):
                points[source] = "none"
    return points
