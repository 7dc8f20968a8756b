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

from . import activation, dense, softmax


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
    inputs : tuple
        The fewest and the most inputs; `x` is a list where more than one is allowed.
    """

    run: ModuleType
    trained: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    prunable: tuple[str, ...] = ()
    inputs: tuple[float, float] = (1, 1)

    @property
    def several(self) -> bool:
        """Whether the layer takes a list of inputs."""
        return self.inputs[1] > 1


TYPES: dict[str, Type] = {
    "dense": Type(dense, ("weights", "bias"), (), ("weights",)),
    "relu": Type(activation),
    "sigmoid": Type(activation),
    "tanh": Type(activation),
    "identity": Type(activation),
    "softmax": Type(softmax),
}


def types(name: Any) -> Type | None:
    """Look up the entry of a type; None when there is no such type."""
    return TYPES.get(name) if isinstance(name, str) else None


def input_text(entry: Type) -> str:
    """Say how many inputs a type takes, for messages: '1 to 1', '2 to Inf'."""
    most = "Inf" if math.isinf(entry.inputs[1]) else f"{entry.inputs[1]:g}"
    return f"{entry.inputs[0]:g} to {most}"
