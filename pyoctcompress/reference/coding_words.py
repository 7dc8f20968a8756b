"""The words of a packed file, and the grids that its arrays are promised to lie on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .quant import Grid

# Names that a packed file writes as one number. The order is part of the format; new words may only
# be added at the end.
# fmt: off
WORDS = [
    "octcompress", "dense", "conv2d", "transposedconv2d", "batchnorm", "relu", "relu6", "swish",
    "hardswish", "sigmoid", "tanh", "identity", "leakyrelu", "elu", "gelu", "hardsigmoid",
    "prelu", "softmax", "logsoftmax", "maxpool", "averagepool", "globalmaxpool",
    "globalaveragepool", "flatten", "reshape", "permute", "add", "subtract", "multiply",
    "concat", "dropout", "upsample", "zeropad", "scale", "lstm", "gru", "input", "output",
    "same", "hwc", "chw", "symmetric", "affine", "signed", "unsigned", "codebook", "bf16",
    "fp16", "fp8_e4m3", "fp8_e5m2", "magnitude", "threshold", "sparsity", "weight", "layer",
    "global", "local", "filter", "channel", "neuron", "l1", "l2", "random", "obs", "obd",
    "taylor", "wanda", "fpgm", "lamp", "movement", "nearest", "gptq", "adaround", "obq",
    "minmax", "percentile", "mse", "kl", "static", "dynamic", "float", "0", "1", "2", "3", "4",
    "5", "6", "7", "8", "9", "conv1", "conv2", "fc1", "fc2", "fc3", "sum", "mean", "format",
    "version", "layers", "input_size", "classes", "quantization", "pruning", "meta", "outputs",
    "type", "name", "inputs", "weights", "bias", "weights_size", "bits", "scheme", "zero_point",
    "axis", "group", "criterion", "structure", "scope", "rule", "amount", "limit", "zeros",
    "stride", "padding", "dilation", "groups", "pool_size", "variance", "offset", "epsilon",
    "order", "slope", "alpha", "beta", "recurrent_weights", "recurrent_bias",
    "recurrent_weights_size", "output_size", "reverse", "reset_after", "output_padding",
    "ceil_mode", "count_include_pad", "dimensions", "factor", "rate", "approximate",
    "align_corners", "momentum", "method", "result", "n_m", "block", "octcompress_promises",
    "tensor", "fixed", "seed", "accuracy", "error", "history", "options", "note", "source",
    "activation", "kernel", "keep", "norm",
]
# fmt: on


def grid_beside(owner: Any, name: str, place: str, promises: Any) -> Grid | None:
    """Return the grid that an array of a struct is promised to lie on, or None.

    Parameters
    ----------
    owner : dict
        The struct in which the array stands; its quantization.NAME is the grid.
    name : str
        The array's field.
    place : str
        Where it stands in the whole model.
    promises : list of dict
        tensor (a place) and quantization: what a model that is no network keeps.
    """
    grid = None
    if isinstance(owner, Mapping) and isinstance(owner.get("quantization"), Mapping):
        grid = owner["quantization"].get(name)
    for promise in promises if isinstance(promises, list) else []:
        if "quantization" in promise and promise.get("tensor") == place:
            grid = promise["quantization"]
    return dict(grid) if isinstance(grid, Mapping) and "bits" in grid else None
