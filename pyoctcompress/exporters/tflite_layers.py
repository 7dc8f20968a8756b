"""The layer types as operators of TensorFlow Lite.

Each function adds the operators of one piece and returns the tensor of its result; what cannot be
expressed is noted by ``writer.network.refuse``.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyoctcompress.exporters.network import affine_of, has_bias, reading
from pyoctcompress.exporters.steps import Step
from pyoctcompress.exporters.tflite_recurrent import recurrent
from pyoctcompress.exporters.tflite_windows import (
    FUSED,
    convolution,
    global_pool,
    one_grid,
    pool,
    rescaled,
    transposed_convolution,
)
from pyoctcompress.reference.integer import slope_codes
from pyoctcompress.reference.internal import scalar, value_array
from pyoctcompress.reference.layers import (
    concat,
    upsample,
    zeropad,
)
from pyoctcompress.reference.layers.common import option
from pyoctcompress.reference.quant import Grid

if TYPE_CHECKING:
    from pyoctcompress.exporters.to_tflite import Writer

Emit = Callable[["Writer", Step, list[int]], int]

NATURAL = (0, 1, 2)  # our dimensions in the order of H x W x C
NOT_INTEGER = ["batchnorm", "scale", "swish", "hardsigmoid", "lstm", "gru"]


def dense(writer: Writer, step: Step, reads: list[int]) -> int:
    """FULLY_CONNECTED."""
    inputs = [reads[0], writer.weights(step, (0, 1), 0)]
    if has_bias(step.layer) or writer.integer:
        inputs.append(writer.bias(step, value_array(step.layer["weights"]).shape[0]))
    sequence = len(step.in_sizes[0]) == 2
    version = 5 if sequence else 4 if writer.integer else 1
    return writer.file.operator(
        "FULLY_CONNECTED",
        version,
        inputs,
        writer.result(step),
        "FullyConnectedOptions",
        FusedActivationFunction=FUSED[step.clip],
        KeepNumDims=sequence,
    )


def keeping(emit: Callable[[Writer, Step, list[int], int], int]) -> Emit:
    """Let a function whose result lies on its input's grid end on the piece's own."""

    def whole(writer: Writer, step: Step, reads: list[int]) -> int:
        name = step.layer["name"]
        if not writer.integer or one_grid(step.in_grids[0], step.grid):
            return emit(writer, step, reads, writer.result(step))
        output = writer.activation(f"{name}_before", step.out_size, step.in_grids[0])
        return rescaled(writer, step, emit(writer, step, reads, output))

    return whole


def affine(writer: Writer, step: Step, reads: list[int]) -> int:
    """MUL and ADD of constants."""
    layer, name, value = step.layer, step.layer["name"], reads[0]
    ops = [
        (op, part)
        for op, field, part in zip(
            ("MUL", "ADD"), ("scale", "offset"), affine_of(layer), strict=True
        )
        if layer["type"] == "batchnorm" or field in layer
    ]
    for op, part in ops:
        part = part.reshape(-1) if part.ndim == 2 and part.shape[1] == 1 else part
        if len(step.in_sizes[0]) == 2 and part.ndim == 2:
            part = part.T
        given = writer.file.constant(f"{name}_{op.lower()}", part)
        output = writer.activation(f"{name}_{op}", step.out_size, None)
        options = f"{op.title()}Options"
        value = writer.file.operator(op, 1, [value, given], output, options)
    return value


def prelu(writer: Writer, step: Step, reads: list[int]) -> int:
    """PRELU."""
    slope = value_array(step.layer["slope"]).astype(np.float32).reshape(-1)
    channels = step.in_sizes[0][-1] if len(step.in_sizes[0]) == 3 else step.in_sizes[0][0]
    more: dict[str, Any] = {}
    if writer.integer:
        codes, grid = slope_codes(step.layer)
        slope = codes.astype(np.int8)
        more = {"scale": scalar(grid["scale"]), "zero_point": 0.0}
    alpha = np.broadcast_to(slope, (channels,)).reshape([1] * (len(step.in_sizes[0]) - 1) + [-1])
    given = writer.file.constant(f"{step.layer['name']}_slope", alpha, **more)
    return writer.file.operator("PRELU", 1, [reads[0], given], writer.result(step))


def plain(op: str, options: str = "", version: int = 2, **fields: Any) -> Emit:
    """Make the function of a type that is one operator; `version` is that of its int8 form."""

    def emit(writer: Writer, step: Step, reads: list[int]) -> int:
        number = version if writer.integer else 1
        given = {
            name: value(step.layer) if callable(value) else value for name, value in fields.items()
        }
        return writer.file.operator(op, number, reads, writer.result(step), options, **given)

    return emit


def elu(writer: Writer, step: Step, reads: list[int]) -> int:
    """ELU."""
    if scalar(option(step.layer, "alpha", 1.0)) != 1:
        writer.network.refuse(step.layer, "ELU has no ALPHA but 1 there")
    return plain("ELU", version=1)(writer, step, reads)


def swish(writer: Writer, step: Step, reads: list[int]) -> int:
    """Multiply x by its sigmoid."""
    gate = writer.activation(f"{step.layer['name']}_sigmoid", step.out_size, None)
    gate = writer.file.operator("LOGISTIC", 1, reads, gate)
    return writer.file.operator("MUL", 1, [reads[0], gate], writer.result(step), "MulOptions")


def hardsigmoid(writer: Writer, step: Step, reads: list[int]) -> int:
    """Multiply, add, and clip to 0 to 1."""
    layer, value = step.layer, reads[0]
    constants = (
        ("MUL", scalar(option(layer, "alpha", 1 / 6)), "MulOptions"),
        ("ADD", scalar(option(layer, "beta", 0.5)), "AddOptions"),
        ("MAXIMUM", 0.0, "MaximumMinimumOptions"),
        ("MINIMUM", 1.0, "MaximumMinimumOptions"),
    )
    for op, number, options in constants:
        name = f"{layer['name']}_{op.lower()}"
        given = writer.file.constant(name, np.array([number], np.float32))
        output = writer.activation(f"{name}_value", step.out_size, None)
        value = writer.file.operator(op, 1, [value, given], output, options)
    return value


def same(writer: Writer, step: Step, reads: list[int]) -> int:
    """Pass on what is read."""
    moved = writer.integer and not one_grid(step.in_grids[0], step.grid)
    return rescaled(writer, step, reads[0]) if moved else reads[0]


def flatten(writer: Writer, step: Step, reads: list[int]) -> int:
    """RESHAPE, between transpositions where images are read in another order."""
    in_size, out_size, name = step.in_sizes[0], step.out_size, step.layer["name"]
    value, grid = reads[0], step.in_grids[0]
    if len(in_size) == 3:
        order = reading(step.layer, in_size, "keras")
        value = turned(writer, f"{name}_turned", value, in_size, order, grid)
    if len(out_size) != 3:
        value = writer.reshaped(name, value, out_size, grid)
    else:
        order = reading(step.layer, out_size, "keras")
        value = writer.reshaped(f"{name}_list", value, [out_size[d] for d in order], grid)
        back = [order.index(d) for d in NATURAL]
        value = turned(writer, name, value, [out_size[d] for d in order], back, grid)
    return same(writer, step, [value])


def turned(
    writer: Writer, name: str, value: int, size: Sequence[int], order: Sequence[int],
    grid: Grid | None,
) -> int:  # fmt: skip
    """Put the dimensions of images H x W x C in another order."""
    if tuple(order) == NATURAL:
        return value
    turn = np.array([0, *(d + 1 for d in order)], np.int32)
    given = writer.file.constant(f"{name}_order", turn)
    output = writer.activation(name, [size[d] for d in order], grid)
    version = 2 if writer.integer else 1
    return writer.file.operator("TRANSPOSE", version, [value, given], output, "TransposeOptions")


def permute(writer: Writer, step: Step, reads: list[int]) -> int:
    """TRANSPOSE."""
    dimensions = [int(d) - 1 for d in np.ravel(step.layer["dimensions"])]
    if len(dimensions) == 3:
        name, size, grid = step.layer["name"], step.in_sizes[0], step.in_grids[0]
        value = turned(writer, name, reads[0], size, dimensions, grid)
        return same(writer, step, [value])
    axes = tuple(range(len(dimensions)))[::-1]
    turn = np.array([0, *(axes.index(dimensions[d]) + 1 for d in axes)], np.int32)
    given = writer.file.constant(f"{step.layer['name']}_order", turn)
    output = writer.activation(step.layer["name"], step.out_size, step.in_grids[0])
    version = 2 if writer.integer else 1
    value = writer.file.operator(
        "TRANSPOSE", version, [reads[0], given], output, "TransposeOptions"
    )
    return same(writer, step, [value])


def combine(op: str) -> Emit:
    """Make the function of add, subtract or multiply: one operator after the other."""

    def emit(writer: Writer, step: Step, reads: list[int]) -> int:
        if len(reads) > 2 and writer.integer:
            writer.network.refuse(step.layer, "only two inputs can be combined in integers")
            return reads[0]
        dims, name = len(step.out_size), step.layer["name"]
        values = []
        for i, (value, size) in enumerate(zip(reads, step.in_sizes, strict=True)):
            if len(size) < dims:  # features beside an image, or beside a sequence
                full = [1, 1, size[0]] if dims == 3 else [size[0], 1]
                value = writer.reshaped(f"{name}_{i}", value, full, step.in_grids[i])
            values.append(value)
        total = values[0]
        for i, value in enumerate(values[1:], start=2):
            last = i == len(values)
            output = writer.result(step) if last else (
                writer.activation(f"{name}_of_{i}", step.out_size, None))  # fmt: skip
            total = writer.file.operator(
                op,
                2 if writer.integer else 1,
                [total, value],
                output,
                f"{op.title()}Options",
                FusedActivationFunction=FUSED[step.clip if last else ""],
            )
        return total

    return emit


def concatenate(writer: Writer, step: Step, reads: list[int]) -> int:
    """CONCATENATION; integers on other grids are put on that of the result before."""
    dims = len(step.in_sizes[0])
    axis = concat.axis_of(step.layer, dims)
    axis = {1: 0, 2: 1 - axis, 3: axis}[dims] + 1
    values = []
    for i, (value, grid) in enumerate(zip(reads, step.in_grids, strict=True)):
        if writer.integer and not one_grid(grid, step.grid):
            name = f"{step.layer['name']}_{i}"
            output = writer.activation(name, step.in_sizes[i], step.grid)
            value = writer.file.operator("QUANTIZE", 2, [value], output, "QuantizeOptions")
        values.append(value)
    return writer.file.operator(
        "CONCATENATION",
        2 if writer.integer else 1,
        values,
        writer.result(step),
        "ConcatenationOptions",
        Axis=axis,
    )


def enlarge(writer: Writer, step: Step, reads: list[int], output: int) -> int:
    """RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR."""
    layer, in_size, out_size = step.layer, step.in_sizes[0], step.out_size
    factor = np.ravel(value_array(layer["factor"])).astype(float)
    nearest = option(layer, "method", "nearest") == "nearest"
    corners = bool(option(layer, "align_corners", False)) and not nearest
    if not corners and any(not same_lines(in_size[d], factor[-d], nearest) for d in range(2)):
        writer.network.refuse(layer, "FACTOR times the image must be whole there")
    size = writer.file.constant(f"{layer['name']}_size", np.array(out_size[:2], np.int32))
    name = "RESIZE_NEAREST_NEIGHBOR" if nearest else "RESIZE_BILINEAR"
    options = "ResizeNearestNeighborOptions" if nearest else "ResizeBilinearOptions"
    half = not nearest and not corners
    version = 3 if half else 2 if writer.integer else 1
    return writer.file.operator(
        name, version, [reads[0], size], output, options, AlignCorners=corners,
        HalfPixelCenters=half,
    )  # fmt: skip


def same_lines(count: int, factor: float, nearest: bool) -> bool:
    """Whether TensorFlow Lite, which takes the factor from the sizes, reads the same lines."""
    out = int(np.floor(count * factor))
    method = "nearest" if nearest else "bilinear"
    ours, theirs = (upsample.interpolation(count, f, method, False) for f in (factor, out / count))
    return np.allclose(ours, theirs, atol=1e-6)


def surround(writer: Writer, step: Step, reads: list[int], output: int) -> int:
    """PAD."""
    top, bottom, left, right = zeropad.geometry(step.layer, step.in_sizes[0]).padding
    lines = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    given = writer.file.constant(f"{step.layer['name']}_pads", lines)
    version = 2 if writer.integer else 1
    return writer.file.operator("PAD", version, [reads[0], given], output, "PadOptions")


def slope_of(layer: Any) -> float:
    """Return the slope of a leaky relu."""
    return scalar(option(layer, "slope", 0.01))


def by_tanh(layer: Any) -> bool:
    """Whether gelu is the approximation."""
    return bool(option(layer, "approximate", "none") == "tanh")


LAYERS: dict[str, Emit] = {
    "dense": dense,
    "conv2d": convolution,
    "transposedconv2d": transposed_convolution,
    "batchnorm": affine,
    "scale": affine,
    "relu": plain("RELU"),
    "relu6": plain("RELU6"),
    "leakyrelu": plain("LEAKY_RELU", "LeakyReluOptions", Alpha=slope_of),
    "prelu": prelu,
    "elu": elu,
    "gelu": plain("GELU", "GeluOptions", Approximate=by_tanh),
    "swish": swish,
    "hardswish": plain("HARD_SWISH", version=1),
    "sigmoid": plain("LOGISTIC"),
    "hardsigmoid": hardsigmoid,
    "tanh": plain("TANH"),
    "softmax": plain("SOFTMAX", "SoftmaxOptions", Beta=1.0),
    "logsoftmax": plain("LOG_SOFTMAX"),
    "maxpool": pool,
    "averagepool": pool,
    "globalmaxpool": global_pool,
    "globalaveragepool": global_pool,
    "flatten": flatten,
    "reshape": flatten,
    "permute": permute,
    "add": combine("ADD"),
    "subtract": combine("SUB"),
    "multiply": combine("MUL"),
    "concat": concatenate,
    "dropout": same,
    "identity": same,
    "upsample": keeping(enlarge),
    "zeropad": keeping(surround),
    "lstm": recurrent,
    "gru": recurrent,
}
