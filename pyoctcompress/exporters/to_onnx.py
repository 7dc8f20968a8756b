"""Networks as ONNX, in floating point or with our integers.

Images are N x C x H x W, features N x F, sequences N x T x F. Integers take the forms that mobile
runtimes were seen to compute rightly: a convolution's weights as DequantizeLinear with a scale for
each channel on axis 0, a dense layer as MatMul and Add with a scale for each column on axis 1,
activations as QuantizeLinear and DequantizeLinear after every layer but the last. One scale for a
tensor is written once for each channel.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, defs

from pyoctcompress.exporters import onnx_layers
from pyoctcompress.exporters.constants import (
    CALLER,
    codes_in_order,
    constant,
    per_channel,
    weights_in_order,
)
from pyoctcompress.exporters.network import Network, prepare
from pyoctcompress.exporters.onnx_file import OnnxFile
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.integer import integer_layer
from pyoctcompress.reference.internal import Array, fail, scalar, value_array
from pyoctcompress.reference.layers.window import shaped_weights
from pyoctcompress.reference.quant import FLOAT_FORMATS, Grid, code_range

FLATTEN_ORDER = "chw"
_DEFAULT_OPSET = 17
_FOUR_BITS = 21  # the opset that brought codes of four and sixteen bits, and blocks of scales


def write(
    model: Any, path: Any, *, precision: str | None = None, opset: int | None = None
) -> Network:
    """Write a network as an ONNX file.

    Parameters
    ----------
    model : dict
        A network.
    path : path
        The file.
    precision : str, optional
        ``float``; ``weights``: integers for the weights, DequantizeLinear before their use;
        ``integer``: activations on their grids too (QDQ). What the model's grids say unless given.
    opset : int, optional
        13 or later (17); from 21 on weights of up to 4 bits are written as int4.

    Returns
    -------
    Network
        What was written.
    """
    newest = defs.onnx_opset_version()
    opset = _DEFAULT_OPSET if opset is None else int(opset)
    if not 13 <= opset <= newest:
        fail(CALLER, "badValue", f"OPSET must be from 13 to {newest}, but is {opset}")
    network = prepare(model, precision, FLATTEN_ORDER)
    Writer(network, OnnxFile(opset)).write(path)
    return network


def layout(size: Sequence[Any]) -> list[Any]:
    """Give the shape of an observation in ONNX: [F], [C, H, W], or [T, F]."""
    if len(size) == 3:
        return [size[2], size[0], size[1]]
    shape = list(size[::-1])
    return ["T" if n != n else n for n in shape]


def to_layout(x: Array) -> Array:
    """Put observations in ONNX's layout."""
    order = {2: (1, 0), 3: (1, 2, 0), 4: (3, 2, 0, 1)}[x.ndim]
    return np.ascontiguousarray(x.transpose(order))


def from_layout(y: Array) -> Array:
    """Put ONNX's outputs in our layout: `to_layout` undone."""
    order = {2: (1, 0), 3: (2, 0, 1), 4: (2, 3, 1, 0)}[y.ndim]
    return y.transpose(order)


class Writer:
    """A network on its way into an ONNX file.

    Attributes
    ----------
    network : Network
    file : OnnxFile
    values : list of str
        The tensor that holds each layer's result, on its grid.
    grids : list of grids
        That of each layer's result, between integers.
    """

    def __init__(self, network: Network, file: OnnxFile) -> None:
        self.network, self.file = network, file
        self.values: list[str] = []
        self.grids = network.grids()

    def write(self, path: Any) -> None:
        """Add all layers and write."""
        network, plan = self.network, self.network.plan
        source = self.file.unique("input")
        start = self.on_grid(source, network.output_grid(-1), network.model)
        for k, layer in enumerate(network.layers):
            reads = [self.values[r] if r >= 0 else start for r in plan.inputs[k]]
            result = onnx_layers.LAYERS[layer["type"]](self, k, layer, reads)
            if k not in plan.outputs:  # MNN crashes where an output is dequantized
                result = self.on_grid(result, self.grids[k], layer)
            self.values.append(result)
        network.check("ONNX")
        taken: list[str] = [source, start]
        for k in plan.outputs:
            taken.append(self.as_output(self.values[k], network.layers[k]["name"], taken))
        shapes = [["N", *layout(plan.sizes[k])] for k in plan.outputs]
        inputs = [(source, ["N", *layout(network.input_size)])]
        network.files = self.file.write(path, inputs, list(zip(taken[2:], shapes, strict=True)))

    def as_output(self, value: str, name: str, taken: list[str]) -> str:
        """Give an output of the network its layer's name."""
        if value in taken:
            return self.file.node("Identity", [value], name)
        if value != name:
            self.file.rename(name, self.file.unique(f"{name}_before"))
            self.file.rename(value, name)
        return name

    def on_grid(self, value: str, grid: Grid | None, owner: graph.Layer) -> str:
        """Put a tensor on the grid of its activations."""
        if grid is None:
            return value
        name = owner.get("name", "input")
        kind = self.code_type(grid)
        four = kind in (TensorProto.INT4, TensorProto.UINT4)
        if grid.get("dynamic"):
            self.network.faults.append(
                f"'{name}': its activations have dynamic grids; use static ones (nn_calibrate)"
            )
            return value
        if kind is None:
            self.network.faults.append(
                f"'{name}': activations of {grid['bits']:g} bits need opset {_FOUR_BITS}"
            )
            return value
        first, last = code_range(grid)
        scale, zero = np.float32(scalar(grid["scale"])), scalar(grid["zero_point"])
        if grid["bits"] not in (4 if four else 8, 16):  # the codes' own range is wider
            ends = [np.float32((code - zero) * scale) for code in (first, last)]
            names = [self.file.constant(f"{name}_end", np.array(end)) for end in ends]
            value = self.file.node("Clip", [value, *names], f"{name}_clipped")
        given = [
            self.file.constant(f"{name}_scale", np.array(scale)),
            self.zero_point(f"{name}_zero_point", np.array(zero), kind),
        ]
        codes = self.file.node("QuantizeLinear", [value, *given], f"{name}_codes")
        return self.file.node("DequantizeLinear", [codes, *given], f"{name}_on_grid")

    def zero_point(self, name: str, value: Array, kind: int) -> str:
        """Add the zero points of a grid, in the type of the codes."""
        four = kind in (TensorProto.INT4, TensorProto.UINT4)
        return self.file.constant(name, constant(value, _DTYPES[kind]), kind, four)

    def code_type(self, grid: Grid) -> int | None:
        """Choose the type of a grid's codes; None where this opset has none."""
        first, last = code_range(grid)
        signed = first < 0
        if grid["bits"] > 8:
            kinds = (TensorProto.INT16, TensorProto.UINT16)
        elif last < 8 + 8 * (not signed) and self.file.opset >= _FOUR_BITS:
            kinds = (TensorProto.INT4, TensorProto.UINT4)
        else:
            kinds = (TensorProto.INT8, TensorProto.UINT8)
        if grid["bits"] > 8 and self.file.opset < _FOUR_BITS:
            return None
        return kinds[0] if signed else kinds[1]

    def weights(
        self,
        layer: graph.Layer,
        order: Sequence[int],
        axis: int,
        name: str = "weights",
        stacked: bool = False,
    ) -> str:
        """Add weights, as integers where they have a grid that ONNX can express.

        Parameters
        ----------
        order : sequence of int
            Our dimensions (from 0) in the order of the file.
        axis : int
            The dimension of the file that the output channels are.
        stacked : bool
            One more dimension, of length 1, stands before the others.
        """
        grid = self.network.weight_grid(layer, name)
        w = shaped_weights(layer) if len(order) == 4 else value_array(layer[name])
        label = f"{layer['name']}_{name}"
        values = weights_in_order(w, order)
        values = values.stacked() if stacked else values
        if grid is None:
            return self.file.constant(label, values)
        if "codebook" in grid or grid["scheme"] in FLOAT_FORMATS:
            return self.looked_up(layer, label, w, grid, order, stacked)
        kind = self.code_type(grid)
        own = order[axis - stacked]
        blocks = "group" in grid and layer["type"] == "dense" and self.file.opset >= _FOUR_BITS
        fits = blocks or "group" not in grid
        if kind is None or not fits or grid["axis"] not in (0, own + 1):
            self.network.notes.append(
                f"the weights of '{layer['name']}' are written in floating point: their grid of "
                f"{grid['bits']:g} bits has no form in opset {self.file.opset}"
            )
            return self.file.constant(label, values)
        four = kind in (TensorProto.INT4, TensorProto.UINT4)
        codes = codes_in_order(w, grid, order, _DTYPES[kind])
        codes = codes.stacked() if stacked else codes
        more = {"axis": axis}
        scale, zero = (per_channel(grid[f], w.shape[own]) for f in ("scale", "zero_point"))
        if blocks:
            more = {"axis": 0, "block_size": int(grid["group"])}
            scale, zero = (each.reshape(w.shape[own], -1).T for each in (scale, zero))
        given = [
            self.file.constant(f"{label}_codes", codes, kind, four),
            self.file.constant(f"{label}_scale", constant(scale, np.float32)),
            self.zero_point(f"{label}_zero_point", zero, kind),
        ]
        return self.file.node("DequantizeLinear", given, label, **more)

    def looked_up(
        self,
        layer: graph.Layer,
        label: str,
        w: Array,
        grid: Grid,
        order: Sequence[int],
        stacked: bool,
    ) -> str:
        """Add weights of a codebook as places in it, and half precision as it is."""
        if grid["scheme"] == "fp16":
            half = weights_in_order(w, order, np.float16)
            codes = self.file.constant(f"{label}_half", half.stacked() if stacked else half)
            return self.file.node("Cast", [codes], label, to=TensorProto.FLOAT)
        if "codebook" not in grid or np.size(grid["codebook"]) > 256:
            self.network.notes.append(
                f"the weights of '{layer['name']}' are written in floating point: "
                f"'{grid['scheme']}' has no form in ONNX that runtimes take"
            )
            values = weights_in_order(w, order)
            return self.file.constant(label, values.stacked() if stacked else values)
        places = codes_in_order(w, grid, order, np.uint8)
        places = places.stacked() if stacked else places
        entries = value_array(grid["codebook"]).astype(np.float32).reshape(-1)
        codes = self.file.constant(f"{label}_places", places)
        wide = self.file.node("Cast", [codes], f"{label}_wide", to=TensorProto.INT32)
        book = self.file.constant(f"{label}_codebook", entries)
        return self.file.node("Gather", [book, wide], label, axis=0)

    def bias(self, layer: graph.Layer, k: int, value: Array) -> str:
        """Add a convolution's bias; as 32-bit integers where input and weights are integers."""
        label = f"{layer['name']}_bias"
        source = self.network.plan.inputs[k][0]
        in_grid = self.grids[source] if source >= 0 else self.network.output_grid(-1)
        grid = self.network.weight_grid(layer)
        if in_grid is None or grid is None or not fits_integers(grid):
            return self.file.constant(label, value)
        codes = integer_layer(layer, in_grid, in_grid).bias.reshape(-1)
        scale = per_channel(grid["scale"], codes.size).astype(np.float32)
        product = np.float32(scalar(in_grid["scale"])) * scale
        given = [
            self.file.constant(f"{label}_codes", constant(codes, np.int32)),
            self.file.constant(f"{label}_scale", product),
            self.file.constant(f"{label}_zero_point", np.zeros(codes.size, np.int32)),
        ]
        return self.file.node("DequantizeLinear", given, label, axis=0)


def fits_integers(grid: Grid) -> bool:
    """Whether a convolution's products can be summed up as integers."""
    if "group" in grid or "codebook" in grid or grid["bits"] > 8:
        return False
    return grid["scheme"] not in FLOAT_FORMATS and grid["axis"] in (0, 4)


_DTYPES: dict[int, Any] = {
    TensorProto.INT4: np.int8,
    TensorProto.UINT4: np.uint8,
    TensorProto.INT8: np.int8,
    TensorProto.UINT8: np.uint8,
    TensorProto.INT16: np.int16,
    TensorProto.UINT16: np.uint16,
}
