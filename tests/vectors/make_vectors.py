"""Make layers.mat: what PyTorch computes, forward and backward, for each layer type and option.

    python tests/vectors/make_vectors.py

needs torch; the tests need only the file. Each case is a struct:

    label       text
    layer       the layer, as docs/model-format.md has it
    in_size     cell: the size of one observation of each input
    training    whether the forward pass trains
    x, dy       cell of inputs, and the gradient by the output, in the user's layout
    y, dx       PyTorch's output and, a cell, its gradients by the inputs
    gradients   struct: by each trained parameter
    statistics  struct: batch normalisation's new running statistics

Inputs and parameters are multiples of 1/32, so that single precision holds them exactly; PyTorch
computes in double. Padding that PyTorch has no option for ('same' as TensorFlow and ONNX's
SAME_UPPER mean it, one side alone) is put there by `torch.nn.functional.pad`.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import torch
import torch.nn.functional as F

FILE = Path(__file__).with_name("layers.mat")
OBSERVATIONS = 2
random = np.random.RandomState(20)
torch.set_default_dtype(torch.float64)


def numbers(*shape: int, grad: bool = True) -> torch.Tensor:
    """Multiples of 1/32 in [-1, 1]."""
    values = torch.tensor(np.round(random.uniform(-32, 32, shape)) / 32)
    return values.requires_grad_(grad)


def distinct(*shape: int) -> torch.Tensor:
    """Multiples of 1/32, no two equal: a maximum is unique."""
    count = math.prod(shape)
    values = (random.permutation(count) - count // 2) / 32
    return torch.tensor(values.reshape(shape)).requires_grad_()


def ours(t: torch.Tensor) -> np.ndarray:
    """From PyTorch's layout to ours: N C H W and T N F are turned, N F is transposed."""
    a = t.detach().numpy()
    order = {4: (2, 3, 1, 0), 3: (2, 1, 0), 2: (1, 0)}[a.ndim]
    return np.ascontiguousarray(a.transpose(order)).astype(np.float32)


def kernel(t: torch.Tensor) -> np.ndarray:
    """From cout x cin/groups x kh x kw (or cin x cout/groups x kh x kw) to ours."""
    return t.detach().numpy().transpose(2, 3, 1, 0).astype(np.float32)


def column(t: torch.Tensor) -> np.ndarray:
    return t.detach().numpy().reshape(-1, 1).astype(np.float32)


def matrix(t: torch.Tensor) -> np.ndarray:
    return t.detach().numpy().astype(np.float32)


def size_of(t: torch.Tensor) -> list[float]:
    """The size of one observation in our layout."""
    return [float(n) for n in (ours(t).shape[:3] if t.ndim == 4 else (t.shape[-1], *t.shape[:-2]))]


def text(**options: Any) -> str:
    return " ".join(f"{name} {value}" for name, value in options.items())


cases: list[dict[str, Any]] = []


def add(
    label: str,
    layer: dict[str, Any],
    x: list[torch.Tensor],
    y: torch.Tensor,
    parameters: dict[str, tuple[torch.Tensor, Any]] | None = None,
    training: bool = False,
    statistics: dict[str, np.ndarray] | None = None,
) -> None:
    """Store a case: `parameters` maps a field to its tensor and the function into our layout."""
    parameters = parameters or {}
    dy = numbers(*y.shape, grad=False)
    tensors = [*x, *(t for t, _ in parameters.values())]
    grads = torch.autograd.grad(y, tensors, dy, allow_unused=True)
    grads = [torch.zeros_like(t) if g is None else g for g, t in zip(grads, tensors, strict=True)]
    fields = {name: turn(t) for name, (t, turn) in parameters.items()}
    if "weights" in fields and fields["weights"].ndim == 4:
        fields["weights_size"] = [float(n) for n in fields["weights"].shape]
    cases.append(
        {
            "label": f"{layer['type']}: {label}",
            "layer": {**layer, **fields},
            "in_size": [size_of(t) for t in x],
            "training": training,
            "x": [ours(t) for t in x],
            "dy": ours(dy),
            "y": ours(y),
            "dx": [ours(g) for g in grads[: len(x)]],
            "gradients": {
                name: turn(g)
                for (name, (_, turn)), g in zip(parameters.items(), grads[len(x) :], strict=True)
            },
            "statistics": statistics or {},
        }
    )


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def same_padding(in_size, kernel_size, stride, dilation) -> list[int]:
    """[top bottom left right] of TensorFlow's SAME and ONNX's SAME_UPPER."""
    sides = []
    for n, k, s, d in zip(in_size, kernel_size, stride, dilation, strict=True):
        out = -(-n // s)
        missing = max((out - 1) * s + (k - 1) * d + 1 - n, 0)
        sides += [missing // 2, missing - missing // 2]
    return sides


def padded(x: torch.Tensor, sides: list[int], value: float = 0.0) -> torch.Tensor:
    top, bottom, left, right = sides
    return F.pad(x, (left, right, top, bottom), value=value)


def sides_of(padding: Any, in_size, kernel_size, stride, dilation) -> list[int]:
    if padding == "same":
        return same_padding(in_size, kernel_size, stride, dilation)
    if isinstance(padding, int):
        return [padding] * 4
    return list(padding)


def listed(value: Any) -> Any:
    """A number, text, or a row of numbers, as a field of a layer."""
    if isinstance(value, tuple | list):
        return [float(v) for v in value]
    return value if isinstance(value, str | bool) else float(value)


def convolutions() -> None:
    kernels = [(3, 3), (1, 1), (2, 3), (5, 1), (1, 4)]
    strides = [1, 2, (1, 2), 3]
    paddings: list[Any] = [0, 1, "same", (2, 0, 1, 3)]
    dilations = [1, 2, (1, 2)]
    channels = [(1, 1, 4), (3, 1, 4), (17, 1, 3), (4, 2, 6), (6, 6, 6), (5, 5, 10), (20, 10, 20)]
    grid = list(itertools.product(kernels, strides, paddings, dilations, channels))
    order = random.permutation(len(grid))
    done = 0
    for index in order:
        size, stride, padding, dilation, (cin, groups, cout) = grid[index]
        h, w = 7, 6
        sides = sides_of(padding, (h, w), size, pair(stride), pair(dilation))
        reach = [(k - 1) * d + 1 for k, d in zip(size, pair(dilation), strict=True)]
        if h + sides[0] + sides[1] < reach[0] or w + sides[2] + sides[3] < reach[1]:
            continue
        x = numbers(OBSERVATIONS, cin, h, w)
        weights = numbers(cout, cin // groups, *size)
        bias = numbers(cout)
        y = F.conv2d(padded(x, sides), weights, bias, stride, 0, dilation, groups)
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        layer = {"type": "conv2d", **{k: listed(v) for k, v in options.items()}}
        parameters = {"weights": (weights, kernel), "bias": (bias, column)}
        add(text(channels=cin, filters=cout, kernel=size, **options), layer, [x], y, parameters)
        done += 1
        if done == 70:
            break
    x = numbers(OBSERVATIONS, 3, 5, 5)
    weights = numbers(4, 3, 3, 3)
    y = F.conv2d(x, weights)
    add("no bias, no options", {"type": "conv2d"}, [x], y, {"weights": (weights, kernel)})
    # long enough rows for one at a time
    x = numbers(1, 16, 3, 1100)
    weights = numbers(2, 16, 2, 2)
    y = F.conv2d(x, weights, stride=(1, 11))
    add("wide", {"type": "conv2d", "stride": [1.0, 11.0]}, [x], y, {"weights": (weights, kernel)})


def transposed_convolutions() -> None:
    kernels = [(3, 3), (2, 2), (4, 3), (1, 1)]
    options = [
        {},
        {"stride": 2},
        {"stride": (2, 3), "padding": 1, "output_padding": (1, 2)},
        {"stride": 2, "dilation": 2},
        {"padding": (1, 0, 0, 1), "stride": (1, 2)},
        {"stride": 3, "output_padding": 1},
    ]
    for size, option, (cin, groups, cout) in itertools.product(
        kernels, options, [(3, 1, 2), (4, 2, 6), (6, 6, 6)]
    ):
        if groups != 1 and size != (3, 3):
            continue
        x = numbers(OBSERVATIONS, cin, 3, 4)
        weights = numbers(cin, cout // groups, *size)
        bias = numbers(cout)
        top, bottom, left, right = sides_of(option.get("padding", 0), (), (), (), ())
        y = F.conv_transpose2d(
            x,
            weights,
            bias,
            option.get("stride", 1),
            0,
            option.get("output_padding", 0) if not option.get("padding") else 0,
            groups,
            option.get("dilation", 1),
        )
        if option.get("padding"):
            extra = pair(option.get("output_padding", 0))
            full = F.conv_transpose2d(
                x,
                weights,
                bias,
                option.get("stride", 1),
                0,
                extra,
                groups,
                option.get("dilation", 1),
            )
            y = full[:, :, top : full.shape[2] - bottom, left : full.shape[3] - right]
        if min(y.shape[2:]) < 1:
            continue
        layer = {
            "type": "transposedconv2d",
            "groups": float(groups),
            **{k: listed(v) for k, v in option.items()},
        }
        parameters = {"weights": (weights, kernel), "bias": (bias, column)}
        add(
            text(channels=cin, filters=cout, kernel=size, groups=groups, **option),
            layer,
            [x],
            y,
            parameters,
        )
    # PyTorch's own padding gives the same
    x = numbers(OBSERVATIONS, 3, 4, 5)
    weights = numbers(3, 2, 4, 4)
    y = F.conv_transpose2d(x, weights, stride=2, padding=1)
    add(
        "kernel 4 stride 2 padding 1",
        {"type": "transposedconv2d", "stride": 2.0, "padding": 1.0},
        [x],
        y,
        {"weights": (weights, kernel)},
    )


def pools() -> None:
    for size, stride, padding, ceil_mode in itertools.product(
        [(2, 2), (3, 3), (3, 2)], [None, 1, 2, (3, 2)], [0, 1, (0, 1)], [False, True]
    ):
        x = distinct(OBSERVATIONS, 3, 7, 6)
        step = pair(size if stride is None else stride)
        options = {"pool_size": size, "padding": padding, "ceil_mode": ceil_mode}
        if stride is not None:
            options["stride"] = stride
        fields = {k: listed(v) for k, v in options.items()}
        y = F.max_pool2d(x, size, step, padding, ceil_mode=ceil_mode)
        add(text(**options), {"type": "maxpool", **fields}, [x], y)
        for include in (False, True):
            y = F.avg_pool2d(x, size, step, padding, ceil_mode, include)
            layer = {"type": "averagepool", **fields, "count_include_pad": include}
            add(text(**options, include=include), layer, [x], y)
    x = distinct(OBSERVATIONS, 2, 8, 7)
    y = F.max_pool2d(x, 3, 2, 1, 2)
    layer = {"type": "maxpool", "pool_size": 3.0, "stride": 2.0, "padding": 1.0, "dilation": 2.0}
    add("dilation 2", layer, [x], y)
    for size, stride in itertools.product([(2, 2), (3, 3), (2, 3)], [1, 2, (2, 1)]):
        x = distinct(OBSERVATIONS, 2, 7, 6)
        sides = same_padding((7, 6), size, pair(stride), (1, 1))
        fields = {"pool_size": listed(size), "stride": listed(stride), "padding": "same"}
        label = text(pool_size=size, stride=stride, padding="same")
        y = F.max_pool2d(padded(x, sides, -math.inf), size, stride)
        add(label, {"type": "maxpool", **fields}, [x], y)
        # Keras divides by the pixels of the image
        total = F.avg_pool2d(padded(x, sides), size, stride)
        share = F.avg_pool2d(padded(torch.ones_like(x), sides), size, stride)
        add(label, {"type": "averagepool", **fields}, [x], total / share)
    # equal maxima: rectified values, many of them 0
    x = torch.relu(numbers(OBSERVATIONS, 2, 6, 6, grad=False)).requires_grad_()
    add("ties", {"type": "maxpool", "pool_size": 2.0}, [x], F.max_pool2d(x, 2))
    add(
        "ties, overlapping",
        {"type": "maxpool", "pool_size": 3.0, "stride": 1.0},
        [x],
        F.max_pool2d(x, 3, 1),
    )
    x = distinct(OBSERVATIONS, 3, 4, 5)
    add("", {"type": "globalmaxpool"}, [x], F.adaptive_max_pool2d(x, 1))
    add("", {"type": "globalaveragepool"}, [x], F.adaptive_avg_pool2d(x, 1))


def batch_norms() -> None:
    for shape, training, momentum in itertools.product(
        [(5, 3), (OBSERVATIONS, 3, 4, 5)], [True, False], [0.1, 0.5]
    ):
        x = numbers(*shape)
        scale, offset = numbers(3), numbers(3)
        mean, variance = numbers(3, grad=False), numbers(3, grad=False).abs() + 0.5
        layer = {
            "type": "batchnorm",
            "momentum": momentum,
            "epsilon": 1e-3,
            "mean": column(mean),
            "variance": column(variance),
        }
        new_mean, new_variance = mean.clone(), variance.clone()
        y = F.batch_norm(x, new_mean, new_variance, scale, offset, training, momentum, 1e-3)
        statistics = (
            {"mean": column(new_mean), "variance": column(new_variance)} if training else {}
        )
        parameters = {"scale": (scale, column), "offset": (offset, column)}
        add(
            text(dims=len(shape), training=training, momentum=momentum),
            layer,
            [x],
            y,
            parameters,
            training,
            statistics,
        )
    # a sequence T x N x F: PyTorch wants N x F x T
    x = numbers(4, 3, 2)
    scale, offset = numbers(2), numbers(2)
    y = F.batch_norm(x.permute(1, 2, 0), None, None, scale, offset, True).permute(2, 0, 1)
    layer = {"type": "batchnorm", "mean": np.zeros((2, 1), "f4"), "variance": np.ones((2, 1), "f4")}
    add("sequence", layer, [x], y, {"scale": (scale, column), "offset": (offset, column)}, True)


def activations() -> None:
    functions = {
        "relu": [({}, torch.relu)],
        "relu6": [({}, F.relu6)],
        "leakyrelu": [({}, F.leaky_relu), ({"slope": 0.25}, lambda x: F.leaky_relu(x, 0.25))],
        "elu": [({}, F.elu), ({"alpha": 0.5}, lambda x: F.elu(x, 0.5))],
        "gelu": [({}, F.gelu), ({"approximate": "tanh"}, lambda x: F.gelu(x, approximate="tanh"))],
        "swish": [({}, F.silu)],
        "hardswish": [({}, F.hardswish)],
        "sigmoid": [({}, torch.sigmoid)],
        "hardsigmoid": [
            ({}, F.hardsigmoid),
            ({"alpha": 0.3}, lambda x: torch.clamp(0.3 * x + 0.5, 0, 1)),
        ],
        "tanh": [({}, torch.tanh)],
        "identity": [({}, lambda x: x * 1)],
        "softmax": [({}, lambda x: torch.softmax(x, 1))],
        "logsoftmax": [({}, lambda x: torch.log_softmax(x, 1))],
    }
    for name, versions in functions.items():
        for options, function in versions:
            x = (8 * numbers(OBSERVATIONS, 5, 3, 4, grad=False)).requires_grad_()
            add("image " + text(**options), {"type": name, **options}, [x], function(x))
            x = (8 * numbers(4, 6, grad=False)).requires_grad_()
            add("features " + text(**options), {"type": name, **options}, [x], function(x))
    for count in (1, 5):
        x, slope = numbers(OBSERVATIONS, 5, 3, 4), numbers(count)
        add(
            f"{count} slopes", {"type": "prelu"}, [x], F.prelu(x, slope), {"slope": (slope, column)}
        )


def shapes() -> None:
    x = numbers(OBSERVATIONS, 3, 4, 5)
    n = OBSERVATIONS
    add("chw", {"type": "flatten", "order": "chw"}, [x], x.flatten(1))
    add("keras", {"type": "flatten", "order": "keras"}, [x], x.permute(0, 2, 3, 1).flatten(1))
    add("hwc", {"type": "flatten"}, [x], x.permute(0, 1, 3, 2).flatten(1))
    layer = {"type": "reshape", "output_size": [5.0, 2.0, 6.0], "order": "chw"}
    add("chw", layer, [x], x.reshape(n, 6, 5, 2))
    features = numbers(n, 24)
    layer = {"type": "reshape", "output_size": [2.0, 4.0, 3.0], "order": "chw"}
    add("features to image", layer, [features], features.reshape(n, 3, 2, 4))
    layer = {"type": "reshape", "output_size": [2.0, 4.0, -1.0], "order": "keras"}
    add(
        "features to image, Keras",
        layer,
        [features],
        features.reshape(n, 2, 4, 3).permute(0, 3, 1, 2),
    )
    add("[3 1 2]", {"type": "permute", "dimensions": [3.0, 1.0, 2.0]}, [x], x.permute(0, 3, 1, 2))
    add("[2 1 3]", {"type": "permute", "dimensions": [2.0, 1.0, 3.0]}, [x], x.permute(0, 1, 3, 2))
    add("", {"type": "zeropad", "padding": [1.0, 0.0, 2.0, 3.0]}, [x], padded(x, [1, 0, 2, 3]))
    scale, offset = numbers(3, grad=False), numbers(3, grad=False)
    layer = {"type": "scale", "scale": column(scale), "offset": column(offset)}
    add("", layer, [x], x * scale.view(1, 3, 1, 1) + offset.view(1, 3, 1, 1))
    for mode, factor, corners in itertools.product(
        ["nearest", "bilinear"], [2.0, (2.0, 3.0), 1.5], [False, True]
    ):
        if mode == "nearest" and corners:
            continue
        y = F.interpolate(
            x, scale_factor=factor, mode=mode, align_corners=corners if mode == "bilinear" else None
        )
        layer = {
            "type": "upsample",
            "method": mode,
            "factor": listed(factor),
            "align_corners": corners,
        }
        add(text(method=mode, factor=factor, corners=corners), layer, [x], y)


def combinations() -> None:
    n = OBSERVATIONS
    a, b, c = (numbers(n, 3, 4, 5) for _ in range(3))
    gate, pixel = numbers(n, 3, 1, 1), numbers(n, 1, 4, 5)
    add("three", {"type": "add"}, [a, b, c], a + b + c)
    add("channels", {"type": "add"}, [a, gate], a + gate)
    add("two", {"type": "subtract"}, [a, b], a - b)
    add("pixels", {"type": "subtract"}, [pixel, b], pixel - b)
    add("three", {"type": "multiply"}, [a, b, c], a * b * c)
    add("channels", {"type": "multiply"}, [a, gate], a * gate)
    add("channels first", {"type": "multiply"}, [gate, a], a * gate)
    add("both stretch", {"type": "multiply"}, [gate, pixel], gate * pixel)
    gate = numbers(n, 3)
    add("features", {"type": "multiply"}, [a, gate], a * gate.view(n, 3, 1, 1))
    for axis, dim in (("C", 1), ("H", 2), ("W", 3)):
        shapes_ = [[n, 3, 4, 5], [n, 3, 4, 5], [n, 3, 4, 5]]
        shapes_[1][dim] = 2
        parts = [numbers(*s) for s in shapes_]
        add(axis, {"type": "concat", "axis": axis}, parts, torch.cat(parts, dim))
    parts = [numbers(n, 3), numbers(n, 2)]
    add("features", {"type": "concat"}, parts, torch.cat(parts, 1))
    parts = [numbers(3, n, 4), numbers(2, n, 4)]
    add("T", {"type": "concat", "axis": "T"}, parts, torch.cat(parts, 0))


def dense_layers() -> None:
    x, weights, bias = numbers(4, 5), numbers(3, 5), numbers(3)
    parameters = {"weights": (weights, matrix), "bias": (bias, column)}
    add("features", {"type": "dense"}, [x], F.linear(x, weights, bias), parameters)
    x = numbers(6, 4, 5)
    add("sequence", {"type": "dense"}, [x], F.linear(x, weights, bias), parameters)


def recurrent_layers() -> None:
    for kind, result, reverse, biased in itertools.product(
        ["lstm", "gru"], ["sequence", "last"], [False, True], [False, True]
    ):
        net = getattr(torch.nn, kind.upper())(3, 4, bias=biased)
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(numbers(*p.shape, grad=False))
        x = numbers(5, OBSERVATIONS, 3)
        sequence, _ = net(x.flip(0) if reverse else x)
        y = sequence[-1] if result == "last" else sequence.flip(0) if reverse else sequence
        parameters = {
            "weights": (net.weight_ih_l0, matrix),
            "recurrent_weights": (net.weight_hh_l0, matrix),
        }
        if biased:
            parameters |= {
                "bias": (net.bias_ih_l0, column),
                "recurrent_bias": (net.bias_hh_l0, column),
            }
        layer = {"type": kind, "result": result, "reverse": reverse}
        add(text(result=result, reverse=reverse, bias=biased), layer, [x], y, parameters)


def stored(value: Any) -> Any:
    """As savemat takes it: lists of numbers are rows, other lists cells."""
    if isinstance(value, dict):
        return {name: stored(v) for name, v in value.items()}
    if isinstance(value, list) and all(isinstance(v, float) for v in value):
        return np.array([value])
    if isinstance(value, list):
        cell = np.empty((1, len(value)), dtype=object)
        for i, v in enumerate(value):
            cell[0, i] = stored(v)
        return cell
    return value


def main() -> None:
    for make in (
        dense_layers,
        convolutions,
        transposed_convolutions,
        pools,
        batch_norms,
        activations,
        shapes,
        combinations,
        recurrent_layers,
    ):
        make()
    scipy.io.savemat(FILE, {"cases": stored(cases)}, do_compression=True)
    print(f"{len(cases)} cases, {FILE.stat().st_size / 1e3:.0f} kB in {FILE.name}")


if __name__ == "__main__":
    main()
