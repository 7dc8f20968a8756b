"""Where the windows of a convolution or a pooling lie on their image, and convolution itself.

Images are H x W x C x N.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..internal import Array, describe, fail, is_empty, is_numeric, one_class, scalar, vector_text
from ..internal import size as size_of
from .common import Layer, option, require_image, weights_size


@dataclass(frozen=True)
class Window:
    """The windows on an image.

    Attributes
    ----------
    kernel, stride, dilation : list of int
        Vertical and horizontal.
    padding : list of int
        Top, bottom, left, right.
    image, out : list of int
        Height and width of the image, and of the grid of windows.
    rows, columns : array
        Kernel height x output height, kernel width x output width: the image row (from 0) that
        each kernel row of each window reads; rows outside the image lie in the padding.
    """

    kernel: list[int]
    stride: list[int]
    dilation: list[int]
    padding: list[int]
    image: list[int]
    out: list[int]
    rows: Array
    columns: Array


def window(
    caller: str,
    layer: Layer,
    kernel: list[int],
    in_size: list[int],
    default_stride: Any = 1,
    transposed: bool = False,
) -> Window:
    """Work out where the windows of a layer lie; see ``help octcompress.layers.window``.

    With `transposed`, `in_size` is that of the grid of windows, and the image is as large as they
    reach, less the padding.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:badSize``, ``badValue``.
    """
    require_image(caller, in_size)
    stride = pair(caller, layer, "stride", default_stride)
    dilation = pair(caller, layer, "dilation", 1)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    same = isinstance(layer.get("padding"), str) and layer["padding"] == "same"
    padding = [0, 0, 0, 0] if same else four(caller, option(layer, "padding", 0))
    if transposed:
        out = list(in_size[:2])
        image = [n * s for n, s in zip(out, stride, strict=True)]
        if not same:
            extra = output_padding(caller, layer, stride)
            cut = [padding[0] + padding[1], padding[2] + padding[3]]
            image = [(out[d] - 1) * stride[d] + reach[d] + extra[d] - cut[d] for d in range(2)]
        if min(image) < 1:
            fail(caller, "badSize", f"PADDING [{vector_text(padding)}] cuts off the whole result")
    else:
        image = list(in_size[:2])
        out = [-(-n // s) for n, s in zip(image, stride, strict=True)]
        if not same:
            out = count_windows(caller, layer, image, padding, reach, stride)
    if same:
        missing = [max((out[d] - 1) * stride[d] + reach[d] - image[d], 0) for d in range(2)]
        padding = [missing[0] // 2, -(-missing[0] // 2), missing[1] // 2, -(-missing[1] // 2)]
    lines = [
        np.arange(kernel[d])[:, np.newaxis] * dilation[d]
        + np.arange(out[d]) * stride[d]
        - padding[2 * d]
        for d in range(2)
    ]
    return Window(kernel, stride, dilation, padding, image, out, lines[0], lines[1])


def count_windows(
    caller: str,
    layer: Layer,
    image: list[int],
    padding: list[int],
    reach: list[int],
    stride: list[int],
) -> list[int]:
    """Count the windows that fit on an image with its padding."""
    before, after = padding[0::2], padding[1::2]
    full = [image[d] + before[d] + after[d] for d in range(2)]
    room = [full[d] - reach[d] for d in range(2)]
    if min(room) < 0:
        fail(
            caller,
            "badSize",
            f"the window covers {reach[0]} x {reach[1]}, but the image with its padding is only "
            f"{full[0]} x {full[1]}",
        )
    out = [room[d] // stride[d] + 1 for d in range(2)]
    if option(layer, "ceil_mode", False):
        out = [-(-room[d] // stride[d]) + 1 for d in range(2)]
        # A window that would start beyond the image does not count.
        out = [n - ((n - 1) * stride[d] >= image[d] + before[d]) for d, n in enumerate(out)]
    return out


def output_padding(caller: str, layer: Layer, stride: list[int]) -> list[int]:
    """Return the lines that a transposed convolution adds at the bottom and right."""
    value: Any = layer.get("output_padding")
    if is_empty(value):
        return [0, 0]
    if is_numeric(value) and np.size(value) in (1, 2):
        extra = np.ravel(value).astype(float)
        if (extra == np.trunc(extra)).all() and (extra >= 0).all() and (extra < stride).all():
            return [int(extra[0]), int(extra[-1])]
    fail(
        caller,
        "badValue",
        f"OUTPUT_PADDING must be a whole number below the stride [{vector_text(stride)}], or two "
        f"of them, but is {describe(value)}",
    )


def pair(caller: str, layer: Layer, name: str, default: Any) -> list[int]:
    """Return a positive whole number for each direction: vertical, horizontal."""
    value = option(layer, name, default)
    if is_numeric(value) and np.size(value) <= 2:
        numbers = np.ravel(value).astype(float)
        if (numbers >= 1).all() and (numbers == np.trunc(numbers)).all():
            return [int(numbers[0]), int(numbers[-1])]
    fail(
        caller,
        "badValue",
        f"{name.upper()} must be a positive whole number or two of them, [vertical horizontal], "
        f"but is {describe(value)}",
    )


def four(caller: str, value: Any) -> list[int]:
    """Return padding as top, bottom, left, right."""
    if is_numeric(value) and np.size(value) in (1, 2, 4):
        numbers = np.ravel(value).astype(float)
        if (numbers >= 0).all() and (numbers == np.trunc(numbers)).all():
            p = [int(n) for n in numbers]
            return {1: p * 4, 2: [p[0], p[0], p[-1], p[-1]], 4: p}[len(p)]
    fail(
        caller,
        "badValue",
        "PADDING must be 'same', a whole number, [vertical horizontal] or [top bottom left "
        f"right], but is {describe(value)}",
    )


def padded(x: Array, g: Window, value: float = 0) -> tuple[Array, Array, Array]:
    """Surround images by as many lines as the windows need.

    Returns
    -------
    x, rows, columns
        The larger images, and the windows' lines on them.
    """
    top, left = max(0, -int(g.rows.min())), max(0, -int(g.columns.min()))
    bottom = max(0, int(g.rows.max()) + 1 - x.shape[0])
    right = max(0, int(g.columns.max()) + 1 - x.shape[1])
    around = ((top, bottom), (left, right), (0, 0), (0, 0))
    return np.pad(x, around, constant_values=value), g.rows + top, g.columns + left


def on_image(x: Array, g: Window) -> Array:
    """Cut the lines that `padded` adds."""
    top, left = max(0, -int(g.rows.min())), max(0, -int(g.columns.min()))
    return x[top : top + g.image[0], left : left + g.image[1]]


def correlate(x: Array, w: Array, bias: Any, g: Window, groups: int) -> Array:
    """Convolve images forward: for each place of the kernel one product over the channels.

    Parameters
    ----------
    x : array
        H x W x C x N.
    w : array
        Kernel height x kernel width x C / groups x channels of the result.
    """
    x, w = one_class(x, w)
    x, rows, columns = padded(x, g)
    each, filters = w.shape[2], w.shape[3] // groups
    y = np.zeros((*g.out, w.shape[3], x.shape[3]), x.dtype)
    for group in range(groups):
        into = slice(group * filters, (group + 1) * filters)
        channels = x[:, :, group * each : (group + 1) * each]
        for i, j in np.ndindex(*g.kernel):
            part = channels[rows[i]][:, columns[j]]
            y[:, :, into] += np.einsum("hwcn,co->hwon", part, w[i, j, :, into], optimize=True)
    return add_bias(y, bias)


def spread(y: Array, w: Array, bias: Any, g: Window, groups: int) -> Array:
    """Take what `correlate` gives back to the image: its adjoint, and transposed convolution."""
    y, w = one_class(y, w)
    each, filters = w.shape[2], w.shape[3] // groups
    nothing = np.zeros((*g.image, each * groups, y.shape[3]), y.dtype)
    x, rows, columns = padded(nothing, g)
    for group in range(groups):
        into = slice(group * each, (group + 1) * each)
        channels = y[:, :, group * filters : (group + 1) * filters]
        for i, j in np.ndindex(*g.kernel):
            kernel = w[i, j, :, group * filters : (group + 1) * filters]
            part = np.einsum("hwon,co->hwcn", channels, kernel, optimize=True)
            x[rows[i][:, np.newaxis], columns[j], into] += part
    return add_bias(on_image(x, g), bias)


def by_weights(x: Array, dy: Array, g: Window, groups: int) -> Array:
    """Differentiate a convolution by its weights."""
    x, dy = one_class(x, dy)
    x, rows, columns = padded(x, g)
    each, filters = x.shape[2] // groups, dy.shape[2] // groups
    dw = np.zeros((*g.kernel, each, dy.shape[2]), x.dtype)
    for group in range(groups):
        into = slice(group * filters, (group + 1) * filters)
        channels = x[:, :, group * each : (group + 1) * each]
        for i, j in np.ndindex(*g.kernel):
            part = channels[rows[i]][:, columns[j]]
            dw[i, j, :, into] = np.einsum("hwcn,hwon->co", part, dy[:, :, into], optimize=True)
    return dw


def add_bias(y: Array, bias: Any) -> Array:
    """Add a bias to the channels of images."""
    if is_empty(bias):
        return y
    y, bias = one_class(y, bias)
    return y + bias.reshape(1, 1, -1, 1)


def groups_of(layer: Layer) -> int:
    """Return the number of groups of a convolution."""
    return int(scalar(option(layer, "groups", 1)))


def shaped_weights(layer: Layer) -> Array:
    """Return a convolution's weights with their four dimensions."""
    return layer["weights"].reshape(weights_size(layer, 4), order="F")


def as_stored(gradient: Array, layer: Layer) -> Array:
    """Give a gradient the shape that the weights are stored in."""
    return gradient.reshape(layer["weights"].shape, order="F")


def check_bias(caller: str, layer: Layer, count: int) -> None:
    """Refuse a bias that is not count x 1."""
    bias = layer.get("bias")
    if not is_empty(bias) and size_of(bias) != (count, 1):
        fail(caller, "badSize", f"BIAS must be {count} x 1, but is {describe(bias)}")


def unrolled(layer: Layer, x: Array) -> Array:
    """Unroll a convolution's input: columns are what the weights are multiplied with.

    Returns
    -------
    array
        (kh * kw * cin / groups) x (H' * W' * N) x groups; rows with the kernel's height fastest.
    """
    w_size = weights_size(layer, 4)
    g = window("unrolled_inputs", layer, w_size[:2], list(x.shape[:3]))
    x, rows, columns = padded(x, g)
    groups, channels = groups_of(layer), x.shape[2]
    u = np.zeros((*g.kernel, channels, *g.out, x.shape[3]), x.dtype)
    for i, j in np.ndindex(*g.kernel):
        u[i, j] = x[rows[i]][:, columns[j]].transpose(2, 0, 1, 3)
    u = u.reshape(w_size[0] * w_size[1] * channels // groups, groups, -1, order="F")
    return u.transpose(0, 2, 1)
