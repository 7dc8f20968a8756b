"""Networks in other layouts: the reference of ``octcompress.model.recognize``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import OctcompressError
from . import layers as table
from . import model as graph
from .internal import is_empty, parse_options
from .layouts import CALLER, Found, elements, is_cell
from .layouts_matconvnet import from_dagnn, from_simplenn
from .layouts_toolboxes import from_deeplearn_cnn, from_deeplearn_nn, from_network
from .layouts_variables import from_cells, from_names, from_theta, is_pair

_SIMPLENN = {
    "conv",
    "convt",
    "pool",
    "bnorm",
    "softmaxloss",
    "normalize",
    "normalizelp",
    "loss",
    "pdist",
}


def recognize(found: Found, **options: Any) -> tuple[Any, dict[str, str]]:
    """Make a network of ours of the variables of a file in another layout.

    Parameters
    ----------
    found : dict
        The variables of a file.
    **options
        ``layers``, ``activation``, ``input_size``, as ``help nn_load`` has them.

    Returns
    -------
    model : dict
        A network, or `found` as it came.
    report : dict
        layout (of the source, '' where none is known) and reason (why it did not become a network,
        '' otherwise).

    Raises
    ------
    OptionError
        ``octcompress:nn_load:badOption``, ``unknownOption``.
    """
    defaults: dict[str, Any] = {"layers": [], "activation": "", "input_size": None}
    options = parse_options("nn_load", defaults, options)
    if _is_ours(found):
        return found, {"layout": "octcompress", "reason": ""}
    layout, value, place = _find_layout(found, options)
    if not layout:
        return found, {"layout": "", "reason": ""}
    try:
        model = _READERS[layout](value, place, options)
        meta = {"source": {"layout": layout}}
        made = graph.tidy(CALLER, {**model, "meta": meta})
        graph.plan(CALLER, made)
    except OctcompressError as problem:
        # An option that is wrong is the user's fault.
        if problem.identifier.startswith("octcompress:nn_load:"):
            raise
        reason = problem.message.removeprefix("recognize: ")
        return found, {"layout": layout, "reason": reason}
    return made, {"layout": layout, "reason": ""}


def _is_ours(found: Found) -> bool:
    return graph.is_network(found) and (
        "format" in found or all(table.types(layer["type"]) for layer in found["layers"])
    )


def _find_layout(found: Found, options: Mapping[str, Any]) -> tuple[str, Any, str]:
    """Find the layout, what has it, and its name; the variables themselves have no name."""
    if graph.PROMISES in found:  # compressed as named tensors: as a network it would lose them
        return "", found, ""
    layout = _layout_of(found)
    if layout:
        return layout, found, ""
    for name, value in found.items():
        layout = _layout_of(value)
        if layout:
            return layout, value, name
    if len(found) > 1 and all(re.fullmatch(r"Theta\d+", name) for name in found):
        return "theta", found, ""
    named = any(name.endswith("_weight") for name in found)
    if named and not (is_empty(options["layers"]) and is_empty(options["activation"])):
        return "variables", found, ""
    return "", found, ""


def _layout_of(value: Any) -> str:
    parts = elements(value)
    is_several = not isinstance(value, Mapping)
    if parts and is_several and all(is_pair(part) for part in parts):
        return "cells"
    if not isinstance(value, Mapping):
        return ""
    if {"IW", "LW", "b", "layers"} <= set(value):
        return "network"
    if {"W", "size", "activation_function"} <= set(value) and is_cell(value["W"]):
        return "deeplearn_nn"
    layers = elements(value["layers"]) if "layers" in value else []
    if not layers or not all(isinstance(one, Mapping) and "type" in one for one in layers):
        return ""
    if "ffW" in value:
        return "deeplearn_cnn"
    if all("block" in layer for layer in layers):
        return "dagnn"
    return "simplenn" if any(str(layer["type"]) in _SIMPLENN for layer in layers) else ""


_READERS: dict[str, Callable[[Any, str, Mapping[str, Any]], graph.Model]] = {
    "theta": from_theta,
    "cells": from_cells,
    "variables": from_names,
    "simplenn": from_simplenn,
    "dagnn": from_dagnn,
    "deeplearn_nn": from_deeplearn_nn,
    "deeplearn_cnn": from_deeplearn_cnn,
    "network": from_network,
}
