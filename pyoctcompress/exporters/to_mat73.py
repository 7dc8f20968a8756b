"""Models as MATLAB v7.3 files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyoctcompress import matfile
from pyoctcompress.exporters.constants import CALLER
from pyoctcompress.exporters.network import Network, found_precision
from pyoctcompress.exporters.to_source import Written
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import describe, fail


def write(model: Any, path: Any) -> Network | Written:
    """Write a model, or any dict of arrays, as a v7.3 file.

    Parameters
    ----------
    model : dict
        Its fields become the variables.
    path : path
        The file.

    Returns
    -------
    Network or Written
        What was written.
    """
    if not isinstance(model, Mapping):
        fail(CALLER, "notModel", f"MODEL must be a dict, but is {describe(model)}")
    network: Network | Written = Written(dict(model), [], "")
    if graph.is_network(model):
        model = graph.tidy(CALLER, model)
        network = Network(model, graph.plan(CALLER, model), found_precision(model))
    matfile.save73(path, model, caller=CALLER)
    return network
