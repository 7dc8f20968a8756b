"""Networks as .tflite, in floating point or in our integers, without TensorFlow.

Images are N x H x W x C, features N x F, sequences N x T x F. A network whose activations lie on
grids becomes full int8: the codes of weights, biases and activations are those that
``nn_predict (.., 'arithmetic', 'integer')`` computes with.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tflite

from pyoctcompress.exporters import tflite_layers
from pyoctcompress.exporters.constants import Constant, codes_in_order, constant, weights_in_order
from pyoctcompress.exporters.network import (
    Network,
    bias_of,
    channels_last,
    from_channels_last,
    prepare,
)
from pyoctcompress.exporters.steps import Step, fits_int8, steps
from pyoctcompress.exporters.tflite_file import TfliteFile
from pyoctcompress.reference.integer import integer_layer
from pyoctcompress.reference.internal import Array, scalar, value_array
from pyoctcompress.reference.layers.window import shaped_weights
from pyoctcompress.reference.quant import FLOAT_FORMATS, Grid

FLATTEN_ORDER = "keras"


def write(model: Any, path: Any, *, precision: str | None = None) -> Network:
    """Write a network as a .tflite file.

    Parameters
    ----------
    model : dict
        A network.
    path : path
        The file.
    precision : str, optional
        ``float``; ``weights``: weights as int8, made floating point when the file is loaded;
        ``integer``: full int8. What the model's grids say unless given.

    Returns
    -------
    Network
        What was written.
    """
    network = prepare(model, precision, FLATTEN_ORDER, fold=True)
    Writer(network).write(path)
    return network


def layout(size: Sequence[Any]) -> list[int]:
    """Give the shape of an observation in TensorFlow Lite: [F], [H, W, C], or [T, F]."""
    return [1 if n != n else int(n) for n in (size if len(size) == 3 else size[::-1])]


to_layout, from_layout = channels_last, from_channels_last


class Writer:
    """A network on its way into a .tflite file.

    Attributes
    ----------
    network : Network
    file : TfliteFile
    integer : bool
        Whether activations are integers.
    values : dict
        The tensor of each layer's result; -1 is the network's input.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.file = network, TfliteFile()
        self.integer = network.precision == "integer"
        self.values: dict[int, int] = {}

    def write(self, path: Any) -> None:
        """Add all layers and write."""
        network, plan = self.network, self.network.plan
        pieces = steps(network)
        source = self.activation("input", network.input_size, network.output_grid(-1))
        self.values[-1] = source
        for step in pieces:
            kind = step.layer["type"]
            self.values[step.end] = source
            if self.integer and kind in tflite_layers.NOT_INTEGER:
                network.refuse(step.layer, "it has no integer form")
            elif not step.faulty:
                reads = [self.values[r] for r in step.reads]
                self.values[step.end] = tflite_layers.LAYERS[kind](self, step, reads)
        network.check("TensorFlow Lite")
        taken: list[int] = [source]
        for k in plan.outputs:
            value = self.values[k]
            if value in taken:
                grid = next((step.grid for step in pieces if step.end == k), None)
                value = self.reshaped(network.layers[k]["name"], value, plan.sizes[k], grid)
            taken.append(value)
        self.file.write(path, [source], taken[1:])

    def activation(self, name: str, size: Sequence[Any], grid: Grid | None) -> int:
        """Add a tensor of results, of the size of one observation."""
        shape = [1, *layout(size)]
        if not self.integer or grid is None:
            return self.file.tensor(name, shape, tflite.TensorType.FLOAT32)
        return self.file.tensor(name, shape, tflite.TensorType.INT8, **quantization(grid))

    def result(self, step: Step) -> int:
        """Add the tensor of a piece's result."""
        return self.activation(step.layer["name"], step.out_size, step.grid)

    def reshaped(self, name: str, value: int, size: Sequence[Any], grid: Grid | None) -> int:
        """Give a tensor another shape, or the same another name."""
        shape = np.array([-1, *layout(size)], np.int32)
        target = self.file.constant(f"{name}_shape", shape)
        output = self.activation(name, size, grid)
        return self.file.operator(
            "RESHAPE", 1, [value, target], output, "ReshapeOptions", NewShape=shape
        )

    def weights(self, step: Step, order: Sequence[int], axis: int, field: str = "weights") -> int:
        """Add a layer's weights.

        Parameters
        ----------
        order : sequence of int
            Our dimensions (from 0) in the order of the file.
        axis : int
            The dimension of the file that the output channels are.
        """
        layer, name = step.layer, f"{step.layer['name']}_{field}"
        grid = self.network.weight_grid(layer, field)
        w = shaped_weights(layer) if len(order) == 4 else value_array(layer[field])
        values = weights_in_order(w, order)
        if grid is None:
            return self.file.constant(name, values)
        if not self.integer and not fits_bytes(grid, order[axis]):
            self.network.notes.append(
                f"the weights of '{layer['name']}' are written in floating point: their grid has "
                "no form in TensorFlow Lite"
            )
            return self.file.constant(name, values)
        codes = centred(codes_in_order(w, grid, order, np.int16), grid, order[axis], axis)
        scale = np.ravel(value_array(grid["scale"])).astype(np.float32)
        more: dict[str, Any] = {"scale": scale, "zero_point": np.zeros(scale.size), "axis": axis}
        place = self.file.constant(f"{name}_codes" if not self.integer else name, codes, **more)
        if self.integer:
            return place
        output = self.file.tensor(name, values.shape, tflite.TensorType.FLOAT32)
        return self.file.operator("DEQUANTIZE", 5, [place], output, "DequantizeOptions")

    def bias(self, step: Step, count: int) -> int:
        """Add a bias, as 32-bit integers between integers."""
        name = f"{step.layer['name']}_bias"
        if not self.integer:
            return self.file.constant(name, bias_of(step.layer, count))
        in_grid, grid = step.in_grids[0], self.network.weight_grid(step.layer)
        assert in_grid is not None and grid is not None
        codes = np.broadcast_to(integer_layer(step.layer, in_grid, in_grid).bias, (count, 1))
        weight_scale = np.ravel(value_array(grid["scale"])).astype(np.float32)
        scale = np.float32(scalar(in_grid["scale"])) * weight_scale
        more: dict[str, Any] = {"scale": scale, "zero_point": np.zeros(scale.size)}
        return self.file.constant(name, constant(codes.reshape(-1), np.int32), **more)


def quantization(grid: Grid) -> dict[str, Any]:
    """Give the scale and zero point of an activation."""
    return {"scale": scalar(grid["scale"]), "zero_point": scalar(grid["zero_point"])}


def fits_bytes(grid: Grid, axis: int) -> bool:
    """Whether codes of weights fit into bytes, one scale for all or for each channel."""
    plain = "group" not in grid and "codebook" not in grid and grid["scheme"] not in FLOAT_FORMATS
    return plain and grid["bits"] <= 8 and grid["axis"] in (0, axis + 1) and fits_int8(grid)


def centred(codes: Constant, grid: Grid, own: int, axis: int) -> Constant:
    """Take the zero points off codes; int8 where they fit."""
    zero = value_array(grid["zero_point"]).reshape(-1)
    if not fits_int8(grid):
        return codes

    def rows(first: int, last: int) -> Array:
        part = codes.rows(first, last)
        if not zero.any():
            return part.astype(np.int8)
        shape = [1] * part.ndim
        shape[axis] = -1
        each = zero[first:last] if axis == 0 and zero.size > 1 else zero
        return (part - each.reshape(shape)).astype(np.int8)

    return Constant(codes.shape, np.dtype(np.int8), rows)
