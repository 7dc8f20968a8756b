"""The verb calibrate: the reference of ``nn_calibrate.m``."""

from __future__ import annotations

import math
from typing import Any

from . import model as graph
from .internal import check, parse_options
from .nn_quantize import calibrate as put_grids
from .observers import KINDS

CALLER = "nn_calibrate"


def calibrate(model: Any, x: Any, **options: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Put a network's activations on grids, from unlabelled data.

    Parameters
    ----------
    model : dict
        A network; its weights stay as they are.
    x : array
        Calibration inputs, as `predict` takes them; not read where activations is ``dynamic``.
    activations : str
        ``static`` (default), ``dynamic``, or ``none``: takes the grids off.
    bits, scheme, observer, percentile
        8, ``affine``, ``minmax``, 99.99.
    fuse : bool
        Layers that runtimes compute in one piece have one grid, at their end (True).
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    model : dict
    info : dict
        options; activations: a list of dicts, layer, lo, hi, scale, zero_point.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_calibrate:notModel``, ``badInput``, ``badValue``, ``unknownOption``,
        ``notFinite``.
    """
    defaults = {
        "activations": "static",
        "bits": 8,
        "scheme": "affine",
        "observer": "minmax",
        "percentile": 99.99,
        "fuse": True,
        "batch_size": 256,
    }
    options = parse_options(CALLER, defaults, options)
    kinds = ["static", "dynamic", "none"]
    check(CALLER, "activations", options["activations"], "choice", kinds)
    check(CALLER, "bits", options["bits"], "integer", (1, 16))
    check(CALLER, "scheme", options["scheme"], "choice", ["symmetric", "affine"])
    check(CALLER, "observer", options["observer"], "choice", KINDS)
    check(CALLER, "percentile", options["percentile"], "number", (50, 100))
    check(CALLER, "fuse", options["fuse"], "flag")
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    model = graph.tidy(CALLER, model)
    rows = put_grids(CALLER, model, x, options)
    return model, {"options": options, "activations": rows}
