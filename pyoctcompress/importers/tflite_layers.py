"""The operators of TensorFlow Lite as layers of ours."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyoctcompress.importers.building import (
    Array,
    Unsupported,
    Value,
    convolution,
    dense,
    grid,
    single,
)
from pyoctcompress.reference.layouts import row

# Bits and sign of the types of quantized tensors.
BITS = {3: (8, False), 7: (16, True), 9: (8, True)}
_FUSED = {0: "", 1: "relu", 3: "relu6", 4: "tanh"}


class Call:
    """An operator and what it reads."""

    def __init__(self, graph: Any, operator: Any, kind: str) -> None:
        self.graph = graph
        self.build = graph.builder
        self.kind = kind
        self.operator = operator
        places = [int(operator.Inputs(k)) for k in range(operator.InputsLength())]
        self.inputs = [graph.stored.get(place, place) for place in places]
        self.output = int(operator.Outputs(0))
        self.name = graph.name(self.output)

    def options(self, table: str) -> Any:
        """Give the options of the operator, as a table of the schema."""
        found = getattr(self.graph.schema, table)()
        given = self.operator.BuiltinOptions()
        if given is None:
            raise Unsupported("no options")
        found.Init(given.Bytes, given.Pos)
        return found

    def value(self, k: int = 0) -> Value:
        """Give an input that the network computes."""
        if self.inputs[k] not in self.graph.values:
            raise Unsupported(f"its input {self.graph.name(self.inputs[k])} is a constant")
        return self.graph.values[self.inputs[k]]

    def has(self, k: int) -> bool:
        """Whether there is an input at a place."""
        return k < len(self.inputs) and self.inputs[k] >= 0

    def constant(self, k: int) -> Array:
        """Give the values of an input that is a constant."""
        if not self.graph.is_constant(self.inputs[k]):
            raise Unsupported(f"its input {self.graph.name(self.inputs[k])} is no constant")
        return self.graph.numbers(self.inputs[k])

    def promised(self, k: int, our_axis: int, axis: int = 0) -> dict[str, Any] | None:
        """Give the promise of weights that are integers; `axis` is that of the outputs there."""
        place = self.inputs[k]
        kind, found = self.graph.graph.Tensors(place).Type(), self.graph.scales(place)
        if kind not in BITS or found is None or (found[0].size > 1 and found[2] != axis):
            return None
        bits, signed = BITS[kind]
        lowest = int(self.graph.codes_of(place).min(initial=0))
        inside = signed and lowest > -(2 ** (bits - 1))
        return {"weights": grid(found[0], found[1], bits, signed, our_axis, inside)}

    def gridded(self, value: Value, fused: int = 0) -> Value:
        """Add the activation that is part of the operator, and its output's grid."""
        if fused not in _FUSED:
            raise Unsupported(f"the activation {fused}")
        if _FUSED[fused]:
            value = self.build.add(_FUSED[fused], value, f"{self.name}_{_FUSED[fused]}")
        promise = self.graph.grid(self.output)
        if promise is None:
            return value
        source = self.graph.scales(self.inputs[0])
        same = (
            source is not None
            and source[0].size == 1
            and (np.float32(source[0][0]) == promise["scale"][0, 0])
        )
        if same and self.kind in _KEEPING and self.graph.grid(self.inputs[0]) is not None:
            before = self.graph.grid(self.inputs[0])
            if before is not None and before["zero_point"] == promise["zero_point"]:
                return value
        layer = self.build.layer(value)
        if not layer or "output" in layer.get("quantization", {}):
            value = self.build.add("identity", value, f"{self.name}_requantized")
            layer = self.build.layer(value)
        layer.setdefault("quantization", {})["output"] = promise
        return value


# Their values are on their input's grid already.
_KEEPING = {"MAX_POOL_2D", "RESHAPE", "SQUEEZE", "PAD", "QUANTIZE", "RESIZE_NEAREST_NEIGHBOR"}


def _require(fine: bool, why: str) -> None:
    if not fine:
        raise Unsupported(why)


def _two(high: int, wide: int) -> Any:
    return float(high) if high == wide else row([high, wide])


def _image(call: Call) -> Value:
    value = call.value()
    _require(value.axes == "NHWC", f"an input with the axes {value.axes}")
    return value


def _padding(options: Any) -> str | None:
    return "same" if options.Padding() == 0 else None


def _names(call: Call) -> tuple[str, str]:
    bias = call.graph.name(call.inputs[2]) if call.has(2) else ""
    return call.graph.name(call.inputs[1]), bias


def _conv(call: Call) -> Value:
    value = _image(call)
    options = call.options("Conv2DOptions")
    w = call.constant(1)
    name, bias_name = _names(call)
    bias = call.constant(2) if call.has(2) else None
    groups = value.size[2] // w.shape[3] if w.shape[3] else 0
    dilation = [options.DilationHFactor(), options.DilationWFactor()]
    found = call.build.add(
        "conv2d",
        value,
        call.name,
        **convolution(w, bias, name, bias_name, [2, 3, 4, 1]),
        stride=_two(options.StrideH(), options.StrideW()),
        padding=_padding(options),
        dilation=_two(*dilation) if dilation != [1, 1] else None,
        groups=float(groups) if groups != 1 else None,
        quantization=call.promised(1, 4),
    )
    return call.gridded(found, options.FusedActivationFunction())


def _depthwise(call: Call) -> Value:
    value = _image(call)
    options = call.options("DepthwiseConv2DOptions")
    w = call.constant(1)  # 1 x kh x kw x channels of the result
    name, bias_name = _names(call)
    bias = call.constant(2) if call.has(2) else None
    dilation = [options.DilationHFactor(), options.DilationWFactor()]
    found = call.build.add(
        "conv2d",
        value,
        call.name,
        **convolution(w, bias, name, bias_name, [2, 3, 1, 4]),
        stride=_two(options.StrideH(), options.StrideW()),
        padding=_padding(options),
        dilation=_two(*dilation) if dilation != [1, 1] else None,
        groups=float(value.size[2]) if value.size[2] != 1 else None,
        quantization=call.promised(1, 4, 3),
    )
    return call.gridded(found, options.FusedActivationFunction())


def _dense(call: Call) -> Value:
    options = call.options("FullyConnectedOptions")
    value = call.value()
    if len(value.size) == 3:
        value = call.build.flatten(value)
    _require(options.WeightsFormat() == 0, "shuffled weights")
    name, bias_name = _names(call)
    bias = call.constant(2) if call.has(2) else None
    fields = dense(call.constant(1), bias, name, bias_name, False)
    found = call.build.add("dense", value, call.name, **fields, quantization=call.promised(1, 1))
    return call.gridded(found, options.FusedActivationFunction())


def _pool(kind: str) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        options = call.options("Pool2DOptions")
        padding: Any = _padding(options)
        amounts = call.graph.padded.pop(call.inputs[0], None)
        if amounts is not None:
            _require(kind == "maxpool" and not padding, "padding by the least number")
            padding = row(amounts)
        found = call.build.add(
            kind,
            _image(call),
            call.name,
            pool_size=_two(options.FilterHeight(), options.FilterWidth()),
            stride=_two(options.StrideH(), options.StrideW()),
            padding=padding,
        )
        return call.gridded(found, options.FusedActivationFunction())

    return add


def _simple(kind: str, **fields: Any) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        return call.gridded(call.build.add(kind, call.value(), call.name, **fields))

    return add


def _softmax(call: Call) -> Value:
    beta = call.options("SoftmaxOptions").Beta()
    _require(beta == 1, f"beta {beta}")
    return call.gridded(call.build.add("softmax", call.value(), call.name))


def _leaky(call: Call) -> Value:
    slope = float(call.options("LeakyReluOptions").Alpha())
    return call.gridded(call.build.add("leakyrelu", call.value(), call.name, slope=slope))


def _prelu(call: Call) -> Value:
    slope = call.constant(1)
    value = call.value()
    _require(slope.size == value.size[-1] or slope.size == 1, "slopes that differ in a channel")
    slope = np.broadcast_to(single(slope).reshape(-1, 1), (value.size[-1], 1)).copy()
    return call.gridded(call.build.add("prelu", value, call.name, slope=slope))


def _reshape(call: Call) -> Value:
    target = [int(n) for n in call.graph.shape(call.output)]
    if call.has(1) and call.graph.is_constant(call.inputs[1]):
        target = [int(n) for n in np.ravel(call.constant(1))]
    value = call.value()
    _require(bool(target) and target[0] in (-1, 1, call.build.batch), f"a reshape to {target}")
    count = int(np.prod(value.size))
    rest = target[1:]
    _require(-1 in rest or int(np.prod(rest)) == count, f"a reshape to {target}")
    return call.gridded(call.build.reshape(value, rest, call.name, "keras"))


def _transpose(call: Call) -> Value:
    value = call.value()
    order = [int(n) for n in np.ravel(call.constant(1))]
    return call.build.moved(value, "".join(value.place(k) for k in order))


def _squeeze(call: Call) -> Value:
    target = call.graph.shape(call.output)
    _require(len(target) == 2, f"a squeeze to {target}")
    return call.gridded(call.build.flatten(call.value(), call.name))


def _mean(call: Call) -> Value:
    value = _image(call)
    axes = sorted(int(n) % 4 for n in np.ravel(call.constant(1)))
    _require(axes == [1, 2], f"the axes {axes}")
    found = call.build.add("globalaveragepool", value, call.name)
    if not call.options("ReducerOptions").KeepDims():
        found = call.build.flatten(found)
    return call.gridded(found)


def _pad(call: Call) -> Value:
    amounts = np.asarray(call.constant(1))
    value = _image(call)
    _require(amounts.shape == (4, 2) and not amounts[[0, 3]].any(), f"the amounts {amounts}")
    found = call.build.add("zeropad", value, call.name, padding=row(amounts[1:3].ravel()))
    return call.gridded(found)


def _pad_least(call: Call) -> Value:
    """Keep a padding by the least number there is for the pooling that must follow."""
    amounts, filler = np.asarray(call.constant(1)), call.graph.codes_of(call.inputs[2])
    value = _image(call)
    _require(amounts.shape == (4, 2) and not amounts[[0, 3]].any(), f"the amounts {amounts}")
    least = np.finfo(np.float32).min if filler.dtype.kind == "f" else np.iinfo(filler.dtype).min
    _require(filler.size == 1 and filler.item() <= least, f"padding by {filler.ravel()[:1]}")
    call.graph.padded[call.output] = amounts[1:3].ravel()
    return value


def _combine(kind: str, table: str) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        fused = call.options(table).FusedActivationFunction()
        known = [call.graph.is_constant(place) for place in call.inputs]
        if not any(known):
            values = [call.value(k) for k in range(len(call.inputs))]
            return call.gridded(call.build.add(kind, values, call.name), fused)
        k = known.index(False)
        ours = call.build.constant(call.constant(1 - k), call.value(k))
        first = k == 0
        if kind == "multiply":
            fields = {"scale": ours}
        elif kind == "add":
            fields = {"offset": ours}
        else:
            minus = -np.ones((1, 1), np.float32)
            fields = {"offset": -ours} if first else {"scale": minus, "offset": ours}
        return call.gridded(call.build.add("scale", call.value(k), call.name, **fields), fused)

    return add


def _concat(call: Call) -> Value:
    options = call.options("ConcatenationOptions")
    values = [call.value(k) for k in range(len(call.inputs))]
    axis = values[0].place(options.Axis())
    _require(axis != "N", "along the batch")
    found = call.build.add("concat", values, call.name, axis=axis)
    return call.gridded(found, options.FusedActivationFunction())


def _resize(method: str, table: str) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        value, options = _image(call), call.options(table)
        high, wide = (int(n) for n in np.ravel(call.constant(1)))
        corners, half = bool(options.AlignCorners()), bool(options.HalfPixelCenters())
        fine = (corners or half) if method == "bilinear" else not (corners or half)
        _require(fine, f"align_corners {corners}, half_pixel_centers {half}")
        found = call.build.add(
            "upsample",
            value,
            call.name,
            factor=_two_float(high / value.size[0], wide / value.size[1]),
            method=method if method != "nearest" else None,
            align_corners=True if corners else None,
        )
        return call.gridded(found)

    return add


def _two_float(high: float, wide: float) -> Any:
    return float(high) if high == wide else row([high, wide])


def _quantize(call: Call) -> Value:
    """QUANTIZE: of float, or from one grid to another."""
    value = call.value()
    if value.layer == "input" and call.build.input_grid is None:
        call.build.input_grid = call.graph.grid(call.output)
        return value
    return call.gridded(value)


def _dequantize(call: Call) -> Value:
    return call.value()


def _transpose_conv(call: Call) -> Value:
    options = call.options("TransposeConvOptions")
    value = call.value(2)
    w = call.constant(1)  # channels of the result x kh x kw x channels
    name = call.graph.name(call.inputs[1])
    bias = call.constant(3) if call.has(3) else None
    bias_name = call.graph.name(call.inputs[3]) if call.has(3) else ""
    found = call.build.add(
        "transposedconv2d",
        value,
        call.name,
        **convolution(w, bias, name, bias_name, [2, 3, 1, 4]),
        stride=_two(options.StrideH(), options.StrideW()),
        padding=_padding(options),
        quantization=call.promised(1, 3),
    )
    wanted = call.graph.shape(call.output)[1:]
    _require(list(found.size) == wanted, f"an output of {wanted} in place of {list(found.size)}")
    return call.gridded(found, options.FusedActivationFunction())


LAYERS: dict[str, Callable[[Call], Value]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _dense,
    "MAX_POOL_2D": _pool("maxpool"),
    "AVERAGE_POOL_2D": _pool("averagepool"),
    "MEAN": _mean,
    "RELU": _simple("relu"),
    "RELU6": _simple("relu6"),
    "LOGISTIC": _simple("sigmoid"),
    "TANH": _simple("tanh"),
    "HARD_SWISH": _simple("hardswish"),
    "ELU": _simple("elu"),
    "GELU": _simple("gelu"),
    "LOG_SOFTMAX": _simple("logsoftmax"),
    "LEAKY_RELU": _leaky,
    "PRELU": _prelu,
    "SOFTMAX": _softmax,
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "TRANSPOSE": _transpose,
    "PAD": _pad,
    "PADV2": _pad_least,
    "ADD": _combine("add", "AddOptions"),
    "SUB": _combine("subtract", "SubOptions"),
    "MUL": _combine("multiply", "MulOptions"),
    "CONCATENATION": _concat,
    "RESIZE_NEAREST_NEIGHBOR": _resize("nearest", "ResizeNearestNeighborOptions"),
    "RESIZE_BILINEAR": _resize("bilinear", "ResizeBilinearOptions"),
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}
