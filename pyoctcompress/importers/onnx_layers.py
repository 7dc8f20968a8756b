"""The operators of ONNX as layers of ours."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyoctcompress.importers import onnx_constants as constants
from pyoctcompress.importers.building import (
    Array,
    Unsupported,
    Value,
    biased,
    convolution,
    dense,
    single,
)
from pyoctcompress.importers.onnx_call import Call, image, pads, require, two
from pyoctcompress.importers.onnx_more import gather, recurrent, resize, same
from pyoctcompress.reference.layouts import origin, row


def conv(call: Call) -> Value:
    """Conv."""
    value = image(call)
    w = call.constant(1)
    require(w.ndim == 4, f"filters of {w.ndim} dimensions")
    stride, dilation = call.get("strides", [1, 1]), call.get("dilations", [1, 1])
    reach = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    fields = convolution(w, _bias(call), call.origin(1), _bias_name(call), [3, 4, 2, 1])
    groups = call.get("group", 1)
    return call.one(
        "conv2d",
        **fields,
        stride=two(stride),
        padding=pads(call, reach, value, stride),
        dilation=two(dilation) if dilation != [1, 1] else None,
        groups=float(groups) if groups != 1 else None,
        quantization=call.promised(1, 4, 0),
    )


def conv_transpose(call: Call) -> Value:
    """ConvTranspose."""
    image(call)
    w = call.constant(1)
    require(w.ndim == 4, f"filters of {w.ndim} dimensions")
    require(call.get("auto_pad", "NOTSET") == "NOTSET", "auto_pad")
    require("output_shape" not in call.attributes, "output_shape")
    fields = convolution(w, _bias(call), call.origin(1), _bias_name(call), [3, 4, 2, 1])
    extra, dilation = call.get("output_padding", [0, 0]), call.get("dilations", [1, 1])
    groups = call.get("group", 1)
    given = call.get("pads", [0, 0, 0, 0])
    return call.one(
        "transposedconv2d",
        **fields,
        stride=two(call.get("strides", [1, 1])),
        padding=row([given[0], given[2], given[1], given[3]]),
        dilation=two(dilation) if dilation != [1, 1] else None,
        groups=float(groups) if groups != 1 else None,
        output_padding=two(extra) if any(extra) else None,
        quantization=call.promised(1, 3, 1),
    )


def _bias(call: Call) -> Any:
    return call.constant(2).ravel() if call.has(2) else None


def _bias_name(call: Call) -> str:
    return call.origin(2) if call.has(2) else ""


def gemm(call: Call) -> Value:
    """Gemm: alpha * A * B + beta * C with A the observations."""
    value = call.value()
    require(value.axes == "NF" and not call.get("transA", 0), f"A with the axes {value.axes}")
    w, turned = call.constant(1), not call.get("transB", 0)
    bias = call.constant(2).ravel() if call.has(2) else None
    if bias is not None and bias.size == 1:
        bias = np.broadcast_to(bias, w.shape[1 if turned else 0])
    alpha, beta = call.get("alpha", 1.0), call.get("beta", 1.0)
    name, bias_name = call.origin(1), _bias_name(call)
    if alpha != 1:
        w, name = w * np.float32(alpha), ""
    if beta != 1 and bias is not None:
        bias, bias_name = bias * np.float32(beta), ""
    fields = dense(w, bias, name, bias_name, turned)
    promise = call.promised(1, 1, int(turned)) if alpha == 1 else None
    return call.one("dense", **fields, quantization=promise)


def matmul(call: Call) -> Value:
    """MatMul with constant weights of in x out."""
    value = call.value()
    require(call.node.input[1] in call.graph.known, "a product of two values")
    w = call.constant(1)
    require(w.ndim == 2 and value.axes[-1] == "F", f"a product with the axes {value.axes}")
    fields = dense(w, None, call.origin(1), "", True)
    return call.one("dense", **fields, quantization=call.promised(1, 1, 1))


def batchnorm(call: Call) -> Value:
    """BatchNormalization outside of training."""
    value = call.value()
    require(not call.get("training_mode", 0), "training_mode")
    channels = "C" if "C" in value.axes else "F"
    require(value.axes.index(channels) == 1, f"an input with the axes {value.axes}")
    fields: dict[str, Any] = {"source": {}}
    for k, name in enumerate(("scale", "offset", "mean", "variance"), 1):
        array = call.constant(k)
        fields[name] = single(array).reshape(-1, 1)
        fields["source"][name] = origin(call.origin(k), array.shape, range(1, array.ndim + 1))
    return call.one("batchnorm", **fields, epsilon=float(call.get("epsilon", 1e-5)))


def simple(kind: str, **renamed: tuple[str, str, float]) -> Callable[[Call], Value]:
    """Make the reader of an elementwise function; `renamed`: (attribute, our field, default)."""

    def add(call: Call) -> Value:
        fields = {ours: float(call.get(name, default)) for name, ours, default in renamed.values()}
        return call.one(kind, **fields)

    return add


def clip(call: Call) -> Value:
    """Clip to 0 and 6, or from 0 on."""
    low, high = call.get("min", None), call.get("max", None)
    if "min" not in call.attributes and call.has(1):
        low = float(call.constant(1).ravel()[0])
    if "max" not in call.attributes and call.has(2):
        high = float(call.constant(2).ravel()[0])
    if low == 0 and high == 6:
        return call.one("relu6")
    if low == 0 and (high is None or high > 1e30):
        return call.one("relu")
    if (low is None or low < -1e30) and (high is None or high > 1e30):
        return call.value()
    raise Unsupported(f"limits {low} and {high}, where only 0 and 6 are known")


def gelu(call: Call) -> Value:
    """Gelu."""
    approximate = call.get("approximate", "none")
    return call.one("gelu", approximate=approximate if approximate != "none" else None)


def prelu(call: Call) -> Value:
    """PRelu with one slope or one for each channel."""
    slope = call.build.constant(call.constant(1), call.value())
    require(slope.shape[1] == 1, "slopes that differ within a channel")
    channels = call.value().length("C" if "C" in call.value().axes else "F")
    return call.one("prelu", slope=np.broadcast_to(slope, (channels, 1)).copy())


def softmax(kind: str) -> Callable[[Call], Value]:
    """Make the reader of Softmax and LogSoftmax: along the channels."""

    def add(call: Call) -> Value:
        value = call.value()
        default = -1 if call.graph.opset >= 13 else 1
        axis = value.place(call.get("axis", default))
        others = [n for n, a in zip(value.size, value.names, strict=True) if a != axis]
        if call.graph.opset < 13 and len(value.size) > 1:  # over all axes from this one on
            require(all(n == 1 for n in others), "a softmax over several axes")
        require(axis in "CF", f"a softmax along {axis}")
        return call.one(kind)

    return add


def pool(kind: str) -> Callable[[Call], Value]:
    """Make the reader of MaxPool and AveragePool."""

    def add(call: Call) -> Value:
        value = image(call)
        size, stride = call.get("kernel_shape", []), call.get("strides", None)
        require(len(size) == 2, f"windows of {len(size)} dimensions")
        stride = stride or [1, 1]
        dilation = call.get("dilations", [1, 1])
        require(len(call.node.output) == 1, "a second output")
        reach = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
        counted = kind == "averagepool" and call.get("count_include_pad", 0)
        return call.one(
            kind,
            pool_size=two(size),
            stride=two(stride),
            padding=pads(call, reach, value, stride),
            dilation=two(dilation) if dilation != [1, 1] else None,
            ceil_mode=True if call.get("ceil_mode", 0) else None,
            count_include_pad=True if counted else None,
        )

    return add


def global_pool(kind: str) -> Callable[[Call], Value]:
    """Make the reader of GlobalAveragePool and GlobalMaxPool."""

    def add(call: Call) -> Value:
        image(call)
        return call.one(kind)

    return add


def reduce(kind: str) -> Callable[[Call], Value]:
    """Make the reader of ReduceMean and ReduceMax over height and width."""

    def add(call: Call) -> Value:
        value = call.value()
        axes = call.numbers(1, "axes")
        require(axes is not None, "all axes at once")
        over = "".join(sorted(value.place(axis) for axis in axes))
        require(over == "HW", f"the axes {over}, where H and W are needed")
        found = call.one(kind)
        if call.get("keepdims", 1):
            return found
        return call.build.flatten(call.build.moved(found, value.axes))

    return add


def flatten(call: Call) -> Value:
    """Flatten after the batch."""
    require(call.get("axis", 1) == 1, f"the axis {call.get('axis', 1)}")
    return call.build.flatten(call.value(), call.name)


def reshape(call: Call) -> Value:
    """Reshape of what comes after the batch."""
    value = call.value()
    target = call.numbers(1, "shape")
    shape = value.shape()
    require(not call.get("allowzero", 0), "allowzero")
    target = [shape[k] if n == 0 and k < len(shape) else n for k, n in enumerate(target)]
    require(value.axes[0] == "N", f"a reshape with the axes {value.axes}")
    count = int(np.prod(value.size))
    rest = [n for n in target[1:] if n != -1]
    first = target[0] if target else 1
    # The batch is -1, or its number, or that which the file has been made for.
    fine = first in (None, constants.BATCH, call.build.batch) or (
        first == -1 and -1 not in target[1:] and int(np.prod(rest)) == count
    )
    require(bool(target) and fine, f"a reshape of {shape} to {target}")
    return call.build.reshape(value, target[1:], call.name)


def transpose(call: Call) -> Value:
    """Transpose: the axes go to other places, nothing is computed."""
    value = call.value()
    order = call.get("perm", list(range(len(value.axes)))[::-1])
    return call.build.moved(value, "".join(value.place(k) for k in order))


def squeeze(call: Call) -> Value:
    """Squeeze of an image of 1 x 1 to features."""
    value = call.value()
    axes = call.numbers(1, "axes")
    if axes is None:
        axes = [k for k, n in enumerate(value.shape()) if n == 1]
    gone = {value.place(axis) for axis in axes}
    left = "".join(axis for axis in value.axes if axis not in gone)
    fine = all(axis != "N" and value.length(axis) == 1 for axis in gone)
    require(fine, f"the axes {sorted(gone)} of {value.shape()}")
    if len(left) == len(value.size) + 1:
        return call.build.moved(value, left)
    if left == "NC":
        return call.build.flatten(value, call.name)
    raise Unsupported(f"what is left has the axes {left}")


def unsqueeze(call: Call) -> Value:
    """Unsqueeze of features to an image of 1 x 1."""
    value = call.value()
    axes = [int(axis) for axis in call.numbers(1, "axes", [])]
    dims = len(value.axes) + len(axes)
    axes = sorted(axis % dims for axis in axes)
    if value.axes == "NF" and axes == [2]:  # on the way to an image
        return call.build.moved(value, "NFD")
    if value.axes == "NFD" and axes in ([2], [3]):
        value, axes = call.build.moved(value, "NF"), [2, 3]
    require(value.axes == "NF" and axes == [2, 3], f"the axes {axes} beside {value.axes}")
    return call.build.reshape(value, [value.size[0], 1, 1], call.name)


def concat(call: Call) -> Value:
    """Concat of values."""
    values = [call.value(k) for k in range(len(call.node.input))]
    require(len({value.axes for value in values}) == 1, "inputs with their axes in other orders")
    axis = values[0].place(call.get("axis", 0))
    require(axis != "N", "along the batch")
    if len(values) == 1:
        return values[0]
    return call.build.add("concat", values, call.name, axis=axis)


def pad(call: Call) -> Value:
    """Pad by zeros around height and width."""
    value = call.value()
    amounts = call.numbers(1, "pads")
    require(call.get("mode", "constant") == "constant", f"the mode {call.get('mode', '')}")
    filler = call.get("value", 0.0)
    if call.has(2):
        filler = float(np.ravel(call.constant(2))[0])
    if call.has(3):
        dims = len(value.axes)
        full = [0] * (2 * dims)
        for k, axis in enumerate(np.ravel(call.constant(3))):
            full[int(axis) % dims] = amounts[k]
            full[dims + int(axis) % dims] = amounts[k + len(amounts) // 2]
        amounts = full
    half = len(amounts) // 2
    around = {axis: (amounts[k], amounts[half + k]) for k, axis in enumerate(value.axes[:half])}
    wrong = [axis for axis, pair in around.items() if any(pair) and axis not in "HW"]
    require(not wrong and min(amounts, default=0) >= 0, f"the amounts {amounts}")
    if not any(amounts):
        return value
    require(filler == 0, f"padding by {filler}")
    return call.one("zeropad", padding=row([*around["H"], *around["W"]]))


def arithmetic(kind: str) -> Callable[[Call], Value]:
    """Make the reader of Add, Sub, Mul, Div and Sum."""

    def add(call: Call) -> Value:
        names = list(call.node.input)
        known = [name in call.graph.known for name in names]
        if not any(known):
            values = [call.value(k) for k in range(len(names))]
            require(len(values) > 1, "a single input")
            require(kind != "div", "a quotient of two values")
            orders = {value.axes for value in values}
            require(len(orders) == 1, f"inputs with the axes {', '.join(sorted(orders))}")
            return call.build.add(_COMBINED[kind], values, call.name)
        require(len(names) == 2, "constants among several inputs")
        k = known.index(False)
        value, array = call.value(k), call.constant(1 - k)
        return with_constant(call, kind, value, array, first=k == 0)

    return add


_COMBINED = {"add": "add", "sub": "subtract", "mul": "multiply"}


def with_constant(call: Call, kind: str, value: Value, array: Array, first: bool) -> Value:
    """Add a constant to a value, or multiply it; the bias of a dense layer goes into it."""
    ours = call.build.constant(array, value)
    layer = call.build.layer(value)
    is_bias = kind == "add" and ours.shape[1] == 1 and ours.ndim == 2
    if (
        is_bias
        and layer.get("type") in ("dense", "conv2d", "transposedconv2d")
        and "bias" not in layer
        and "output" not in layer.get("quantization", {})
        and call.is_read_once(0 if first else 1)
    ):
        channels = value.length("C" if "C" in value.axes else "F")
        name = call.origin(1 if first else 0) if ours.size == array.size == channels else ""
        bias = np.broadcast_to(ours, (channels, 1)).copy()
        made = biased(bias, "", layer.setdefault("source", {}))
        layer["bias"] = made["bias"]
        if name:
            layer["source"]["bias"] = origin(name, array.shape, range(1, array.ndim + 1))
        return value
    with np.errstate(divide="ignore"):
        match kind:
            case "add":
                fields = {"offset": ours}
            case "sub":
                fields = (
                    {"offset": -ours}
                    if first
                    else {"scale": -np.ones((1, 1), np.float32), "offset": ours}
                )
            case "mul":
                fields = {"scale": ours}
            case _:
                require(first, "a constant divided by a value")
                fields = {"scale": 1 / ours}
    if all((array == (0 if key == "offset" else 1)).all() for key, array in fields.items()):
        return value
    return call.build.add("scale", value, call.name, **fields)


LAYERS: dict[str, Callable[[Call], Value]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": gemm,
    "MatMul": matmul,
    "BatchNormalization": batchnorm,
    "Relu": simple("relu"),
    "LeakyRelu": simple("leakyrelu", a=("alpha", "slope", 0.01)),
    "Elu": simple("elu", a=("alpha", "alpha", 1.0)),
    "Sigmoid": simple("sigmoid"),
    "HardSigmoid": simple("hardsigmoid", a=("alpha", "alpha", 0.2), b=("beta", "beta", 0.5)),
    "HardSwish": simple("hardswish"),
    "Tanh": simple("tanh"),
    "Gelu": gelu,
    "Clip": clip,
    "PRelu": prelu,
    "Softmax": softmax("softmax"),
    "LogSoftmax": softmax("logsoftmax"),
    "MaxPool": pool("maxpool"),
    "AveragePool": pool("averagepool"),
    "GlobalAveragePool": global_pool("globalaveragepool"),
    "GlobalMaxPool": global_pool("globalmaxpool"),
    "ReduceMean": reduce("globalaveragepool"),
    "ReduceMax": reduce("globalmaxpool"),
    "Flatten": flatten,
    "Reshape": reshape,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Concat": concat,
    "Pad": pad,
    "Add": arithmetic("add"),
    "Sum": arithmetic("add"),
    "Sub": arithmetic("sub"),
    "Mul": arithmetic("mul"),
    "Div": arithmetic("div"),
    "Resize": resize,
    "Upsample": resize,
    "Identity": same,
    "Dropout": same,
    "Cast": same,
    "Gather": gather,
    "LSTM": recurrent("lstm"),
    "GRU": recurrent("gru"),
}
