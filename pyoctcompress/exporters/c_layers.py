"""The layer types as calls of C functions.

Each function adds the calls of one piece and returns where its result is; what cannot be expressed
is noted by ``writer.network.refuse``.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pyoctcompress.errors import OctcompressError
from pyoctcompress.exporters.c_file import braces, number
from pyoctcompress.exporters.c_float import FUNCTIONS
from pyoctcompress.exporters.c_weights import (
    code_limits,
    convolution,
    dense,
    limits,
    scale_and_zero,
    shape3,
    store,
    transposed_convolution,
    window_of,
)
from pyoctcompress.exporters.constants import constant
from pyoctcompress.exporters.network import affine_of, bias_of, reading
from pyoctcompress.exporters.steps import Step
from pyoctcompress.reference import integer
from pyoctcompress.reference.internal import Array, scalar, value_array
from pyoctcompress.reference.layers import (
    TYPES,
    concat,
    pooling,
    upsample,
    zeropad,
)
from pyoctcompress.reference.layers.common import option
from pyoctcompress.reference.layers.window import Window
from pyoctcompress.reference.quant import Grid, code_range

if TYPE_CHECKING:
    from pyoctcompress.exporters.to_c import Writer

Emit = Callable[["Writer", Step, list[str]], str]

NOT_INTEGER = ("batchnorm", "scale", "lstm", "gru")
_KINDS = {"add": 1, "subtract": 2, "multiply": 3}


def pool(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a pooling."""
    layer = step.layer
    g = pooling.geometry(layer, step.in_sizes[0])
    return pooled(writer, step, reads, g)


def global_pool(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a pooling by a window as large as the image."""
    size = list(step.in_sizes[0][:2])
    lines = np.zeros((1, 1), int)
    g = Window(size, [1, 1], [1, 1], [0, 0, 0, 0], size, [1, 1], lines, lines)
    return pooled(writer, step, reads, g)


def pooled(writer: Writer, step: Step, reads: list[str], g: Window) -> str:
    """Write a pooling of known windows."""
    layer, label = step.layer, writer.label(step)
    counted = bool(option(layer, "count_include_pad", False))
    if counted and writer.integer:
        writer.network.refuse(layer, "count_include_pad has no integer form")
    window = window_of(step.in_sizes[0], step.out_size, g)
    writer.file.define(f"static const window g_{label} = {window};\n")
    result = writer.result(step)
    if layer["type"] in ("maxpool", "globalmaxpool"):
        writer.call("largest", reads[0], result, f"&g_{label}")
    elif writer.integer:
        writer.call("averaged", reads[0], result, f"&g_{label}")
    else:
        writer.call("averaged", reads[0], result, f"&g_{label}", int(counted))
    return on_own_grid(writer, step, label, result)


def on_own_grid(writer: Writer, step: Step, label: str, value: str) -> str:
    """Put integers that lie on the input's grid on the piece's own, where that is another."""
    return rescaled(writer, label, value, math.prod(step.out_size), step.in_grids[0], step.grid)


def rescaled(
    writer: Writer, label: str, value: str, count: int, before: Grid | None, after: Grid | None
) -> str:
    """Put integers on another grid, in their place, by a table."""
    if not writer.integer or before is None or after is None:
        return value
    first, _ = code_range(before)
    codes = np.arange(-128.0, 128.0)
    moved = integer.rescale(integer.Value(codes, after), before, writer.requantization).codes
    if np.array_equal(moved[int(first) + 128 :], codes[int(first) + 128 :]):
        return value
    table = writer.file.array(f"t_{label}", constant(moved, np.int8))
    writer.call("looked_up", value, value, count, table)
    return value


def elementwise(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a function of one number: a loop, or a table of all codes."""
    layer, label = step.layer, writer.label(step)
    count = math.prod(step.out_size)
    if not writer.integer:
        result = writer.in_place(step, reads[0])
        kind = layer["type"]
        if kind == "gelu" and option(layer, "approximate", "none") == "tanh":
            kind = "gelu_tanh"
        defaults = {"slope": 0.01, "alpha": 1 / 6 if kind == "hardsigmoid" else 1.0, "beta": 0.5}
        values = {
            name: number(scalar(option(layer, name, value))).rstrip("f")
            for name, value in defaults.items()
        }
        text = FUNCTIONS[kind].format(**values)
        writer.lines.append(
            f"  for (int32_t i = 0; i < {count}; i++) {{\n    float x = ({reads[0]})[i];\n"
            f"    ({result})[i] = {text};\n  }}\n"
        )
        return result
    try:
        codes = table_of(writer, step)
    except OctcompressError as error:
        writer.network.refuse(layer, error.message)
        return reads[0]
    result = writer.in_place(step, reads[0])
    table = writer.file.array(f"t_{label}", constant(codes, np.int8))
    writer.call("looked_up", reads[0], result, count, table)
    return result


def table_of(writer: Writer, step: Step) -> Array:
    """Return what each code from -128 to 127 becomes."""
    layer, grid = step.layer, step.in_grids[0]
    assert grid is not None
    first, last = (int(n) for n in code_range(grid))
    codes = np.arange(first, last + 1.0)[np.newaxis]
    value = integer.Value(codes, grid)
    result = integer.compute(TYPES[layer["type"]], layer, [value], writer.requantization).codes
    table = np.zeros(256)
    table[first + 128 : last + 129] = result.ravel()
    return table


def affine(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a product with constants, and a sum."""
    layer, label = step.layer, writer.label(step)
    result = writer.in_place(step, reads[0])
    given = []
    for part, name in zip(affine_of(layer), ("scale", "offset"), strict=True):
        flat = part.reshape(-1) if part.ndim < 3 and part.shape[-1] == 1 else part
        if flat.ndim == 2:  # of a sequence
            flat = flat.T
        given += [writer.file.array(f"{name}_{label}", flat.reshape(-1)), flat.size]
    writer.call("affine", reads[0], result, math.prod(step.out_size), *given)
    return result


def prelu(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a rectifier with a slope for each channel."""
    label, result = writer.label(step), writer.in_place(step, reads[0])
    slope = value_array(step.layer["slope"]).astype(np.float32).reshape(-1)
    more: list[str] = []
    if writer.integer:
        codes, grid = integer.slope_codes(step.layer)
        slope = codes.astype(np.int8)
        scales = [integer.single(each) for each in (step.in_grids[0], grid, step.grid) if each]
        ratios = [float(scales[0] / scales[2]), float(scales[0] * scales[1] / scales[2])]
        pairs = [integer.fixed_multiplier(ratio) for ratio in ratios]
        zeros = [scale_and_zero(each)[1] for each in (step.in_grids[0], step.grid) if each]
        low, high = code_limits(step)
        writer.file.kernels.add("sloped")
        writer.file.define(
            f"static const rectifier r_{label} = {{{zeros[0]}, {zeros[1]}, {low}, {high}, "
            f"{braces([m for m, _ in pairs])}, {braces([s for _, s in pairs])}}};\n"
        )
        more = [f"&r_{label}"]
    name = writer.file.array(f"slope_{label}", slope)
    writer.call("sloped", reads[0], result, math.prod(step.out_size), name, slope.size, *more)
    return result


def softmax(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write softmax, or its logarithm, over the channels."""
    layer, result = step.layer, writer.in_place(step, reads[0])
    length = shape3(step.out_size)[2]
    rows = math.prod(step.out_size) // length
    if not writer.integer:
        logarithm = int(layer["type"] == "logsoftmax")
        writer.call("softmax", reads[0], result, rows, length, logarithm)
        return result
    grid, own = step.in_grids[0], step.grid
    assert grid is not None and own is not None
    kind = layer["type"]
    steps, zero = (256, -128) if kind == "softmax" else (16, 127)
    if (scalar(own["scale"]), scalar(own["zero_point"]), own["bits"]) != (1 / steps, zero, 8):
        writer.network.refuse(layer, f"its output must have 8 bits, the scale 1/{steps} and the "
                              f"zero point {zero}")  # fmt: skip
    scale = float(np.float32(scalar(grid["scale"])))
    multiplier, shift = integer.fixed_multiplier(min(scale * 2**26, 2**31 - 1))
    least = max(-math.floor(31 * 2.0**26 / 2.0 ** float(shift)), -256)
    numbers = [int(multiplier), int(shift), least]
    if kind == "logsoftmax":
        back = integer.fixed_multiplier(2.0 ** (31 - float(shift)) / float(multiplier))
        numbers += [int(part) for part in back]
    writer.call(kind, reads[0], result, rows, length, *numbers)
    return result


def same(writer: Writer, step: Step, reads: list[str]) -> str:
    """Pass on what is read."""
    if not writer.integer or step.in_grids[0] == step.grid:
        return reads[0]
    return elementwise(writer, step, reads)


def flatten(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write the same numbers in another order, where it is another."""
    layer, label, value = step.layer, writer.label(step), reads[0]
    in_size, out_size = step.in_sizes[0], step.out_size
    if len(in_size) == 3:
        value = turned(writer, step, value, in_size, reading(layer, in_size, "keras"))
    if len(out_size) == 3:
        order = reading(layer, out_size, "keras")
        back = [order.index(d) for d in range(3)]
        value = turned(writer, step, value, [out_size[d] for d in order], back)
    return moved(writer, step, label, reads[0], value)


def moved(writer: Writer, step: Step, label: str, read: str, value: str) -> str:
    """Put integers on the piece's own grid; not in a place that others read."""
    if writer.integer and step.in_grids[0] != step.grid and value == read:
        copy = writer.result(step)
        writer.call("copied", value, copy, math.prod(step.out_size))
        value = copy
    return on_own_grid(writer, step, label, value)


def turned(
    writer: Writer, step: Step, value: str, size: Sequence[int], order: Sequence[int]
) -> str:
    """Put the dimensions of images H x W x C in another order."""
    if tuple(order) == (0, 1, 2):
        return value
    strides = [size[1] * size[2], size[2], 1]
    return rearranged(writer, step, value, [size[d] for d in order], [strides[d] for d in order])


def rearranged(
    writer: Writer, step: Step, value: str, counts: Sequence[int], steps: Sequence[int]
) -> str:
    """Write a copy in another order."""
    result = writer.result(step)
    given = [f"(const int32_t[]) {braces(each)}" for each in (counts, steps)]
    writer.call("rearranged", value, result, *given)
    return result


def permute(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a permutation of dimensions."""
    dimensions = [int(d) - 1 for d in np.ravel(step.layer["dimensions"])]
    value, label = reads[0], writer.label(step)
    if len(dimensions) == 3:
        value = turned(writer, step, value, step.in_sizes[0], dimensions)
    elif dimensions == [1, 0]:
        features, times = (int(n) for n in step.in_sizes[0])
        value = rearranged(writer, step, value, [1, features, times], [0, 1, features])
    return moved(writer, step, label, reads[0], value)


def combine(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a sum, difference or product, one input after the other."""
    layer, label = step.layer, writer.label(step)
    if len(reads) > 2 and writer.integer:
        writer.network.refuse(layer, "only two inputs can be combined in integers")
        return reads[0]
    counts = shape3(step.out_size)
    total, size, result = reads[0], step.in_sizes[0], ""
    for i in range(1, len(reads)):
        result = writer.result(step)
        steps = [n for each in (size, step.in_sizes[i]) for n in strides_of(each, counts)]
        given = [f"(const int32_t[]) {braces(each)}" for each in (counts, steps)]
        kind = _KINDS[layer["type"]]
        if writer.integer:
            writer.file.define(f"static const pair p_{label} = {pair_of(step, kind)};\n")
            more = [f"&p_{label}"]
            writer.file.kernels.add("combined")
        else:
            more = list(limits(step) if i == len(reads) - 1 else ("-INFINITY", "INFINITY"))
        writer.call("combined", total, reads[i], result, kind, *given, *more)
        total, size = result, step.out_size
    return result


def strides_of(size: Sequence[int], counts: Sequence[int]) -> list[int]:
    """Return the steps of an input's dimensions, 0 where it is stretched."""
    own = shape3(size)
    steps = [own[1] * own[2], own[2], 1]
    return [0 if n == 1 and count > 1 else step
            for n, count, step in zip(own, counts, steps, strict=True)]  # fmt: skip


def pair_of(step: Step, kind: int) -> str:
    """Write how two codes are combined."""
    assert step.grid is not None
    grids = [*step.in_grids, step.grid]
    scales = [np.float64(integer.single(grid)) for grid in grids if grid is not None]
    zeros = [scale_and_zero(grid)[1] for grid in grids if grid is not None]
    if kind == 3:
        single = [np.float32(s) for s in scales]
        factors = [0.5, 0.5, np.float64(single[0] * single[1] / single[2])]
    else:
        twice = 2 * max(scales[:2])
        factors = [scales[0] / twice, scales[1] / twice, twice / (2**20 * scales[2])]
    pairs = [integer.fixed_multiplier(f) for f in factors]
    low, high = code_limits(step)
    return (
        f"{{{braces(zeros[:2])}, {zeros[2]}, {low}, {high}, "
        f"{braces([m for m, _ in pairs])}, {braces([s for _, s in pairs])}}}"
    )


def concatenate(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write inputs side by side."""
    dims, label = len(step.in_sizes[0]), writer.label(step)
    axis = concat.axis_of(step.layer, dims)
    axis = {1: 2, 2: 2 - axis, 3: axis}[dims]
    result = writer.result(step)
    stride = math.prod(shape3(step.out_size)[axis:])
    blocks, place = math.prod(shape3(step.out_size)[:axis]), 0
    for i, (value, size) in enumerate(zip(reads, step.in_sizes, strict=True)):
        length, count = math.prod(shape3(size)[axis:]), math.prod(size)
        if writer.integer and step.in_grids[i] != step.grid:
            copy = writer.room(count)
            writer.call("copied", value, copy, count)
            value = rescaled(writer, f"{label}_{i}", copy, count, step.in_grids[i], step.grid)
        writer.call("joined", value, f"{result} + {place}", blocks, length, stride)
        place += length
    return result


def enlarge(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write an enlarged image."""
    layer, label = step.layer, writer.label(step)
    factor = np.ravel(value_array(layer["factor"])).astype(float)
    method = option(layer, "method", "nearest")
    corners = bool(option(layer, "align_corners", False))
    if writer.integer and method != "nearest":
        found = [integer.lines(step.in_sizes[0][d], step.out_size[d], corners) for d in range(2)]
        below, above, share = (np.concatenate(each) for each in zip(*found, strict=True))
        window = window_of(step.in_sizes[0], step.out_size)
        writer.file.define(f"static const window g_{label} = {window};\n")
        arrays = [
            writer.file.array(f"{name}_{label}", numbers)
            for name, numbers in (
                ("below", below.astype(np.uint16)),
                ("above", above.astype(np.uint16)),
                ("parts", share.astype(np.int32)),
            )
        ]
        result = writer.result(step)
        away = int(writer.requantization == "double")
        writer.call("interpolated", reads[0], result, f"&g_{label}", *arrays, away)
        return on_own_grid(writer, step, label, result)
    lines, parts = [], []
    for d in range(2):
        maps = upsample.interpolation(step.in_sizes[0][d], factor[-d], method, corners)
        below = (maps > 0).argmax(axis=1)
        lines.append(below)
        parts.append(1 - maps[np.arange(len(maps)), below])
    window = window_of(step.in_sizes[0], step.out_size)
    writer.file.define(f"static const window g_{label} = {window};\n")
    where = writer.file.array(f"lines_{label}", np.concatenate(lines).astype(np.uint16))
    result = writer.result(step)
    if method == "nearest":
        writer.call("nearest", reads[0], result, f"&g_{label}", where)
    else:
        share = np.concatenate(parts).astype(np.float32)
        given = writer.file.array(f"parts_{label}", share)
        writer.call("interpolated", reads[0], result, f"&g_{label}", where, given)
    return on_own_grid(writer, step, label, result)


def surround(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a padded image."""
    label = writer.label(step)
    g = zeropad.geometry(step.layer, step.in_sizes[0])
    window = window_of(step.in_sizes[0], step.out_size, g)
    writer.file.define(f"static const window g_{label} = {window};\n")
    result, grid = writer.result(step), step.in_grids[0]
    filler = scale_and_zero(grid)[1] if writer.integer and grid is not None else 0
    writer.call("surrounded", reads[0], result, f"&g_{label}", filler)
    return on_own_grid(writer, step, label, result)


def recurrent(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write lstm or gru."""
    layer, label = step.layer, writer.label(step)
    kind = layer["type"]
    for name, field in (("w", "weights"), ("u", "recurrent_weights")):
        store(writer, step, f"{name}_{label}", field, value_array(layer[field]), (0, 1))
    rows, units = value_array(layer["recurrent_weights"]).shape
    biases = []
    for field in ("bias", "recurrent_bias"):
        given = bias_of(layer, rows, field)
        biases.append(writer.file.array(f"{field}_{label}", given) if given.any() else "NULL")
    result = writer.result(step)
    memory = writer.room(10 * units if kind == "lstm" else 8 * units)
    flags = [int(bool(option(layer, "reverse", False))), int(layer.get("result") == "last")]
    if kind == "gru":
        flags.append(int(bool(option(layer, "reset_after", True))))
    scratch = "scratch" if writer.row else "NULL"
    writer.call(
        kind, reads[0], result, int(step.in_sizes[0][1]), f"&w_{label}", f"&u_{label}", *biases,
        scratch, memory, *flags,
    )  # fmt: skip
    return result


LAYERS: dict[str, Emit] = {
    "dense": dense,
    "conv2d": convolution,
    "transposedconv2d": transposed_convolution,
    "batchnorm": affine,
    "scale": affine,
    **{name: elementwise for name in FUNCTIONS if name != "gelu_tanh"},
    "prelu": prelu,
    "softmax": softmax,
    "logsoftmax": softmax,
    "maxpool": pool,
    "averagepool": pool,
    "globalmaxpool": global_pool,
    "globalaveragepool": global_pool,
    "flatten": flatten,
    "reshape": flatten,
    "permute": permute,
    "add": combine,
    "subtract": combine,
    "multiply": combine,
    "concat": concatenate,
    "dropout": same,
    "identity": same,
    "upsample": enlarge,
    "zeropad": surround,
    "lstm": recurrent,
    "gru": recurrent,
}
