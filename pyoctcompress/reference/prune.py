"""Limits and masks of arrays: the reference of ``+octcompress/+prune``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .internal import Array, sequential_sum, value_array


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
