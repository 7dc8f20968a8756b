"""Layers with weights as calls of C functions; see `c_layers`."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyoctcompress.exporters.c_file import Weights, braces, number
from pyoctcompress.exporters.constants import codes_in_order, constant, weights_in_order
from pyoctcompress.exporters.network import bias_of, has_bias
from pyoctcompress.exporters.steps import Step
from pyoctcompress.reference import integer
from pyoctcompress.reference.internal import Array, scalar, value_array
from pyoctcompress.reference.layers import conv2d, transposedconv2d
from pyoctcompress.reference.layers.window import groups_of, shaped_weights
from pyoctcompress.reference.quant import FLOAT_FORMATS, Grid, code_range

if TYPE_CHECKING:
    from pyoctcompress.exporters.to_c import Writer


def scale_and_zero(grid: Grid) -> tuple[str, int]:
    """Write a grid's scale and zero point."""
    return number(scalar(grid["scale"])), int(scalar(grid["zero_point"]))


def window_of(in_size: Sequence[int], out_size: Sequence[int], g: Any = None, **more: Any) -> str:
    """Write the initial values of a window."""
    height, width, channels = shape3(in_size)
    down, across, filters = shape3(out_size)
    kernel, stride, padding, dilation = [1, 1], [1, 1], [0] * 4, [1, 1]
    if g is not None:
        kernel, stride, padding, dilation = g.kernel, g.stride, g.padding, g.dilation
    groups = more.get("groups", 1)
    return braces(
        [height, width, channels, down, across, filters, *kernel, *stride, *padding, *dilation,
         groups]
    )  # fmt: skip


def shape3(size: Sequence[int]) -> list[int]:
    """Give the size of an observation as H x W x C; a sequence is one row."""
    if len(size) == 3:
        return [int(n) for n in size]
    return [1, int(size[1]) if len(size) == 2 else 1, int(size[0])]


def dense(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a convolution of one pixel."""
    w = value_array(step.layer["weights"])
    return weighted(writer, step, reads, w, (0, 1), window_of(step.in_sizes[0], step.out_size))


def convolution(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a convolution."""
    g = conv2d.geometry(step.layer, step.in_sizes[0])
    window = window_of(step.in_sizes[0], step.out_size, g, groups=groups_of(step.layer))
    return weighted(writer, step, reads, shaped_weights(step.layer), (3, 0, 1, 2), window)


def transposed_convolution(writer: Writer, step: Step, reads: list[str]) -> str:
    """Write a transposed convolution: each pixel of the result gathers what reaches it."""
    layer = step.layer
    g = transposedconv2d.geometry(layer, step.in_sizes[0][:2])
    groups, w = groups_of(layer), shaped_weights(layer)
    window = window_of(step.in_sizes[0], step.out_size, g, groups=groups)
    return weighted(writer, step, reads, w, (2, 0, 1, 3), window, groups, "deconvolved")


def weighted(
    writer: Writer,
    step: Step,
    reads: list[str],
    w: Array,
    order: Sequence[int],
    window: str,
    groups: int = 1,
    kernel: str = "convolved",
) -> str:
    """Write a layer whose outputs are sums of products."""
    layer, label, file = step.layer, writer.label(step), writer.file
    count = shape3(step.out_size)[2]
    stored = store(writer, step, f"w_{label}", "weights", w, order, groups)
    result = writer.result(step)
    file.define(f"static const window g_{label} = {window};\n")
    file.kernels.add("finish")
    bias = "NULL"
    if writer.integer:
        own = integer.integer_layer(layer, *(step.in_grids[0], step.grid))  # type: ignore[arg-type]
        if has_bias(layer):
            bias = file.array(f"b_{label}", constant(own.bias.reshape(-1), np.int32))
        end = integer_finish(writer, step, label, own)
    else:
        if has_bias(layer):
            bias = file.array(f"b_{label}", bias_of(layer, count))
        end = f"{{{', '.join(limits(step))}}}"
    file.define(f"static const finish f_{label} = {end};\n")
    scratch = "scratch" if stored.decoded else "NULL"
    writer.call(
        kernel, reads[0], result, f"&g_{label}", f"&w_{label}", scratch, bias, f"&f_{label}"
    )
    return result


def limits(step: Step) -> tuple[str, str]:
    """Write the bounds of a clipping in floating point."""
    return "0.0f" if step.clip else "-INFINITY", "6.0f" if step.clip == "relu6" else "INFINITY"


def code_limits(step: Step) -> tuple[int, int]:
    """Return the bounds of codes, with those of a clipping."""
    grid = step.grid
    assert grid is not None
    first, last = code_range(grid)
    zero, scale = scalar(grid["zero_point"]), np.float64(np.float32(scalar(grid["scale"])))
    low = max(first, zero) if step.clip else first
    high = min(last, zero + float(integer.bound(6.0, scale))) if step.clip == "relu6" else last
    return int(low), int(high)


def integer_finish(writer: Writer, step: Step, label: str, own: integer.IntegerLayer) -> str:
    """Write how sums become codes."""
    assert step.in_grids[0] is not None and step.grid is not None
    multiplier, shift = (np.ravel(part) for part in (own.multiplier, own.shift))
    writer.file.array(f"m_{label}", constant(multiplier, np.int32))
    writer.file.array(f"s_{label}", constant(shift, np.int8))
    zeros = [scale_and_zero(grid)[1] for grid in (step.in_grids[0], step.grid)]
    low, high = code_limits(step)
    each = int(multiplier.size > 1)
    return f"{{{zeros[0]}, {zeros[1]}, {low}, {high}, {each}, m_{label}, s_{label}}}"


def store(
    writer: Writer,
    step: Step,
    name: str,
    field: str,
    w: Array,
    order: Sequence[int],
    groups: int = 1,
) -> Weights:
    """Add weights, a row for each output."""
    layer = step.layer
    grid = writer.network.weight_grid(layer, field)
    length = w.size // (w.shape[order[0]] * groups)
    own = order[0] + 1
    if writer.integer:
        rows, grid = integer_rows(step, w, order, groups), None
    elif grid is None or not fits(grid, own, order):
        if grid is not None:
            writer.network.notes.append(
                f"the weights of '{layer['name']}' are written in floating point: their grid has "
                "no form in C"
            )
        rows, grid = by_groups(weights_in_order(w, order).array(), groups), None
    else:
        rows = by_groups(codes_in_order(w, grid, order, np.int32).array(), groups)
        if groups > 1 and grid["axis"]:
            tiled = {f: np.tile(value_array(grid[f]), (groups, 1)) for f in ("scale", "zero_point")}
            grid = {**grid, **tiled}
    stored = writer.file.weights(name, constant(rows.reshape(-1, length)), grid, writer.storage)
    writer.row = max(writer.row, length * stored.decoded)
    writer.stored.append(stored)
    return stored


def by_groups(rows: Array, groups: int) -> Array:
    """Give each output of a transposed convolution the weights of its own group's inputs."""
    if groups == 1:
        return rows
    return np.concatenate(np.split(rows, groups, axis=-1))


def fits(grid: Grid, own: int, order: Sequence[int]) -> bool:
    """Whether codes can be decoded row by row."""
    if "codebook" in grid:
        return bool(np.size(grid["codebook"]) <= 256)
    if grid["scheme"] in FLOAT_FORMATS or grid["bits"] > 8:
        return False
    if "group" in grid:
        return grid["axis"] == own == 1 and len(order) == 2
    return grid["axis"] in (0, own)


def integer_rows(step: Step, w: Array, order: Sequence[int], groups: int) -> Array:
    """Return codes less their zero points."""
    assert step.in_grids[0] is not None and step.grid is not None
    own = integer.integer_layer(step.layer, step.in_grids[0], step.grid).weights
    return by_groups(own.reshape(w.shape).transpose(order).astype(np.int8), groups)
