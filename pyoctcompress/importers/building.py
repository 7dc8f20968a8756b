"""Build a network of ours from another format's graph, and keep track of where its axes went.

Other formats order the axes of images in their own ways and turn them round with transposes. Each
value of a graph that is read knows which of our axes stand where (`Value`), so that a transpose is
no layer at all, and a reshape to features becomes a ``flatten`` in the right order.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from pyoctcompress.errors import OctcompressError, error_from
from pyoctcompress.reference import layers as table
from pyoctcompress.reference.layouts import origin, row

Array = npt.NDArray[Any]

# The order of a flatten layer by the source's axes after the batch, slowest first.
ORDERS = {"CHW": "chw", "HWC": "keras", "CWH": "hwc", "TF": "hwc", "F": "hwc"}


def fail(tag: str, message: str) -> NoReturn:
    """Raise ``octcompress:convert:TAG``."""
    raise error_from(f"octcompress:convert:{tag}", f"convert: {message}")


def library(name: str, purpose: str, install: str = "octcompress[convert]") -> Any:
    """Import a library that only converting needs.

    Raises
    ------
    SessionError
        ``octcompress:convert:noLibrary``: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        fail(
            "noLibrary",
            f"{purpose} needs the library {name.partition('.')[0]}: pip install {install}",
        )


class Unsupported(Exception):
    """A node that no layer of ours computes, and why."""


@dataclass(frozen=True)
class Value:
    """What a node of the source gives.

    Attributes
    ----------
    layer : str
        Our layer; 'input' is the network's input.
    size : tuple of int
        Of one observation, in our order: F, H W C, or F T.
    axes : str
        Our axes in the source's order, the batch N among them: 'NCHW', 'NF'.
    """

    layer: str
    size: tuple[Any, ...]
    axes: str

    @property
    def names(self) -> str:
        """Our axes in our order, without the batch."""
        return {1: "F", 2: "FT", 3: "HWC"}[len(self.size)]

    def length(self, axis: str) -> Any:
        """Give the length of an axis; None of the batch, 1 of the direction (D) of an ONNX LSTM."""
        if axis in "ND":
            return None if axis == "N" else 1
        return self.size[self.names.index(axis)]

    def shape(self) -> list[Any]:
        """Give the shape in the source's order; None is the batch."""
        return [self.length(axis) for axis in self.axes]

    def place(self, index: int) -> str:
        """Give the axis at a place of the source's order, which may be negative."""
        if not -len(self.axes) <= index < len(self.axes):
            raise Unsupported(f"an axis {index} of {len(self.axes)}")
        return self.axes[index]


@dataclass
class Builder:
    """A network that grows layer by layer.

    Attributes
    ----------
    layers : list of dicts
        In the order in which they were added.
    input : Value
        The network's input.
    batch : int
        Observations that the file reads at a time, where it does not leave that open.
    """

    layers: list[dict[str, Any]] = field(default_factory=list)
    input: Value = Value("input", (), "")
    input_grid: dict[str, Any] | None = None
    batch: int = 1

    def start(self, size: Sequence[Any], axes: str) -> Value:
        """Say what the network reads."""
        self.input = Value("input", tuple(size), axes)
        return self.input

    def add(
        self,
        kind: str,
        reads: Value | Sequence[Value],
        name: str = "",
        axes: str = "",
        **fields: Any,
    ) -> Value:
        """Add a layer.

        Parameters
        ----------
        kind : str
            Its type.
        reads : Value or sequence of Value
            Its inputs.
        name : str
            The source's name, made unique; type and place unless given.
        axes : str
            Of the result, in the source's order; those of the first input unless given.
        **fields
            The layer's fields; what is None is left out.
        """
        reads = [reads] if isinstance(reads, Value) else list(reads)
        layer: dict[str, Any] = {"type": kind, "name": self.unique(name, kind)}
        layer.update({key: value for key, value in fields.items() if value is not None})
        layer["inputs"] = [value.layer for value in reads]
        sizes = [list(value.size) for value in reads]
        entry = table.TYPES[kind]
        try:
            size = entry.run.size(layer, sizes if entry.several else sizes[0])[0]
        except OctcompressError as problem:
            raise Unsupported(problem.message) from None
        value = Value(layer["name"], tuple(size), axes or reads[0].axes)
        if len(value.axes) != len(value.size) + 1:
            raise Unsupported(f"a {kind} that changes the number of dimensions")
        self.layers.append(layer)
        return value

    def unique(self, name: str, kind: str) -> str:
        """Give a name that no layer has yet: the source's, or type and place."""
        taken = {layer["name"] for layer in self.layers} | {"input"}
        if name and name not in taken:
            return name
        k = 2 if name else len(self.layers) + 1
        while f"{name or kind}_{k}" in taken:
            k += 1
        return f"{name or kind}_{k}"

    def layer(self, value: Value) -> dict[str, Any]:
        """Give the layer that computes a value; of the input a dict that belongs to none."""
        return next((one for one in self.layers if one["name"] == value.layer), {})

    def moved(self, value: Value, axes: str) -> Value:
        """Give the same value with its axes in another order of the source."""
        return Value(value.layer, value.size, axes)

    def flatten(self, value: Value, name: str = "") -> Value:
        """Make features of a value, in the order in which the source has its numbers."""
        if len(value.size) == 1:
            return value
        if value.axes[0] != "N":
            raise Unsupported(f"a reshape across the batch ({value.axes})")
        order: str | None = ORDERS.get(value.axes[1:])
        if order is None and sum(n != 1 for n in value.size) > 1:
            raise Unsupported(f"a reshape of axes in the order {value.axes}")
        is_image = len(value.size) == 3
        return self.add("flatten", value, name, "NF", order=order if is_image else None)

    def reshape(
        self, value: Value, target: Sequence[int], name: str = "", images: str = "chw"
    ) -> Value:
        """Give a value the shape ``target`` after the batch, in the source's order.

        `images` is the order in which the source has its images: 'chw' or 'keras'.
        """
        target = [int(n) for n in target]
        count = math.prod(value.size)
        if target.count(-1) == 1:
            rest = -math.prod(target)
            target = [count // rest if n == -1 and rest else n for n in target]
        if math.prod(target) != count or min(target, default=1) < 1:
            raise Unsupported(f"a reshape of {list(value.size)} to {target}")
        if target == value.shape()[1:] and value.axes[0] == "N":
            return value
        if len(target) == 1:
            return self.flatten(value, name)
        if len(target) != 3:
            raise Unsupported(f"a reshape to {len(target)} dimensions")
        axes = {"chw": "CHW", "keras": "HWC"}[images]
        size = [target[axes.index(axis)] for axis in "HWC"]
        flat = self.flatten(value, name)
        return self.add("reshape", flat, name, "N" + axes, output_size=row(size), order=images)

    def constant(self, array: Array, value: Value) -> Array:
        """Give a constant of the source the shape of our layer ``scale`` beside a value.

        Raises
        ------
        Unsupported
            It changes along the batch, or its sizes do not fit.
        """
        array = np.asarray(array)
        if array.size == 1:
            return np.array([[array.ravel()[0]]], np.float32)
        array = array.reshape((1,) * (len(value.axes) - array.ndim) + array.shape)
        if array.ndim != len(value.axes) or array.shape[value.axes.index("N")] != 1:
            raise Unsupported(f"a constant of the shape {list(array.shape)}")
        order = [value.axes.index(axis) for axis in value.names + "N"]
        ours = array.transpose(order)[..., 0].astype(np.float32)
        channels = value.names.index("C" if "C" in value.names else "F")
        others = [d for d in range(ours.ndim) if d != channels]
        if all(ours.shape[d] == 1 for d in others):
            return ours.reshape(-1, 1)
        if ours.ndim != 3:
            raise Unsupported(f"a constant of the shape {list(array.shape)}")
        return np.broadcast_to(ours, value.size).copy()

    def model(self, outputs: Iterable[Value], layout: str, path: Any) -> dict[str, Any]:
        """Finish the network."""
        size = [float(n) if n is not None else math.nan for n in self.input.size]
        model: dict[str, Any] = {"layers": self.layers}
        model["input_size"] = size[0] if len(size) == 1 else row(size)
        outputs = list(outputs)
        read = {name for layer in self.layers for name in layer["inputs"]}
        left = [layer["name"] for layer in self.layers if layer["name"] not in read]
        if [value.layer for value in outputs] != left:
            model["outputs"] = [value.layer for value in outputs]
        if self.input_grid is not None:
            model["quantization"] = {"input": self.input_grid}
        before = "input"
        for layer in self.layers:
            if layer["inputs"] == [before]:
                del layer["inputs"]
            before = layer["name"]
        model["meta"] = {"source": {"layout": layout, "file": str(path)}}
        return model


def dense(weights: Array, bias: Any, name: str, bias_name: str, turned: bool) -> dict[str, Any]:
    """Give the fields of a dense layer.

    Parameters
    ----------
    weights : array
        In the source's order.
    bias : array or None
        One number for each output.
    name, bias_name : str
        The source's names of both.
    turned : bool
        Whether the source has in x out.
    """
    order = [2, 1] if turned else [1, 2]
    source = {"weights": origin(name, weights.shape, order)} if name else {}
    fields = {"weights": single(weights.T if turned else weights)}
    return {**fields, **biased(bias, bias_name, source)}


def convolution(
    weights: Array, bias: Any, name: str, bias_name: str, order: Sequence[int]
) -> dict[str, Any]:
    """Give the fields of a convolution; `order` makes its axes kh, kw, in, out (from 1)."""
    ours = single(weights.transpose([d - 1 for d in order]))
    source = {"weights": origin(name, weights.shape, order)} if name else {}
    fields = {"weights": ours, "weights_size": row(ours.shape)}
    return {**fields, **biased(bias, bias_name, source)}


def biased(bias: Any, name: str, source: dict[str, Any]) -> dict[str, Any]:
    """Give the field bias, where there is one, and source."""
    fields: dict[str, Any] = {}
    if bias is not None:
        fields["bias"] = single(bias).reshape(-1, 1)
        if name:
            source["bias"] = origin(name, np.shape(bias), range(1, np.ndim(bias) + 1))
    return {**fields, "source": source} if source else fields


def single(array: Any) -> Array:
    """Give numbers as float32, columns together as MATLAB has them.

    Raises
    ------
    Unsupported
        They are no numbers.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise Unsupported(f"weights of the type {array.dtype}")
    return np.asfortranarray(array, np.float32)


def grid(scale: Any, zero_point: Any, bits: int, signed: bool, axis: int, weights: bool) -> Any:
    """Give the promise of an array that lies on a grid.

    Parameters
    ----------
    scale, zero_point : array
        One or one for each slice, in the source's codes.
    bits : int
        Of the codes.
    signed : bool
        Whether the source's codes begin at -2^(bits-1), as ours do, or at 0.
    axis : int
        Our dimension of the slices, from 1; 0 for one scale.
    weights : bool
        Whether the codes are within the symmetric range and the zero point is 0.
    """
    shift = 0 if signed else 2 ** (bits - 1)
    scale = np.asarray(scale, np.float32).reshape(-1, 1)
    zero = np.asarray(zero_point, np.float32).reshape(-1, 1) - shift
    zero = np.broadcast_to(zero, scale.shape).astype(np.float32)
    if not np.isfinite(scale).all() or (scale <= 0).any():
        raise Unsupported("a scale that is not above 0")
    scheme = "symmetric" if weights and not zero.any() else "affine"
    return {
        "bits": float(bits),
        "scheme": scheme,
        "scale": scale,
        "zero_point": zero,
        "axis": float(axis if scale.size > 1 else 0),
    }
