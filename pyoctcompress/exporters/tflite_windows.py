"""Convolutions and poolings as operators of TensorFlow Lite; see `tflite_layers`."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tflite

from pyoctcompress.exporters.steps import Step
from pyoctcompress.reference.internal import scalar
from pyoctcompress.reference.layers import conv2d, pooling, transposedconv2d
from pyoctcompress.reference.layers.common import option
from pyoctcompress.reference.layers.window import Window, groups_of, shaped_weights
from pyoctcompress.reference.quant import Grid

if TYPE_CHECKING:
    from pyoctcompress.exporters.to_tflite import Writer

FUSED = {
    "": tflite.ActivationFunctionType.NONE,
    "relu": tflite.ActivationFunctionType.RELU,
    "relu6": tflite.ActivationFunctionType.RELU6,
}


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
        "FusedActivationFunction": FUSED[step.clip],
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


def global_pool(writer: Writer, step: Step, reads: list[int]) -> int:
    """Pool by a window as large as the image."""
    size = step.in_sizes[0][:2]
    lines = np.zeros((1, 1), int)
    g = Window(size, [1, 1], [1, 1], [0, 0, 0, 0], size, [1, 1], lines, lines)
    return pooled(writer, step, reads[0], g, tflite.Padding.VALID, False)
