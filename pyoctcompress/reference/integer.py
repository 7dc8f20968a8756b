"""A quantized network in integers: the reference of ``integer_forward.m`` and its parts.

The rules are those of TensorFlow Lite's int8 kernels. Codes, sums and multipliers are whole
numbers in double arrays, which hold them exactly up to 2^53; NumPy's 64-bit integers serve where
a product is larger.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np

from . import model as graph
from .internal import Array, check, fail, is_empty, round_half_away, scalar, value_array
from .layers import upsample
from .layers.common import channel_axis as channel_dimension
from .layers.common import option
from .quant import (
    Grid,
    along_axis,
    channel_axis,
    choose_grid,
    code_range,
    decode_grid,
    encode_grid,
)

ELEMENTWISE = ("add", "subtract", "multiply")
WEIGHTED = ("dense", "conv2d", "transposedconv2d")
KEEPING = (
    "maxpool",
    "globalmaxpool",
    "flatten",
    "reshape",
    "permute",
    "dropout",
    "identity",
    "zeropad",
    "upsample",
    "relu",
)
NO_TABLE = ("batchnorm", "scale", "lstm", "gru")
CALLER = "nn_predict"


def high_multiply(a: Any, b: Any) -> Array:
    """Return the upper half of a product of 32-bit integers: floor((a b + 2^30) / 2^31)."""
    product = np.asarray(a).astype(np.int64) * np.asarray(b).astype(np.int64)
    return np.minimum((product + 2**30) >> 31, 2**31 - 1).astype(np.float64)


def fixed_multiplier(real: Any) -> tuple[Array, Array]:
    """Give positive numbers as 32-bit integers and powers of two: real = m * 2^(shift - 31)."""
    fraction, shift = np.frexp(np.asarray(real, np.float64))
    multiplier, shift = round_half_away(fraction * 2.0**31), shift.astype(np.float64)
    carried = multiplier == 2**31
    multiplier, shift = np.where(carried, 2.0**30, multiplier), shift + carried
    tiny, huge = shift < -31, shift > 30
    multiplier = np.where(tiny, 0.0, np.where(huge, 2.0**31 - 1, multiplier))
    return multiplier, np.where(tiny, 0.0, np.minimum(shift, 30.0))


def fixed_multiply(x: Array, multiplier: Any, shift: Any, rounding: str) -> Array:
    """Multiply integers by m * 2^(shift - 31), with ``double`` or ``single`` rounding."""
    if rounding == "single":
        total = np.asarray(31 - shift).astype(np.int64)
        product = x.astype(np.int64) * np.asarray(multiplier).astype(np.int64)
        y = (product + (np.int64(1) << (total - 1))) >> total
        return np.clip(y, -(2**31), 2**31 - 1).astype(np.float64)
    y = high_multiply(x * 2.0 ** np.maximum(shift, 0), multiplier)
    return round_half_away(y / 2.0 ** np.maximum(-shift, 0))


def integer_softmax(codes: Array, scale: Any, rounding: str = "") -> Array:
    """Compute softmax of 8-bit codes over the channels in fixed-point arithmetic.

    With `rounding` it is the logarithm, on the grid with scale 1/16 and zero point 127.

    References
    ----------
    .. [1] github.com/tensorflow/tensorflow, lite/kernels/internal/reference/softmax.h,
       reference/integer_ops/log_softmax.h, common.h.
    """
    multiplier, shift = fixed_multiplier(min(float(scale) * 2**26, 2**31 - 1))
    least = -np.floor(31 * 2.0**26 / 2.0**shift)
    difference = codes - codes.max(axis=0, keepdims=True)
    counted = difference >= least
    scaled = high_multiply(np.maximum(difference, least) * 2.0**shift, multiplier)
    exponentials = np.where(counted, exp_of_negative(scaled), 0.0)
    total = round_half_away(exponentials / 2**12).sum(axis=0, keepdims=True)
    if rounding:
        log_total = log_of(total)
        back = fixed_multiplier(2.0 ** (31 - shift) / multiplier)
        limit = np.maximum(least - 1, fixed_multiply(log_total - 2.0**31, *back, rounding))
        y = np.clip(round_half_away((scaled - log_total) / 2**22) + 127, -128, 127)
        return np.where(difference > limit, y, -128.0)
    reciprocal, over_unit = reciprocal_of(total)
    y = high_multiply(reciprocal, exponentials) / 2.0 ** (over_unit + 23)
    return np.where(counted, np.minimum(round_half_away(y) - 128, 127), -128.0)


def exp_of_negative(a: Array) -> Array:
    """Compute exp of Q5.26 numbers that are not positive, in Q0.31: gemmlowp's."""
    quarter = 2.0**24
    within = np.mod(a, quarter) - quarter
    x = within * 32 + 2.0**28
    x2 = high_multiply(x, x)
    x3, x4 = high_multiply(x2, x), high_multiply(x2, x2)
    third = high_multiply(round_half_away(x4 / 4) + x3, 715827883)
    inner = x + round_half_away((third + x2) / 2)
    y = 1895147668 + high_multiply(1895147668, inner)
    rest = (within - a).astype(np.int64)
    factors = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242]
    for k, factor in enumerate(factors):
        y = np.where((rest >> (24 + k)) & 1 == 1, high_multiply(y, factor), y)
    return np.where(a == 0, 2.0**31 - 1, y)


def reciprocal_of(total: Array) -> tuple[Array, Array]:
    """Invert Q12.19 sums of at least 1: Q0.31 of total / 2^over_unit in [1, 2)."""
    headroom = 32 - np.frexp(total)[1].astype(np.float64)
    return one_over_one_plus(total * 2.0**headroom - 2.0**31), 12 - headroom


def one_over_one_plus(a: Array) -> Array:
    """Compute 1 / (1 + a) of Q0.31 numbers from 0 to 1."""
    half = np.floor((a + 2.0**31) / 2)
    x = 1515870810 + high_multiply(half, -1010580540)
    for _ in range(3):
        x = x + 4 * high_multiply(x, 2.0**29 - high_multiply(half, x))
    return np.minimum(2 * x, 2.0**31 - 1)


def log_of(total: Array) -> Array:
    """Compute log of Q12.19 numbers of at least 1, in Q5.26.

    A power of two, and a rational approximation of the rest, from sqrt (1/2) to 1: that of the
    number, or of the number over sqrt (2).
    """
    most, sqrt_half, centre = 2.0**31 - 1, 1518500250, 1805811301
    mul = high_multiply
    bits = np.frexp(total)[1].astype(np.float64)
    rest = np.minimum(2 * mul(total * 2.0 ** (31 - bits), sqrt_half), most)
    power = (bits - 20) * 2.0**25 + 2.0**23
    bits = np.frexp(mul(total, sqrt_half))[1].astype(np.float64)
    rest = np.minimum(rest, np.minimum(total * 2.0 ** (31 - bits), most))
    power = np.maximum(power, (bits - 19) * 2.0**25 - 2.0**23)
    p = np.floor((rest + centre + 1) / 2)
    q = 2 * (rest - centre)
    square = mul(q, q)
    numerator = mul(q, rest) + mul(mul(q, square), 117049297)
    denominator = mul(p, 1057819769 + q + mul(127690142, square)) + mul(638450708, q)
    y = mul(power, 1488522236)
    y = y + mul(round_half_away(numerator / 64), one_over_one_plus(denominator))
    return np.minimum(2 * y, most)


def single(grid: Grid) -> Any:
    """Return a grid's scale as single precision numbers, n x 1 or one."""
    scale = value_array(grid["scale"]).astype(np.float32)
    return scale[0, 0] if scale.size == 1 else scale.reshape(-1, 1)


@dataclass
class IntegerLayer:
    """A layer with weights as integers: weights, bias (n x 1), multiplier and shift."""

    weights: Array
    bias: Array
    multiplier: Array
    shift: Array


def integer_layer(layer: graph.Layer, in_grid: Grid, out_grid: Grid) -> IntegerLayer:
    """Give a dense or convolution layer as integers, as a device computes it."""
    grid = layer.get("quantization", {}).get("weights")
    if is_empty(grid):
        fail(
            CALLER,
            "notInteger",
            f"layer '{layer['name']}' has no integer weights; use nn_quantize with up to 8 bits",
        )
    own = channel_axis(layer, "weights")
    uniform = grid["scheme"] in ("symmetric", "affine", "signed", "unsigned")
    if not uniform or "group" in grid or grid["bits"] > 8 or grid["axis"] not in (0, own):
        fail(
            CALLER,
            "notInteger",
            f"the weights of layer '{layer['name']}' must lie on a uniform grid of up to 8 bits "
            "with one scale, or one for each output channel",
        )
    codes = encode_grid(layer["weights"], grid)
    zero_point = along_axis(grid, np.float64, codes.shape)[1]
    weight_scale, in_scale = single(grid), single(in_grid)
    product: Any
    if layer["type"] == "dense" and np.ndim(weight_scale) == 0:
        product = np.float64(in_scale * weight_scale)
    else:
        product = np.float64(in_scale) * np.asarray(weight_scale, np.float64)
    bias = np.zeros((1, 1))
    if not is_empty(layer.get("bias")):
        exact = value_array(layer["bias"]).astype(np.float64).reshape(-1, 1) / product
        bias = np.clip(round_half_away(exact), -(2.0**31), 2.0**31 - 1)
    multiplier, shift = fixed_multiplier(product / np.float64(single(out_grid)))
    return IntegerLayer(codes - zero_point, bias, multiplier, shift)


@dataclass
class Value:
    """Codes on a grid; or what is still to be summed up by the layer that has the grid."""

    codes: Array
    grid: Grid | None
    low: float = -np.inf
    high: float = np.inf
    pending: graph.Layer | None = None
    entry: Any = None
    inputs: list[Value] = field(default_factory=list)


def integer_forward(
    plan: graph.Plan, layers: list[graph.Layer], codes: Array, in_grid: Grid, rounding: str
) -> list[tuple[Array, Grid]]:
    """Compute a quantized network on one batch of codes; the codes and grids of its outputs."""
    values: list[Value] = []
    for entry, layer, reads in zip(plan.types, layers, plan.inputs, strict=True):
        given = [values[r] if r >= 0 else Value(codes, in_grid) for r in reads]
        values.append(compute(entry, layer, given, rounding))
    results = []
    for k in plan.outputs:
        grid = values[k].grid
        if grid is None:
            refuse(layers[k], "its output, which is the network's, has no grid")
        results.append((values[k].codes, grid))
    return results


def compute(entry: Any, layer: graph.Layer, given: list[Value], rounding: str) -> Value:
    """Compute one layer."""
    first, kind = given[0], layer["type"]
    out_grid = layer.get("quantization", {}).get("output")
    if out_grid is not None and (out_grid.get("dynamic") or out_grid["bits"] > 8):
        refuse(layer, "the grid of its output must be static, of up to 8 bits")
    clips = kind in ("relu", "relu6")
    if any(value.pending is not None for value in given) and not clips:
        refuse(
            layer,
            "the layer before it has no grid of its own; fold batch normalisations by nn_fold "
            "before nn_quantize",
        )
    value = Value(np.zeros((0, 0)), out_grid)
    if kind in WEIGHTED + ELEMENTWISE:
        value = replace(value, pending=layer, entry=entry, inputs=given)
    elif clips and first.pending is not None:
        high = min(first.high, 6.0) if kind == "relu6" else first.high
        value = replace(first, grid=out_grid, low=max(first.low, 0.0), high=high)
    if value.pending is not None:
        return finish(value, rounding) if out_grid is not None else value

    assert first.grid is not None
    zero = scalar(first.grid["zero_point"])
    if kind in KEEPING:
        if kind == "upsample" and option(layer, "method", "nearest") == "bilinear":
            value.codes = bilinear(layer, first.codes, rounding)
            return rescale(value, first.grid, rounding)
        value.codes = entry.run.forward(layer, first.codes - zero, None)[0] + zero
        return rescale(value, first.grid, rounding)
    if kind in ("averagepool", "globalaveragepool"):
        value.codes = mean_codes(entry, layer, first.codes)
        return rescale(value, first.grid, rounding)
    if kind == "concat":
        parts = []
        for each in given:
            assert each.grid is not None
            part = Value(each.codes, out_grid)
            parts.append(rescale(part, each.grid, rounding).codes)
        value.codes = entry.run.forward(layer, parts, None)[0]
        return value if out_grid is not None else replace(value, grid=first.grid)
    if kind in ("softmax", "logsoftmax"):
        steps, zero = (256, -128) if kind == "softmax" else (16, 127)
        fits = out_grid is not None and first.grid["bits"] == 8
        if not fits or scalar(out_grid["scale"]) != 1 / steps or out_grid["zero_point"] != zero:
            refuse(
                layer,
                f"its output must have 8 bits, the scale 1/{steps} and the zero point {zero}, "
                "and its input 8 bits",
            )
        channels_first = np.moveaxis(first.codes, channel_dimension(first.codes), 0)
        more = [rounding] if kind == "logsoftmax" else []
        codes = integer_softmax(channels_first, single(first.grid), *more)
        value.codes = np.moveaxis(codes, 0, channel_dimension(first.codes))
        return value
    if kind == "prelu":
        if out_grid is None:
            refuse(layer, "its output has no grid")
        value.codes = rectified(layer, first.codes - zero, first.grid, out_grid, rounding)
        return value
    value.codes = from_table(entry, layer, first, out_grid, rounding)
    return value


def finish(value: Value, rounding: str) -> Value:
    """Bring the sums of a layer with weights, or of an elementwise one, to their grid."""
    layer, given, grid = value.pending, value.inputs, value.grid
    assert layer is not None and grid is not None
    kind = layer["type"]
    out_scale, zero = np.float64(single(grid)), scalar(grid["zero_point"])
    grids = [each.grid for each in given if each.grid is not None]
    centred = [v.codes - scalar(g["zero_point"]) for v, g in zip(given, grids, strict=True)]
    forward = value.entry.run.forward
    if kind in ELEMENTWISE and len(given) > 2:
        verb = "multiplied" if kind == "multiply" else "added"
        refuse(layer, f"only two inputs can be {verb} in integers")
    if kind in ("add", "subtract"):
        scales = [np.float64(single(each)) for each in grids]
        twice = 2 * max(scales)
        for k in (0, 1):
            m, s = fixed_multiplier(scales[k] / twice)
            centred[k] = fixed_multiply(centred[k] * 2.0**20, m, s, rounding)
        total = forward(layer, centred, None)[0]
        m, s = fixed_multiplier(twice / (2**20 * out_scale))
    elif kind == "multiply":
        total = forward(layer, centred, None)[0]
        m, s = fixed_multiplier(np.float64(single(grids[0]) * single(grids[1]) / single(grid)))
    else:
        own = integer_layer(layer, grids[0], grid)
        plain_layer = {key: part for key, part in layer.items() if key != "bias"}
        total = forward({**plain_layer, "weights": own.weights}, centred[0], None)[0]
        channels = 0 if total.ndim < 4 else 2
        shape = [1] * total.ndim
        shape[channels] = -1
        total = total + own.bias.reshape(shape)
        m, s = (np.reshape(part, shape) for part in (own.multiplier, own.shift))
        if rounding == "litert" and kind == "dense":
            rounding = "single"
    first, last = code_range(grid)
    low = max(first, zero + float(bound(value.low, out_scale)))
    high = min(last, zero + float(bound(value.high, out_scale)))
    codes = np.clip(fixed_multiply(total, m, s, rounding) + zero, low, high)
    return Value(codes, grid)


def bound(limit: float, scale: Any) -> Any:
    """Return the code of a bound of relu or relu6."""
    return limit if np.isinf(limit) else round_half_away(np.asarray(limit / scale))


def rescale(value: Value, grid: Grid, rounding: str) -> Value:
    """Put codes that lie on `grid` on the value's own grid where that is another one."""
    own = value.grid
    if own is None:
        return replace(value, grid=grid)
    if own["scale"] == grid["scale"] and own["zero_point"] == grid["zero_point"]:
        return value
    m, s = fixed_multiplier(np.float64(single(grid)) / np.float64(single(own)))
    codes = fixed_multiply(value.codes - scalar(grid["zero_point"]), m, s, rounding)
    return replace(value, codes=np.clip(codes + scalar(own["zero_point"]), *code_range(own)))


def mean_codes(entry: Any, layer: graph.Layer, codes: Array) -> Array:
    """Average codes over windows, rounded half away from zero."""
    area = count = codes.shape[0] * codes.shape[1]
    if layer["type"] == "averagepool":
        if not is_empty(layer.get("count_include_pad")) and layer["count_include_pad"]:
            refuse(layer, "count_include_pad has no integer form")
        layer = {**layer, "count_include_pad": True}
        size = np.ravel(np.asarray(layer["pool_size"]))
        area = int(size[0] * size[-1])
        ones = entry.run.forward(layer, np.ones(codes.shape), None)[0]
        count = round_half_away(ones * area)
    total = round_half_away(entry.run.forward(layer, codes, None)[0] * area)
    return np.trunc((total + np.sign(total) * np.floor(count / 2)) / count)


def bilinear(layer: graph.Layer, codes: Array, rounding: str) -> Array:
    """Enlarge images of codes, H x W x C x N, with weights of 10 bits."""
    out_size = upsample.size(layer, [*codes.shape[:2], 1])[0]
    corners = bool(option(layer, "align_corners", False))
    for axis in (1, 0):
        below, above, part = lines(codes.shape[axis], out_size[axis], corners)
        part = part.reshape([-1 if d == axis else 1 for d in range(codes.ndim)])
        codes = codes.take(below, axis) * (1024 - part) + codes.take(above, axis) * part
    if rounding == "single":
        return np.floor(codes / 2**20 + 0.5)
    return round_half_away(codes / 2**20)


def lines(count: int, out: int, corners: bool) -> tuple[Array, Array, Array]:
    """Return the lines, from 0, between which each new one lies, and the second's 1024ths."""
    step = (1024 * count + out // 2) // out
    if corners and out > 1:
        step = (1024 * (count - 1) + (out - 1) // 2) // (out - 1)
    place = np.arange(out) * step
    if not corners:
        place = place + step // 2 - 512
    below = np.maximum(np.trunc(place / 1024), 0).astype(int)
    above = np.minimum(np.trunc((place + 1023) / 1024), count - 1).astype(int)
    return below, above, (place - 1024 * below).astype(float)


def slope_codes(layer: graph.Layer) -> tuple[Array, Grid]:
    """Give the slopes of prelu as symmetric codes of 8 bits."""
    slope = value_array(layer["slope"]).astype(np.float32)
    grid = choose_grid(slope, 8)
    return encode_grid(slope, grid).astype(np.float64).reshape(-1), grid


def rectified(layer: graph.Layer, x: Array, in_grid: Grid, out_grid: Grid, rounding: str) -> Array:
    """Compute prelu of codes less their zero point."""
    slope, grid = slope_codes(layer)
    slope = slope.reshape([-1 if d == channel_dimension(x) else 1 for d in range(x.ndim)])
    in_scale, out_scale = single(in_grid), single(out_grid)
    codes = fixed_multiply(x, *fixed_multiplier(float(in_scale / out_scale)), rounding)
    ratio = float(in_scale * single(grid) / out_scale)
    below = fixed_multiply(x * slope, *fixed_multiplier(ratio), rounding)
    codes = np.where(x < 0, below, codes) + scalar(out_grid["zero_point"])
    return np.clip(codes, *code_range(out_grid))


def from_table(
    entry: Any, layer: graph.Layer, value: Value, out_grid: Grid | None, rounding: str
) -> Array:
    """Compute a function of one number from a table of all codes."""
    if out_grid is None or value.grid is None:
        refuse(layer, "its output has no grid")
    first, last = code_range(value.grid)
    codes = np.arange(first, last + 1.0)[np.newaxis]
    if layer["type"] in ("leakyrelu", "hardswish"):
        outputs = integer_table(layer, codes, value.grid, out_grid, rounding)
        return outputs.ravel()[(value.codes - first).astype(np.intp)]
    table = (codes - scalar(value.grid["zero_point"])) * np.float64(single(value.grid))
    try:
        result = entry.run.forward(layer, table, None)[0]
    except Exception:
        result = None
    if result is None or result.shape != table.shape or layer["type"] in NO_TABLE:
        refuse(
            layer,
            "this type of layer has no integer form; fold batch normalisations by nn_fold before "
            "nn_quantize",
        )
    grid = {**out_grid, "scale": float(single(out_grid))}
    outputs = encode_grid(result.astype(np.float64), grid).astype(np.float64)
    return outputs.ravel()[(value.codes - first).astype(np.intp)]


def integer_table(
    layer: graph.Layer, codes: Array, in_grid: Grid, out_grid: Grid, rounding: str
) -> Array:
    """Compute leaky relu and hard swish of codes as TensorFlow Lite's int8 kernels do.

    Leaky relu: the code less its zero point, times a fixed-point s_in / s_out from 0 on and
    s_in * slope / s_out below. Hard swish: in 16-bit integers, x / 128 times relu6 (x + 3) / 6 as
    (clip (x * 2^15 / 3) + 2^15) / 2.
    """
    in_scale, out_scale = single(in_grid), single(out_grid)
    x = codes - scalar(in_grid["zero_point"])
    if layer["type"] == "leakyrelu":
        slope = np.float32(scalar(layer.get("slope", 0.01)))
        table = fixed_multiply(x, *fixed_multiplier(float(in_scale / out_scale)), rounding)
        below = fixed_multiply(x, *fixed_multiplier(float(in_scale * slope / out_scale)), rounding)
        table = np.where(x < 0, below, table)
    else:
        fine = in_scale / np.float32(128)
        to_out, out_shift = half_multiplier(float(fine / out_scale))
        to_gate, gate_shift = half_multiplier(float(fine / np.float32(3 / 32768)))
        x = gate = x * 128
        if gate_shift > 0:
            gate = clip_half(gate * 2.0 ** (gate_shift - 1))
        gate = high_half(gate, to_gate)
        if gate_shift > 0:
            gate = clip_half(gate * 2)
        gate = round_half_away(gate / 2.0 ** max(-gate_shift, 0))
        gate = np.floor((gate + 32768) / 2)
        table = np.trunc(gate * high_half(x, to_out) / 32768)
        table = round_half_away(table / 2.0 ** max(-out_shift, 0))
    first, last = code_range(out_grid)
    return np.clip(table + scalar(out_grid["zero_point"]), first, last)


def half_multiplier(ratio: float) -> tuple[float, float]:
    """Give `fixed_multiplier` with 16 bits."""
    multiplier, shift = fixed_multiplier(ratio)
    return min(math.floor((scalar(multiplier) + 32768) / 65536), 32767), scalar(shift)


def high_half(a: Array, b: float) -> Array:
    """Round a * b / 2^15 as gemmlowp does, to 16 bits."""
    product = a * b
    return clip_half(np.trunc((product + 16384 - 32767 * (product < 0)) / 32768))


def clip_half(x: Array) -> Array:
    """Clip to 16 bits."""
    return np.clip(x, -32768, 32767)


def integer_predict(caller: str, model: Any, x: Any, batch_size: Any, rounding: str) -> list[Array]:
    """Compute the outputs of a quantized network in integers, batch by batch."""
    check(caller, "batch_size", batch_size, "integer", (1, np.inf))
    check(caller, "requantization", rounding, "choice", ["double", "single", "litert"])
    model = graph.tidy(caller, model)
    in_grid = model.get("quantization", {}).get("input")
    if in_grid is None or in_grid.get("dynamic") or in_grid["bits"] > 8:
        fail(
            caller,
            "notInteger",
            "the network's input has no static grid of up to 8 bits; use nn_quantize with data, "
            "or nn_calibrate",
        )
    plan = graph.plan(caller, model)
    x, ranges = graph.batches(caller, model, x, batch_size)
    if not ranges:
        kind = graph.float_class(model)
        return [graph.no_observations(plan.sizes[k], kind) for k in plan.outputs]
    parts = []
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        codes = encode_grid(batch, in_grid).astype(np.float64)
        results = integer_forward(plan, model["layers"], codes, in_grid, rounding)
        parts.append([decode_grid(y, grid, batch.dtype) for y, grid in results])
    axes = [graph.observation_axis(y) for y in parts[0]]
    return [np.concatenate(y, axis=a) for y, a in zip(zip(*parts, strict=True), axes, strict=True)]


def refuse(layer: graph.Layer, why: str) -> NoReturn:
    """Raise the error that says which layer has no integer form, and why."""
    fail(
        CALLER,
        "notInteger",
        f"layer '{layer['name']}' ({layer['type']}) cannot be computed in integers: {why}",
    )
