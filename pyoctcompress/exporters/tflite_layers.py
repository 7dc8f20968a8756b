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
import tflite

from pyoctcompress.exporters.network import affine_of, has_bias, reading
from pyoctcompress.exporters.steps import Step
from pyoctcompress.reference.internal import scalar, value_array
from pyoctcompress.reference.layers import (
    concat,
    conv2d,
    pooling,
    transposedconv2d,
    upsample,
    zeropad,
)
from pyoctcompress.reference.layers.common import option
from pyoctcompress.reference.layers.window import Window, groups_of, shaped_weights
from pyoctcompress.reference.quant import Grid

if TYPE_CHECKING:
    from pyoctcompress.exporters.to_tflite import Writer

Emit = Callable[["Writer", Step, list[int]], int]

_FUSED = {
    "": tflite.ActivationFunctionType.NONE,
    "relu": tflite.ActivationFunctionType.RELU,
    "relu6": tflite.ActivationFunctionType.RELU6,
}
NATURAL = (0, 1, 2)  # our dimensions in the order of H x W x C
NOT_INTEGER = ["batchnorm", "scale", "prelu", "swish", "hardsigmoid", "logsoftmax", "lstm", "gru"]


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
        FusedActivationFunction=_FUSED[step.clip],
        KeepNumDims=sequence,
    )


def convolution(writer: Writer, step: Step, reads: list[int]) -> int:
    """CONV_2D or DEPTHWISE_CONV_2D."""
    layer, channels = step.layer, step.in_sizes[0][2]
    g = conv2d.geometry(layer, step.in_sizes[0])
    filters, groups = shaped_weights(layer).shape[3], groups_of(layer)
    value, padding = padded(writer, step, reads[0], g)
    fields: dict[str, Any] = {
        "Padding": padding,
        "StrideH": g.stride[0],
        "StrideW": g.stride[1],
        "DilationHFactor": g.dilation[0],
        "DilationWFactor": g.dilation[1],
        "FusedActivationFunction": _FUSED[step.clip],
    }
    if groups == channels > 1:
        weights = writer.weights(step, (2, 0, 1, 3), 3)
        name, options, version = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", 2
        fields["DepthMultiplier"] = filters // channels
    else:
        weights = writer.weights(step, (3, 0, 1, 2), 0)
        name, options, version = "CONV_2D", "Conv2DOptions", 1
    version = 6 if groups > 1 and name == "CONV_2D" else 3 if writer.integer else version
    inputs = [value, weights, writer.bias(step, filters)]
    return writer.file.operator(name, version, inputs, writer.result(step), options, **fields)


def padded(
    writer: Writer, step: Step, value: int, g: Window, least: bool = False
) -> tuple[int, int]:
    """Surround an image by what the windows need, unless SAME or VALID says it.

    Parameters
    ----------
    least : bool
        By the least number there is, which is never a maximum, instead of zeros.

    Returns
    -------
    value, padding
        The tensor, and the padding that is left to the operator.
    """
    reach = [(n - 1) * d + 1 for n, d in zip(g.kernel, g.dilation, strict=True)]
    ends = [(g.out[d] - 1) * g.stride[d] + reach[d] - g.image[d] for d in range(2)]
    before = [g.padding[0], g.padding[2]]
    if is_same(g, ends):
        return value, tflite.Padding.SAME
    after = [max(ends[d] - before[d], 0) for d in range(2)]
    if not any(before + after):
        return value, tflite.Padding.VALID
    return pad(writer, step, value, before, after, least), tflite.Padding.VALID


def is_same(g: Window, ends: list[int]) -> bool:
    """Whether windows lie as TensorFlow's SAME puts them."""
    before = [g.padding[0], g.padding[2]]
    return any(before[d] or ends[d] > 0 for d in range(2)) and all(
        g.out[d] == -(-g.image[d] // g.stride[d]) and before[d] == max(ends[d], 0) // 2
        for d in range(2)
    )


def pad(
    writer: Writer, step: Step, value: int, before: list[int], after: list[int], least: bool
) -> int:
    """Add lines around an image, of zeros or of the least number."""
    name, (height, width, channels) = step.layer["name"], step.in_sizes[0]
    lines = np.array([[0, 0], *zip(before, after, strict=True), [0, 0]], np.int32)
    size = [height + before[0] + after[0], width + before[1] + after[1], channels]
    grid = step.in_grids[0]
    inputs = [value, writer.file.constant(f"{name}_pads", lines)]
    output = writer.activation(f"{name}_padded", size, grid)
    version = 2 if writer.integer else 1
    if not least:
        return writer.file.operator("PAD", version, inputs, output, "PadOptions")
    more: dict[str, Any] = {}
    filler = np.array([np.finfo(np.float32).min])
    if writer.integer:
        source = writer.file.tensors[value]
        more = {"scale": source.scale, "zero_point": source.zero_point}
        filler = np.array([-128])
    kind = np.int8 if writer.integer else np.float32
    inputs.append(writer.file.constant(f"{name}_filler", filler.astype(kind), **more))
    return writer.file.operator("PADV2", version, inputs, output, "PadV2Options")


def transposed_convolution(writer: Writer, step: Step, reads: list[int]) -> int:
    """TRANSPOSE_CONV, and SLICE where lines are cut off."""
    layer, name = step.layer, step.layer["name"]
    g = transposedconv2d.geometry(layer, step.in_sizes[0][:2])
    filters = shaped_weights(layer).shape[2]
    if groups_of(layer) > 1 or g.dilation != [1, 1]:
        writer.network.refuse(layer, "TRANSPOSE_CONV has neither groups nor dilation")
    before = [g.padding[0], g.padding[2]]
    least = [(n - 1) * s + k for n, s, k in zip(g.out, g.stride, g.kernel, strict=True)]
    missing = [max(least[d] - g.image[d], 0) for d in range(2)]
    same = all(
        g.image[d] == g.out[d] * g.stride[d] and before[d] == missing[d] // 2 for d in range(2)
    )
    full = g.image if same else [max(least[d], before[d] + g.image[d]) for d in range(2)]
    shape = writer.file.constant(f"{name}_shape", np.array([1, *full, filters], np.int32))
    cut = full != g.image
    clipped = bool(step.clip)
    inputs = [shape, writer.weights(step, (2, 0, 1, 3), 0), reads[0], writer.bias(step, filters)]
    output = writer.activation(f"{name}_whole" if cut or clipped else name, [*full, filters],
                               step.grid)  # fmt: skip
    value = writer.file.operator(
        "TRANSPOSE_CONV",
        3,
        inputs,
        output,
        "TransposeConvOptions",
        Padding=tflite.Padding.SAME if same else tflite.Padding.VALID,
        StrideH=g.stride[0],
        StrideW=g.stride[1],
    )
    if cut:
        begin = writer.file.constant(f"{name}_begin", np.array([0, *before, 0], np.int32))
        size = writer.file.constant(f"{name}_size", np.array([-1, *g.image, -1], np.int32))
        output = writer.activation(f"{name}_cut" if clipped else name, step.out_size, step.grid)
        value = writer.file.operator(
            "SLICE", 2 if writer.integer else 1, [value, begin, size], output, "SliceOptions"
        )
    if clipped:
        op = step.clip.upper()
        value = writer.file.operator(op, 2 if writer.integer else 1, [value], writer.result(step))
    return value


def pool(writer: Writer, step: Step, reads: list[int]) -> int:
    """MAX_POOL_2D or AVERAGE_POOL_2D."""
    layer = step.layer
    g = pooling.geometry(layer, step.in_sizes[0])
    maximum = layer["type"] == "maxpool"
    if g.dilation != [1, 1]:
        writer.network.refuse(layer, "pooling has no dilation there")
    counted = not maximum and bool(option(layer, "count_include_pad", False)) and any(g.padding)
    before = [g.padding[0], g.padding[2]]
    ends = [(g.out[d] - 1) * g.stride[d] + g.kernel[d] - g.image[d] for d in range(2)]
    over = any(before) or max(ends) > 0
    shared = not maximum and over and (counted or not is_same(g, ends))
    if shared and writer.integer:
        writer.network.refuse(layer, "its padding is neither VALID nor SAME without counting it")
    value, padding = reads[0], tflite.Padding.VALID
    if shared:
        after = [max(ends[d] - before[d], 0) for d in range(2)]
        value = pad(writer, step, value, before, after, False)
    else:
        value, padding = padded(writer, step, value, g, maximum)
    return pooled(writer, step, value, g, padding, shared)


def pooled(writer: Writer, step: Step, value: int, g: Window, padding: int, shared: bool) -> int:
    """Pool, and where the padding's share is to be undone, multiply."""
    name = step.layer["name"]
    maximum = step.layer["type"] in ("maxpool", "globalmaxpool")
    grid = step.in_grids[0]
    moved = writer.integer and not one_grid(grid, step.grid)
    result = writer.activation(f"{name}_pooled", step.out_size, grid) if shared or moved else (
        writer.activation(name, step.out_size, step.grid))  # fmt: skip
    value = writer.file.operator(
        "MAX_POOL_2D" if maximum else "AVERAGE_POOL_2D",
        2 if writer.integer else 1,
        [value],
        result,
        "Pool2DOptions",
        Padding=padding,
        StrideH=g.stride[0],
        StrideW=g.stride[1],
        FilterHeight=g.kernel[0],
        FilterWidth=g.kernel[1],
    )
    if shared:
        area = g.kernel[0] * g.kernel[1]
        share = (area / pooling.pixels(step.layer, g)[np.newaxis, :, :, 0]).astype(np.float32)
        factor = writer.file.constant(f"{name}_share", share)
        return writer.file.operator("MUL", 1, [value, factor], writer.result(step), "MulOptions")
    return rescaled(writer, step, value) if moved else value


def one_grid(first: Grid | None, second: Grid | None) -> bool:
    """Whether two grids put the same numbers at the same codes."""
    if first is None or second is None:
        return first is second
    return all(scalar(first[f]) == scalar(second[f]) for f in ("scale", "zero_point"))


def rescaled(writer: Writer, step: Step, value: int) -> int:
    """Put integers on the grid of a piece's result."""
    return writer.file.operator("QUANTIZE", 2, [value], writer.result(step), "QuantizeOptions")


def keeping(emit: Callable[[Writer, Step, list[int], int], int]) -> Emit:
    """Let a function whose result lies on its input's grid end on the piece's own."""

    def whole(writer: Writer, step: Step, reads: list[int]) -> int:
        name = step.layer["name"]
        if not writer.integer or one_grid(step.in_grids[0], step.grid):
            return emit(writer, step, reads, writer.result(step))
        output = writer.activation(f"{name}_before", step.out_size, step.in_grids[0])
        return rescaled(writer, step, emit(writer, step, reads, output))

    return whole


def global_pool(writer: Writer, step: Step, reads: list[int]) -> int:
    """Pool by a window as large as the image."""
    size = step.in_sizes[0][:2]
    lines = np.zeros((1, 1), int)
    g = Window(size, [1, 1], [1, 1], [0, 0, 0, 0], size, [1, 1], lines, lines)
    return pooled(writer, step, reads[0], g, tflite.Padding.VALID, False)


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
    alpha = np.broadcast_to(slope, (channels,)).reshape([1] * (len(step.in_sizes[0]) - 1) + [-1])
    given = writer.file.constant(f"{step.layer['name']}_slope", alpha)
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
                FusedActivationFunction=_FUSED[step.clip if last else ""],
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
    if writer.integer and not nearest:
        writer.network.refuse(layer, "only upsampling by the nearest pixel keeps the grid")
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
}
