"""The layers of Keras as layers of ours. Images are N H W C, sequences N T F."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pyoctcompress.importers.building import (
    Array,
    Builder,
    Unsupported,
    Value,
    biased,
    convolution,
    dense,
    single,
)
from pyoctcompress.reference.layouts import origin, row


class Call:
    """A layer of Keras and what it reads.

    Parameters
    ----------
    build : Builder
        The network.
    config : mapping
        The layer's configuration.
    reads : list of Value
        Its inputs.
    arrays : list of (str, array)
        Its weights, with their names.
    version : int
        Of Keras.
    """

    def __init__(
        self,
        build: Builder,
        config: Mapping[str, Any],
        reads: list[Value],
        arrays: list[tuple[str, Array]],
        version: int,
    ) -> None:
        self.build = build
        self.config = config
        self.reads = reads
        self.arrays = arrays
        self.version = version
        self.name = str(config.get("name", ""))

    def get(self, name: str, default: Any = None) -> Any:
        """Give a field of the configuration; None stands for the default."""
        value = self.config.get(name)
        return default if value is None else value

    def require(self, fine: bool, why: str) -> None:
        """Raise Unsupported unless all is fine."""
        if not fine:
            raise Unsupported(why)

    def weights(self, fewest: int, biased: bool = False) -> list[tuple[str, Array]]:
        """Give the arrays, of which there must be so many; None in the place of no bias."""
        count = fewest + bool(biased)
        if len(self.arrays) != count:
            raise Unsupported(f"{len(self.arrays)} arrays in the file, where {count} must be")
        return self.arrays

    def bias(self, k: int) -> tuple[str, Any]:
        """Give the bias, which is the array number k, or none."""
        return self.arrays[k] if self.get("use_bias", True) else ("", None)

    def one(self, kind: str, **fields: Any) -> Value:
        """Add a layer of the same name that reads the first input."""
        return self.build.add(kind, self.reads[0], self.name, **fields)

    def then(self, value: Value) -> Value:
        """Add the activation that the layer has of its own."""
        return activation(self, value, self.config.get("activation"), f"{self.name}_activation")

    def image(self) -> Value:
        """Give the first input, which must be an image of channels last."""
        value = self.reads[0]
        self.require(len(value.size) == 3, "an input that is no image")
        form = self.get("data_format", "channels_last")
        self.require(form == "channels_last", f"data_format {form}")
        return value


def activation(call: Call, value: Value, given: Any, name: str) -> Value:
    """Add an activation by its name in Keras."""
    config: Mapping[str, Any] = {}
    if isinstance(given, Mapping):  # an object with its configuration, or a function by its name
        inner = given.get("config")
        config = inner if isinstance(inner, Mapping) else {}
        given = given.get("class_name") if config else inner
    if given in (None, "linear", "Linear"):
        return value
    kind = _ACTIVATIONS.get(str(given))
    fields: dict[str, Any] = {}
    if given in ("hard_sigmoid", "HardSigmoid") and call.version < 3:
        fields = {"alpha": 0.2, "beta": 0.5}
    elif given in ("leaky_relu", "LeakyReLU"):
        default = 0.2 if given == "leaky_relu" else 0.3
        fields = {"slope": float(config.get("negative_slope", config.get("alpha", default)))}
    elif given in ("gelu",) and config.get("approximate"):
        fields = {"approximate": "tanh"}
    if kind is None:
        raise Unsupported(f"the activation {given}")
    return call.build.add(kind, value, name, **fields)


_ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softmax": "softmax",
    "log_softmax": "logsoftmax",
    "elu": "elu",
    "gelu": "gelu",
    "swish": "swish",
    "silu": "swish",
    "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish",
    "hard_silu": "hardswish",
    "leaky_relu": "leakyrelu",
    "LeakyReLU": "leakyrelu",
}


def _dense(call: Call) -> Value:
    value = call.reads[0]
    call.require(value.axes[-1] == "F", f"an input with the axes {value.axes}")
    (name, kernel), *_ = call.weights(1, call.get("use_bias", True))
    bias_name, bias = call.bias(1)
    return call.then(call.one("dense", **dense(kernel, bias, name, bias_name, True)))


def _conv(call: Call) -> Value:
    call.image()
    (name, kernel), *_ = call.weights(1, call.get("use_bias", True))
    bias_name, bias = call.bias(1)
    groups = call.get("groups", 1)
    fields = convolution(kernel, bias, name, bias_name, [1, 2, 3, 4])
    found = call.one(
        "conv2d", **fields, **_window(call), groups=float(groups) if groups != 1 else None
    )
    return call.then(found)


def _depthwise_fields(kernel: Array, name: str, bias: Any, bias_name: str) -> dict[str, Any]:
    high, wide, channels, each = kernel.shape
    ours = single(kernel.reshape(high, wide, 1, channels * each))
    source = {"weights": origin(name, kernel.shape, [1, 2, 4, 3])}
    fields = {"weights": ours, "weights_size": row(ours.shape), "groups": float(channels)}
    return {**fields, **biased(bias, bias_name, source)}


def _depthwise(call: Call) -> Value:
    call.image()
    (name, kernel), *_ = call.weights(1, call.get("use_bias", True))
    call.require(kernel.ndim == 4, "a kernel of other than four dimensions")
    bias_name, bias = call.bias(1)
    fields = _depthwise_fields(kernel, name, bias, bias_name)
    return call.then(call.one("conv2d", **fields, **_window(call)))


def _separable(call: Call) -> Value:
    call.image()
    (name, kernel), (point_name, point), *_ = call.weights(2, call.get("use_bias", True))
    bias_name, bias = call.bias(2)
    fields = _depthwise_fields(kernel, name, None, "")
    middle = call.build.add(
        "conv2d", call.reads[0], f"{call.name}_depthwise", **fields, **_window(call)
    )
    fields = convolution(point, bias, point_name, bias_name, [1, 2, 3, 4])
    return call.then(call.build.add("conv2d", middle, call.name, **fields))


def _conv_transpose(call: Call) -> Value:
    call.image()
    call.require(call.get("output_padding") is None, "output_padding")
    (name, kernel), *_ = call.weights(1, call.get("use_bias", True))
    bias_name, bias = call.bias(1)
    fields = convolution(kernel, bias, name, bias_name, [1, 2, 3, 4])
    window = _window(call)
    if window.get("padding") is None:  # 'valid': as large as kernel or stride reach
        extra = [max(s - k, 0) for s, k in zip(_pair(call.get("strides", 1)), kernel.shape[:2],
                                               strict=True)]  # fmt: skip
        call.require(not any(extra), "a stride beyond the kernel")
    return call.then(call.one("transposedconv2d", **fields, **window))


def _window(call: Call) -> dict[str, Any]:
    padding = call.get("padding", "valid")
    call.require(padding in ("valid", "same"), f"the padding {padding}")
    dilation = _pair(call.get("dilation_rate", 1))
    return {
        "stride": _two(call.get("strides", 1)),
        "padding": "same" if padding == "same" else None,
        "dilation": _two(dilation) if dilation != [1, 1] else None,
    }


def _pair(value: Any) -> list[int]:
    values = list(value) if isinstance(value, list | tuple) else [value, value]
    if len(values) != 2:
        raise Unsupported(f"windows of {len(values)} dimensions")
    return [int(n) for n in values]


def _two(value: Any) -> Any:
    pair = _pair(value)
    return float(pair[0]) if pair[0] == pair[1] else row(pair)


def _batchnorm(call: Call) -> Value:
    value = call.reads[0]
    axis = call.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) else axis
    call.require(value.place(axis) in "CF", f"the axis {axis}")
    has_scale, has_offset = call.get("scale", True), call.get("center", True)
    arrays = list(call.weights(2 + bool(has_scale) + bool(has_offset)))
    count = arrays[-1][1].size
    fields: dict[str, Any] = {"source": {}}
    for name, there in (("scale", has_scale), ("offset", has_offset), ("mean", 1), ("variance", 1)):
        if there:
            place, array = arrays.pop(0)
            fields[name] = single(array).reshape(-1, 1)
            fields["source"][name] = origin(place, array.shape, [1])
        else:
            fields[name] = np.full((count, 1), float(name == "scale"), np.float32)
    return call.one("batchnorm", **fields, epsilon=float(call.get("epsilon", 1e-3)))


def _activation(call: Call) -> Value:
    return activation(call, call.reads[0], call.config.get("activation"), call.name)


def _relu(call: Call) -> Value:
    most, slope = call.config.get("max_value"), call.get("negative_slope", 0.0)
    call.require(not call.get("threshold", 0.0), "a threshold")
    if slope:
        call.require(most is None, "a slope and a greatest value")
        return call.one("leakyrelu", slope=float(slope))
    call.require(most in (None, 6), f"the greatest value {most}")
    return call.one("relu6" if most else "relu")


def _leaky(call: Call) -> Value:
    return call.one("leakyrelu", slope=float(call.get("negative_slope", call.get("alpha", 0.3))))


def _elu(call: Call) -> Value:
    return call.one("elu", alpha=float(call.get("alpha", 1.0)))


def _prelu(call: Call) -> Value:
    ((name, slope),) = call.weights(1)
    value = call.reads[0]
    call.require(slope.size == value.size[-1] or len(value.size) == 1, "slopes within a channel")
    source = {"slope": origin(name, slope.shape, range(1, slope.ndim + 1))}
    return call.one("prelu", slope=single(slope).reshape(-1, 1), source=source)


def _softmax(call: Call) -> Value:
    axis = call.get("axis", -1)
    call.require(axis == -1, f"the axis {axis}")
    return call.one("softmax")


def _pool(kind: str) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        call.image()
        size = call.get("pool_size", 2)
        window = _window(call)
        stride = call.config.get("strides")
        window["stride"] = _two(size if stride is None else stride)
        return call.one(kind, pool_size=_two(size), **window)

    return add


def _global_pool(kind: str) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        call.image()
        found = call.one(kind)
        return found if call.get("keepdims", False) else call.build.flatten(found)

    return add


def _flatten(call: Call) -> Value:
    form = call.get("data_format", "channels_last")
    call.require(form == "channels_last", f"data_format {form}")
    return call.build.flatten(call.reads[0], call.name)


def _reshape(call: Call) -> Value:
    return call.build.reshape(call.reads[0], call.config["target_shape"], call.name, "keras")


def _nothing(call: Call) -> Value:
    return call.reads[0]


def _dropout(call: Call) -> Value:
    return call.one("dropout", rate=float(call.get("rate", 0.5)))


def _merge(kind: str) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        return call.build.add(kind, call.reads, call.name)

    return add


def _concatenate(call: Call) -> Value:
    axis = call.reads[0].place(call.get("axis", -1))
    call.require(axis != "N", "along the batch")
    return call.build.add("concat", call.reads, call.name, axis=axis)


def _zeropad(call: Call) -> Value:
    call.image()
    given = call.get("padding", 1)
    sides: list[Any] = [given, given] if isinstance(given, int) else list(given)
    amounts = [n for one in sides for n in ([one, one] if isinstance(one, int) else one)]
    return call.one("zeropad", padding=row(amounts))


def _upsample(call: Call) -> Value:
    call.image()
    method = call.get("interpolation", "nearest")
    call.require(method in ("nearest", "bilinear"), f"the interpolation {method}")
    return call.one(
        "upsample", factor=_two(call.get("size", 2)), method=method if method != "nearest" else None
    )


def _rescaling(call: Call) -> Value:
    scale, offset = call.get("scale", 1.0), call.get("offset", 0.0)
    fields = {
        name: np.asarray(value, np.float32).reshape(-1, 1)
        for name, value in (("scale", scale), ("offset", offset))
    }
    return call.one("scale", **fields)


# For each of our blocks the place of Keras's: LSTM has ours, GRU has z r h.
_BLOCKS = {"lstm": [0, 1, 2, 3], "gru": [1, 0, 2]}


def _recurrent(kind: str) -> Callable[[Call], Value]:
    def add(call: Call) -> Value:
        call.require(call.reads[0].axes == "NTF", f"an input with the axes {call.reads[0].axes}")
        call.require(call.get("activation", "tanh") == "tanh", "another activation than tanh")
        inner = call.get("recurrent_activation", "sigmoid")
        call.require(inner == "sigmoid", f"the recurrent activation {inner}")
        has_bias = call.get("use_bias", True)
        (_, kernel), (_, recurrent), *rest = call.weights(2, has_bias)
        blocks, units = _BLOCKS[kind], recurrent.shape[0]

        def turned(array: Array) -> Array:
            parts = single(array).T.reshape(len(blocks), units, -1)[blocks]
            return np.asfortranarray(parts.reshape(len(blocks) * units, -1))

        fields: dict[str, Any] = {"weights": turned(kernel), "recurrent_weights": turned(recurrent)}
        if has_bias:
            bias = rest[0][1]
            both = bias.reshape(-1, len(blocks) * units)
            fields["bias"] = turned(both[:1])
            if both.shape[0] == 2:
                fields["recurrent_bias"] = turned(both[1:])
        if kind == "gru" and not call.get("reset_after", call.version >= 2):
            fields["reset_after"] = False
        if call.get("go_backwards", False):
            call.require(not call.get("return_sequences", False), "a sequence turned round")
            fields["reverse"] = True
        if call.get("return_sequences", False):
            return call.one(kind, **fields)
        return call.one(kind, axes="NF", result="last", **fields)

    return add


LAYERS: dict[str, Callable[[Call], Value]] = {
    "Dense": _dense,
    "Conv2D": _conv,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Conv2DTranspose": _conv_transpose,
    "BatchNormalization": _batchnorm,
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "PReLU": _prelu,
    "Softmax": _softmax,
    "MaxPooling2D": _pool("maxpool"),
    "AveragePooling2D": _pool("averagepool"),
    "GlobalAveragePooling2D": _global_pool("globalaveragepool"),
    "GlobalMaxPooling2D": _global_pool("globalmaxpool"),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Dropout": _dropout,
    "SpatialDropout2D": _dropout,
    "GaussianNoise": _nothing,
    "GaussianDropout": _nothing,
    "ActivityRegularization": _nothing,
    "Add": _merge("add"),
    "Subtract": _merge("subtract"),
    "Multiply": _merge("multiply"),
    "Concatenate": _concatenate,
    "ZeroPadding2D": _zeropad,
    "UpSampling2D": _upsample,
    "Rescaling": _rescaling,
    "LSTM": _recurrent("lstm"),
    "GRU": _recurrent("gru"),
}
