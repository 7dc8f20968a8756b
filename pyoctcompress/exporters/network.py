"""What all targets of a network share: its plan, the order of flattened images, refusals."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyoctcompress.exporters.constants import CALLER
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.integer import KEEPING
from pyoctcompress.reference.internal import Array, fail, is_empty, scalar, value_array
from pyoctcompress.reference.layers import rearrange
from pyoctcompress.reference.layers.common import option
from pyoctcompress.reference.nn_fold import fold as folding
from pyoctcompress.reference.quant import Grid

# Between integers their results lie on the grid of what they read, unless they have one.
POOLS = ("averagepool", "globalaveragepool")

PRECISIONS = ("float", "weights", "integer")

# Each number of the result hangs on the same number of the input.
ELEMENTWISE = (
    *("relu", "relu6", "leakyrelu", "elu", "gelu", "swish", "hardswish"),
    *("sigmoid", "hardsigmoid", "tanh", "identity", "dropout"),
)


@dataclass
class Network:
    """A network that is to be written.

    Attributes
    ----------
    model, layers, plan
        Tidy, and planned.
    precision : str
        ``float``, ``weights`` (weights as integers), or ``integer`` (activations too).
    faults : list of str
        What the target cannot express, layer by layer.
    notes : list of str
        What the user should know of the file.
    files : list of path
        Those that were written, where they are not just the one that was asked for.
    """

    model: graph.Model
    plan: graph.Plan
    precision: str
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[Any] = field(default_factory=list)

    @property
    def layers(self) -> list[graph.Layer]:
        """The layers."""
        return list(self.model["layers"])

    @property
    def input_size(self) -> list[Any]:
        """Size of one observation of the input."""
        return graph.input_size(self.model)

    def in_sizes(self, k: int) -> list[list[Any]]:
        """Sizes of one observation of what a layer reads."""
        return [self.plan.sizes[r] if r >= 0 else self.input_size for r in self.plan.inputs[k]]

    def weight_grid(self, layer: graph.Layer, name: str = "weights") -> Grid | None:
        """Return the grid of a layer's weights, where it counts in this precision."""
        if self.precision == "float":
            return None
        return layer.get("quantization", {}).get(name)

    def output_grid(self, k: int) -> Grid | None:
        """Return the grid of a layer's output (-1: of the network's input), where it counts."""
        if self.precision != "integer":
            return None
        owner = self.model if k < 0 else self.layers[k]
        return owner.get("quantization", {}).get("input" if k < 0 else "output")

    def grids(self) -> list[Grid | None]:
        """Return the grid of each layer's result: its own, or that of what it passes on."""
        grids: dict[int, Grid | None] = {-1: self.output_grid(-1)}
        for k, (layer, reads) in enumerate(zip(self.layers, self.plan.inputs, strict=True)):
            passes = layer["type"] in (*KEEPING, *POOLS, "concat")
            grids[k] = self.output_grid(k) or (grids[reads[0]] if passes else None)
        return [grids[k] for k in range(len(self.layers))]

    def output_grids(self) -> list[Grid | None]:
        """Return the grids of the network's outputs."""
        grids = self.grids()
        return [grids[k] for k in self.plan.outputs]

    def refuse(self, layer: graph.Layer, why: str) -> None:
        """Note that the target cannot express a layer."""
        self.faults.append(f"'{layer['name']}' ({layer['type']}): {why}")

    def check(self, target: str) -> None:
        """Raise one error that names all that was refused.

        Raises
        ------
        ModelError
            ``octcompress:export:unsupported``.
        """
        if self.faults:
            found = "\n  ".join(self.faults)
            count = len(self.faults)
            what = "a layer" if count == 1 else f"{count} layers"
            fail(CALLER, "unsupported", f"{target} cannot hold {what} of MODEL:\n  {found}")


def prepare(model: Any, precision: str | None, order: str, fold: bool = False) -> Network:
    """Plan a network for a target.

    Parameters
    ----------
    model : dict
        A network.
    precision : str, optional
        As of `Network`; what the model's grids say unless given.
    order : str
        The order in which the target flattens images: dense layers after a flatten that reads in
        another one get their columns in this one.
    fold : bool
        Fold batch normalisations into the layers before them, where no grid forbids it.

    Raises
    ------
    OctcompressError
        ``octcompress:export:notModel``, ``badValue``, ``notQuantized``, and those of a faulty
        network.
    """
    if isinstance(model, Mapping) and not graph.is_network(model):
        fail(
            CALLER,
            "notModel",
            f"MODEL is not a network, but a bag of arrays: {', '.join(list(model)[:8])}; "
            "octcompress convert makes networks of other layouts",
        )
    model = graph.tidy(CALLER, model)
    precision = precision or found_precision(model)
    if precision not in PRECISIONS:
        known = "', '".join(PRECISIONS)
        fail(CALLER, "badValue", f"PRECISION must be one of '{known}', but is {precision!r}")
    if precision != "float" and not any(layer.get("quantization") for layer in model["layers"]):
        fail(
            CALLER,
            "notQuantized",
            f"PRECISION '{precision}' needs weights on a grid, but no layer has one; use "
            "nn_quantize",
        )
    if precision == "integer" and "input" not in model.get("quantization", {}):
        fail(
            CALLER,
            "notQuantized",
            "PRECISION 'integer' needs activations on grids, but the network's input has none; "
            "use nn_quantize with data, or nn_calibrate",
        )
    if precision == "float":
        model["layers"] = [without_grids(layer) for layer in model["layers"]]
        model = folding(model)[0] if fold else model
    plan = graph.plan(CALLER, model)
    for k in range(len(model["layers"])):
        reorder(model, plan, k, order)
    return Network(model, plan, precision)


def found_precision(model: graph.Model) -> str:
    """Say what a model's grids make possible."""
    grid = model.get("quantization", {}).get("input", {"dynamic": True})
    if not grid.get("dynamic"):
        return "integer"
    weights = any("weights" in layer.get("quantization", {}) for layer in model["layers"])
    return "weights" if weights else "float"


def without_grids(layer: graph.Layer) -> graph.Layer:
    """Leave out what quantization promised of a layer."""
    return {name: value for name, value in layer.items() if name != "quantization"}


def reorder(model: graph.Model, plan: graph.Plan, k: int, order: str) -> None:
    """Let a flatten layer read images in another order, where only dense layers see it."""
    layer, layers = model["layers"][k], model["layers"]
    if layer["type"] != "flatten":
        return
    source = plan.inputs[k][0]
    in_size = plan.sizes[source] if source >= 0 else graph.input_size(model)
    own = option(layer, "order", "hwc")
    if len(in_size) != 3 or own == order:
        return
    places = order_change(in_size, own, order)
    moved = not np.array_equal(places, np.arange(places.size))
    readers = dense_readers(layers, plan, k) if moved else []
    if readers is None:
        return
    for r in readers:
        layers[r]["weights"] = layers[r]["weights"][:, places]
    layer["order"] = order


def order_change(size: list[int], own: str, other: str) -> Array:
    """Say for each number of an image, listed in one order, where another order has it."""
    numbers = np.arange(math.prod(size))[:, np.newaxis]
    return rearrange.to_list(rearrange.from_list(numbers, size, own), other).ravel()


def dense_readers(layers: list[graph.Layer], plan: graph.Plan, k: int) -> list[int] | None:
    """Find the dense layers that read a list of numbers; None if anything else sees its order."""
    if k in plan.outputs:
        return None
    found = []
    for r, reads in enumerate(plan.inputs):
        if k not in reads:
            continue
        kind = layers[r]["type"]
        if kind == "dense" and not hangs_on_columns(layers[r]):
            found.append(r)
            continue
        further = dense_readers(layers, plan, r) if kind in ELEMENTWISE else None
        if further is None:
            return None
        found += further
    return found


def hangs_on_columns(layer: graph.Layer) -> bool:
    """Whether the grid of a dense layer's weights treats columns differently."""
    grid = layer.get("quantization", {}).get("weights")
    return grid is not None and ("group" in grid or grid["axis"] not in (0, 1))


def affine_of(layer: graph.Layer) -> tuple[Array, Array]:
    """Give batch normalisation or scale as a factor and an offset, single, ``y = a * x + b``."""
    shift = value_array(option(layer, "offset", 0.0)).astype(np.float64)
    factor = value_array(option(layer, "scale", 1.0)).astype(np.float64)
    if layer["type"] == "batchnorm":
        epsilon = scalar(option(layer, "epsilon", 1e-5))
        factor = factor / np.sqrt(value_array(layer["variance"]).astype(np.float64) + epsilon)
        shift = shift - factor * value_array(layer["mean"]).astype(np.float64)
    return factor.astype(np.float32), shift.astype(np.float32)


def bias_of(layer: graph.Layer, count: int, name: str = "bias") -> Array:
    """Return a bias as single numbers, zeros where there is none."""
    if is_empty(layer.get(name)):
        return np.zeros(count, np.float32)
    return value_array(layer[name]).astype(np.float32).reshape(-1)


def channels_last(x: Array) -> Array:
    """Put observations, ours, in the order N x H x W x C, N x F, or N x T x F."""
    order = {2: (1, 0), 3: (1, 2, 0), 4: (3, 0, 1, 2)}[x.ndim]
    return np.ascontiguousarray(x.transpose(order))


def from_channels_last(y: Array) -> Array:
    """Undo `channels_last`."""
    order = {2: (1, 0), 3: (2, 0, 1), 4: (1, 2, 3, 0)}[y.ndim]
    return y.transpose(order)


def has_bias(layer: graph.Layer) -> bool:
    """Whether a layer has a bias."""
    return not is_empty(layer.get("bias"))


# Our dimensions [H W C], slowest first, as each order lists an image.
READING = {"hwc": (2, 1, 0), "chw": (2, 0, 1), "keras": (0, 1, 2)}


def reading(layer: graph.Layer, size: Sequence[int], natural: str) -> tuple[int, ...]:
    """Return the order in which a layer lists an image; the natural one where it lists the same."""
    own, other = (READING[name] for name in (option(layer, "order", "hwc"), natural))
    moved = [d for d in own if size[d] != 1] != [d for d in other if size[d] != 1]
    return own if moved else other
