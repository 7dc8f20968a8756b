"""The layer types as ONNX nodes.

Each function adds the nodes of one layer and returns the tensor of its result; what ONNX cannot
express is noted by ``writer.network.refuse``.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyoctcompress.exporters.network import affine_of, bias_of, has_bias, reading
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import Array, scalar, value_array
from pyoctcompress.reference.layers import concat, conv2d, pooling, transposedconv2d, zeropad
from pyoctcompress.reference.layers.common import option
from pyoctcompress.reference.layers.window import Window, groups_of, shaped_weights

if TYPE_CHECKING:
    from pyoctcompress.exporters.to_onnx import Writer

Emit = Callable[["Writer", int, graph.Layer, list[str]], str]
FROM_HWC = (3, 2, 0, 1)  # kernels h x w x in x out as ONNX has them

# Where our dimensions [H W C] stand in C x H x W, and [F T] in T x F.
PLACES = {1: (0,), 2: (1, 0), 3: (1, 2, 0)}
NATURAL = (2, 0, 1)  # our dimensions in the order of C x H x W


def dense(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Multiply rows by the transposed weights, and add: MatMul and Add."""
    weights = writer.weights(layer, (1, 0), 1)
    name = layer["name"]
    if not has_bias(layer):
        return writer.file.node("MatMul", [reads[0], weights], name)
    product = writer.file.node("MatMul", [reads[0], weights], f"{name}_product")
    bias = writer.file.constant(f"{name}_bias", bias_of(layer, value_array(layer["bias"]).size))
    return writer.file.node("Add", [product, bias], name)


def convolution(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Conv."""
    g = conv2d.geometry(layer, writer.network.in_sizes(k)[0])
    inputs = [reads[0], writer.weights(layer, FROM_HWC, 0)]
    if has_bias(layer):
        filters = shaped_weights(layer).shape[3]
        inputs.append(writer.bias(layer, k, bias_of(layer, filters)))
    attributes = windows(g)
    return writer.file.node("Conv", inputs, layer["name"], group=groups_of(layer), **attributes)


def transposed_convolution(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """ConvTranspose."""
    in_size = writer.network.in_sizes(k)[0]
    g = transposedconv2d.geometry(layer, in_size[:2])
    w = shaped_weights(layer)
    groups = groups_of(layer)
    inputs = [reads[0], writer.weights(layer, FROM_HWC, 1 if groups == 1 else 0)]
    if has_bias(layer):
        inputs.append(writer.bias(layer, k, bias_of(layer, w.shape[2] * groups)))
    more = []
    for d in range(2):
        reach = (g.kernel[d] - 1) * g.dilation[d] + 1
        full = (in_size[d] - 1) * g.stride[d] + reach - g.padding[2 * d] - g.padding[2 * d + 1]
        more.append(g.image[d] - full)
    attributes = windows(g) | {"output_padding": more}
    return writer.file.node("ConvTranspose", inputs, layer["name"], group=groups, **attributes)


def windows(g: Window) -> dict[str, Any]:
    """Give the attributes that say where windows lie."""
    top, bottom, left, right = g.padding
    return {
        "kernel_shape": g.kernel,
        "strides": g.stride,
        "pads": [top, left, bottom, right],
        "dilations": g.dilation,
    }


def pool(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """MaxPool or AveragePool; rounding up is written out as padding."""
    name, in_size = layer["name"], writer.network.in_sizes(k)[0]
    g = pooling.geometry(layer, in_size)
    reach = [(n - 1) * d + 1 for n, d in zip(g.kernel, g.dilation, strict=True)]
    pads = list(g.padding)
    for d in range(2):
        needed = (g.out[d] - 1) * g.stride[d] + reach[d] - g.image[d] - pads[2 * d]
        pads[2 * d + 1] = max(pads[2 * d + 1], needed)
    attributes: dict[str, Any] = {
        "kernel_shape": g.kernel,
        "strides": g.stride,
        "pads": [pads[0], pads[2], pads[1], pads[3]],
    }
    if layer["type"] == "maxpool":
        if g.dilation != [1, 1]:
            attributes["dilations"] = g.dilation
        return writer.file.node("MaxPool", reads, name, **attributes)
    counted = bool(option(layer, "count_include_pad", False))
    if g.dilation == [1, 1] and max(pads) < min(g.kernel) and (not counted or pads == g.padding):
        if counted and any(pads):
            attributes["count_include_pad"] = 1
        return writer.file.node("AveragePool", reads, name, **attributes)
    # Sums by a depthwise convolution with ones, times what each window's share is.
    channels = in_size[2]
    ones = writer.file.constant(f"{name}_ones", np.ones((channels, 1, *g.kernel), np.float32))
    attributes["dilations"] = g.dilation
    sums = writer.file.node("Conv", [*reads, ones], f"{name}_sums", group=channels, **attributes)
    share = (1 / pooling.pixels(layer, g)[:, :, 0, 0]).astype(np.float32)
    factor = writer.file.constant(f"{name}_share", share[np.newaxis, np.newaxis])
    return writer.file.node("Mul", [sums, factor], name)


def batchnorm(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """BatchNormalization, or a product and a sum where the channels are not the second axis."""
    if len(writer.network.in_sizes(k)[0]) == 2:
        return affine(writer, k, layer, reads)
    name = layer["name"]
    fields = ("scale", "offset", "mean", "variance")
    given = [
        writer.file.constant(f"{name}_{f}", value_array(layer[f]).astype(np.float32).reshape(-1))
        for f in fields
    ]
    epsilon = scalar(option(layer, "epsilon", 1e-5))
    return writer.file.node("BatchNormalization", reads + given, name, epsilon=epsilon)


def affine(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Multiply by constants and add constants."""
    in_size, value = writer.network.in_sizes(k)[0], reads[0]
    batch = layer["type"] == "batchnorm"
    for op, field, part in zip(("Mul", "Add"), ("scale", "offset"), affine_of(layer), strict=True):
        if batch or field in layer:
            name = f"{layer['name']}_{field}"
            shaped = writer.file.constant(name, meeting(part, in_size))
            value = writer.file.node(op, [value, shaped], f"{layer['name']}_{op.lower()}")
    return value


def meeting(value: Array, in_size: Sequence[Any]) -> Array:
    """Shape a constant for each channel, for each pixel, or for all, to meet a batch."""
    if value.ndim == 2 and value.shape[1] == 1 and value.size > 1:
        return value.reshape(-1, 1, 1) if len(in_size) == 3 else value.reshape(-1)
    if value.size == 1:
        return value.reshape(())
    value = value.reshape([int(n) for n in in_size])
    return np.ascontiguousarray(value.transpose({1: (0,), 2: (1, 0), 3: (2, 0, 1)}[value.ndim]))


def prelu(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """PRelu."""
    slope = value_array(layer["slope"]).astype(np.float32)
    slope = meeting(slope, writer.network.in_sizes(k)[0]) if slope.size > 1 else slope.reshape(1)
    given = writer.file.constant(f"{layer['name']}_slope", slope)
    return writer.file.node("PRelu", [reads[0], given], layer["name"])


def plain(op: str, **attributes: tuple[str, float]) -> Emit:
    """Make the function of a type that is one node; attribute: (ours, its default)."""

    def emit(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
        given = {
            name: scalar(option(layer, own, default)) for name, (own, default) in attributes.items()
        }
        return writer.file.node(op, reads, layer["name"], **given)

    return emit


def channelwise(op: str) -> Emit:
    """Make the function of softmax and its logarithm, over the channels."""

    def emit(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
        axis = {1: 1, 2: 2, 3: 1}[len(writer.network.in_sizes(k)[0])]
        return writer.file.node(op, reads, layer["name"], axis=axis)

    return emit


def clipped(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Clip to 0 to 6."""
    ends = [
        writer.file.constant(f"{layer['name']}_{name}", np.array(value, np.float32))
        for name, value in (("least", 0), ("greatest", 6))
    ]
    return writer.file.node("Clip", [reads[0], *ends], layer["name"])


def swish(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Multiply x by its sigmoid."""
    gate = writer.file.node("Sigmoid", reads, f"{layer['name']}_sigmoid")
    return writer.file.node("Mul", [reads[0], gate], layer["name"])


def hardswish(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """HardSwish, which came with opset 14."""
    if writer.file.opset >= 14:
        return writer.file.node("HardSwish", reads, layer["name"])
    gate = writer.file.node("HardSigmoid", reads, f"{layer['name']}_gate", alpha=1 / 6, beta=0.5)
    return writer.file.node("Mul", [reads[0], gate], layer["name"])


def gelu(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Gelu, which came with opset 20, or the formula."""
    name, x = layer["name"], reads[0]
    by_tanh = option(layer, "approximate", "none") == "tanh"
    if writer.file.opset >= 20:
        return writer.file.node("Gelu", reads, name, approximate="tanh" if by_tanh else "none")

    def with_number(op: str, value: str, number: float) -> str:
        given = writer.file.constant(f"{name}_number", np.array(number, np.float32))
        return writer.file.node(op, [value, given], f"{name}_{op.lower()}")

    if by_tanh:
        square = writer.file.node("Mul", [x, x], f"{name}_square")
        inner = with_number("Add", with_number("Mul", square, 0.044715), 1)
        inner = writer.file.node("Mul", [x, inner], f"{name}_inner")
        curve = with_number("Mul", inner, math.sqrt(2 / math.pi))
        curve = writer.file.node("Tanh", [curve], f"{name}_tanh")
    else:
        curve = with_number("Mul", x, math.sqrt(0.5))
        curve = writer.file.node("Erf", [curve], f"{name}_erf")
    # In the order in which other exporters write it, and which readers know.
    product = writer.file.node("Mul", [x, with_number("Add", curve, 1)], f"{name}_product")
    half = writer.file.constant(f"{name}_half", np.array(0.5, np.float32))
    return writer.file.node("Mul", [product, half], name)


def same(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Pass on what is read."""
    return reads[0]


def flatten(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Flatten; images that are read in another order are transposed before."""
    in_size = writer.network.in_sizes(k)[0]
    value = listed(writer, layer, in_size, reads[0])
    return writer.file.node("Flatten", [value], layer["name"], axis=1)


def listed(writer: Writer, layer: graph.Layer, size: Sequence[int], value: str) -> str:
    """Transpose an image so that reading it row by row lists it in the layer's order."""
    order = reading(layer, size, "chw") if len(size) == 3 else NATURAL
    if order == NATURAL:
        return value
    turn = [0, *(NATURAL.index(d) + 1 for d in order)]
    return writer.file.node("Transpose", [value], f"{layer['name']}_turned", perm=turn)


def reshape(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Reshape, between transpositions where images are read in another order."""
    in_size, out_size = writer.network.in_sizes(k)[0], writer.network.plan.sizes[k]
    value = listed(writer, layer, in_size, reads[0])
    image = len(out_size) == 3
    order = reading(layer, out_size, "chw") if image else tuple(range(len(out_size)))[::-1]
    target = np.array([0, *(out_size[d] for d in order)], np.int64)
    given = writer.file.constant(f"{layer['name']}_shape", target)
    value = writer.file.node("Reshape", [value, given], layer["name"])
    if not image or order == NATURAL:
        return value
    turn = [0, *(order.index(d) + 1 for d in NATURAL)]
    return writer.file.node("Transpose", [value], f"{layer['name']}_image", perm=turn)


def permute(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Transpose."""
    dimensions = [int(d) - 1 for d in np.ravel(layer["dimensions"])]
    dims = len(dimensions)
    axes = {1: (0,), 2: (1, 0), 3: (2, 0, 1)}[dims]  # which of our dimensions each axis is
    order = [0, *(axes.index(dimensions[d]) + 1 for d in axes)]
    return writer.file.node("Transpose", reads, layer["name"], perm=order)


def combine(op: str) -> Emit:
    """Make the function of add, subtract or multiply: one node after the other."""

    def emit(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
        sizes = writer.network.in_sizes(k)
        dims = max(len(size) for size in sizes)
        values = [
            stretched(writer, f"{layer['name']}_{i}", dims - len(size), dims, value)
            for i, (value, size) in enumerate(zip(reads, sizes, strict=True))
        ]
        total = values[0]
        for i, value in enumerate(values[1:], start=2):
            name = layer["name"] if i == len(values) else f"{layer['name']}_of_{i}"
            total = writer.file.node(op, [total, value], name)
        return total

    return emit


def stretched(writer: Writer, name: str, missing: int, dims: int, value: str) -> str:
    """Give features beside an image or a sequence the dimensions that they lack."""
    if not missing:
        return value
    axes = [2, 3] if dims == 3 else [1]
    given = writer.file.constant(f"{name}_axes", np.array(axes, np.int64))
    return writer.file.node("Unsqueeze", [value, given], name)


def concatenate(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Concat."""
    dims = len(writer.network.in_sizes(k)[0])
    axis = PLACES[dims][concat.axis_of(layer, dims)] + 1
    return writer.file.node("Concat", reads, layer["name"], axis=axis)


def upsample(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Resize."""
    factor = np.ravel(value_array(layer["factor"])).astype(np.float32)
    scales = np.array([1, 1, factor[0], factor[-1]], np.float32)
    given = writer.file.constant(f"{layer['name']}_scales", scales)
    if option(layer, "method", "nearest") == "nearest":
        how = {"mode": "nearest", "nearest_mode": "floor"}
        how["coordinate_transformation_mode"] = "asymmetric"
    else:
        corners = bool(option(layer, "align_corners", False))
        mode = "align_corners" if corners else "half_pixel"
        how = {"mode": "linear", "coordinate_transformation_mode": mode}
    return writer.file.node("Resize", [reads[0], "", given], layer["name"], **how)


def pad(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
    """Pad by zeros."""
    top, bottom, left, right = zeropad.geometry(layer, writer.network.in_sizes(k)[0]).padding
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    given = writer.file.constant(f"{layer['name']}_pads", pads)
    return writer.file.node("Pad", [reads[0], given], layer["name"])


def recurrent(gates: Sequence[int], op: str) -> Emit:
    """Make the function of lstm or gru.

    Parameters
    ----------
    gates : sequence of int
        Which of our gates each of ONNX's is.
    """

    def emit(writer: Writer, k: int, layer: graph.Layer, reads: list[str]) -> str:
        name, file = layer["name"], writer.file
        rows = value_array(layer["weights"]).shape[0]
        units = rows // len(gates)
        order = np.concatenate([np.arange(g * units, (g + 1) * units) for g in gates])
        turned = {**layer, **in_gates(layer, order)}
        given = []
        for field in ("weights", "recurrent_weights"):
            given.append(writer.weights(turned, (0, 1), 1, field, stacked=True))
        biases = [bias_of(layer, rows, f)[order] for f in ("bias", "recurrent_bias")]
        given.append(file.constant(f"{name}_bias", np.concatenate(biases)[np.newaxis]))
        x = file.node("Transpose", reads, f"{name}_steps", perm=[1, 0, 2])
        attributes: dict[str, Any] = {"hidden_size": units}
        if option(layer, "reverse", False):
            attributes["direction"] = "reverse"
        if op == "GRU":
            after = bool(option(layer, "reset_after", True))
            attributes["linear_before_reset"] = int(after)
        last = layer.get("result") == "last"
        outputs = ["", f"{name}_last"] if last else [f"{name}_states"]
        y = file.several(op, [x, *given], outputs, **attributes)[-1]
        axes = file.constant(f"{name}_axes", np.array([0 if last else 1], np.int64))
        if last:
            return file.node("Squeeze", [y, axes], name)
        y = file.node("Squeeze", [y, axes], f"{name}_squeezed")
        return file.node("Transpose", [y], name, perm=[1, 0, 2])

    return emit


def in_gates(layer: graph.Layer, order: Array) -> graph.Layer:
    """Put the rows of recurrent weights, and of their grids, in another order."""
    fields = ("weights", "recurrent_weights")
    moved: graph.Layer = {f: value_array(layer[f])[order] for f in fields}
    grids = dict(layer.get("quantization", {}))
    for f in fields:
        if f in grids and grids[f].get("axis") == 1 and "group" not in grids[f]:
            rows = {n: value_array(grids[f][n])[order] for n in ("scale", "zero_point")}
            grids[f] = {**grids[f], **rows}
    return {**moved, "quantization": grids}


LAYERS: dict[str, Emit] = {
    "dense": dense,
    "conv2d": convolution,
    "transposedconv2d": transposed_convolution,
    "batchnorm": batchnorm,
    "scale": affine,
    "relu": plain("Relu"),
    "relu6": clipped,
    "leakyrelu": plain("LeakyRelu", alpha=("slope", 0.01)),
    "prelu": prelu,
    "elu": plain("Elu", alpha=("alpha", 1.0)),
    "gelu": gelu,
    "swish": swish,
    "hardswish": hardswish,
    "sigmoid": plain("Sigmoid"),
    "hardsigmoid": plain("HardSigmoid", alpha=("alpha", 1 / 6), beta=("beta", 0.5)),
    "tanh": plain("Tanh"),
    "softmax": channelwise("Softmax"),
    "logsoftmax": channelwise("LogSoftmax"),
    "maxpool": pool,
    "averagepool": pool,
    "globalmaxpool": plain("GlobalMaxPool"),
    "globalaveragepool": plain("GlobalAveragePool"),
    "flatten": flatten,
    "reshape": reshape,
    "permute": permute,
    "add": combine("Add"),
    "subtract": combine("Sub"),
    "multiply": combine("Mul"),
    "concat": concatenate,
    "dropout": same,
    "identity": same,
    "upsample": upsample,
    "zeropad": pad,
    "lstm": recurrent((0, 3, 1, 2), "LSTM"),
    "gru": recurrent((1, 0, 2), "GRU"),
}
