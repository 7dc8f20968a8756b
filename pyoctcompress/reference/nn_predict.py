"""The verb predict: the reference of ``nn_predict.m``."""

from __future__ import annotations

from typing import Any

from . import model as graph
from .integer import integer_predict
from .internal import check, parse_options, plain


def predict(model: Any, x: Any, **options: Any) -> Any:
    """Compute the outputs of a network.

    Parameters
    ----------
    model : dict
        A network.
    x : array
        Features F x N (a column is an observation), images H x W x C x N, or sequences
        F x N x T; any numeric class, taken as it is.
    batch_size : int
        Observations at a time (256).
    arithmetic : str
        ``float`` (default), or ``integer``: 8-bit codes, 32-bit sums and fixed-point multipliers,
        by the rules of TensorFlow Lite's int8 kernels.
    requantization : str
        Of integers: ``double`` rounding (default), ``single``, or ``litert``: single in dense
        layers and double in all others, which is what LiteRT's reference kernels do.

    Returns
    -------
    array, or list of arrays where the network has several outputs
        In the same layout, single (double where the weights are).

    Raises
    ------
    OctcompressError
        ``octcompress:nn_predict:notModel``, ``badInput``, ``badSize``, ``notFinite``,
        ``badValue``, ``notInteger``.
    """
    caller = "nn_predict"
    defaults = {"batch_size": 256, "arithmetic": "float", "requantization": "double"}
    options = parse_options(caller, defaults, options)
    check(caller, "arithmetic", options["arithmetic"], "choice", ["float", "integer"])
    if options["arithmetic"] == "integer":
        rounding = options["requantization"]
        outputs = integer_predict(caller, model, x, options["batch_size"], rounding)
    else:
        outputs = graph.predict(caller, model, x, options["batch_size"])
    y = [plain(each) for each in outputs]
    return y[0] if len(y) == 1 else y
