"""Forward and backward of each layer type: the reference of ``+octcompress/+layers``.

Each module has three pure functions:

``forward(layer, x, random) -> (y, state)``
    `random` is None outside of training, where dropout does nothing and batch normalisation uses
    its running statistics. In training it is the generator that dropout draws from.
``backward(layer, x, y, dy, state, need_dx) -> (dx, gradients)``
    `gradients` is a dict with an array for each trained field; `dx` may be None where `need_dx`
    is false.
``size(layer, in_size) -> (out_size, macs)``
    Sizes of one observation as lists of ints: [F], [H, W, C] or [F, T]; `macs` counts
    multiply-accumulates of one observation.

Arrays have the user's own layout, unlike in the Octave engine: features F x N, images
H x W x C x N, sequences F x N x T. `x` is a list, and so are `in_size` and `dx`, where a type
takes more than one input. `channel_axis` says which dimension the channels are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from . import (
    activation,
    batchnorm,
    combine,
    concat,
    conv2d,
    dense,
    dropout,
    global_pooling,
    gru,
    logsoftmax,
    lstm,
    pooling,
    prelu,
    rearrange,
    scale,
    softmax,
    transposedconv2d,
    upsample,
    window,
    zeropad,
)

__all__ = ["TYPES", "Type", "input_text", "types", "window"]


@dataclass(frozen=True)
class Type:
    """What the engine knows of a layer type.

    Attributes
    ----------
    run : module
        With the functions forward, backward and size.
    trained, statistics, prunable : tuple of str
        The fields that training changes, that a forward pass in training changes, and that
        pruning and quantization take by default.
    options : tuple of str
        The layer's other fields.
    inputs : tuple
        The fewest and the most inputs; `x` is a list where more than one is allowed.
    """

    run: ModuleType
    trained: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    prunable: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    inputs: tuple[float, float] = (1, 1)

    @property
    def several(self) -> bool:
        """Whether the layer takes a list of inputs."""
        return self.inputs[1] > 1


WEIGHTS = ("weights", "bias")
WINDOW = ("stride", "padding", "dilation")
RECURRENT = ("weights", "recurrent_weights", "bias", "recurrent_bias")
MANY = (2, math.inf)

TYPES: dict[str, Type] = {
    "dense": Type(dense, WEIGHTS, (), ("weights",)),
    "conv2d": Type(conv2d, WEIGHTS, (), ("weights",), (*WINDOW, "groups")),
    "transposedconv2d": Type(
        transposedconv2d, WEIGHTS, (), ("weights",), (*WINDOW, "groups", "output_padding")
    ),
    "batchnorm": Type(
        batchnorm, ("scale", "offset"), ("mean", "variance"), (), ("epsilon", "momentum", "frozen")
    ),
    "relu": Type(activation),
    "relu6": Type(activation),
    "swish": Type(activation),
    "hardswish": Type(activation),
    "sigmoid": Type(activation),
    "tanh": Type(activation),
    "identity": Type(activation),
    "leakyrelu": Type(activation, options=("slope",)),
    "elu": Type(activation, options=("alpha",)),
    "gelu": Type(activation, options=("approximate",)),
    "hardsigmoid": Type(activation, options=("alpha", "beta")),
    "prelu": Type(prelu, ("slope",)),
    "softmax": Type(softmax),
    "logsoftmax": Type(logsoftmax),
    "maxpool": Type(pooling, options=("pool_size", *WINDOW, "ceil_mode")),
    "averagepool": Type(pooling, options=("pool_size", *WINDOW, "ceil_mode", "count_include_pad")),
    "globalmaxpool": Type(global_pooling),
    "globalaveragepool": Type(global_pooling),
    "flatten": Type(rearrange, options=("order",)),
    "reshape": Type(rearrange, options=("output_size", "order")),
    "permute": Type(rearrange, options=("dimensions",)),
    "add": Type(combine, inputs=MANY),
    "subtract": Type(combine, inputs=(2, 2)),
    "multiply": Type(combine, inputs=MANY),
    "concat": Type(concat, options=("axis",), inputs=MANY),
    "dropout": Type(dropout, options=("rate",)),
    "upsample": Type(upsample, options=("factor", "method", "align_corners")),
    "zeropad": Type(zeropad, options=("padding",)),
    "scale": Type(scale, options=("scale", "offset")),
    "lstm": Type(lstm, RECURRENT, (), RECURRENT[:2], ("result", "reverse")),
    "gru": Type(gru, RECURRENT, (), RECURRENT[:2], ("result", "reverse", "reset_after")),
}


def types(name: Any) -> Type | None:
    """Look up the entry of a type; None when there is no such type."""
    return TYPES.get(name) if isinstance(name, str) else None


def input_text(entry: Type) -> str:
    """Say how many inputs a type takes, for messages: '1 to 1', '2 to Inf'."""
    most = "Inf" if math.isinf(entry.inputs[1]) else f"{entry.inputs[1]:g}"
    return f"{entry.inputs[0]:g} to {most}"
