"""The verb prune: the reference of ``nn_prune.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, check, fail, is_empty, parse_options, plain, scalar, share
from .prune import smallest_mask, threshold_limit

Info = dict[str, Any]


def prune(model: Any, **options: Any) -> tuple[Any, Info]:
    """Set the least important weights to zero.

    Parameters
    ----------
    model : dict or array
        A network, any dict of arrays, or a single or double array.
    threshold : float, optional
        Zero where |w| < threshold * scale.
    scale : str
        ``max`` (default): the largest magnitude; ``std``: the standard deviation; ``none``: 1.
    sparsity : float, optional
        Zero the share 0 to 1 of smallest magnitude: exactly floor (sparsity * number of
        weights); of equal ones the first in linear (column-major) order go.
    scope : str
        ``layer`` (default): each tensor by itself; ``global``: all of them as one.
    layers : list of str or int, optional
        Names or numbers (from 1) of the layers to prune; all.
    bias : bool
        Biases and other vectors too (False).

    Returns
    -------
    model : dict or array
        With the promise in ``layer['pruning']['weights']``.
    info : dict
        options, count, zeros, sparsity, layers (a list of dicts: tensor, count, zeros, sparsity,
        limit); for an array mask, true where a weight is kept.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_prune:badValue``, ``unknownOption``, ``notFinite``, ``unknownLayer``,
        ``noTensors``, ``badType``.

    References
    ----------
    .. [1] Han et al., Learning both weights and connections for efficient neural networks, NIPS
       2015, arXiv:1506.02626.
    """
    defaults = {
        "threshold": None,
        "scale": "max",
        "sparsity": None,
        "scope": "layer",
        "layers": None,
        "bias": False,
    }
    options = parse_options("nn_prune", defaults, options)
    check_prune_options(options)
    model, tensors, arrays = graph.chosen_tensors(
        "nn_prune", model, options["layers"], options["bias"]
    )

    info: Info = {"options": options, "count": 0.0, "zeros": 0.0, "sparsity": 0.0, "layers": []}
    if options["scope"] == "global":
        masks, limit = prune_masks(arrays, options)
        limits = [limit] * len(arrays)
    else:
        each = [prune_masks([w], options) for w in arrays]
        masks = [mask for [mask], _ in each]
        limits = [limit for _, limit in each]
    for tensor, w, mask, limit in zip(tensors, arrays, masks, limits, strict=True):
        pruned = np.where(mask, w.dtype.type(0), w)
        zeros = pruned.size - int(np.count_nonzero(pruned))
        row = {
            "tensor": tensor.name,
            "count": float(w.size),
            "zeros": float(zeros),
            "sparsity": share(zeros, w.size),
            "limit": float(limit),
        }
        info["layers"].append(row)
        info["count"] += row["count"]
        info["zeros"] += row["zeros"]
        if not tensor.path:
            model = plain(pruned)
            info["mask"] = plain(~mask)
        else:
            graph.set_tensor(model, tensor, pruned)
            graph.set_promise(model, tensor, "pruning", pruning_promise(options, row))
    info["sparsity"] = share(info["zeros"], info["count"])
    return model, info


def check_prune_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `prune` cannot use."""
    caller = "nn_prune"
    if is_empty(options["threshold"]) == is_empty(options["sparsity"]):
        fail(
            caller,
            "badValue",
            "give either THRESHOLD or SPARSITY, as in nn_prune (model, 'sparsity', 0.9)",
        )
    if is_empty(options["sparsity"]):
        check(caller, "threshold", options["threshold"], "number", (0, math.inf))
    else:
        check(caller, "sparsity", options["sparsity"], "number", (0, 1))
    check(caller, "scale", options["scale"], "choice", ["max", "none", "std"])
    check(caller, "scope", options["scope"], "choice", ["layer", "global"])
    check(caller, "bias", options["bias"], "flag")


def prune_masks(arrays: list[Array], options: Mapping[str, Any]) -> tuple[list[Array], Any]:
    """Mark what to zero in each of several arrays that are pruned as one, and the limit."""
    magnitudes = [np.abs(w) for w in arrays]
    if not is_empty(options["sparsity"]):
        count = math.floor(scalar(options["sparsity"]) * sum(w.size for w in arrays))
        return smallest_mask(magnitudes, count)
    together = np.concatenate([w.ravel(order="F") for w in arrays])
    limit = threshold_limit(together, scalar(options["threshold"]), options["scale"])
    return [m < limit for m in magnitudes], limit


def pruning_promise(options: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the pruning of a tensor: what stands beside it."""
    by_sparsity = not is_empty(options["sparsity"])
    return {
        "criterion": "magnitude",
        "structure": "weight",
        "scope": options["scope"],
        "rule": "sparsity" if by_sparsity else f"threshold-{options['scale']}",
        "amount": scalar(options["sparsity" if by_sparsity else "threshold"]),
        "limit": row["limit"],
        "zeros": row["zeros"],
    }
